"""Transfers and their reversals at Stripe, and what their outcomes change."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, override

from marketplace.domain import debts, shares
from marketplace.domain.books import Books
from marketplace.domain.commands import Command, CommandKind
from marketplace.domain.debts import Debt
from marketplace.domain.movements import MovementStatus, Reversal, Transfer
from marketplace.domain.share_postings import reversal_entry, transfer_entry
from marketplace.domain.shares import Moves, Share
from marketplace.domain.stripe_objects import at
from marketplace.operations import Operation
from marketplace.ports import Change, Create, Ports, Ref, Replace, one
from marketplace.services import descriptions
from marketplace.services.commands import Handler, find_made, handles
from marketplace.services.shares import TRY_AGAIN, owe
from marketplace.services.transactions import read_books


class MoveShare(Handler[Books]):
    """What a transfer and a reversal have in common: their outcome is one of a merchant's share."""

    @override
    def load(self, ports: Ports, command: Command) -> Books:
        return read_books(ports, command.subject)


class CreateTransfer(MoveShare):
    """A share, or a part of it, to its merchant."""

    operation = Operation.CREATE_TRANSFER

    @override
    def keep(self, made: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"destination_payment": made.get("destination_payment")}

    @override
    def succeeded(self, ports: Ports, subject: Books, command: Command, made: Mapping[str, Any]) -> Sequence[Change]:
        share, transfer = _transfer_of(subject, command.result)
        moved = shares.transfer_ended(
            share,
            transfer.id,
            MovementStatus.SUCCEEDED,
            stripe_id=made["id"],
            destination_payment_id=made.get("destination_payment"),
        )
        _, arrived = _transfer_of(_with(subject, moved), transfer.id)
        entry = transfer_entry(moved, arrived, at(made["created"]))
        described = descriptions.of_transfer(ports, subject.transaction, moved, arrived)
        return [_replaced(ports, subject, moved), Create(entry), *described]

    @override
    def refused(self, ports: Ports, subject: Books, command: Command, code: str) -> Sequence[Change]:
        share, transfer = _transfer_of(subject, command.result)
        moved = shares.transfer_ended(share, transfer.id, MovementStatus.REFUSED, refusal=code)
        return [Replace(share, replace(moved, due_at=ports.clock.now() + TRY_AGAIN))]

    @override
    def doubtful(self, subject: Books, command: Command) -> Sequence[Change]:
        share, transfer = _transfer_of(subject, command.result)
        if transfer.status is MovementStatus.UNKNOWN:
            return []
        return [Replace(share, shares.transfer_ended(share, transfer.id, MovementStatus.UNKNOWN))]

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        params = {"transfer_group": command.subject, "limit": 100}
        return find_made(ports.stripe.each(Operation.LIST_TRANSFERS, params=params), command)


class ReverseTransfer(MoveShare):
    """Money back from a merchant. Where its balance is too low the money becomes a debt, never a failure."""

    operation = Operation.REVERSE_TRANSFER

    @override
    def succeeded(self, ports: Ports, subject: Books, command: Command, made: Mapping[str, Any]) -> Sequence[Change]:
        share, reversal = _reversal_of(subject, command.result)
        moved = shares.reversal_ended(share, reversal.id, MovementStatus.SUCCEEDED, stripe_id=made["id"])
        _, back = _reversal_of(_with(subject, moved), reversal.id)
        entry = reversal_entry(moved, back, at(made["created"]), pays_debt=reversal.debt_id is not None)
        paid: list[Change] = []
        if reversal.debt_id is not None:
            debt = _debt(ports, reversal.debt_id)
            paid = [Replace(debt, debts.collected(debt, reversal.amount, at(made["created"])))]
        return [_replaced(ports, subject, moved), Create(entry), *paid]

    @override
    def refused(self, ports: Ports, subject: Books, command: Command, code: str) -> Sequence[Change]:
        share, reversal = _reversal_of(subject, command.result)
        moved = shares.reversal_ended(share, reversal.id, MovementStatus.REFUSED, refusal=code)
        if reversal.debt_id is not None:
            debt = _debt(ports, reversal.debt_id)
            owed = shares.collects_debt(moved, debt.id, -reversal.amount)
            return [Replace(share, owed), Replace(debt, debts.not_collected(debt, reversal.amount, ports.clock.now()))]
        if reversal.is_by_hand:
            kept = shares.not_taken_back(moved, recovered=subject.recovered(share.merchant_id))
            return [Replace(share, _with(subject, kept).rested(kept))]
        owing = owe(ports, moved, reversal.amount, reversal.cause, transfer_id=reversal.transfer_id, refusal=code)
        return [Replace(share, owing.share), *owing.changes]

    @override
    def doubtful(self, subject: Books, command: Command) -> Sequence[Change]:
        share, reversal = _reversal_of(subject, command.result)
        if reversal.status is MovementStatus.UNKNOWN:
            return []
        return [Replace(share, shares.reversal_ended(share, reversal.id, MovementStatus.UNKNOWN))]

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        made = ports.stripe.each(Operation.LIST_REVERSALS, *command.target, params={"limit": 100})
        return find_made(made, command)


CREATE_TRANSFER: Final = CreateTransfer()
REVERSE_TRANSFER: Final = ReverseTransfer()
handles(CommandKind.CREATE_TRANSFER, CREATE_TRANSFER)
handles(CommandKind.REVERSE_TRANSFER, REVERSE_TRANSFER)


def _replaced(ports: Ports, books: Books, moved: Share) -> Replace[Share]:
    """The share as it moved on, due again if what the merchant is entitled to has changed on the way."""
    known = _with(books, moved)
    due_at = ports.clock.now() if known.needed_moves(moved) != Moves() else moved.due_at
    return Replace(books.shares[moved.merchant_id], replace(known.rested(moved), due_at=due_at))


def _with(books: Books, share: Share) -> Books:
    return replace(books, shares={**books.shares, share.merchant_id: share})


def _transfer_of(books: Books, transfer_id: str) -> tuple[Share, Transfer]:
    return next((share, each) for share in books.shares.values() for each in share.transfers if each.id == transfer_id)


def _reversal_of(books: Books, reversal_id: str) -> tuple[Share, Reversal]:
    return next((share, each) for share in books.shares.values() for each in share.reversals if each.id == reversal_id)


def _debt(ports: Ports, debt_id: str) -> Debt:
    found = one(ports.store, Ref(Debt, debt_id))
    assert found is not None  # noqa: S101 - a debt is written with the share that names it, and never removed
    return found
