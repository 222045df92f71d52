"""What a dispute is when it begins: by kind of payment, reason and stage. https://docs.stripe.com/api/disputes/object"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ..context import Context
from ..values import Object

_DAY_SECONDS: Final = 24 * 3_600
RESPONSE_SECONDS: Final = 9 * _DAY_SECONDS  # networks give from 7 to 21 days
INQUIRY_SECONDS: Final = 120 * _DAY_SECONDS  # then an inquiry that nobody escalated closes

REASONS: Final = (
    *("bank_cannot_process", "check_returned", "credit_not_processed", "customer_initiated", "debit_not_authorized"),
    *("duplicate", "fraudulent", "general", "incorrect_account_details", "insufficient_funds", "noncompliant"),
    *("product_not_received", "product_unacceptable", "subscription_canceled", "unrecognized"),
)
_VISA_CODES: Final[Mapping[str, str]] = {"fraudulent": "10.4", "product_not_received": "13.1"}
COMPLIANCE: Final = "visa_compliance"
COMPLIANCE_CASE: Final = "compliance"


class Claim(NamedTuple):
    """What a buyer, or its bank, says."""

    reason: str
    is_inquiry: bool = False
    is_compliance: bool = False  # that Visa's rules were broken; to contest it costs the network's fee


TEXTS: Final = (
    *("access_activity_log", "billing_address", "cancellation_policy_disclosure", "cancellation_rebuttal"),
    *("customer_email_address", "customer_name", "customer_purchase_ip", "duplicate_charge_explanation"),
    *("duplicate_charge_id", "product_description", "refund_policy_disclosure", "refund_refusal_explanation"),
    *("service_date", "shipping_address", "shipping_carrier", "shipping_date", "shipping_tracking_number"),
    "uncategorized_text",
)
FILES: Final = (
    *("cancellation_policy", "customer_communication", "customer_signature", "duplicate_charge_documentation"),
    *("receipt", "refund_policy", "service_documentation", "shipping_documentation", "uncategorized_file"),
)
"""The members of ``evidence``: those of text, and those that are ids of files."""


def blank(context: Context, charge: Object, amount: int, claim: Claim, status: str) -> Object:
    """A dispute that has just been opened; a bank debit's is lost from the start, and nobody can answer it."""
    now = context.clock.now()
    is_by_card = charge["payment_method_details"]["type"] == "card"
    seconds = INQUIRY_SECONDS if claim.is_inquiry else RESPONSE_SECONDS
    dispute = {
        "id": context.ids.new("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [COMPLIANCE] if claim.is_compliance else [],
        "evidence": {**dict.fromkeys(TEXTS + FILES), "appeal": None, "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": now + seconds if is_by_card else 0,
            "enhanced_eligibility": {COMPLIANCE: {"status": "requires_fee_acknowledgement"}}
            if claim.is_compliance
            else {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "intended_submission_method": None,
        "is_charge_refundable": claim.is_inquiry,
        "livemode": False,
        "metadata": {},
        "network_reason_code": None,
        "payment_intent": charge["payment_intent"],
        "reason": claim.reason,
        "status": status,
    }
    return {**dispute, **_of_card(charge, claim)} if is_by_card else dispute


def _of_card(charge: Object, claim: Claim) -> dict[str, Any]:
    brand = charge["payment_method_details"]["card"]["brand"]
    code = _VISA_CODES.get(claim.reason) if brand == "visa" else None
    case_type = COMPLIANCE_CASE if claim.is_compliance else "inquiry" if claim.is_inquiry else "chargeback"
    card = {"brand": brand, "case_type": case_type, "network": brand, "network_reason_code": code}
    return {"network_reason_code": code, "payment_method_details": {"card": card, "type": "card"}}
