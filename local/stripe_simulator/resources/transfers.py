"""Transfers and their reversals. https://docs.stripe.com/api/transfers https://docs.stripe.com/api/transfer_reversals"""

from typing import Any

from .. import accounts, money
from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError, ResourceMissingError
from ..funds import fees, transfers
from ..funds.balances import require
from ..funds.records import CHARGES
from ..funds.transfers import TRANSFER_REVERSALS, TRANSFERS, Terms
from ..lists import page
from ..metadata import merged
from ..routing import Routes
from ..values import Object

routes = Routes(TRANSFERS, TRANSFER_REVERSALS)
_SHORT = (
    "You have insufficient available funds in your Stripe account. Try adding funds directly to your available balance "
    "by creating Charges using the 4000000000000077 test card. See: https://stripe.com/docs/testing#available-balance"
)


@routes.api("POST", "/v1/transfers")
def create(context: Context) -> Object:
    """Transfer from the available balance, or from a charge before its money is available."""
    params = context.params
    if params.get("source_type", "card") != "card":
        context.unsupported("source_type")
    if not context.is_platform:
        raise InvalidRequestError("A connected account cannot make transfers.", param="destination")
    currency = money.currency_code(params["currency"])
    accounts.check_destination(context, params["destination"])
    source = _source(context)
    if "amount" not in params and source is None:
        raise InvalidParameterError("Missing required param: amount.", code="parameter_missing", param="amount")
    amount = params.get("amount", source and source.get("_settled", source["amount"]))
    money.check_amount(amount, currency)
    if amount < 1:
        raise InvalidParameterError(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param="amount"
        )
    available_on = context.clock.now()
    group = params.get("transfer_group")
    if source:
        transfers.check_source(context, source, amount, currency)
        available_on = source["_available_on"]
        group = _group(context, source, group)
    else:
        require(context, currency, amount, at=available_on, message=_SHORT)
    terms = Terms(params.get("source_transaction"), group, params.get("description"), params.get("metadata"))
    made, _ = transfers.move(context, amount, currency, params["destination"], available_on=available_on, terms=terms)
    return made


@routes.api("GET", "/v1/transfers/{transfer}")
def retrieve(context: Context, transfer: str) -> Object:
    """The transfer as it stands."""
    return context.state.get(TRANSFERS, transfer)


@routes.api("POST", "/v1/transfers/{transfer}")
def update(context: Context, transfer: str) -> Object:
    """Change its description and metadata."""
    before = context.state.get(TRANSFERS, transfer)
    changes: dict[str, Any] = {"metadata": merged(before["metadata"], context.params.get("metadata"))}
    if "description" in context.params:
        changes["description"] = context.params["description"] or None
    after = context.state.update(TRANSFERS, before, changes)
    if after != before:
        context.emit("transfer.updated", after, previous=before)
    return after


@routes.api("GET", "/v1/transfers")
def list_transfers(context: Context) -> Object:
    """Transfers, newest first."""
    return context.list(TRANSFERS, {name: context.params.get(name) for name in ("destination", "transfer_group")})


@routes.api("POST", "/v1/transfers/{transfer}/reversals")
def reverse(context: Context, transfer: str) -> Object:
    """Take a transfer back, or part of it; the application fee with it in proportion when asked for."""
    params = context.params
    found = context.state.get(TRANSFERS, transfer)
    amount = params.get("amount", found["amount"] - found["amount_reversed"])
    if params.get("refund_application_fee"):
        transfers.return_fee(context, found, amount)
    return transfers.reverse(context, found, amount, metadata=params.get("metadata"))


@routes.api("GET", "/v1/transfers/{transfer}/reversals")
def list_reversals(context: Context, transfer: str) -> Object:
    """A transfer's reversals, newest first."""
    context.state.get(TRANSFERS, transfer)
    return page(context.state, TRANSFER_REVERSALS, {"transfer": transfer}, context.params, context.path)


@routes.api("GET", "/v1/transfers/{transfer}/reversals/{reversal}")
def retrieve_reversal(context: Context, transfer: str, reversal: str) -> Object:
    """One reversal of a transfer."""
    found = context.state.get(TRANSFER_REVERSALS, reversal)
    if found["transfer"] != transfer:
        raise ResourceMissingError("transfer_reversal", reversal)
    return found


@routes.api("POST", "/v1/transfers/{transfer}/reversals/{reversal}")
def update_reversal(context: Context, transfer: str, reversal: str) -> Object:
    """Change a reversal's metadata."""
    before = retrieve_reversal(context, transfer, reversal)
    changes = {"metadata": merged(before["metadata"], context.params.get("metadata"))}
    after = context.state.update(TRANSFER_REVERSALS, before, changes)
    owner = context.state.get(TRANSFERS, transfer)
    changed = context.state.update(TRANSFERS, owner, {"reversals": fees.with_changed(owner["reversals"], after)})
    if after != before:
        context.emit("transfer.updated", changed, previous=owner)
    return after


def _source(context: Context) -> Object | None:
    named = context.params.get("source_transaction")
    return context.state.get(CHARGES, named, param="source_transaction") if named else None


def _group(context: Context, source: Object, given: str | None) -> str | None:
    """A transfer has the group of its charge, and a charge without one gets one."""
    group: str | None = source["transfer_group"]
    if group and given and given != group:
        raise InvalidRequestError(
            f"The transfer_group of the transfer ({given}) must be that of its source_transaction ({group}).",
            param="transfer_group",
        )
    if not group:
        group = given or f"group_{source['payment_intent'] or source['id']}"
        context.state.update(CHARGES, source, {"transfer_group": group})
    return group
