"""Shares: what of a sale is one merchant's, how much of it was sent, and how much came back.

A share knows what the merchant is entitled to now and what it has; ``moves`` says what evens the two out. Releases,
refunds, disputes and their failures only change what it is entitled to, so none of them can pay or take twice.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import TooManyMovements
from marketplace.domain.movements import MovementStatus, Reversal, Transfer, move_on
from marketplace.domain.portions import Portion
from marketplace.domain.transactions import ChargeType

MOST_MERCHANTS: Final = 20  # of one sale: all of their shares and commands are written in one commit of 100 items
MOST_MOVEMENTS: Final = 100  # of one share: a DynamoDB item ends at 400 KB, and a movement takes some 300 bytes


class Hold(StrEnum):
    """Why a share is kept back."""

    BY_HAND = "by_hand"  # until somebody releases it, or until ``release_at``
    NOT_READY = "merchant_not_ready"  # until the merchant can receive transfers
    DISPUTED = "disputed"  # until the dispute ends
    RETURNED = "returned_by_merchant"  # the merchant gave it back to the platform; an operator decides
    REFUSED = "refused_by_stripe"  # a transfer was refused; tried again later


@dataclass(frozen=True, kw_only=True)
class DebtPart:
    """Minor units of a debt that arose from this share, or that a part of this share paid."""

    debt_id: str
    amount: int


@dataclass(frozen=True, kw_only=True)
class Share(Portion):
    """One merchant's part of a sale, and what has moved of what is its own.

    ``released`` is how much of that may be sent, 0 before the money is there. ``debts`` could not be taken back and
    are owed; ``netted`` was kept for debts of earlier sales instead of being sent.
    """

    transaction_id: str
    merchant_id: str
    account_id: str | None
    currency: str
    discount: int = 0  # what the buyer was spared on it, whoever funds that
    charge_type: ChargeType = ChargeType.SEPARATE
    is_settled: bool = False  # whether the money is there and the amounts are final
    released: int = 0
    hold: Hold | None = None
    release_at: datetime | None = None
    is_hold_expiring: bool = False  # held for nearly as long as money may be
    refund_at: datetime | None = None  # when by policy the buyer gets back what waits for a merchant that is not ready
    cause: str | None = None  # the refund or dispute that last changed what the merchant is entitled to
    transfers: tuple[Transfer, ...] = ()
    reversals: tuple[Reversal, ...] = ()
    debts: tuple[DebtPart, ...] = ()
    netted: tuple[DebtPart, ...] = ()
    created_at: datetime
    due_at: datetime | None = None
    version: int = 1

    @property
    def transferred(self) -> int:
        """Minor units transferred or on their way."""
        return sum(each.amount for each in self.transfers if each.status is not MovementStatus.REFUSED)

    @property
    def reversed(self) -> int:
        """Minor units of the transfers that came back or are on their way back."""
        return sum(each.amount for each in self.reversals if each.status is not MovementStatus.REFUSED)

    @property
    def owed(self) -> int:
        """Minor units that should have come back and became debts."""
        return sum(part.amount for part in self.debts)

    @property
    def had(self) -> int:
        """Minor units that the merchant has had of this share, in money or as debts paid."""
        return self.transferred + sum(part.amount for part in self.netted) - self.reversed - self.owed

    @property
    def booked(self) -> int:
        """Minor units that the merchant has had, counting only what Stripe has confirmed.

        A debt that is being collected is in the journal's account of debts, and no longer in ``debts``.
        """
        sent = sum(each.amount for each in self.transfers if each.status is MovementStatus.SUCCEEDED)
        counts = {True: _ON_THE_WAY | {MovementStatus.SUCCEEDED}, False: {MovementStatus.SUCCEEDED}}
        back = (each for each in self.reversals if each.status in counts[each.debt_id is not None])
        return sent + sum(part.amount for part in self.netted) - sum(each.amount for each in back) - self.owed

    def reversible(self, transfer: Transfer) -> int:
        """Minor units of a transfer that are still with the merchant."""
        back = (each for each in self.reversals if each.transfer_id == transfer.id)
        return transfer.amount - sum(each.amount for each in back if each.status is not MovementStatus.REFUSED)

    @property
    def is_under_way(self) -> bool:
        """Whether Stripe's answer to a movement is not known."""
        return bool(_ON_THE_WAY & ({each.status for each in self.transfers} | {each.status for each in self.reversals}))

    @property
    def waits_for(self) -> str | None:
        """In words, why the merchant does not have all of it."""
        if not self.is_settled:
            return "the payment"
        if self.is_under_way:
            return "Stripe's answer"
        return _WORDS[self.hold] if self.hold else None


