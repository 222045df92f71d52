"""What a merchant has at Stripe, and what it owes the platform."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from marketplace.domain.debts import Debt
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import Unavailable
from marketplace.domain.principals import Principal
from marketplace.operations import Operation
from marketplace.ports import Ports
from marketplace.services.dashboards import account_of

PAGE: Final = 100
MOST_PAGES: Final = 100  # of debts, settled ones among them


@dataclass(frozen=True, kw_only=True)
class MerchantBalance:
    """Minor units of one currency at Stripe, negative where the merchant owes it there; and ``debt`` to the platform.

    ``reserved`` is what Stripe keeps back, None where it does not say. Instant payouts reach ``instant_available``.
    """

    currency: str
    available: int
    pending: int
    reserved: int | None
    instant_available: int
    debt: int


def merchant_balance(ports: Ports, caller: Principal, merchant_id: str) -> list[MerchantBalance]:
    """A merchant's balance in every currency that it has or owes.

    Raises:
        NotFound, MerchantNotReady, StripeUnavailable, Unavailable.
    """
    account_id = account_of(ports, caller, merchant_id)
    balance = ports.stripe.read(Operation.READ_BALANCE, account=account_id)
    owed = Counter[str]()
    for debt in all_debts(ports, merchant_id):
        owed[debt.currency] += debt.rest + debt.collecting
    parts = {name: _sums(balance, name) for name in ("available", "pending", "connect_reserved", "instant_available")}
    currencies = {*owed, *(currency for sums in parts.values() for currency in sums)}
    return [
        MerchantBalance(
            currency=each,
            available=parts["available"][each],
            pending=parts["pending"][each],
            reserved=parts["connect_reserved"][each] if "connect_reserved" in balance else None,
            instant_available=parts["instant_available"][each],
            debt=owed[each],
        )
        for each in sorted(currencies)
    ]


def all_debts(ports: Ports, merchant_id: str) -> Iterator[Debt]:
    """Everything that a merchant owes or has owed, the newest first. Raises Unavailable: too many to add up."""
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page = ports.store.debts(merchant_id, cursor=cursor, limit=PAGE)
        yield from page.items
        cursor = page.cursor
        if cursor is None:
            return
    raise Unavailable(f"over {MOST_PAGES * PAGE} debts")


def _sums(balance: Mapping[str, Any], name: str) -> Counter[str]:
    sums = Counter[str]()
    for part in balance.get(name) or []:
        sums[part["currency"]] += part["amount"]
    return sums
