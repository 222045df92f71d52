"""Whether money is lost anywhere: a walk over the whole state, for tests and for whoever wants to be sure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from ..money import step
from ..state import Store
from ..values import Object
from .balances import BALANCE_TRANSACTIONS, BALANCES, RESERVES
from .disputes import DISPUTES, WITHDRAWN
from .payouts import GONE, PAYOUTS
from .records import CHARGES, REFUNDS
from .topups import TOPUPS

APPLICATION_FEE: Final = "application_fee"


@dataclass
class Books:
    """One currency, in minor units."""

    paid: int = 0  # by buyers
    returned: int = 0  # to buyers, by refunds and disputes
    topped_up: int = 0  # from the platform's bank
    paid_out: int = 0  # to banks, less what they were debited for
    stripe_fees: int = 0
    balances: int = 0  # of all accounts together
    reserved: int = 0  # of the platform's money, for what accounts owe
    exchanged: int = 0  # given for other currencies, less what was got for them

    @property
    def difference(self) -> int:
        """What is missing: always 0."""
        came = self.paid + self.topped_up
        went = self.returned + self.paid_out + self.stripe_fees + self.exchanged
        return came - went - self.balances - self.reserved


@dataclass
class Finding:
    """The books by currency, and everything that is not as it must be, in words."""

    books: dict[str, Books] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


def examine(store: Store) -> Finding:
    """Sum up what buyers paid and got back, what went to banks, what Stripe kept, and what every account has."""
    finding = Finding()
    finding.errors += _payments(store, finding)
    finding.errors += _payouts(store, finding)
    finding.errors += _balances(store, finding)
    for currency, books in finding.books.items():
        if books.difference:
            finding.errors.append(f"{books.difference} {currency} are missing: {books}")
    return finding


def _payments(store: Store, finding: Finding) -> Iterator[str]:
    """Take in what buyers paid and what they got back, by refunds and by disputes."""
    returned_by_charge: Counter[str] = Counter()
    for _, refund in store.stored(REFUNDS):
        gave = refund["status"] in ("pending", "succeeded") and refund["source_transfer_reversal"] is None
        waits = refund.get("pending_reason") == "insufficient_funds"
        if gave and (refund["balance_transaction"] or waits):
            returned_by_charge[refund["charge"]] += refund["amount"]
        if gave and refund["balance_transaction"]:
            _books(finding, refund["currency"]).returned += refund["amount"]
    for _, dispute in store.stored(DISPUTES):
        if dispute["status"] in WITHDRAWN:
            _books(finding, dispute["currency"]).returned += dispute["amount"]
    for _, charge in store.stored(CHARGES):
        if charge["source_transfer"] is None and charge["balance_transaction"]:
            _books(finding, charge["currency"]).paid += charge["amount"]
            if returned_by_charge[charge["id"]] != charge["amount_refunded"]:
                yield f"{charge['id']} says it refunded {charge['amount_refunded']}"


def _payouts(store: Store, finding: Finding) -> Iterator[str]:
    """Take in what went to banks and came from them, and hold automatic payouts against what they list."""
    rest: Counter[str] = Counter()
    for _, movement in store.stored(BALANCE_TRANSACTIONS):
        if movement["_payout"]:
            rest[movement["_payout"]] += movement["net"]
    for _, payout in store.stored(PAYOUTS):
        if payout["status"] in GONE:
            _books(finding, payout["currency"]).paid_out += payout["amount"]
        if rest[payout["id"]]:
            yield f"{payout['id']} is {rest[payout['id']]} less than what it lists"
    for _, topup in store.stored(TOPUPS):
        if topup["status"] == "succeeded":
            _books(finding, topup["currency"]).topped_up += topup["amount"]


def _balances(store: Store, finding: Finding) -> Iterator[str]:
    """Take in every balance, and hold it against its balance transactions."""
    now = store.clock.now()
    available: Counter[tuple[str, str]] = Counter()
    pending: Counter[tuple[str, str]] = Counter()
    for account, movement in store.stored(BALANCE_TRANSACTIONS):
        key = account, movement["currency"]
        (pending if movement["available_on"] > now else available)[key] += movement["net"]
        books = _books(finding, movement["currency"])
        books.stripe_fees += sum(each["amount"] for each in movement["fee_details"] if each["type"] == "stripe_fee")
        if movement["type"] == "stripe_fee":
            books.stripe_fees -= movement["amount"]
        yield from _exchange(movement, finding)
        if movement["net"] != movement["amount"] - sum(each["amount"] for each in movement["fee_details"]):
            yield f"{movement['id']} does not net"
    for account, kept in store.stored(BALANCES):
        _books(finding, kept["id"]).balances += kept["available"] + kept["pending"]
        key = account, kept["id"]
        expected: dict[str, Any] = {"available": available.pop(key, 0), "pending": pending.pop(key, 0)}
        if (
            any(kept[name] != amount for name, amount in expected.items())
            or sum(kept["maturing"].values()) != kept["pending"]
        ):
            yield f"the balance of {account} is {kept}, its transactions say {expected}"
    for _, reserve in store.stored(RESERVES):
        _books(finding, reserve["currency"]).reserved += reserve["amount"]
        kept = store.peek(reserve["account"], BALANCES.name, reserve["currency"]) or {}
        if reserve["amount"] != max(0, -kept["available"] - kept["pending"]):
            yield f"{reserve} is kept for a balance of {kept}"
    if any(available.values()) or any(pending.values()):
        yield f"movements without a balance: {available} {pending}"


def _exchange(movement: Object, finding: Finding) -> Iterator[str]:
    """Take in what one currency was given for of another, and hold it against the rate that is shown."""
    presented, currency = movement["_presented"], movement["currency"]
    if presented is None:
        return
    got = movement["amount"] - sum(
        each["amount"] for each in movement["fee_details"] if each["type"] == APPLICATION_FEE
    )
    _books(finding, presented["currency"]).exchanged += presented["amount"]
    _books(finding, currency).exchanged -= got
    at_rate = presented["amount"] * Decimal(str(movement["exchange_rate"]))
    if abs(at_rate - got) > step(currency):  # the payment and a fee of it are rounded each
        yield f"{movement['id']} says that {presented} at its rate are {got} {currency}"


def _books(finding: Finding, currency: str) -> Books:
    return finding.books.setdefault(currency, Books())
