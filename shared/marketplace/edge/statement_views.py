"""A merchant's statement as the API shows it. Amounts are minor units."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from marketplace.edge.views import View


class StatementLineView(View):
    """A balance transaction: `amount` came in, or left, before `fee` and `tax`; `net` is what the balance changed by.

    `kind` is `sale`, `fee`, `tax`, `refund`, `dispute`, `reversal`, `debt`, `payout`, `reserve` or `other`.
    """

    id: str
    created: datetime
    kind: str
    type: Annotated[str, Field(description="Stripe's, of the balance transaction.")]
    amount: int
    fee: int
    tax: int
    net: int
    currency: str
    stripe_id: Annotated[str | None, Field(description="The object that moved the balance, a payout for example.")]
    related_id: Annotated[str | None, Field(description="The platform's transfer, reversal or fee behind it.")]


class BalanceSummaryView(View):
    """One currency at Stripe: `opening` and the sums of `movements` by kind make `closing`."""

    currency: str
    opening: int
    movements: dict[str, int]
    closing: int


class DebtSummaryView(View):
    """One currency of what is owed to the platform for refunds and disputes.

    `opening` and `booked`, less what was `netted`, `collected` or `written_off`, is `closing`.
    """

    currency: str
    opening: int
    booked: int
    netted: int
    collected: int
    written_off: int
    closing: int


class StatementView(View):
    """From `since` to before `until`, the first line first. If it is not complete, the next one begins at `until`."""

    merchant_id: str
    since: datetime
    until: datetime
    is_complete: bool
    balances: list[BalanceSummaryView]
    debts: list[DebtSummaryView]
    lines: list[StatementLineView]
