"""What a step of a payment changes: the journal, and for a separate charge the merchants' shares."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from marketplace.domain.completed import EXPANDED, SHIPPING, CompletedLine, completed_line, shipping_lines
from marketplace.domain.errors import Unavailable
from marketplace.domain.invoices import Invoice
from marketplace.domain.money import smallest_payable
from marketplace.domain.postings import charge_entries, payment_entries
from marketplace.domain.promotions import Coupon, redemptions
from marketplace.domain.share_postings import settlement_entry
from marketplace.domain.shares import Hold, Share
from marketplace.domain.splits import final_legs
from marketplace.domain.transactions import ChargeType, Leg, Payment, Transaction
from marketplace.domain.transfers import share_of_destination
from marketplace.operations import Operation
from marketplace.ports import Change, Create, Ports, Ref, Replace, one
from marketplace.services import descriptions
from marketplace.services.invoice_orders import ordered
from marketplace.services.transactions import read_books

type ReadOrder = Callable[[Ports, Transaction, Payment], Sequence[CompletedLine]]


def payment_changes(ports: Ports, transaction: Transaction, before: Payment, after: Payment) -> Sequence[Change]:
    """The moved-on payment with all that follows from its step, to be committed together.

    Raises:
        Unavailable: the completed line items could not be read.
    """
    return _changes(ports, transaction, before, after, _order)


def invoice_payment_changes(
    ports: Ports, transaction: Transaction, before: Payment, after: Payment
) -> Sequence[Change]:
    """The same of an invoice's sale: its key need not be able to read Checkout Sessions."""
    return _changes(ports, transaction, before, after, _invoice_order)


def _changes(
    ports: Ports, transaction: Transaction, before: Payment, after: Payment, read_order: ReadOrder
) -> Sequence[Change]:
    moved: list[Change] = [] if after == before else [Replace(before, after)]
    is_new = after.is_settled and not before.is_settled
    if is_new and transaction.charge_type is ChargeType.DESTINATION:
        moved += descriptions.of_destination_charge(ports, transaction, after)
    if transaction.charge_type is ChargeType.DESTINATION and not transaction.is_split_when_completed:
        (leg,) = transaction.legs
        return [*moved, *map(Create, payment_entries(leg, before, after))]
    split: Sequence[Change] = ()
    if is_new:
        lines = read_order(ports, transaction, after)
        split = split_changes(ports, transaction, after, lines, read_books(ports, transaction.id).shares)
    return [*moved, *map(Create, charge_entries(before, after)), *split]


def split_changes(
    ports: Ports, transaction: Transaction, payment: Payment, lines: Sequence[CompletedLine],
    planned_shares: Mapping[str, Share],
) -> Sequence[Change]:  # fmt: skip
    """The merchants' shares of what was captured, all of them to be evened out, and the entry that owes them."""
    now = ports.clock.now()
    coupons = _coupons(ports, lines)
    legs = final_legs(transaction, payment, lines, {each.id: each.platform_basis_points for each in coupons})
    changes: list[Change] = []
    settled = []
    for leg in legs:
        planned = planned_shares.get(leg.merchant_id)
        share = _settled(transaction, planned or share_of_destination(transaction, payment, leg, "", now), leg, now)
        changes.append(Create(share) if planned is None else Replace(planned, share))
        settled.append(share)
    entry = settlement_entry(payment, settled)
    changes += [Create(entry)] if entry.lines else []
    return [*changes, *map(Create, redemptions(transaction, payment, coupons, lines, legs))]


def completed_order(ports: Ports, transaction: Transaction, payment: Payment) -> Sequence[CompletedLine]:
    """What the buyer ordered in the end, as the session's completed line items say; nothing without a session.

    Raises:
        Unavailable.
    """
    session_id = payment.checkout_session_id
    if session_id is None and transaction.is_split_when_completed:
        session_id = _session_of(ports, payment)
    if session_id is None:
        return ()
    params = {"limit": 100, **({"expand": list(EXPANDED)} if transaction.is_split_when_completed else {})}
    found = ports.stripe.each(Operation.LIST_SESSION_LINE_ITEMS, session_id, params=params)
    return [completed_line(line, transaction.legs[0].merchant_id) for line in found]


def _shipping(
    ports: Ports, transaction: Transaction, payment: Payment, lines: Sequence[CompletedLine]
) -> Sequence[CompletedLine]:
    """What shipping cost with its tax, which only the session tells; without tax it falls on the merchants as it is."""
    if not (transaction.automatic_tax and transaction.has_shipping):
        return ()
    session_id = payment.checkout_session_id or _session_of(ports, payment)
    session = ports.stripe.read(Operation.READ_CHECKOUT_SESSION, session_id, params={"expand": [SHIPPING]})
    planned = {leg.merchant_id: leg.amount for leg in transaction.legs}
    return shipping_lines(session["shipping_cost"], lines, planned, smallest_payable(transaction.currency))


def _order(ports: Ports, transaction: Transaction, payment: Payment) -> Sequence[CompletedLine]:
    if transaction.invoice_id is not None:
        return _invoice_order(ports, transaction, payment)
    lines = completed_order(ports, transaction, payment)
    return [*lines, *_shipping(ports, transaction, payment, lines)]


def _invoice_order(ports: Ports, transaction: Transaction, _payment: Payment) -> Sequence[CompletedLine]:
    """What an invoice charged for; nothing where the plan holds, without tax and discounts."""
    if not transaction.is_split_when_completed:
        return ()
    invoice = one(ports.store, Ref(Invoice, str(transaction.invoice_id)))
    if invoice is None or invoice.stripe_invoice_id is None:
        raise Unavailable("the invoice of this sale is not readable yet")
    return ordered(ports, invoice.stripe_invoice_id, transaction.legs[0].merchant_id)


def _session_of(ports: Ports, payment: Payment) -> str:
    """The session of a payment whose events were faster than the answer that names it.

    Raises:
        Unavailable: Stripe does not find it; what is whose cannot be known without.
    """
    params = {"payment_intent": payment.payment_intent_id, "limit": 1}
    for session in ports.stripe.each(Operation.LIST_CHECKOUT_SESSIONS, params=params):
        return str(session["id"])
    raise Unavailable("the Checkout Session of this payment is not found")


def _coupons(ports: Ports, lines: Sequence[CompletedLine]) -> Sequence[Coupon]:
    """Those of the coupons in an order that were made here."""
    refs = [Ref(Coupon, name) for name in sorted({name for line in lines for name in line.discounts})]
    if not refs:
        return ()
    found = ports.store.get(*refs)
    return [coupon for coupon in map(found, refs) if coupon is not None]


def _settled(transaction: Transaction, share: Share, leg: Leg, now: datetime) -> Share:
    settled = replace(
        share,
        amount=leg.amount,
        fee=leg.fee,
        taxes=leg.taxes,
        tax_liability=leg.tax_liability,
        promotions=leg.promotions,
        discount=leg.discount,
        is_settled=True,
        due_at=now,
    )
    if transaction.is_held:
        return replace(settled, hold=Hold.BY_HAND, release_at=transaction.release_at)
    return replace(settled, released=settled.own)
