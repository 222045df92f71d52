"""What Stripe did with a charge and has not told yet, read where an event cannot follow from what is known here.

Events overtake each other: a second refund of the whole can only mean that the first one failed, and a refund of what
was disputed that the dispute was won. Who bears what is decided by what is left, so that is found out first.
"""

from collections.abc import Mapping
from typing import Any

from marketplace.domain.books import Books
from marketplace.domain.disputes import join as join_dispute
from marketplace.domain.principals import SYSTEM
from marketplace.domain.refunds import join as join_refund
from marketplace.domain.stripe_objects import dispute_facts, refund_facts
from marketplace.operations import Operation
from marketplace.ports import Ports
from marketplace.services.recovery import dispute_step, refund_step


def up_to_date(ports: Ports, books: Books, charge_id: str) -> Books:
    """The books with the refunds and disputes that they know as Stripe has them now; two calls.

    Raises:
        Unavailable: Stripe or DynamoDB did not answer.
        Conflict: somebody else wrote at the same time.
    """
    of_charge = {"charge": charge_id, "limit": 100}
    for made in ports.stripe.each(Operation.LIST_REFUNDS, params=of_charge):
        books = _with_refund(ports, books, made)
    for made in ports.stripe.each(Operation.LIST_DISPUTES, params=of_charge):
        books = _with_dispute(ports, books, made)
    return books


def _with_refund(ports: Ports, books: Books, made: Mapping[str, Any]) -> Books:
    known = (each for each in books.refunds.values() if each.stripe_refund_id == made["id"])
    before = next(known, None)
    after = before and join_refund(before, refund_facts(made))
    if before is None or after is None or after == before:
        return books
    ports.store.commit(*refund_step(ports, books.transaction, books.payment, before, after))
    return _again(ports, books)


def _with_dispute(ports: Ports, books: Books, made: Mapping[str, Any]) -> Books:
    known = (each for each in books.disputes.values() if each.stripe_dispute_id == made["id"])
    before = next(known, None)
    after = before and join_dispute(before, dispute_facts(made))
    if before is None or after is None or after == before or not before.withdrawn:
        return books
    ports.store.commit(*dispute_step(ports, books, before, after))
    return _again(ports, books)


def _again(ports: Ports, books: Books) -> Books:
    return ports.store.books(books.transaction.id, visible_to=SYSTEM) or books
