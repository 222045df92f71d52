"""Transfers from the platform's balance to connected accounts, the payments they arrive as, and their reversals."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from .. import money
from ..accounts import payout_terms
from ..context import Context
from ..errors import InvalidRequestError
from ..metadata import merged
from ..shelves import Collection
from ..values import Object
from . import exchange, fees
from .balances import anywhere, book, expand_anywhere, expand_balance_transaction, require, settles_on
from .records import CHARGES, REFUNDS, blank_charge, blank_refund

TRANSFERS: Final = Collection(
    "transfer",
    path="/v1/transfers",
    indexes=("destination", "transfer_group", "source_transaction"),
    expands={
        "balance_transaction": expand_balance_transaction(),
        "destination": "account",
        "destination_payment": expand_anywhere("destination_payment"),
        "source_transaction": "charge",
    },
    found_anywhere=True,
)
TRANSFER_REVERSALS: Final = Collection(
    "transfer_reversal",
    indexes=("transfer",),
    expands={
        "balance_transaction": expand_balance_transaction(),
        "destination_payment_refund": expand_anywhere("destination_payment_refund"),
        "source_refund": "refund",
        "transfer": expand_anywhere("transfer"),
    },
    found_anywhere=True,
)


class Terms(NamedTuple):
    """What a transfer is made for, apart from how much and to whom."""

    source_transaction: str | None = None
    transfer_group: str | None = None
    description: str | None = None
    metadata: Mapping[str, Any] | None = None
    payment_description: str | None = None
    payment_metadata: Mapping[str, Any] | None = None
    application_fee: int | None = None
    on_behalf_of: str | None = None


def move(
    context: Context, amount: int, currency: str, destination: str, *, available_on: int, terms: Terms
) -> tuple[Object, Object | None]:
    """Transfer from the platform to an account, and take the application fee of it; gives the transfer and the fee."""
    transfer_id, payment_id = context.ids.new("tr"), context.ids.new("py")
    movement = book(context, "transfer", -amount, currency, source=transfer_id, available_on=available_on)
    transfer = {
        "id": transfer_id,
        "object": "transfer",
        "amount": amount,
        "amount_reversed": 0,
        "balance_transaction": movement["id"],
        "created": context.clock.now(),
        "currency": currency,
        "description": terms.description,
        "destination": destination,
        "destination_payment": payment_id,
        "livemode": False,
        "metadata": merged({}, terms.metadata),
        "reversals": fees.embedded_list([], f"{TRANSFERS.path}/{transfer_id}/reversals", 0),
        "reversed": False,
        "source_transaction": terms.source_transaction,
        "source_type": "card",
        "transfer_group": terms.transfer_group,
        "_available_on": available_on,
    }
    context.state.insert(TRANSFERS, transfer)
    context.emit("transfer.created", transfer)
    fee = _arrive(context.on(destination), payment_id, transfer, terms, available_on)
    return transfer, fee


def _arrive(seller: Context, payment_id: str, transfer: Object, terms: Terms, available_on: int) -> Object | None:
    """Book the payment that a transfer is on the side of its destination."""
    amount, currency = transfer["amount"], transfer["currency"]
    own = available_on
    if terms.source_transaction and payout_terms.read(seller)["delay_days_override"] is not None:
        own = max(available_on, settles_on(seller))
    fee_amount = terms.application_fee
    fee_id = fees.new_fee_id(seller) if fee_amount else None
    settlement = exchange.incoming(seller, currency)
    movement = book(
        seller,
        "payment",
        amount,
        currency,
        source=payment_id,
        available_on=own,
        settlement=settlement,
        fees=[fees.deducted(seller, fee_amount, settlement)] if fee_amount else [],
        application_fee=fee_amount or 0,
    )
    payment = {
        **blank_charge(seller, payment_id, amount, currency),
        "amount_captured": amount,
        "application": fees.application_id(seller),
        "application_fee": fee_id,
        "application_fee_amount": fee_amount,
        "balance_transaction": movement["id"],
        "captured": True,
        "description": terms.payment_description,
        "metadata": merged({}, terms.payment_metadata),
        "paid": True,
        "payment_method_details": {"stripe_account": {}, "type": "stripe_account"},
        "source_transfer": transfer["id"],
        "status": "succeeded",
        "_available_on": own,
        "_settled_in": settlement.currency,
    }
    seller.state.insert(CHARGES, payment)
    seller.emit("payment.created", payment)
    if not fee_id or not fee_amount:
        return None
    originating = terms.source_transaction
    return fees.take(seller, fee_id, fee_amount, payment, originating=originating, available_on=available_on)


def reverse(
    context: Context,
    transfer: Object,
    amount: int,
    *,
    source_refund: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Object:
    """Take a transfer back, or part of it.

    Raises:
        InvalidRequestError: more than is left of it, or more than the seller's balance.
    """
    seller = context.on(transfer["destination"])
    _check_reversal(seller, transfer, amount)
    currency, available_on = transfer["currency"], transfer["_available_on"]
    reversal_id, refund_id = context.ids.new("trr"), context.ids.new("pyr")
    movement = book(context, "transfer_refund", amount, currency, source=reversal_id, available_on=available_on)
    reversal = {
        "id": reversal_id,
        "object": "transfer_reversal",
        "amount": amount,
        "balance_transaction": movement["id"],
        "created": context.clock.now(),
        "currency": currency,
        "destination_payment_refund": refund_id,
        "metadata": merged({}, metadata),
        "source_refund": source_refund,
        "transfer": transfer["id"],
    }
    context.state.insert(TRANSFER_REVERSALS, reversal)
    _leave(seller, refund_id, transfer, reversal)
    reversed_now = transfer["amount_reversed"] + amount
    changes = {
        "amount_reversed": reversed_now,
        "reversed": reversed_now == transfer["amount"],
        "reversals": fees.with_newest(transfer["reversals"], reversal),
    }
    after = context.state.update(TRANSFERS, transfer, changes)
    context.emit("transfer.reversed", after, previous=transfer)
    return reversal


def return_fee(context: Context, transfer: Object, amount: int) -> None:
    """Give back, before ``amount`` of a transfer is reversed, the same part of the application fee that it bore.

    Raises:
        InvalidRequestError: it bore none.
    """
    payment = anywhere(context.state, transfer["destination_payment"])
    fee = fees.of_charge(context, payment) if payment else None
    if fee is None:
        raise InvalidRequestError(
            f"The transfer {transfer['id']} has no application fee to refund.", param="refund_application_fee"
        )
    left = fee["amount"] - fee["amount_refunded"]
    share = context.settings.rounding.share(fee["amount"], amount, transfer["amount"], fee["currency"])
    part = left if amount == transfer["amount"] else min(share, left)
    if part:
        fees.give_back(context, fee, part)


def _check_reversal(seller: Context, transfer: Object, amount: int) -> None:
    left = transfer["amount"] - transfer["amount_reversed"]
    currency = transfer["currency"]
    money.check_amount(amount, currency)
    if not left:
        raise InvalidRequestError(f"Transfer {transfer['id']} is already fully reversed.", param="id")
    if not 0 < amount <= left:
        raise InvalidRequestError(
            f"Transfer reversal amount ({amount}) is greater than unreversed amount ({left}).", param="amount"
        )
    short = f"Account {seller.account} does not have the balance to reverse {amount} {currency} of {transfer['id']}."
    if seller.settings.reversals_overdraw:
        return
    payment = seller.state.get(CHARGES, transfer["destination_payment"])
    leaves = exchange.following(seller, payment, comes=False)
    require(seller, leaves.currency, leaves.of(amount), at=payment["_available_on"], message=short)


def _leave(seller: Context, refund_id: str, transfer: Object, reversal: Object) -> None:
    """Book the refund of the seller's payment that a reversal is on that side."""
    amount, currency = reversal["amount"], reversal["currency"]
    payment = seller.state.get(CHARGES, transfer["destination_payment"])
    movement = book(
        seller,
        "payment_refund",
        -amount,
        currency,
        source=refund_id,
        available_on=payment["_available_on"],
        settlement=exchange.following(seller, payment, comes=False),
        description="REFUND FOR PAYMENT",
    )
    refund = {
        **blank_refund(seller, refund_id, amount, payment),
        "balance_transaction": movement["id"],
        "source_transfer_reversal": reversal["id"],
        "status": "succeeded",
    }
    seller.state.insert(REFUNDS, refund)
    refunded = payment["amount_refunded"] + amount
    seller.state.update(CHARGES, payment, {"amount_refunded": refunded, "refunded": refunded == payment["amount"]})


