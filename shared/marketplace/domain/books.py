"""Everything of one transaction, as its partition holds it, and what follows from all of it together."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from marketplace.domain.balance_transactions import BalanceTransaction
from marketplace.domain.commands import Command, CommandKind
from marketplace.domain.deferred import dataclass
from marketplace.domain.disputes import Dispute
from marketplace.domain.ledger import EntryKind, JournalEntry
from marketplace.domain.portions import Portion
from marketplace.domain.refunds import Refund, RefundPart
from marketplace.domain.shares import Moves, Share, moves, rest
from marketplace.domain.transactions import ENDED_UNPAID, ChargeType, Leg, Payment, Transaction


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
    """A transaction with its payment, refunds, shares, commands, journal entries and used idempotency keys.

    ``shares`` are by merchant; a destination charge has one from when more than Stripe's own split is to be done.
    ``balance_transactions`` are those of Stripe's that were matched with the entries.
    """

    transaction: Transaction
    payment: Payment
    refunds: Mapping[str, Refund]
    commands: Mapping[str, Command]
    entries: tuple[JournalEntry, ...]
    idempotency: Mapping[str, IdempotencyRecord]
    shares: Mapping[str, Share] = field(default_factory=dict)
    disputes: Mapping[str, Dispute] = field(default_factory=dict)
    balance_transactions: tuple[BalanceTransaction, ...] = ()

    @property
    def leg(self) -> Leg:
        """The one leg of a destination charge."""
        (leg,) = self.transaction.legs
        return leg

    def waits_for(self, share: Share) -> str | None:
        """In words, why a merchant does not have all of its share; what nobody paid for waits for nothing."""
        return None if self.payment.status in ENDED_UNPAID and not share.is_settled else share.waits_for

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

    def portion_of(self, merchant_id: str) -> Portion:
        """A merchant's part of what was captured, and whose it is."""
        share = self.shares.get(merchant_id)
        return share or Portion(amount=self.payment.captured or 0, fee=self.leg.fee)

    def parts_of(self, refund: Refund) -> tuple[RefundPart, ...]:
        """A refund by merchant, also where Stripe recovers it; none of what the platform bears."""
        if refund.is_apportioned:
            return refund.parts
        return (RefundPart(merchant_id=self.leg.merchant_id, amount=refund.amount, fee=refund.fee),)

    def refundable_of(self, merchant_id: str) -> int:
        """Minor units of a merchant's part that can still be refunded."""
        reserved = [part for refund in self.refunds.values() if refund.is_reserved for part in self.parts_of(refund)]
        disputed = [part for dispute in self.disputes.values() if dispute.standing for part in dispute.parts]
        return self.portion_of(merchant_id).amount - sum(
            part.amount for part in reserved + disputed if part.merchant_id == merchant_id
        )

    def given_back(self, merchant_id: str) -> int:
        """Minor units of a merchant's share that it gives back for refunds and disputes that stand.

        One without parts is recovered by Stripe itself, and counts once that is known.
        """
        standing = [refund for refund in self.refunds.values() if refund.stands]
        parts = (part for refund in standing for part in refund.parts if part.merchant_id == merchant_id)
        whole = (refund for refund in standing if not refund.is_apportioned and refund.recovery is not None)
        refunded = sum(part.borne_by_merchant for part in parts) + sum(refund.amount - refund.fee for refund in whole)
        return refunded + sum(dispute.borne_by(merchant_id) for dispute in self.disputes.values())

    def recovered(self, merchant_id: str) -> int:
        """Minor units that Stripe itself took off a destination charge's transfer, the returned fee set off."""
        legs = {leg.merchant_id for leg in self.transaction.legs}
        recovered = (
            refund for refund in self.refunds.values() if refund.recovery is not None and not refund.is_apportioned
        )
        return sum(refund.amount - refund.fee for refund in recovered) if merchant_id in legs else 0

    @property
    def is_recovered_by_stripe(self) -> bool:
        """Whether Stripe can take a refund off a destination charge's transfer: nothing else has come off it."""
        if self.transaction.charge_type is ChargeType.SEPARATE or self.transaction.is_split_when_completed:
            return False
        return not any(share.reversed or share.owed for share in self.shares.values())

    @property
    def is_split(self) -> bool:
        """Whether it is known whose what of the payment is."""
        return self.payment.is_settled or not self.transaction.is_split_when_completed

    def needed_moves(self, share: Share) -> Moves:
        """What evens a share out."""
        merchant_id = share.merchant_id
        return moves(share, given_back=self.given_back(merchant_id), recovered=self.recovered(merchant_id))

    def rested(self, share: Share) -> Share:
        """The share with the hold that fits it now."""
        merchant_id = share.merchant_id
        return rest(share, given_back=self.given_back(merchant_id), recovered=self.recovered(merchant_id))

    @property
    def is_disputed(self) -> bool:
        """Whether a dispute is under way: nothing is released or refunded meanwhile."""
        return any(dispute.is_under_way for dispute in self.disputes.values())

    def latest_command(self, kind: CommandKind) -> Command | None:
        """The last recorded command of a kind."""
        return max((c for c in self.commands.values() if c.kind is kind), key=lambda c: c.id, default=None)
