"""What a failed attempt leaves on its intent."""

from ..state import public
from ..values import Object


def last_error(code: str, message: str, kind: str, method: Object, **details: str | None) -> Object:
    """``last_payment_error`` or ``last_setup_error``, which is also what the client is told."""
    given = {name: value for name, value in details.items() if value}
    return {
        **given,
        "code": code,
        "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}",
        "message": message,
        "payment_method": public(method),
        "type": kind,
    }