class Moves(NamedTuple):
    """What evens a share out, in minor units: to send, to take back from each transfer, and what none can give."""

    send: int = 0
    take: tuple[tuple[Transfer, int], ...] = ()
    owe: int = 0


def moves(share: Share, *, given_back: int, recovered: int = 0) -> Moves:
    """What is to be sent or taken back so that the merchant has what it is entitled to.

    ``given_back`` is its part of refunds and disputes; ``recovered`` is what Stripe took of a destination charge's
    transfer with its refunds, the returned fee set off. Nothing is sent while the share is held or over what was
    released; the newest transfer is reversed first.

    Of 90 released of 90, a refund that costs the merchant 30 takes 30 back; of 90 of which only 40 were released and
    sent, the same refund takes nothing, and 20 are left to release.
    """
    entitled, had = share.own - given_back, share.had - recovered
    if had > entitled:
        return _take(share, had - entitled, recovered)
    allowed = min(entitled, share.released)
    return Moves(send=allowed - had) if share.hold is None and allowed > had else Moves()


def send(share: Share, transfer: Transfer, *netted: DebtPart) -> Share:
    """The share with a transfer on its way, less what was kept for debts.

    Raises:
        TooManyMovements.
    """
    return _limited(replace(share, transfers=(*share.transfers, transfer), netted=(*share.netted, *netted)))


def keep_for_debts(share: Share, *netted: DebtPart) -> Share:
    """The share with parts kept for debts and nothing to send."""
    return replace(share, netted=(*share.netted, *netted))


def take_back(share: Share, *reversals: Reversal) -> Share:
    """The share with reversals on their way.

    Raises:
        TooManyMovements.
    """
    return _limited(replace(share, reversals=(*share.reversals, *reversals)))


def take_back_by_hand(share: Share, reversal: Reversal, *, recovered: int) -> Share:
    """The share with a reversal that an operator asked for: the money is the merchant's still, and held for it.

    Raises:
        TooManyMovements.
    """
    taken = take_back(share, reversal)
    return replace(taken, released=max(0, taken.had - recovered), hold=Hold.BY_HAND, release_at=None, due_at=None)


def not_taken_back(share: Share, *, recovered: int) -> Share:
    """The share after a reversal that an operator asked for was refused: what it had, it has."""
    return replace(share, released=max(share.released, share.had - recovered))


def give_back(share: Share, reversal: Reversal) -> Share:
    """The share with money that the merchant sent back by itself: it is the merchant's still, and held.

    Raises:
        TooManyMovements.
    """
    returned = replace(share, reversals=(*share.reversals, reversal), hold=share.hold or Hold.RETURNED)
    return _limited(returned)


def transfer_ended(
    share: Share, transfer_id: str, status: MovementStatus, *, stripe_id: str | None = None,
    destination_payment_id: str | None = None, refusal: str | None = None,
) -> Share:  # fmt: skip
    """The share with what became of a transfer. A refused one holds the rest back until it is looked at again."""
    ended = tuple(
        move_on(each, status, stripe_transfer_id=stripe_id, destination_payment_id=destination_payment_id,
               refusal=refusal) if each.id == transfer_id else each
        for each in share.transfers
    )  # fmt: skip
    hold = Hold.REFUSED if status is MovementStatus.REFUSED and share.hold is None else share.hold
    return replace(share, transfers=ended, hold=hold)


def reversal_ended(
    share: Share, reversal_id: str, status: MovementStatus, *, stripe_id: str | None = None, refusal: str | None = None
) -> Share:
    """The share with what became of a reversal."""
    ended = tuple(
        move_on(each, status, stripe_reversal_id=stripe_id, refusal=refusal) if each.id == reversal_id else each
        for each in share.reversals
    )
    return replace(share, reversals=ended)


