"""Transfers as Stripe knows them, the one that it makes by itself for a destination charge among them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from marketplace.domain.books import Books
from marketplace.domain.errors import ReversalExceedsRest, TransferNotReversible, Unavailable
from marketplace.domain.ids import id_from
from marketplace.domain.money import require_payable
from marketplace.domain.movements import MovementStatus, Reversal, Transfer
from marketplace.domain.shares import Share
from marketplace.domain.transactions import ChargeType, Leg, Payment, Transaction


class BookedTransfer(NamedTuple):
    """A transfer of a merchant's share, in its books. Amounts are minor units."""

    books: Books
    share: Share
    transfer: Transfer

    @property
    def amount(self) -> int:
        """What Stripe transferred: of a destination charge all of it, the platform's fee still in it."""
        return self.transfer.amount + self.application_fee

    @property
    def application_fee(self) -> int:
        """What of it went back to the platform at once, as its fee."""
        return self.books.payment.application_fee_amount or 0 if self.transfer.command_id is None else 0

    @property
    def reversals(self) -> tuple[Reversal, ...]:
        """What came back of it or is on its way back, the first first; Stripe's own, with refunds, among them."""
        ours = [each for each in self.share.reversals if each.transfer_id == self.transfer.id]
        return tuple(sorted([*ours, *self._with_refunds()], key=lambda each: (each.created_at, each.id)))

    @property
    def reversed(self) -> int:
        """What came back of it or is on its way back, as Stripe counts it."""
        return sum(each.amount for each in self.reversals if each.status is not MovementStatus.REFUSED)

    @property
    def reversible(self) -> int:
        """What is still with the merchant of its own."""
        return max(0, self.share.reversible(self.transfer) - self.books.recovered(self.share.merchant_id))

    def _with_refunds(self) -> Iterator[Reversal]:
        if self.transfer.command_id is not None:
            return
        for refund in self.books.refunds.values():
            if refund.recovery is not None:
                made_at = refund.at_stripe_since or refund.created_at
                stripe_id = refund.recovery.transfer_reversal_id
                yield Reversal(
                    id=id_from("reversal", made_at, stripe_id, owner=refund.transaction_id),
                    transfer_id=self.transfer.id,
                    command_id=refund.command_id,
                    amount=refund.recovery.reversed,
                    cause=refund.id,
                    status=MovementStatus.SUCCEEDED,
                    stripe_reversal_id=stripe_id,
                    created_at=made_at,
                )


def transfers_of(books: Books) -> list[BookedTransfer]:
    """The transfers of a sale, the newest first."""
    shares = list(books.shares.values())
    is_split_by_stripe = books.transaction.charge_type is ChargeType.DESTINATION and books.is_split
    if not shares and is_split_by_stripe and books.payment.transfer_id:
        shares = [share_by_stripe(books, "", books.payment.paid_at or books.transaction.created_at)]
    found = [BookedTransfer(books, share, transfer) for share in shares for transfer in share.transfers]
    return sorted(found, key=lambda each: (each.transfer.created_at, each.transfer.id), reverse=True)


def share_by_stripe(books: Books, cause: str, now: datetime) -> Share:
    """What Stripe split by itself, as a share.

    Raises:
        Unavailable: it is to be split by us, and it is not known yet how.
    """
    if not books.is_split:
        raise Unavailable("how the payment is split is not known yet")
    payment = books.payment
    leg = replace(books.leg, amount=payment.captured or 0, fee=payment.application_fee_amount or 0)
    return share_of_destination(books.transaction, payment, leg, cause, now)


def share_of_destination(transaction: Transaction, payment: Payment, leg: Leg, cause: str, now: datetime) -> Share:
    """A destination charge's share: one transfer that has arrived, of all that the application fee left of it.

    An order that cost nothing had no transfer.
    """
    transfer = Transfer(
        id=id_from("transfer", transaction.created_at, ChargeType.DESTINATION, owner=transaction.id),
        command_id=None,
        amount=(payment.captured or 0) - (payment.application_fee_amount or 0),
        status=MovementStatus.SUCCEEDED,
        stripe_transfer_id=payment.transfer_id,
        created_at=payment.paid_at or now,
    )
    return Share(
        transaction_id=transaction.id,
        merchant_id=leg.merchant_id,
        account_id=leg.account_id,
        amount=leg.amount,
        fee=leg.fee,
        currency=transaction.currency,
        charge_type=transaction.charge_type,
        is_settled=True,
        released=leg.own,
        cause=cause,
        transfers=(transfer,) if payment.transfer_id else (),
        created_at=now,
        due_at=now,
    )


def require_reversible(found: BookedTransfer, amount: int) -> None:
    """Refuse to reverse what cannot be, now or at all.

    Raises:
        TransferNotReversible: it has not arrived, or nothing of it is with the merchant.
        ReversalExceedsRest, InvalidAmount.
    """
    if found.transfer.status is not MovementStatus.SUCCEEDED or found.transfer.stripe_transfer_id is None:
        raise TransferNotReversible("the transfer has not arrived")
    if not found.reversible:
        raise TransferNotReversible("nothing of it is with the merchant")
    require_payable(amount, found.share.currency)
    if amount > found.reversible:
        raise ReversalExceedsRest(amount, found.reversible)
