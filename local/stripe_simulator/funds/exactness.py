"""Whether money is lost anywhere: a walk over the whole state, for tests and for whoever wants to be sure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..state import Store
from .balances import BALANCE_TRANSACTIONS, BALANCES
from .disputes import DISPUTES, WITHDRAWN
from .records import CHARGES, REFUNDS


@dataclass
class Books:
    """One currency, in minor units."""

    paid: int = 0  # by buyers
    returned: int = 0  # to buyers, by refunds and disputes
    stripe_fees: int = 0
    balances: int = 0  # of all accounts together

    @property
    def difference(self) -> int:
        """What is missing: always 0."""
        return self.paid - self.returned - self.stripe_fees - self.balances


@dataclass
class Finding:
    """The books by currency, and everything that is not as it must be, in words."""

    books: dict[str, Books] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


def examine(store: Store) -> Finding:
    """Sum up what buyers paid and got back, what Stripe kept, and what every account has."""
    finding = Finding()
    returned_by_charge: Counter[str] = Counter()
    for _, refund in store.stored(REFUNDS):
        gave = refund["status"] in ("pending", "succeeded") and refund["source_transfer_reversal"] is None
        if gave and refund["balance_transaction"]:
            _books(finding, refund["currency"]).returned += refund["amount"]
            returned_by_charge[refund["charge"]] += refund["amount"]
    for _, charge in store.stored(CHARGES):
        if charge["source_transfer"] is None and charge["balance_transaction"]:
            _books(finding, charge["currency"]).paid += charge["amount"]
            if returned_by_charge[charge["id"]] != charge["amount_refunded"]:
                finding.errors.append(f"{charge['id']} says it refunded {charge['amount_refunded']}")
    for _, dispute in store.stored(DISPUTES):
        if dispute["status"] in WITHDRAWN:
            _books(finding, dispute["currency"]).returned += dispute["amount"]
    finding.errors += _balances(store, finding)
    for currency, books in finding.books.items():
        if books.difference:
            finding.errors.append(f"{books.difference} {currency} are missing: {books}")
    return finding


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
    if any(available.values()) or any(pending.values()):
        yield f"movements without a balance: {available} {pending}"


def _books(finding: Finding, currency: str) -> Books:
    return finding.books.setdefault(currency, Books())
