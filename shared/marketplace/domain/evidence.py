"""What a buyer's bank is told about a dispute. It is kept at Stripe alone: much of it is about the buyer's person.

Names and limits are Stripe's: https://docs.stripe.com/api/disputes/evidence_object
"""

from collections.abc import Mapping
from typing import Final

from marketplace.domain.errors import InvalidFile

TEXTS: Final = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_tracking_number",
    "uncategorized_text",
)
FILES: Final = (
    "cancellation_policy",
    "customer_communication",
    "customer_signature",
    "duplicate_charge_documentation",
    "receipt",
    "refund_policy",
    "service_documentation",
    "shipping_documentation",
    "uncategorized_file",
)
LONGEST_TEXT: Final = 20_000  # characters; all together 150,000, which Stripe counts
LARGEST_FILE_BYTES: Final = 3_500_000  # in base64 within Lambda's 6 MB for a request
_BEGINNINGS: Final[Mapping[str, bytes]] = {"pdf": b"%PDF-", "jpg": b"\xff\xd8\xff", "png": b"\x89PNG\r\n\x1a\n"}


def require_document(content: bytes) -> str:
    """What kind of file it is, by how it begins: pdf, jpg or png.

    Raises:
        InvalidFile: another kind, nothing, or too much.
    """
    if len(content) > LARGEST_FILE_BYTES:
        raise InvalidFile(f"a file has at most {LARGEST_FILE_BYTES} bytes")
    kind = next((kind for kind, beginning in _BEGINNINGS.items() if content.startswith(beginning)), None)
    if kind is None:
        raise InvalidFile("a file is a PDF, a JPEG or a PNG")
    return kind
