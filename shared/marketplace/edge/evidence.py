"""Evidence as the API takes and shows it: Stripe's names."""

from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

from marketplace.domain.evidence import LONGEST_TEXT
from marketplace.edge.fields import RequestModel
from marketplace.edge.views import View

Text = Annotated[str | None, Field(min_length=1, max_length=LONGEST_TEXT)]
File = Annotated[
    str | None, Field(max_length=255, pattern=r"^file_\w+$", description="Of `POST /disputes/{dispute_id}/files`.")
]


class Evidence(BaseModel):
    """What the buyer's bank is told; https://docs.stripe.com/api/disputes/evidence_object says what each is for."""

    access_activity_log: Text = None
    billing_address: Text = None
    cancellation_policy_disclosure: Text = None
    cancellation_rebuttal: Text = None
    customer_email_address: Text = None
    customer_name: Text = None
    customer_purchase_ip: Text = None
    duplicate_charge_explanation: Text = None
    duplicate_charge_id: Text = None
    product_description: Text = None
    refund_policy_disclosure: Text = None
    refund_refusal_explanation: Text = None
    service_date: Text = None
    shipping_address: Text = None
    shipping_carrier: Text = None
    shipping_date: Text = None
    shipping_tracking_number: Text = None
    uncategorized_text: Text = None
    cancellation_policy: File = None
    customer_communication: File = None
    customer_signature: File = None
    duplicate_charge_documentation: File = None
    receipt: File = None
    refund_policy: File = None
    service_documentation: File = None
    shipping_documentation: File = None
    uncategorized_file: File = None


class EvidenceBody(Evidence, RequestModel):
    """What is to be staged, at least one of it; what is not named stays as it is."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name at least one")
        return self


class EvidenceView(Evidence, View):
    """The evidence at Stripe, staged or submitted."""
