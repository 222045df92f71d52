"""Refunds: what goes back to the buyer, what is taken back from the seller for it, and what becomes of it later."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from .. import money
from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError
from ..metadata import merged
from ..values import Object
from . import charges, disputes, exchange, fees, radar, transfers
from .balances import WAITING_REFUNDS, book, spendable
from .methods import card_outcome
from .outcomes import AfterRefund
from .records import CHARGES, REFUNDS, blank_refund

TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {
    "pending": frozenset({"succeeded", "failed", "canceled"}),
    "requires_action": frozenset({"pending", "succeeded", "failed", "canceled"}),
    "succeeded": frozenset({"failed"}),  # the bank may return it days later
    "failed": frozenset(),
    "canceled": frozenset(),
}
"""https://docs.stripe.com/refunds#refund-statuses"""

_FEE_FOLLOWED, _TRANSFER_FOLLOWED = "_fee_followed", "_transfer_followed"
"""Members of the charge: how much of it was refunded along with a part of the fee, or of the transfer."""

_FAILURE_REASON: Final = "expired_or_canceled_card"  # documented for the test card whose refunds fail


class Demand(NamedTuple):
    """What a refund was asked to do."""

    amount: int | None
    reason: str | None = None
    reverse_transfer: bool = False
    refund_application_fee: bool = False
    metadata: Mapping[str, Any] | None = None
    instructions_email: str | None = None


def refund(context: Context, charge: Object, demand: Demand) -> Object:
    """Refund a charge, whole or in part, and take back what the demand says from the seller and the platform.

    Raises:
        InvalidRequestError: disputed, nothing left, more than is left, no transfer or fee, or the seller is short.
    """
    amount = _checked_amount(charge, demand.amount, disputes.lost_amount(context, charge))
    if charge["source_transfer"]:
        return _return_to_platform(context, charge, amount, demand)
    transfer, fee = _checked_parts(context, charge, demand)
    new = blank_refund(context, charges.refund_id(context, charge), amount, charge)
    if fee and (part := _part(context, charge, amount, fee, "amount_refunded", _FEE_FOLLOWED)):
        fees.give_back(context, fee, part)  # before the reversal, which the seller's balance has to cover
    reversal = None
    if transfer and (part := _part(context, charge, amount, transfer, "amount_reversed", _TRANSFER_FOLLOWED)):
        reversal = transfers.reverse(context, transfer, part, source_refund=new["id"])
    new |= {
        "metadata": merged({}, demand.metadata),
        "reason": demand.reason,
        "transfer_reversal": reversal["id"] if reversal else None,
    }
    new |= _sent(context, charge, new) if _is_covered(context, charge, amount) else _waits(context, charge, new)
    if demand.instructions_email:
        new["instructions_email"] = demand.instructions_email
    context.state.insert(REFUNDS, new)
    _count(context, charge, amount, demand)
    context.emit("refund.created", new)
    _schedule_what_follows(context, charge, new)
    return new


def fund(context: Context, currency: str) -> None:
    """Send the refunds that waited for money, the oldest first, as far as there is enough now."""
    for waiting in list(context.state.select(WAITING_REFUNDS, {"currency": currency}, ascending=True)):
        item = context.state.get(REFUNDS, waiting["id"])
        charge = context.state.get(CHARGES, item["charge"])
        if not _is_covered(context, charge, item["amount"]):
            return
        context.state.delete(WAITING_REFUNDS, waiting["id"])
        after = {**_without_reason(item), **_sent(context, charge, item)}
        _schedule_what_follows(context, charge, _told(context, item, after))


def give_up(context: Context, item: Object) -> None:
    """Let a refund fail that nobody covered in time."""
    if context.state.find(WAITING_REFUNDS, item["id"]):
        context.state.delete(WAITING_REFUNDS, item["id"])
        fail(context, item, "insufficient_funds")


def _is_covered(context: Context, charge: Object, amount: int) -> bool:
    """https://docs.stripe.com/refunds: what the balance does not cover is pending until it is topped up."""
    if not context.settings.refunds_wait_for_funds:
        return True
    leaves = exchange.following(context, charge, comes=False)
    return leaves.of(amount) <= spendable(context, leaves.currency, at=charge["_available_on"])


