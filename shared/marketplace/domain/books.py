"""Everything of one transaction, as its partition holds it, and what follows from all of it together."""

from collections.abc import Mapping
from datetime import datetime

from marketplace.domain.commands import Command, CommandKind
from marketplace.domain.deferred import dataclass
from marketplace.domain.ledger import EntryKind, JournalEntry
from marketplace.domain.refunds import Refund
from marketplace.domain.transactions import Leg, Payment, Transaction


@dataclass(frozen=True, kw_only=True)
class IdempotencyRecord:
    """A client's Idempotency-Key, used. ``scope`` is a hash of caller, route and key, ``request`` one of the body.

    ``subject`` is the transaction whose partition holds it; None where the transaction is what the request makes.
    """

    scope: str
    subject: str | None
    request: str
    command_id: str
    command_subject: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class EventMarker:
    """An event that was dealt with, and how; ``outcome`` is ``applied`` or ``ignored: ...``."""

    event_id: str
    event_type: str
    outcome: str
    transaction_id: str | None
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Books:
    """A transaction with its payment, refunds, commands, journal entries and used idempotency keys."""

    transaction: Transaction
    payment: Payment
    refunds: Mapping[str, Refund]
    commands: Mapping[str, Command]
    entries: tuple[JournalEntry, ...]
    idempotency: Mapping[str, IdempotencyRecord]

    @property
    def leg(self) -> Leg:
        """The one leg of a destination charge."""
        (leg,) = self.transaction.legs
        return leg

    def has_entry(self, object_id: str, kind: EntryKind) -> bool:
        """Whether the ledger knows of this already."""
        return any(entry.object_id == object_id and entry.kind is kind for entry in self.entries)

    def fee_still_owed(self) -> int:
        """Minor units of the fee that recovered refunds promised the merchant and that Stripe did not return.

        Stripe rounds proportional fee refunds in a way that it does not document; top-ups under way count as returned.
        """
        promised = sum(refund.fee for refund in self.refunds.values() if refund.recovery is not None)
        under_way = sum(
            int(command.params["amount"])
            for command in self.commands.values()
            if command.kind is CommandKind.REFUND_APPLICATION_FEE and command.is_open
        )
        return promised - self.fee_returned() - under_way

    def fee_returned(self) -> int:
        """Minor units of the fee that went back to the merchant."""
        return sum(
            -line.amount
            for entry in self.entries
            if entry.kind is EntryKind.FEE_REFUND
            for line in entry.lines
            if line.source == entry.object_id
        )

    def latest_command(self, kind: CommandKind) -> Command | None:
        """The last recorded command of a kind."""
        return max((c for c in self.commands.values() if c.kind is kind), key=lambda c: c.id, default=None)
