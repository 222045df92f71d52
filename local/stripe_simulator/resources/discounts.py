"""The discount of a customer. https://docs.stripe.com/api/discounts"""

from typing import Final

from ..context import Context
from ..errors import InvalidRequestError
from ..pricing.discounts import DISCOUNTS, remove
from ..routing import Routes
from ..values import Object

routes = Routes(DISCOUNTS)
_OF_CUSTOMER: Final = "/v1/customers/{customer}/discount"


@routes.api("DELETE", _OF_CUSTOMER)
def delete(context: Context, customer: str) -> Object:
    """Take the discount away from a customer."""
    applied = (each for each in context.state.select(DISCOUNTS, {"customer": customer}) if _is_of_customer(each))
    discount = next(applied, None)
    if discount is None:
        raise InvalidRequestError(f"No active discount for customer: {customer}", code="resource_missing", status=404)
    return remove(context, discount)


def _is_of_customer(discount: Object) -> bool:
    return not any(discount[place] for place in ("checkout_session", "invoice", "invoice_item", "subscription"))
