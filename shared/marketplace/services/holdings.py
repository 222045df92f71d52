"""Watch that money of merchants does not stay longer than Stripe lets it where payouts are manual."""

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import Final

from marketplace.domain.holdings import Holding, held_since, looked_at
from marketplace.domain.merchants import Merchant
from marketplace.domain.payout_schedules import Interval, as_at_stripe
from marketplace.operations import Operation
from marketplace.ports import Conflict, Ports, Ref, Replace, one
from marketplace.services.creating import create_missing

PAGE: Final = 100


def watch_holding(ports: Ports, account_id: str) -> None:
    """Begin to watch an account, if it is a merchant's and is not watched yet."""
    merchant_id = ports.store.merchant_of_account(account_id)
    merchant = one(ports.store, Ref(Merchant, merchant_id)) if merchant_id else None
    if merchant is not None:
        now = ports.clock.now()
        holding = Holding(merchant_id=merchant.id, account_id=account_id, country=merchant.country, due_at=now)
        create_missing(ports, [(Ref(Holding, merchant.id), holding)])


def look_at_holding(ports: Ports, holding: Holding) -> None:
    """Read how old the money of an account is, and when to look again. Raises Conflict, StripeUnavailable."""
    account, now = holding.account_id, ports.clock.now()
    settings = as_at_stripe(ports.stripe.read(Operation.READ_BALANCE_SETTINGS, account=account))
    since = None
    if settings.interval is Interval.MANUAL:
        balance = ports.stripe.read(Operation.READ_BALANCE, account=account)
        sums = Counter[str]()
        for part in (*balance["available"], *balance["pending"]):
            sums[part["currency"]] += part["amount"]
        lines = ports.stripe.each(Operation.LIST_BALANCE_TRANSACTIONS, params={"limit": PAGE}, account=account)
        since = held_since(sums, lines)
    ports.store.commit(Replace(holding, looked_at(holding, since, now)))


def look_again(ports: Ports, merchant_id: str) -> None:
    """Have the next sweep look at a merchant's balance: its schedule has changed."""
    holding = one(ports.store, Ref(Holding, merchant_id))
    if holding is not None:
        with suppress(Conflict):  # whoever was faster looks at what there is now
            ports.store.commit(Replace(holding, replace(holding, due_at=ports.clock.now())))
