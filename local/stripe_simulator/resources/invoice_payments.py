"""Invoice payments: which payments an invoice is paid by. https://docs.stripe.com/api/invoice-payment"""

from typing import Final

from ..context import Context
from ..invoices.records import INVOICE_PAYMENTS
from ..routing import Routes
from ..values import Object

routes = Routes()
_PATH: Final = "/v1/invoice_payments"


@routes.api("GET", _PATH + "/{invoice_payment}")
def retrieve(context: Context, invoice_payment: str) -> Object:
    """The payment as it stands."""
    return context.state.get(INVOICE_PAYMENTS, invoice_payment)


@routes.api("GET", _PATH)
def list_payments(context: Context) -> Object:
    """Payments of invoices, newest first."""
    params = context.params
    intent = (params.get("payment") or {}).get("payment_intent")
    where = {"invoice": params.get("invoice"), "status": params.get("status"), "payment.payment_intent": intent}
    return context.list(INVOICE_PAYMENTS, where)
