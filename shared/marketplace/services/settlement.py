"""What a step of a payment changes: the journal, and for a separate charge the merchants' shares."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from marketplace.domain.books import Books
from marketplace.domain.postings import charge_entries, payment_entries
from marketplace.domain.share_postings import settlement_entry
from marketplace.domain.shares import Hold, Share
from marketplace.domain.splits import final_legs
from marketplace.domain.transactions import ChargeType, Leg, Payment, Transaction
from marketplace.operations import Operation
from marketplace.ports import Change, Create, Ports, Replace
from marketplace.services import descriptions
from marketplace.services.transactions import read_books


def payment_changes(ports: Ports, transaction: Transaction, before: Payment, after: Payment) -> Sequence[Change]:
    """The moved-on payment with all that follows from its step, to be committed together.

    Raises:
        Unavailable: the completed line items could not be read.
    """
    moved = [] if after == before else [Replace(before, after)]
    if transaction.charge_type is ChargeType.DESTINATION:
        (leg,) = transaction.legs
        is_new = after.is_settled and not before.is_settled
        described = descriptions.of_destination_charge(ports, transaction, after) if is_new else []
        return [*moved, *map(Create, payment_entries(leg, before, after)), *described]
    changes: list[Change] = [*moved, *map(Create, charge_entries(before, after))]
    if after.is_settled and not before.is_settled:
        changes += _split(ports, read_books(ports, transaction.id), after)
    return changes


def _split(ports: Ports, books: Books, payment: Payment) -> list[Change]:
    """The merchants' shares of what was captured, all of them to be evened out, and the entry that owes them."""
    now = ports.clock.now()
    legs = final_legs(books.transaction, payment, _completed(ports, books.transaction, payment))
    settled = {leg.merchant_id: _settled(books.transaction, books.shares[leg.merchant_id], leg, now) for leg in legs}
    entry = settlement_entry(payment, settled.values())
    return [*(Replace(books.shares[merchant_id], share) for merchant_id, share in settled.items()), Create(entry)]


def _completed(ports: Ports, transaction: Transaction, payment: Payment) -> Mapping[str, int]:
    """What the buyer ordered of each merchant in the end, as the session's completed line items say (minor units)."""
    amounts: dict[str, int] = defaultdict(int)
    if payment.checkout_session_id is None:
        return amounts
    found = ports.stripe.each(Operation.LIST_SESSION_LINE_ITEMS, payment.checkout_session_id, params={"limit": 100})
    for line in found:
        merchant_id = (line.get("metadata") or {}).get("merchant_id") or transaction.legs[0].merchant_id
        amounts[merchant_id] += line["amount_total"]
    return amounts


def _settled(transaction: Transaction, share: Share, leg: Leg, now: datetime) -> Share:
    settled = replace(share, amount=leg.amount, fee=leg.fee, is_settled=True, due_at=now)
    if transaction.is_held:
        return replace(settled, hold=Hold.BY_HAND, release_at=transaction.release_at)
    return replace(settled, released=settled.own)
