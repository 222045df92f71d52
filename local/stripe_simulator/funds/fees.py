"""Application fees: what the platform keeps of a payment to a connected account, and what it gives back of that."""

from collections.abc import Mapping
from typing import Any, Final

from ..context import Context
from ..errors import InvalidRequestError
from ..lists import list_object
from ..metadata import merged
from ..money import check_amount
from ..shelves import Collection
from ..state import public
from ..values import Object
from . import exchange
from .balances import anywhere, book, expand_anywhere, expand_balance_transaction, fee_detail
from .exchange import Settlement

APPLICATION_FEES: Final = Collection(
    "application_fee",
    path="/v1/application_fees",
    indexes=("charge",),
    expands={
        "account": "account",
        "balance_transaction": expand_balance_transaction(),
        "charge": expand_anywhere("charge"),
        "originating_transaction": expand_anywhere("originating_transaction"),
    },
    found_anywhere=True,
)
FEE_REFUNDS: Final = Collection(
    "fee_refund",
    indexes=("fee",),
    expands={"balance_transaction": expand_balance_transaction(), "fee": expand_anywhere("fee")},
    found_anywhere=True,
)
EMBEDDED: Final = 10  # how many of its refunds or reversals an object carries within it


def application_id(context: Context) -> str:
    """The platform as a Connect application, which is what earns application fees."""
    return "ca_" + context.world.platform.removeprefix("acct_")


def deducted(context: Context, amount: int, settlement: Settlement) -> Object:
    """A fee as the booking of the payment that it is taken from lists it."""
    settled = settlement.of(amount)
    return fee_detail("application_fee", settled, settlement.currency, application=application_id(context))


def new_fee_id(context: Context) -> str:
    """An id for a fee, known before the payment that it is taken from."""
    return context.ids.new("fee")


def take(
    context: Context, fee_id: str, amount: int, charge: Object, *, originating: str | None, available_on: int
) -> Object:
    """Let the platform earn its fee of ``charge``, the connected account's payment, whose booking has deducted it."""
    platform = context.on_platform()
    currency = charge["currency"]
    settlement = exchange.incoming(platform, currency)
    movement = book(
        platform,
        "application_fee",
        amount,
        currency,
        source=fee_id,
        available_on=available_on,
        settlement=settlement,
    )
    fee = {
        "id": fee_id,
        "object": "application_fee",
        "account": context.account,
        "amount": amount,
        "amount_refunded": 0,
        "application": application_id(context),
        "balance_transaction": movement["id"],
        "charge": charge["id"],
        "created": context.clock.now(),
        "currency": currency,
        "fee_source": {"charge": charge["id"], "type": "charge"},
        "livemode": False,
        "originating_transaction": originating,
        "refunded": False,
        "refunds": embedded_list([], f"{APPLICATION_FEES.path}/{fee_id}/refunds", 0),
        "_available_on": available_on,
        "_settled_in": settlement.currency,
    }
    platform.state.insert(APPLICATION_FEES, fee)
    platform.emit("application_fee.created", fee)
    return fee


def give_back(context: Context, fee: Object, amount: int | None, metadata: Mapping[str, Any] | None = None) -> Object:
    """Return a fee, or part of it, from the platform to the account that it was taken from.

    Raises:
        InvalidRequestError: nothing is left of it, or less than ``amount``.
    """
    platform = context.on_platform()
    amount = _checked_part(fee, amount)
    refund_id = platform.ids.new("fr")
    available_on = fee["_available_on"]
    currency = fee["currency"]
    goes = exchange.following(platform, fee, comes=False)
    booked: Any = {"source": refund_id, "available_on": available_on}
    taken = book(platform, "application_fee_refund", -amount, currency, settlement=goes, **booked)
    seller, payment = platform.on(fee["account"]), anywhere(platform.state, fee["charge"])
    comes = exchange.following(seller, payment or fee, comes=True)
    book(seller, "adjustment", amount, currency, settlement=comes, **booked)
    refund = {
        "id": refund_id,
        "object": "fee_refund",
        "amount": amount,
        "balance_transaction": taken["id"],
        "created": platform.clock.now(),
        "currency": currency,
        "fee": fee["id"],
        "metadata": merged({}, metadata),
    }
    platform.state.insert(FEE_REFUNDS, refund)
    refunded = fee["amount_refunded"] + amount
    changes = {
        "amount_refunded": refunded,
        "refunded": refunded == fee["amount"],
        "refunds": with_newest(fee["refunds"], refund),
    }
    after = platform.state.update(APPLICATION_FEES, fee, changes)
    platform.emit("application_fee.refunded", after, previous=fee)
    return refund


def _checked_part(fee: Object, asked: int | None) -> int:
    left: int = fee["amount"] - fee["amount_refunded"]
    amount = left if asked is None else asked
    check_amount(amount, fee["currency"])
    if not left:
        raise InvalidRequestError(f"The application fee {fee['id']} has already been fully refunded.", param="id")
    if not 0 < amount <= left:
        raise InvalidRequestError(
            f"Refund amount ({amount}) is greater than unrefunded amount on fee ({left}).", param="amount"
        )
    return amount


def of_charge(context: Context, charge: Object) -> Object | None:
    """The fee that was taken with a charge, as it stands."""
    return anywhere(context.state, charge["application_fee"])


def embedded_list(data: list[Object], url: str, total: int) -> Object:
    """The list that an object carries of what came of it, newest first."""
    return {**list_object(data, url, has_more=total > len(data)), "total_count": total}


def with_newest(embedded: Object, item: Object) -> Object:
    """The embedded list after one more."""
    data = [public(item), *embedded["data"]][:EMBEDDED]
    return embedded_list(data, embedded["url"], embedded["total_count"] + 1)


def with_changed(embedded: Object, item: Object) -> Object:
    """The embedded list after one of its members changed."""
    data = [public(item) if each["id"] == item["id"] else each for each in embedded["data"]]
    return {**embedded, "data": data}
