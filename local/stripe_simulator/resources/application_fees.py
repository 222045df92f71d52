"""Application fees and their refunds. https://docs.stripe.com/api/application_fees https://docs.stripe.com/api/fee_refunds"""

from ..context import Context
from ..errors import ResourceMissingError
from ..funds import fees
from ..funds.fees import APPLICATION_FEES, FEE_REFUNDS
from ..lists import page
from ..metadata import merged
from ..routing import Routes
from ..values import Object

routes = Routes(APPLICATION_FEES, FEE_REFUNDS)


@routes.api("GET", "/v1/application_fees/{fee}")
def retrieve(context: Context, fee: str) -> Object:
    """The fee as it stands."""
    return context.state.get(APPLICATION_FEES, fee)


@routes.api("GET", "/v1/application_fees")
def list_fees(context: Context) -> Object:
    """Fees, newest first."""
    return context.list(APPLICATION_FEES, {"charge": context.params.get("charge")})


@routes.api("POST", "/v1/application_fees/{fee}/refunds")
def refund(context: Context, fee: str) -> Object:
    """Give a fee back, or part of it."""
    params = context.params
    found = context.state.get(APPLICATION_FEES, fee)
    return fees.give_back(context, found, params.get("amount"), params.get("metadata"))


@routes.api("GET", "/v1/application_fees/{fee}/refunds")
def list_refunds(context: Context, fee: str) -> Object:
    """A fee's refunds, newest first."""
    context.state.get(APPLICATION_FEES, fee)
    return page(context.state, FEE_REFUNDS, {"fee": fee}, context.params, context.path)


@routes.api("GET", "/v1/application_fees/{fee}/refunds/{refund}")
def retrieve_refund(context: Context, fee: str, refund: str) -> Object:
    """One refund of a fee."""
    found = context.state.get(FEE_REFUNDS, refund)
    if found["fee"] != fee:
        raise ResourceMissingError("fee_refund", refund)
    return found


@routes.api("POST", "/v1/application_fees/{fee}/refunds/{refund}")
def update_refund(context: Context, fee: str, refund: str) -> Object:
    """Change a refund's metadata."""
    before = retrieve_refund(context, fee, refund)
    after = context.state.update(
        FEE_REFUNDS, before, {"metadata": merged(before["metadata"], context.params.get("metadata"))}
    )
    owner = context.state.get(APPLICATION_FEES, fee)
    context.state.update(APPLICATION_FEES, owner, {"refunds": fees.with_changed(owner["refunds"], after)})
    if after != before:
        context.emit("application_fee.refund.updated", after, previous=before)
    return after
