"""Replay a transaction: what Stripe says of it now is read again and joined to its records, whatever events said."""

from collections.abc import Mapping

from marketplace.domain.books import Books
from marketplace.domain.deferred import dataclass
from marketplace.domain.principals import SYSTEM
from marketplace.domain.readings import ReturnReading
from marketplace.domain.stripe_objects import was_not_asked_for
from marketplace.operations import Operation
from marketplace.ports import Ports
from marketplace.services.commands import follow_up
from marketplace.services.events import take_in_object, take_in_reading
from marketplace.services.settlement import payment_changes
from marketplace.services.sweep import as_at_stripe
from marketplace.services.transactions import read_transaction

Fact = str | int | None


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What the records did not know. ``changes`` are, by id, what was on record and what is now.

    Of the transaction, refunds and disputes that is the status; of a merchant the minor units that it has had.
    """

    transaction_id: str
    changes: Mapping[str, tuple[Fact, Fact]]
    journal_entries: int  # that were added


def replay(ports: Ports, transaction_id: str) -> Replayed:
    """Read the payment, its refunds and disputes and what came back of its transfers, and take all of it in.

    What it finds is followed up as what an event tells is; what lapses is left to the sweep. One read, and one for each
    list; twice is as good as once.

    Raises:
        NotFound.
        Unavailable: Stripe or DynamoDB did not answer.
    """
    before = read_transaction(ports, SYSTEM, transaction_id)
    _take_in_payment(ports, before)
    charge_id = read_transaction(ports, SYSTEM, transaction_id).payment.charge_id
    if charge_id is not None:
        _take_in_what_followed(ports, transaction_id, charge_id)
    after = read_transaction(ports, SYSTEM, transaction_id)
    known, knows = _facts(before), _facts(after)
    changes = {name: (known.get(name), fact) for name, fact in knows.items() if fact != known.get(name)}
    entries = len(after.entries) - len(before.entries)
    return Replayed(transaction_id=transaction_id, changes=changes, journal_entries=entries)


def _take_in_payment(ports: Ports, books: Books) -> None:
    changes = payment_changes(ports, books.transaction, books.payment, as_at_stripe(ports, books.payment))
    ports.store.commit(*changes)
    follow_up(ports, changes)


def _take_in_what_followed(ports: Ports, transaction_id: str, charge_id: str) -> None:
    """Each list the oldest first: who bears a refund or dispute depends on those before it."""
    of_charge = {"charge": charge_id, "limit": 100}
    for made in list(ports.stripe.each(Operation.LIST_REFUNDS, params=of_charge))[::-1]:
        take_in_object(ports, "refund.updated", made)
    for made in list(ports.stripe.each(Operation.LIST_DISPUTES, params=of_charge))[::-1]:
        take_in_object(ports, "charge.dispute.updated", made)
    books = read_transaction(ports, SYSTEM, transaction_id)
    transfers = [each.stripe_transfer_id for share in books.shares.values() for each in share.transfers]
    for transfer_id in dict.fromkeys([books.payment.transfer_id, *transfers]):
        if transfer_id is not None:
            _take_in_returns(ports, transaction_id, charge_id, transfer_id)


def _take_in_returns(ports: Ports, transaction_id: str, charge_id: str, transfer_id: str) -> None:
    reversals = ports.stripe.each(Operation.LIST_REVERSALS, transfer_id, params={"limit": 100})
    returned = tuple(each for each in reversals if was_not_asked_for(each))
    if returned:
        reading = ReturnReading(
            stripe_transfer_id=transfer_id,
            charge_id=charge_id,
            transaction_id=transaction_id,
            is_complete=True,
            returned=returned,
        )
        take_in_reading(ports, reading)


def _facts(books: Books) -> Mapping[str, Fact]:
    return {
        books.transaction.id: books.payment.status.value,
        **{each.id: each.status.value for each in books.refunds.values()},
        **{each.id: each.status.value for each in books.disputes.values()},
        **{each.merchant_id: each.had for each in books.shares.values()},
    }