def _waits(context: Context, charge: Object, new: Object) -> dict[str, Any]:
    context.state.insert(WAITING_REFUNDS, {"id": new["id"], "currency": charge["_settled_in"]})
    at = context.clock.now() + context.settings.unfunded_refund_seconds
    context.schedule("refund.give_up", at=at, refund=new["id"])
    return {"status": "pending", "pending_reason": "insufficient_funds"}


def _sent(context: Context, charge: Object, item: Object) -> dict[str, Any]:
    """Book a refund; gives what it says from then on."""
    movement = book(
        context,
        charges.refund_kind(charge),
        -item["amount"],
        charge["currency"],
        source=item["id"],
        available_on=charge["_available_on"],
        settlement=exchange.following(context, charge, comes=False),
        description="REFUND FOR CHARGE" if charge["description"] is None else f"REFUND FOR {charge['description']}",
    )
    return {"balance_transaction": movement["id"], **_first_status(charge)}


def advance(context: Context, item: Object, status: str, **changes: Any) -> Object:  # noqa: ANN401 - JSON of any kind
    """Let a refund change its status and tell of it, as Stripe does, twice."""
    if status not in TRANSITIONS[item["status"]]:
        raise LookupError(f"a refund cannot go from {item['status']} to {status}")
    return _told(context, item, {**_without_reason(item), "status": status, **changes})


def tell_update(context: Context, item: Object, changes: Mapping[str, Any]) -> Object:
    """Change a refund and tell of it under its new and its old name."""
    return _told(context, item, {**item, **changes})


def _told(context: Context, item: Object, after: Object) -> Object:
    context.state.replace(REFUNDS, after)
    context.emit("refund.updated", after, previous=item)
    context.emit("charge.refund.updated", after, previous=item)
    return after


def fail(context: Context, item: Object, why: str = _FAILURE_REASON) -> Object:
    """Give the money of a refund that its bank sent back to the account that refunded; no transfer is made again."""
    charge = context.state.get(CHARGES, item["charge"])
    changes: dict[str, Any] = {"failure_reason": why}
    if item["balance_transaction"]:
        movement = book(
            context,
            "refund_failure",
            item["amount"],
            item["currency"],
            source=item["id"],
            available_on=context.clock.now(),
            settlement=exchange.following(context, charge, comes=True),
            description="REFUND FAILURE",
        )
        changes["failure_balance_transaction"] = movement["id"]
    refunded = charge["amount_refunded"] - item["amount"]
    context.state.update(CHARGES, charge, {"amount_refunded": refunded, "refunded": False})
    after = advance(context, item, "failed", **changes)
    context.emit("refund.failed", after)
    return after


def _without_reason(item: Object) -> Object:
    """A refund that is pending no more gives no reason for being so."""
    return {name: value for name, value in item.items() if name != "pending_reason"}


def refusal_to_cancel(item: Object) -> InvalidRequestError:
    """Only what waits for the buyer's action can be canceled, and no simulated payment method asks for any."""
    return InvalidRequestError(
        f"You cannot cancel this refund because it has a status of {item['status']}. "
        "Only refunds with a status of requires_action can be canceled.",
        code="refund_not_cancelable" if item["status"] != "canceled" else None,
    )


def _return_to_platform(context: Context, payment: Object, amount: int, demand: Demand) -> Object:
    """A seller's refund of what a transfer brought: the money goes to the platform, and no buyer sees any of it."""
    platform = context.on_platform()
    transfer = platform.state.get(transfers.TRANSFERS, payment["source_transfer"])
    if demand.refund_application_fee:
        transfers.return_fee(platform, transfer, amount)
    reversal = transfers.reverse(platform, transfer, amount)
    item = context.state.get(REFUNDS, reversal["destination_payment_refund"])
    return context.state.update(REFUNDS, item, {"metadata": merged({}, demand.metadata), "reason": demand.reason})


