"""The discount of a customer, which API requests can only take away: it is given in the Dashboard.

POST /_simulator/customers/{customer}/discount      {"coupon": "..."}: gives it

https://docs.stripe.com/api/discounts
"""

from typing import Final

from ..context import Context
from ..errors import InvalidRequestError
from ..pricing import discounts
from ..pricing.coupons import COUPONS
from ..pricing.discounts import DISCOUNTS
from ..routing import Routes
from ..values import Object
from .customers import CUSTOMERS

routes = Routes(DISCOUNTS)
_OF_CUSTOMER: Final = "/v1/customers/{customer}/discount"


@routes.api("DELETE", _OF_CUSTOMER)
def delete(context: Context, customer: str) -> Object:
    """Take the discount away from a customer."""
    discount = discounts.of_customer(context, context.state.get(CUSTOMERS, customer)["id"])
    if discount is None:
        raise InvalidRequestError(f"No active discount for customer: {customer}", code="resource_missing", status=404)
    return discounts.remove(context, discount)


@routes.page("POST", "/_simulator/customers/{customer}/discount")
def give(context: Context, customer: str) -> Object:
    """Give a customer a discount, in the place of the one that it has."""
    holder = context.on(context.state.holder_of(CUSTOMERS, customer).account)
    coupon = holder.state.get(COUPONS, str(context.params.get("coupon")), param="coupon")
    return discounts.give(holder, holder.state.get(CUSTOMERS, customer), coupon)


@routes.due("discount.end")
def end_in_time(context: Context, discount: str) -> None:
    """A customer's discount has come to its end, unless it was taken away or replaced."""
    found = context.state.find(DISCOUNTS, discount)
    if found:
        discounts.remove(context, found)
