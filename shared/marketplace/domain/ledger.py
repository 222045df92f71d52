"""The ledger: double entry, append-only, one journal entry per (Stripe object, kind).

Chart of accounts, each per currency; a debit is positive, a credit negative:

========================  ==========  ================================================================
account                   type        what it says
========================  ==========  ================================================================
stripe_balance            asset       the platform's balance at Stripe, pending and available
processor_fees            expense     what Stripe took
platform_revenue          income      application fees, less those given back
merchant_payable:{id}     liability   owed to a merchant; a debit balance is being taken back
merchant_debt:{id}        asset       what a merchant could not give back, and owes
tax_payable:{place}       liability   tax that was collected for a jurisdiction, less what was returned to buyers
promotions:{coupon}       expense     what the platform adds to sales so that its discounts cost merchants nothing
losses                    expense     what the platform bears: debts written off, accounts that it had to even out
bank                      asset       what Stripe paid out to the platform's bank
stripe_reserves           asset       what Stripe keeps of the balance, for what accounts owe for example
charge_clearing           clearing    paid by a buyer, not split yet; zero at rest
refund_clearing           clearing    given back to a buyer, not recovered yet; zero at rest
dispute_clearing          clearing    withdrawn by a buyer's bank, not apportioned yet; zero at rest
========================  ==========  ================================================================
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from marketplace.domain.deferred import dataclass
from marketplace.domain.portions import Portion

STRIPE_BALANCE: Final = "stripe_balance"
PROCESSOR_FEES: Final = "processor_fees"
PLATFORM_REVENUE: Final = "platform_revenue"
CHARGE_CLEARING: Final = "charge_clearing"
REFUND_CLEARING: Final = "refund_clearing"
DISPUTE_CLEARING: Final = "dispute_clearing"
LOSSES: Final = "losses"
BANK: Final = "bank"
STRIPE_RESERVES: Final = "stripe_reserves"
PROMOTIONS: Final = "promotions:"
TAX_PAYABLE: Final = "tax_payable:"  # how its accounts begin, one for each jurisdiction
PLATFORM: Final = "platform"  # in place of a transaction: entries of the platform's balance that are of no one sale
CLEARING: Final = frozenset({CHARGE_CLEARING, REFUND_CLEARING, DISPUTE_CLEARING})


def merchant_payable(merchant_id: str) -> str:
    """The account of what is owed to a merchant."""
    return f"merchant_payable:{merchant_id}"


def merchant_debt(merchant_id: str) -> str:
    """The account of what a merchant owes."""
    return f"merchant_debt:{merchant_id}"


def tax_payable(jurisdiction: str) -> str:
    """The account of the tax that is collected for a jurisdiction, named as domain/completed.py names it."""
    return f"{TAX_PAYABLE}{jurisdiction}"


def promotions(coupon_id: str) -> str:
    """The account of what the platform adds where a coupon is used."""
    return f"{PROMOTIONS}{coupon_id}"


def is_tax(account: str) -> bool:
    """Whether an account is of tax."""
    return account.startswith(TAX_PAYABLE)


def is_of_others(account: str) -> bool:
    """Whether an account is of tax, or of a discount that the platform funds."""
    return account.startswith((TAX_PAYABLE, PROMOTIONS))


class EntryKind(StrEnum):
    """What happened to the Stripe object that an entry is about."""

    CHARGE = "charge"  # of a charge: the buyer's money came in
    SETTLEMENT = "settlement"  # of a charge: split, transferred, Stripe's fee taken
    REFUND = "refund"  # of a refund: money went back to the buyer
    RECOVERY = "recovery"  # of a refund: taken off the merchant's transfer, and who bears it
    REFUND_FAILURE = "refund_failure"  # of a refund: the bank sent the money back
    FEE_REFUND = "fee_refund"  # of a fee refund: a part of the fee went back to the merchant
    APPORTIONMENT = "apportionment"  # of a refund or dispute: who bears it
    TRANSFER = "transfer"  # of a transfer: a share, or a part of it, went to the merchant
    REVERSAL = "reversal"  # of a transfer reversal: money came back from the merchant
    DISPUTE = "dispute"  # of a dispute: the buyer's bank took money back
    REINSTATEMENT = "reinstatement"  # of a dispute: it came back
    DEBT = "debt"  # of a debt: what could not be taken back
    NETTING = "netting"  # of a debt and what paid it: kept from a later share
    WRITE_OFF = "write_off"  # of a debt: given up
    PROCESSING_FEE = "processing_fee"  # of a charge: what Stripe took, known from its balance transaction
    PAYOUT = "payout"  # of a balance transaction: to the platform's bank, or back from it
    STRIPE_FEE = "stripe_fee"  # of a balance transaction: what Stripe billed for no one sale
    RESERVE = "reserve"  # of a balance transaction: kept back by Stripe, or given free
    COLLECTION = "collection"  # of a balance transaction: paid for what a connected account has owed for too long


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of an entry: minor units on an account; ``source`` is the Stripe object that moved a balance."""

    account: str
    currency: str
    amount: int
    source: str | None = None