def becomes_debt(share: Share, part: DebtPart) -> Share:
    """The share with a part that could not be taken back and is owed instead."""
    return replace(share, debts=(*share.debts, part))


def collects_debt(share: Share, debt_id: str, amount: int) -> Share:
    """The share with so much less of a debt that it is owed: a reversal takes it back after all.

    With a negative ``amount``: that reversal was refused, and it is owed again.
    """
    debts = tuple(
        replace(part, amount=part.amount - amount) if part.debt_id == debt_id else part for part in share.debts
    )
    return replace(share, debts=debts)


def release(share: Share, amount: int | None = None) -> Share:
    """The share with ``amount`` more of it allowed to be sent, all of it when None, and no hold.

    Raises:
        ValueError: more than is held; the caller has checked it.
    """
    released = share.own if amount is None else share.released + amount
    if not share.released <= released <= share.own:
        raise ValueError(f"{amount} of {share.own - share.released} held")
    is_part = released < share.own
    return replace(share, released=released, hold=None, release_at=share.release_at if is_part else None)


def hold(share: Share, why: Hold, *, release_at: datetime | None = None, due_at: datetime | None = None) -> Share:
    """The share kept back from now on; what was sent stays with the merchant."""
    return replace(share, hold=why, release_at=release_at or share.release_at, due_at=due_at or release_at)


def rest(share: Share, *, given_back: int, recovered: int) -> Share:
    """The share with the hold that fits what the merchant is entitled to and has, both as `moves` counts them.

    Where it has all that is its own there is nothing to release; where more than was released is its own, that waits
    for a release.
    """
    entitled, had = share.own - given_back, share.had - recovered
    if share.hold in _UNTIL_RELEASED and entitled <= had:
        return replace(share, hold=None)
    is_more_its_own = share.released <= had < entitled
    if share.hold is None and is_more_its_own and not share.is_under_way:
        return replace(share, hold=Hold.BY_HAND)
    return share


def try_again(share: Share) -> Share:
    """The share without a hold that only waited for time, the merchant or a dispute."""
    return replace(share, hold=None) if share.hold in _PASSING else share


def touch(share: Share, cause: str, due_at: datetime) -> Share:
    """The share to be looked at again: what the merchant is entitled to changes."""
    return replace(share, cause=cause, due_at=due_at)


_UNTIL_RELEASED: Final = frozenset({Hold.BY_HAND, Hold.RETURNED})
_PASSING: Final = frozenset({Hold.NOT_READY, Hold.REFUSED, Hold.DISPUTED})
_ON_THE_WAY: Final = frozenset({MovementStatus.REQUESTED, MovementStatus.UNKNOWN})
_WORDS: Final[Mapping[Hold, str]] = {
    Hold.BY_HAND: "its release",
    Hold.NOT_READY: "the merchant to be able to receive transfers",
    Hold.DISPUTED: "the end of the dispute",
    Hold.RETURNED: "an operator: the merchant returned it",
    Hold.REFUSED: "another try: Stripe refused the transfer",
}


def _take(share: Share, amount: int, recovered: int) -> Moves:
    """Which transfers give how much. One that is still on its way is asked when it has arrived."""
    parts, on_the_way = [], 0
    for transfer in reversed(share.transfers):
        if transfer.status is MovementStatus.REFUSED:
            continue
        left = share.reversible(transfer) - recovered
        recovered = max(0, -left)
        if transfer.status is not MovementStatus.SUCCEEDED:
            on_the_way += max(0, left)
            continue
        part = min(amount, left)
        if part > 0:
            parts.append((transfer, part))
            amount -= part
    return Moves(take=tuple(parts), owe=max(0, amount - on_the_way))


def _limited(share: Share) -> Share:
    if len(share.transfers) + len(share.reversals) > MOST_MOVEMENTS:
        raise TooManyMovements(f"a share has at most {MOST_MOVEMENTS} transfers and reversals")
    return share
