"""Charges of PaymentIntents: made, declined, captured, and settled onto the balances of everybody who has a part.

A destination charge is booked as Stripe books it: the platform's charge (+ amount, less Stripe's fee), its transfer
(- amount), the seller's payment (+ amount, less the application fee), and the platform's application fee (+).
https://docs.stripe.com/connect/destination-charges
"""

from typing import Any, Final

from ..accounts.checks import country_of
from ..context import Context
from ..values import Object
from . import exchange, fees, radar, transfers
from .balances import book, fee_detail, settles_on
from .charge_details import APPROVED, ELEVATED, details_of, failed
from .exchange import Settlement
from .methods import card_outcome
from .outcomes import DEBITS_BY_TYPE, Decline, Opening
from .records import CHARGES, REFUNDS, blank_charge, blank_refund
from .transfers import Terms

_COPIED: Final = (
    *("application", "application_fee_amount", "currency", "customer", "description", "metadata", "on_behalf_of"),
    *("receipt_email", "shipping", "statement_descriptor", "statement_descriptor_suffix", "transfer_data"),
    "transfer_group",
)


def authorize(context: Context, intent: Object, method: Object, *, authenticated: bool) -> Object:
    """A charge that its issuer approved; nothing is captured yet."""
    charge = _begin(context, intent, method, authenticated=authenticated)
    is_risky = card_outcome(charge).has_elevated_risk
    outcome = ELEVATED if is_risky else APPROVED
    made = context.state.insert(CHARGES, {**charge, "outcome": outcome, "paid": True, "status": "succeeded"})
    return radar.open_review(context, made) if is_risky and context.settings.elevated_risk_is_reviewed else made


def begin_debit(context: Context, intent: Object, method: Object) -> Object:
    """A charge that a bank was asked for, whose answer comes later."""
    charge = _begin(context, intent, method, authenticated=False)
    outcome = {**APPROVED, "seller_message": "Payment pending."}
    return context.state.insert(CHARGES, {**charge, "captured": True, "outcome": outcome})


def decline(context: Context, intent: Object, method: Object, why: Decline, *, authenticated: bool) -> Object:
    """A charge that failed at once."""
    charge = _begin(context, intent, method, authenticated=authenticated)
    return context.state.insert(CHARGES, {**charge, **failed(why)})


def fail(context: Context, charge: Object, why: Decline) -> Object:
    """Let a pending charge fail."""
    return context.state.update(CHARGES, charge, {**failed(why), "captured": False})


def capture(context: Context, charge: Object, amount: int) -> Object:
    """Take ``amount`` of what was authorized; its money reaches the balances when it is settled."""
    changes = {"amount_captured": amount, "captured": True, "paid": True, "status": "succeeded"}
    return context.state.update(CHARGES, charge, changes)


def settle(context: Context, charge: Object) -> Object:
    """Book a captured charge and everything that hangs on it."""
    captured, currency = charge["amount_captured"], charge["currency"]
    settled_on = context.clock.now() if _is_available_at_once(charge) else settles_on(context)
    settlement = exchange.incoming(context, currency, charge["on_behalf_of"])
    details = [_stripe_fee(context, charge, settlement, charge["amount"])]
    fee_amount = None if charge["transfer_data"] else charge["application_fee_amount"]
    fee_id = fees.new_fee_id(context) if fee_amount else None
    if fee_amount:
        details.append(fees.deducted(context, fee_amount, settlement))
    movement = book(
        context,
        _booked_as(charge, "charge"),
        charge["amount"],
        currency,
        source=charge["id"],
        available_on=settled_on,
        settlement=settlement,
        fees=details,
        application_fee=fee_amount or 0,
        description=charge["description"],
    )
    changes: dict[str, Any] = {
        "balance_transaction": movement["id"],
        "_available_on": settled_on,
        "_settled": movement["amount"],
        "_settled_in": settlement.currency,
    }
    if captured < charge["amount"]:
        returned = _stripe_fee(context, charge, settlement, captured)["amount"] - details[0]["amount"]
        changes |= _release_rest(context, charge, settlement, returned, movement)
    if fee_id and fee_amount:
        fees.take(context, fee_id, fee_amount, charge, originating=None, available_on=settled_on)
        changes["application_fee"] = fee_id
    if charge["transfer_data"]:
        changes |= _send_on(context, charge, settlement, changes["_settled"], settled_on)
    if opening_of(charge):
        context.schedule("charge.dispute", at=context.clock.now(), charge=charge["id"])
    if _is_by_card(charge) and card_outcome(charge).is_warned_of:
        context.schedule("charge.warn", at=context.clock.now(), charge=charge["id"])
    return context.state.update(CHARGES, charge, changes)


