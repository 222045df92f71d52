"""Disputes: a buyer's bank takes a payment back, or asks about it, and the seller may answer.

A dispute is booked where its charge is: on the platform for destination charges and for separate charges and
transfers, on the connected account for direct charges. https://docs.stripe.com/disputes/how-disputes-work
https://docs.stripe.com/connect/disputes
"""

from collections.abc import Mapping
from typing import Any, Final

from .. import money
from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError
from ..shelves import Collection
from ..values import Object
from . import exchange, radar
from .balances import BALANCE_TRANSACTIONS, book, expand_anywhere, fee_detail, shown
from .dispute_records import COMPLIANCE, COMPLIANCE_CASE, FILES, INQUIRY_SECONDS, RESPONSE_SECONDS, TEXTS, Claim, blank
from .records import CHARGES

DISPUTES: Final = Collection(
    "dispute",
    path="/v1/disputes",
    indexes=("charge", "payment_intent"),
    expands={"charge": expand_anywhere("charge"), "payment_intent": "payment_intent"},
    found_anywhere=True,
)

TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {
    "warning_needs_response": frozenset({"warning_under_review", "warning_closed", "needs_response"}),
    "warning_under_review": frozenset({"warning_closed", "needs_response"}),
    "warning_closed": frozenset(),
    "needs_response": frozenset({"under_review", "won", "lost"}),
    "under_review": frozenset({"won", "lost"}),
    "won": frozenset(),
    "lost": frozenset(),
}
"""https://docs.stripe.com/api/disputes/object#dispute_object-status"""

INQUIRY: Final = frozenset({"warning_needs_response", "warning_under_review", "warning_closed"})
UNDECIDED: Final = frozenset({"needs_response", "under_review"})
WITHDRAWN: Final = UNDECIDED | {"lost"}
"""The statuses in which the buyer has the money."""


def open_dispute(context: Context, charge: Object, amount: int | None, claim: Claim) -> Object:
    """Dispute a charge of the context's account, or ask about it; all that is not disputed yet unless told.

    What a bank was debited for cannot be defended, nor asked about: the buyer's bank has the money back at once.
    https://docs.stripe.com/payments/ach-direct-debit#disputed-payments

    Raises:
        InvalidRequestError: it is no settled payment, or less of it is left to dispute.
    """
    amount = _checked_amount(context, charge, amount, claim)
    status = "warning_needs_response" if claim.is_inquiry else "needs_response"
    is_final = charge["payment_method_details"]["type"] != "card"
    dispute = blank(context, charge, amount, claim, "lost" if is_final else status)
    context.state.insert(DISPUTES, dispute)
    context.state.update(CHARGES, charge, {"disputed": True})
    radar.heard_dispute(context, charge)
    if is_final:
        after = _withdraw(context, dispute, "charge.dispute.created", None)
        context.emit("charge.dispute.closed", after)
        return after
    if claim.is_inquiry:
        context.schedule("dispute.lapse", at=context.clock.now() + INQUIRY_SECONDS, dispute=dispute["id"])
        context.emit("charge.dispute.created", dispute)
        return dispute
    return _withdraw(context, dispute, "charge.dispute.created", None)


def decide(context: Context, dispute: Object, status: str) -> Object:
    """Let the bank, or time, take a dispute to its next status, with the money that moves on the way."""
    if status == "needs_response":
        return _withdraw(context, _move(context, dispute, status), "charge.dispute.updated", dispute)
    after = _move(context, dispute, status)
    if status == "won":
        after = _reinstate(context, after)
        _charge_for_countering(context, after, -1)
    context.emit("charge.dispute.closed", after)
    if status == "won":
        context.emit("charge.dispute.funds_reinstated", after)
    return after


