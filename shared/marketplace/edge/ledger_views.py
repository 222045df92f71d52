"""The ledger, the reconciliation and the audit as the API shows them to operators. Amounts are minor units."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from marketplace.domain.closings import Balances
from marketplace.domain.reconciliation import Discrepancy, PayoutReconciliation, Reconciliation
from marketplace.edge.views import View
from marketplace.services.ledger import TrialBalance

Net = Annotated[int, Field(description="What the balance changed by: the amount less Stripe's fee.")]


class BalanceView(View):
    """An account in one currency: its `balance`, a debit positive, in the column that a trial balance has it in."""

    account: str
    currency: str
    balance: int
    debit: int
    credit: int


class TotalView(View):
    """The columns of a trial balance in one currency; they are equal."""

    currency: str
    debit: int
    credit: int


class TrialBalanceView(View):
    """All accounts that are not at rest, counting what was booked before `at`."""

    at: datetime
    accounts: list[BalanceView]
    totals: list[TotalView]

    @classmethod
    def of_balances(cls, found: TrialBalance) -> Self:
        """With its totals."""
        sums: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
        for (_, currency), amount in found.balances.items():
            debit, credit = sums[currency]
            sums[currency] = (debit + max(amount, 0), credit + max(-amount, 0))
        totals = [TotalView(currency=each, debit=debit, credit=credit) for each, (debit, credit) in sums.items()]
        return cls(at=found.at, accounts=balances(found.balances), totals=totals)


class AccountView(View):
    """An account in every currency in which it is not at rest, counting what was booked before `at`."""

    account: str
    at: datetime
    balances: list[BalanceView]


class TallyView(View):
    """How many balance transactions of a status there were in a currency, and their sum."""

    status: Annotated[str, Field(description="matched, merchants_own, unmatched or unexplained")]
    currency: str
    count: int
    net: Net


class ReconciliationView(View):
    """The balance transactions that Stripe made on one day (UTC) on the balance of `platform` or of an account."""

    account: str
    day: Annotated[str, Field(description="For example `2026-11-23`.")]
    tallies: list[TallyView]
    is_explained: Annotated[bool, Field(description="Whether none of them is unmatched or unexplained.")]

    @classmethod
    def of_day(cls, day: Reconciliation) -> Self:
        """From the record."""
        tallies = [TallyView.of(tally) for tally in day.tallies]
        explained = {tally.status for tally in tallies} <= {"matched", "merchants_own"}
        return cls(account=day.account, day=day.day.date().isoformat(), tallies=tallies, is_explained=explained)


class PayoutReconciliationView(View):
    """An automatic payout and what Stripe says it is made of, itself included; `difference` is 0 when all of it is."""

    account: str
    payout_id: str
    amount: int
    currency: str
    created: datetime
    tallies: list[TallyView]
    difference: int
    is_done: Annotated[bool, Field(description="Whether all that it is made of was read.")]

    @classmethod
    def of_payout(cls, payout: PayoutReconciliation) -> Self:
        """From the record."""
        return cls.of(payout)


class DiscrepancyView(View):
    """A balance transaction that the ledger does not explain, and `amount` and `fee` of it."""

    account: str
    balance_transaction_id: str
    status: Annotated[str, Field(description="unmatched: the ledger differs; unexplained: nothing is known of it")]
    type: str
    reporting_category: str
    source: Annotated[str | None, Field(description="The Stripe object that moved the balance.")]
    amount: int
    fee: int
    net: Net
    currency: str
    created: datetime
    transaction_id: str | None

    @classmethod
    def of_discrepancy(cls, found: Discrepancy) -> Self:
        """From the record."""
        line = found.line
        return cls(
            account=line.account, balance_transaction_id=line.id, status=found.status, type=line.type,
            reporting_category=line.category, source=line.object_id, amount=line.amount, fee=line.fee, net=line.net,
            currency=line.currency, created=line.created, transaction_id=line.transaction_id,
        )  # fmt: skip


class AuditView(View):
    """An audit over the sales for which something was booked from `since` to before `until`."""

    id: str
    since: datetime
    until: datetime
    is_done: bool
    entries: int
    transactions: int
    findings: int


class FindingView(View):
    """An invariant that does not hold for a transaction (docs/invariants.md)."""

    id: str
    transaction_id: str
    invariant: str
    what: str
    found_at: datetime


def balances(found: Balances) -> list[BalanceView]:
    """Each account in each currency, in order."""
    return list(_rows(found.items()))


def _rows(found: Iterable[tuple[tuple[str, str], int]]) -> Iterable[BalanceView]:
    for (account, currency), amount in found:
        yield BalanceView(
            account=account, currency=currency, balance=amount, debit=max(amount, 0), credit=max(-amount, 0)
        )