def _checked_amount(charge: Object, asked: int | None, lost: int) -> int:
    left: int = charge["amount"] - charge["amount_refunded"] - lost
    if charge["status"] != "succeeded" or not charge["captured"]:
        raise InvalidRequestError(
            f"The charge {charge['id']} has not been captured: there is nothing to refund. Cancel its PaymentIntent.",
            code="charge_not_refundable",
        )
    if not left:
        raise InvalidRequestError(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount = left if asked is None else asked
    money.check_amount(amount, charge["currency"])
    if amount < 1:
        raise InvalidParameterError(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param="amount"
        )
    if amount > left:
        what = "charge amount" if left == charge["amount"] else "unrefunded amount on charge"
        raise InvalidRequestError(f"Refund amount ({amount}) is greater than {what} ({left})", param="amount")
    return amount


def _checked_parts(context: Context, charge: Object, demand: Demand) -> tuple[Object | None, Object | None]:
    """The transfer and the fee that the demand reaches for."""
    transfer, fee = transfers.of_charge(context, charge), fees.of_charge(context, charge)
    if demand.reverse_transfer and transfer is None:
        raise InvalidRequestError(
            f"Cannot reverse the transfer of charge {charge['id']}, which has none.", param="reverse_transfer"
        )
    if demand.refund_application_fee and fee is None:
        raise InvalidRequestError(
            f"Cannot refund the application fee of charge {charge['id']}, which has none.",
            param="refund_application_fee",
        )
    if demand.refund_application_fee and transfer and not demand.reverse_transfer:
        raise InvalidRequestError(
            "To refund the application fee of a destination charge, you must also reverse the transfer.",
            param="refund_application_fee",
        )
    return transfer if demand.reverse_transfer else None, fee if demand.refund_application_fee else None


def _part(context: Context, charge: Object, amount: int, whole: Object, gone: str, followed: str) -> int:
    """What a refund of ``amount`` takes back of a transfer or a fee: in proportion, and never more than is left of it.

    ``followed`` names how much of the charge was refunded by refunds that took this along: when all of it was, the last
    one takes the rest, if the settings say so. A single refund of the whole charge always does.
    """
    left: int = whole["amount"] - whole[gone]
    settings, captured = context.settings, charge["amount_captured"]
    is_last = charge.get(followed, 0) + amount == captured
    if amount == captured or (is_last and settings.last_refund_closes):
        return left
    return min(settings.rounding.share(whole["amount"], amount, captured, whole["currency"]), left)


def _first_status(charge: Object) -> dict[str, Any]:
    details = charge["payment_method_details"]
    if details["type"] != "card":
        return {"status": "pending", "pending_reason": "processing"}
    destination = {
        "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}
    }
    shown = {"destination_details": {**destination, "type": "card"}}
    if card_outcome(charge).after_refund is AfterRefund.PENDING_THEN_SUCCEEDS:
        return {**shown, "pending_reason": "processing", "status": "pending"}
    return {**shown, "status": "succeeded"}


def _count(context: Context, charge: Object, amount: int, demand: Demand) -> None:
    refunded = charge["amount_refunded"] + amount
    changes = {"amount_refunded": refunded, "refunded": refunded == charge["amount"]}
    if demand.refund_application_fee:
        changes[_FEE_FOLLOWED] = charge.get(_FEE_FOLLOWED, 0) + amount
    if demand.reverse_transfer:
        changes[_TRANSFER_FOLLOWED] = charge.get(_TRANSFER_FOLLOWED, 0) + amount
    after = context.state.update(CHARGES, charge, changes)
    context.emit("charge.refunded", after, previous=charge)
    radar.heard_refund(context, after, demand.reason)
    if after["refunded"] and after["disputed"]:
        disputes.close_inquiries(context, after)


def _schedule_what_follows(context: Context, charge: Object, new: Object) -> None:
    now = context.clock.now()
    later = now + context.settings.refund_delay_seconds
    if new["balance_transaction"] is None:
        return
    if new["status"] == "pending":
        context.schedule("refund.succeed", at=later, refund=new["id"])
        return
    context.schedule("refund.reference", at=now, refund=new["id"])
    if card_outcome(charge).after_refund is AfterRefund.SUCCEEDS_THEN_FAILS:
        context.schedule("refund.fail", at=later, refund=new["id"])