def respond(context: Context, dispute: Object, evidence: Object, *, submits: bool, metadata: Object) -> Object:
    """Stage evidence, and hand it in when told to: that can be done once.

    Raises:
        InvalidRequestError: the dispute waits for no answer.
    """
    changes: dict[str, Any] = {"metadata": metadata, "evidence": evidence}
    details = {**dispute["evidence_details"], "has_evidence": any(evidence[name] for name in TEXTS + FILES)}
    if evidence["enhanced_evidence"].get(COMPLIANCE, {}).get("fee_acknowledged"):
        details["enhanced_eligibility"] = {COMPLIANCE: {"status": "fee_acknowledged"}}
    if submits or evidence != dispute["evidence"]:
        require_answerable(dispute)
    if submits:
        details["submission_count"] += 1
        prefix = "warning_" if dispute["status"] in INQUIRY else ""
        after = _move(context, dispute, f"{prefix}under_review", {**changes, "evidence_details": details})
        at = context.clock.now() + context.settings.dispute_review_seconds
        context.schedule("dispute.review", at=at, dispute=dispute["id"])
        _charge_for_countering(context, after, 1)
    else:
        after = context.state.update(DISPUTES, dispute, {**changes, "evidence_details": details})
    if after != dispute:
        context.emit("charge.dispute.updated", after, previous=dispute)
    return after


def require_answerable(dispute: Object) -> None:
    """Refuse what can only be done while the dispute waits for an answer.

    Raises:
        InvalidRequestError: it was answered, or is closed.
    """
    if not TRANSITIONS[dispute["status"]]:
        raise InvalidRequestError("This dispute is already closed.", code="dispute_closed", param="dispute")
    if not dispute["status"].endswith("needs_response"):
        raise InvalidRequestError("Evidence has already been submitted for this dispute.", param="evidence")


def close_inquiries(context: Context, charge: Object) -> None:
    """A payment that was refunded whole leaves nothing to ask about: no funds are withdrawn any more."""
    for dispute in list(context.state.select(DISPUTES, {"charge": charge["id"]})):
        if dispute["status"] in INQUIRY and TRANSITIONS[dispute["status"]]:
            decide(context, dispute, "warning_closed")


def lost_amount(context: Context, charge: Object) -> int:
    """How much of a charge can never be refunded, since the buyer has it by a dispute.

    Raises:
        InvalidRequestError: ``charge_disputed``, while the money is withdrawn and nothing is decided.
    """
    disputes = list(context.state.select(DISPUTES, {"charge": charge["id"]})) if charge["disputed"] else []
    lost: int = sum(each["amount"] for each in disputes if each["status"] == "lost")
    is_undecided = any(each["status"] in UNDECIDED for each in disputes)
    if is_undecided or (lost and lost >= charge["amount"] - charge["amount_refunded"]):
        raise InvalidRequestError(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
        )
    return lost


def refreshed(context: Context, dispute: Object) -> Object:
    """The dispute with its balance transactions as they stand now."""
    now = context.clock.now()
    moved = [
        shown(context.state.get(BALANCE_TRANSACTIONS, each["id"]), now) for each in dispute["balance_transactions"]
    ]
    return {**dispute, "balance_transactions": moved}


def _move(context: Context, dispute: Object, status: str, changes: Mapping[str, Any] | None = None) -> Object:
    if status not in TRANSITIONS[dispute["status"]]:
        raise InvalidRequestError(f"A dispute cannot go from {dispute['status']} to {status}.", param="dispute")
    shown_too = {"is_charge_refundable": status in INQUIRY}
    return context.state.update(DISPUTES, dispute, {"status": status, **shown_too, **(changes or {})})