def of_charge(context: Context, charge: Object) -> Object | None:
    """The transfer of a destination charge, as it stands."""
    return context.state.find(TRANSFERS, charge["transfer"]) if charge.get("transfer") else None


def check_source(context: Context, charge: Object, amount: int, currency: str) -> None:
    """Refuse a transfer that its ``source_transaction`` does not cover.

    Raises:
        InvalidRequestError: not captured, another currency, or more than is left of the charge.
    """
    if charge["status"] != "succeeded" or not charge["captured"]:
        raise InvalidRequestError(
            f"The charge {charge['id']} has not been captured, so its funds cannot be transferred.",
            param="source_transaction",
        )
    settled_in = charge["_settled_in"]
    if settled_in != currency:
        raise InvalidRequestError(
            f"The currency of source_transaction's balance transaction ({settled_in}) was different from the transfer "
            f"currency ({currency}).",
            param="currency",
        )
    moved = sum(each["amount"] for each in context.state.select(TRANSFERS, {"source_transaction": charge["id"]}))
    if moved + amount > charge["_settled"]:
        raise InvalidRequestError(
            f"Transfers using this transaction as a source must not exceed the source amount of "
            f"{charge['_settled']} {currency}. (There is already {moved} {currency} transferred.)",
            param="amount",
        )