@dataclass(frozen=True, kw_only=True)
class JournalEntry:
    """Lines that sum to zero in each currency; ``object_id`` and ``kind`` identify it, ``occurred_at`` is Stripe's."""

    transaction_id: str
    object_id: str
    kind: EntryKind
    occurred_at: datetime
    lines: tuple[Line, ...]

    def __post_init__(self) -> None:
        sums = total_by_currency(self.lines)
        if any(sums.values()) or any(type(line.amount) is not int for line in self.lines):
            raise UnbalancedEntry(f"{self.object_id} {self.kind}: {dict(sums)}")

    @property
    def moved_by(self) -> str | None:
        """The Stripe object that an entry on the platform's balance is found by; the rarer where it has several.

        The settlement of a destination charge is found by its transfer, the charge itself by its CHARGE.
        """
        sources = [line.source for line in self.lines if line.account == STRIPE_BALANCE and line.source is not None]
        return next((source for source in sources if source != self.object_id), sources[0] if sources else None)


class UnbalancedEntry(AssertionError):
    """An entry that does not sum to zero: a mistake of ours."""


def total_by_currency(lines: Iterable[Line]) -> Mapping[str, int]:
    """The sum of the lines, per currency."""
    sums: dict[str, int] = defaultdict(int)
    for line in lines:
        sums[line.currency] += line.amount
    return sums


def balances(entries: Iterable[JournalEntry]) -> dict[tuple[str, str], int]:
    """The balance of each (account, currency) that is not zero: a trial balance."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for entry in entries:
        for line in entry.lines:
            sums[line.account, line.currency] += line.amount
    return {account: amount for account, amount in sums.items() if amount}


def portion_lines(currency: str, merchant_id: str, portion: Portion, *, returned: bool = False) -> tuple[Line, ...]:
    """Whose a portion is: as it is earned, or the other way round as it goes back to the buyer.

    The lines together are ``amount``, which the account that it is paid into or out of has against it.
    """
    sign = 1 if returned else -1
    return lines_of(
        currency,
        (merchant_payable(merchant_id), sign * portion.own, None),
        (PLATFORM_REVENUE, sign * portion.fee, None),
        *((tax_payable(jurisdiction), sign * amount, None) for jurisdiction, amount in portion.withheld.items()),
        *((promotions(coupon_id), -sign * amount, None) for coupon_id, amount in portion.promotions.items()),
    )


def merged(lines: Iterable[Line]) -> tuple[Line, ...]:
    """The lines with those of one account that no balance at Stripe is moved by put together, in their order."""
    sums: dict[tuple[str, str, str | None], int] = defaultdict(int)
    for line in lines:
        sums[line.account, line.currency, line.source] += line.amount
    return tuple(
        Line(account=account, currency=currency, amount=amount, source=source)
        for (account, currency, source), amount in sums.items()
        if amount
    )


def lines_of(currency: str, *movements: tuple[str, int, str | None]) -> tuple[Line, ...]:
    """Lines in one currency from (account, amount, source); those of zero are left out."""
    return tuple(
        Line(account=account, currency=currency, amount=amount, source=source)
        for account, amount, source in movements
        if amount
    )
