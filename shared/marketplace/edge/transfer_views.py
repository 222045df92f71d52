"""Transfers as the API shows them."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from marketplace.domain.transfers import BookedTransfer
from marketplace.edge.views import View


class ReversalView(View):
    """What came back of a transfer. `cause` is a refund, a dispute, or why an operator or the merchant did it."""

    id: str
    amount: int
    status: str
    cause: str
    debt_id: Annotated[str | None, Field(description="The debt that it collects.")]
    command_id: str | None
    stripe_reversal_id: str | None
    refusal: Annotated[str | None, Field(description="Stripe's code.")]
    created_at: datetime


class TransferView(View):
    """A transfer to a merchant, in the amounts that Stripe shows.

    A destination charge's is Stripe's own, of the whole charge, and `application_fee` came back out of it at once.
    """

    id: str
    transaction_id: str
    merchant_id: str
    account_id: str | None
    amount: int
    application_fee: int
    currency: str
    status: str
    reversed: Annotated[int, Field(description="What came back of it or is on its way back.")]
    reversible: Annotated[int, Field(description="What an operator can take back of it.")]
    charge_id: Annotated[str | None, Field(description="The buyer's payment that it comes of.")]
    stripe_transfer_id: str | None
    destination_payment_id: Annotated[str | None, Field(description="The merchant's own charge.")]
    command_id: Annotated[str | None, Field(description="Which command asked for it; null where Stripe made it.")]
    refusal: Annotated[str | None, Field(description="Stripe's code.")]
    created_at: datetime
    reversals: list[ReversalView]

    @classmethod
    def of_transfer(cls, found: BookedTransfer) -> Self:
        """From the books."""
        share, transfer = found.share, found.transfer
        return cls(
            id=transfer.id,
            transaction_id=share.transaction_id,
            merchant_id=share.merchant_id,
            account_id=share.account_id,
            amount=found.amount,
            application_fee=found.application_fee,
            currency=share.currency,
            status=transfer.status,
            reversed=found.reversed,
            reversible=found.reversible,
            charge_id=found.books.payment.charge_id,
            stripe_transfer_id=transfer.stripe_transfer_id,
            destination_payment_id=transfer.destination_payment_id,
            command_id=transfer.command_id,
            refusal=transfer.refusal,
            created_at=transfer.created_at,
            reversals=[ReversalView.of(each) for each in found.reversals],
        )
