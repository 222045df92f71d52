"""A merchant's statement of a period: what its balance was, every movement on it, what it is; and the same of its debt.

For each currency opening plus movements is closing: the balance transactions of its account say so, kind by kind.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

from marketplace.domain.balance_transactions import BalanceTransaction, MovementKind, balance_transaction
from marketplace.domain.debts import Debt, Settled
from marketplace.domain.deferred import dataclass
from marketplace.domain.movements import Reversal
from marketplace.domain.stripe_objects import Object

type Sums = Mapping[str, int]  # minor units by currency


class StatementKind(StrEnum):
    """What a movement is to the merchant."""

    SALE = "sale"  # what a buyer paid, or the merchant's share of it
    FEE = "fee"  # the platform's and Stripe's
    TAX = "tax"  # withheld with fees
    REFUND = "refund"
    DISPUTE = "dispute"
    REVERSAL = "reversal"  # taken back for no refund, dispute or debt: by hand, or in a dashboard
    DEBT = "debt"  # paid of what was owed to the platform
    PAYOUT = "payout"  # to the bank, or back from it
    RESERVE = "reserve"  # kept back by Stripe, or given free
    OTHER = "other"  # a type that this code does not know yet: shown, never dropped


_K = StatementKind
BY_TYPE: Final[Mapping[str, StatementKind]] = {
    "charge": _K.SALE,
    "payment": _K.SALE,
    "refund": _K.REFUND,
    "payment_refund": _K.REFUND,
    "refund_failure": _K.REFUND,
    "payment_failure_refund": _K.REFUND,
    "application_fee": _K.FEE,
    "application_fee_refund": _K.FEE,
    "stripe_fee": _K.FEE,
    "stripe_fx_fee": _K.FEE,
    "tax_fee": _K.TAX,
    "payout": _K.PAYOUT,
    "payout_cancel": _K.PAYOUT,
    "payout_failure": _K.PAYOUT,
    "payout_minimum_balance_hold": _K.RESERVE,
    "payout_minimum_balance_release": _K.RESERVE,
    "payment_network_reserve_hold": _K.RESERVE,
    "payment_network_reserve_release": _K.RESERVE,
    "reserve_hold": _K.RESERVE,
    "reserve_release": _K.RESERVE,
    "reserve_transaction": _K.RESERVE,
    "reserved_funds": _K.RESERVE,
}
OF_DISPUTES: Final = frozenset({"dispute", "dispute_reversal"})  # reporting categories
BY_CAUSE: Final[Mapping[str, StatementKind]] = {"refund": _K.REFUND, "dispute": _K.DISPUTE}  # by the noun of its id


@dataclass(frozen=True, kw_only=True)
class StatementLine:
    """A balance transaction as the merchant reads it: ``amount`` came in, or left, before ``fee`` and ``tax``.

    ``stripe_id`` is the object that moved the balance, ``related_id`` the platform's transfer or reversal behind it.
    """

    id: str
    created: datetime
    kind: StatementKind
    type: str
    amount: int
    fee: int
    tax: int
    currency: str
    stripe_id: str | None
    related_id: str | None

    @property
    def net(self) -> int:
        """Minor units that the balance changed by."""
        return self.amount - self.fee - self.tax


@dataclass(frozen=True, kw_only=True)
class BalanceSummary:
    """One currency: ``opening`` and the sums of ``movements`` by kind make ``closing``."""

    currency: str
    opening: int
    movements: Mapping[StatementKind, int]
    closing: int


@dataclass(frozen=True, kw_only=True)
class DebtSummary:
    """One currency of what is owed to the platform: ``opening`` and ``booked``, less what was paid, is ``closing``."""

    currency: str
    opening: int
    booked: int
    netted: int
    collected: int
    written_off: int
    closing: int


@dataclass(frozen=True, kw_only=True)
class Statement:
    """From ``since`` to before ``until``, the first line first; ``is_complete`` where it is all that was asked."""

    merchant_id: str
    since: datetime
    until: datetime
    is_complete: bool
    balances: Sequence[BalanceSummary]
    debts: Sequence[DebtSummary]
    lines: Sequence[StatementLine]


def reversal_in(line: BalanceTransaction) -> str | None:
    """The platform's reversal that a line of a merchant is, whose cause only the platform's books say."""
    return next((each.object_id for each in line.movements if each.kind is MovementKind.REVERSAL), None)


def kind_of_reversal(reversal: Reversal | None) -> StatementKind:
    """What a reversal is to the merchant; one that the books do not know was made in a dashboard."""
    if reversal is None or reversal.is_by_hand:
        return StatementKind.REVERSAL
    if reversal.debt_id is not None:
        return StatementKind.DEBT
    return BY_CAUSE.get(reversal.cause.partition("-")[0], StatementKind.REVERSAL)


def statement_line(raw: Object, account: str, causes: Mapping[str, StatementKind]) -> StatementLine:
    """A balance transaction of an account, its ``source`` expanded; ``causes`` are those of reversals, by their ids."""
    line = balance_transaction(raw, account)
    tax = sum(part["amount"] for part in raw.get("fee_details") or [] if part["type"] == "tax")
    related = next((each.object_id for each in line.movements), None)
    return StatementLine(
        id=line.id,
        created=line.created,
        kind=_kind(line, causes),
        type=line.type,
        amount=line.amount,
        fee=line.fee - tax,
        tax=tax,
        currency=line.currency,
        stripe_id=line.object_id,
        related_id=related if related != line.object_id else None,
    )


def balance_summaries(closing: Sums, lines: Iterable[StatementLine]) -> list[BalanceSummary]:
    """Each currency that a balance or a line is of; the opening balance is the closing one without the lines."""
    movements: dict[str, Counter[StatementKind]] = {currency: Counter() for currency in closing}
    for line in lines:
        of = movements.setdefault(line.currency, Counter())
        of[line.kind] += line.amount
        of[StatementKind.FEE] -= line.fee
        of[StatementKind.TAX] -= line.tax
    return [
        BalanceSummary(
            currency=currency,
            opening=closing.get(currency, 0) - sum(of.values()),
            movements={kind: of[kind] for kind in StatementKind if of[kind]},
            closing=closing.get(currency, 0),
        )
        for currency, of in sorted(movements.items())
        if of or closing.get(currency, 0)
    ]


def debt_summaries(debts: Iterable[Debt], since: datetime, until: datetime) -> list[DebtSummary]:
    """Each currency in which something was owed before ``until``."""
    sums: dict[str, Counter[str]] = {}
    for debt in debts:
        of = sums.setdefault(debt.currency, Counter())
        moved = [(debt.created_at, "booked", debt.amount)]
        moved += [(each.at, each.how.value, -each.amount) for each in debt.settlements]
        for at, what, amount in moved:
            if at < since:
                of["opening"] += amount
            elif at < until:
                of[what] += amount
    return [_debt_summary(currency, of) for currency, of in sorted(sums.items()) if any(of.values())]


def _debt_summary(currency: str, of: Counter[str]) -> DebtSummary:
    return DebtSummary(
        currency=currency,
        opening=of["opening"],
        booked=of["booked"],
        netted=-of[Settled.NETTED],
        collected=-of[Settled.COLLECTED],
        written_off=-of[Settled.WRITTEN_OFF],
        closing=sum(of.values()),
    )


def _kind(line: BalanceTransaction, causes: Mapping[str, StatementKind]) -> StatementKind:
    reversal = reversal_in(line)
    if reversal is not None:
        return causes.get(reversal, StatementKind.REVERSAL)
    if line.object_id is not None and line.object_id.startswith("fr_"):
        return StatementKind.FEE
    if line.category in OF_DISPUTES:
        return StatementKind.DISPUTE
    return BY_TYPE.get(line.type, StatementKind.OTHER)