def _withdraw(context: Context, dispute: Object, event_type: str, previous: Object | None) -> Object:
    """Take the disputed amount and the fee off the balance, and give some days for an answer."""
    charge, currency = context.state.get(CHARGES, dispute["charge"]), dispute["currency"]
    settlement = exchange.following(context, charge, comes=False)
    fee = _fee(context.settings.dispute_fee, settlement.currency, "Dispute fee")
    movement = book(
        context,
        "adjustment",
        -dispute["amount"],
        currency,
        source=dispute["id"],
        available_on=charge["_available_on"],
        settlement=settlement,
        fees=[fee],
        description=f"Chargeback withdrawal for {charge['id']}",
        reporting_category="dispute",
    )
    changes: dict[str, Any] = {"balance_transactions": [shown(movement, context.clock.now())]}
    if dispute["status"] in UNDECIDED:
        due_by = context.clock.now() + RESPONSE_SECONDS
        context.schedule("dispute.lapse", at=due_by, dispute=dispute["id"])
        changes["evidence_details"] = {**dispute["evidence_details"], "due_by": due_by}
        card = dispute["payment_method_details"]["card"]
        if card["case_type"] != COMPLIANCE_CASE:
            card = {**card, "case_type": "chargeback"}
        changes["payment_method_details"] = {"card": card, "type": "card"}
    after = context.state.update(DISPUTES, dispute, changes)
    context.emit(event_type, after, previous=previous)
    context.emit("charge.dispute.funds_withdrawn", after)
    return after


def _reinstate(context: Context, dispute: Object) -> Object:
    """Give back what was withdrawn; the fee too when the settings say so."""
    charge, currency = context.state.get(CHARGES, dispute["charge"]), dispute["currency"]
    settlement = exchange.following(context, charge, comes=True)
    fee = _fee(-context.settings.dispute_fee, settlement.currency, "Dispute fee refund")
    movement = book(
        context,
        "adjustment",
        dispute["amount"],
        currency,
        source=dispute["id"],
        available_on=charge["_available_on"],
        settlement=settlement,
        fees=[fee] if context.settings.won_dispute_returns_fee else [],
        description=f"Chargeback reversal for {charge['id']}",
        reporting_category="dispute_reversal",
    )
    moved = [*dispute["balance_transactions"], shown(movement, context.clock.now())]
    return context.state.update(DISPUTES, dispute, {"balance_transactions": moved})


def _charge_for_countering(context: Context, dispute: Object, sign: int) -> None:
    """Take what it costs to answer a dispute, or give it back when that was won.

    https://docs.stripe.com/disputes/how-disputes-work#dispute-fees https://docs.stripe.com/disputes/api/visa-compliance
    """
    if dispute["status"] in INQUIRY or not dispute["evidence_details"]["submission_count"]:
        return
    settings, is_compliance = context.settings, bool(dispute["enhanced_eligibility_types"])
    due = settings.dispute_countering_fee + (settings.compliance_fee if is_compliance else 0)
    if due:
        currency = exchange.settled_in(context, dispute["currency"])
        why = f"Dispute countered fee{' refund' if sign < 0 else ''}"
        now = context.clock.now()
        book(
            context,
            "stripe_fee",
            -sign * due,
            currency,
            source=dispute["id"],
            available_on=now,
            description=why,
        )


def _fee(amount: int, currency: str, description: str) -> Object:
    return fee_detail("stripe_fee", amount, currency, description=description)


def _checked_amount(context: Context, charge: Object, asked: int | None, claim: Claim) -> int:
    details = charge["payment_method_details"]
    if claim.is_inquiry and details["type"] != "card":
        raise InvalidRequestError("Banks do not ask about what they were debited for.", param="inquiry")
    if claim.is_compliance and details.get("card", {}).get("brand") != "visa":
        raise InvalidRequestError("Only payments with Visa cards meet disputes about Visa's rules.", param="compliance")
    if details["type"] == "stripe_account":
        raise InvalidRequestError("Transfers cannot be disputed, only the payments that they are made of.")
    if not charge["balance_transaction"]:
        raise InvalidRequestError(f"The charge {charge['id']} is not settled, so nobody can dispute it.")
    taken = sum(
        each["amount"]
        for each in context.state.select(DISPUTES, {"charge": charge["id"]})
        if each["status"] in WITHDRAWN or each["status"] in INQUIRY - {"warning_closed"}
    )
    left: int = charge["amount_captured"] - taken
    amount = left if asked is None else asked
    money.check_amount(amount, charge["currency"])
    if not 0 < amount <= left:
        raise InvalidParameterError(f"{left} of {charge['id']} are left to dispute, not {amount}.", param="amount")
    return amount