def release(context: Context, charge: Object, reason: str | None) -> Object:
    """Let go of an authorization that nothing was captured of."""
    refund = {**blank_refund(context, context.ids.new("re"), charge["amount"], charge), "reason": reason}
    context.state.insert(REFUNDS, {**refund, "status": "succeeded"})
    changes = {"amount_refunded": charge["amount"], "refunded": True}
    return context.state.update(CHARGES, charge, changes)


def refund_id(context: Context, charge: Object) -> str:
    """A new id for a refund of the charge: payments that are no card's have a prefix of their own."""
    return context.ids.new("re" if charge["id"].startswith("ch_") else "pyr")


def refund_kind(charge: Object) -> str:
    """How a refund of the charge is booked."""
    return _booked_as(charge, "refund")


def _begin(context: Context, intent: Object, method: Object, *, authenticated: bool) -> dict[str, Any]:
    charge_id = context.ids.new("ch" if method["type"] == "card" else "py")
    copied = {name: intent[name] for name in _COPIED}
    if intent["transfer_data"]:
        named = {name: intent["transfer_data"].get(name) for name in ("amount", "destination")}
        copied |= {"transfer_data": named}
        copied["transfer_group"] = intent["transfer_group"] or f"group_{intent['id']}"
    return {
        **blank_charge(context, charge_id, intent["amount"], intent["currency"]),
        **copied,
        "billing_details": method["billing_details"],
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": details_of(context, intent, method, authenticated=authenticated),
        "_number": method["_number"],
        "_transfer": intent["_transfer"],
    }


def _send_on(context: Context, charge: Object, settlement: Settlement, settled: int, settled_on: int) -> dict[str, Any]:
    """The transfer of a destination charge, in the currency that it settled in, and the fee that comes back."""
    given, fee_amount = charge["_transfer"], charge["application_fee_amount"]
    share = charge["transfer_data"].get("amount")
    terms = Terms(
        source_transaction=charge["id"],
        transfer_group=charge["transfer_group"],
        description=given.get("description"),
        metadata=given.get("metadata"),
        payment_description=given.get("payment_data", {}).get("description"),
        payment_metadata=given.get("payment_data", {}).get("metadata"),
        application_fee=None if fee_amount is None else min(settlement.of(fee_amount), settled),
    )
    amount = settled if share is None else min(settlement.of(share), settled)
    transfer, fee = transfers.move(
        context,
        amount,
        settlement.currency,
        charge["transfer_data"]["destination"],
        available_on=settled_on,
        terms=terms,
    )
    return {"transfer": transfer["id"], "application_fee": fee["id"] if fee else None}


def _release_rest(
    context: Context, charge: Object, settlement: Settlement, stripe_fee: int, booked: Object
) -> dict[str, Any]:
    """The reversal of what was authorized and not captured, with the part of Stripe's fee that was booked for it."""
    rest, currency = charge["amount"] - charge["amount_captured"], charge["currency"]
    refund = {**blank_refund(context, refund_id(context, charge), rest, charge), "status": "succeeded"}
    movement = book(
        context,
        refund_kind(charge),
        -rest,
        currency,
        source=refund["id"],
        available_on=booked["available_on"],
        settlement=settlement,
        fees=[fee_detail("stripe_fee", stripe_fee, settlement.currency)],
        reporting_category="partial_capture_reversal",
    )
    context.state.insert(REFUNDS, {**refund, "balance_transaction": movement["id"]})
    return {"amount_refunded": rest, "_settled": booked["amount"] + movement["amount"]}


def _stripe_fee(context: Context, charge: Object, settlement: Settlement, amount: int) -> Object:
    """What Stripe keeps of a charge of ``amount``, as a member of ``fee_details``."""
    details = charge["payment_method_details"]
    country = details["card"]["country"] if _is_by_card(charge) else None
    due = context.settings.tariff.fee(
        settlement.of(amount),
        settlement.currency,
        method=details["type"],
        is_international=country not in (None, country_of(context, charge["on_behalf_of"] or context.account)),
        converts=settlement.rate is not None,
    )
    return fee_detail("stripe_fee", due, settlement.currency)


def _booked_as(charge: Object, kind: str) -> str:
    if charge["id"].startswith("ch_"):
        return kind
    return {"charge": "payment", "refund": "payment_refund"}[kind]


def _is_available_at_once(charge: Object) -> bool:
    return _is_by_card(charge) and card_outcome(charge).available_at_once


def opening_of(charge: Object) -> Opening | None:
    """The dispute that the test card or account of a charge opens."""
    if _is_by_card(charge):
        return card_outcome(charge).opening
    kind = charge["payment_method_details"]["type"]
    reason = DEBITS_BY_TYPE[kind][charge["_number"]].dispute
    return Opening(reason) if reason else None


def _is_by_card(charge: Object) -> bool:
    return bool(charge["payment_method_details"]["type"] == "card")
