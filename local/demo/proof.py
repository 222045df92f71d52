"""What the demo holds against each other: the ledger as the API tells it, and the balances as Stripe does."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import stripe

from .marketplace_api import StoryBroken


def require(holds: bool, what: str) -> None:  # noqa: FBT001 - reads like an assertion
    """Stop the demo where something that must be so is not."""
    if not holds:
        raise StoryBroken(what)


def require_balanced(entries: Iterable[Mapping[str, Any]]) -> None:
    """Every entry sums to zero in each currency, and nothing is booked twice."""
    seen = set()
    for entry in entries:
        key = (entry["object_id"], entry["kind"])
        require(key not in seen, f"{key} is booked twice")
        seen.add(key)
        sums: dict[str, int] = defaultdict(int)
        for line in entry["lines"]:
            sums[line["currency"]] += line["amount"]
        require(not any(sums.values()), f"{key} does not balance: {dict(sums)}")


def balances(entries: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], int]:
    """The balance of each (account, currency) that is not zero."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for entry in entries:
        for line in entry["lines"]:
            sums[line["account"], line["currency"]] += line["amount"]
    return {key: amount for key, amount in sums.items() if amount}


def stripe_balance(client: stripe.StripeClient, account_id: str | None = None) -> dict[str, int]:
    """Pending and available together, per currency, of the platform or a connected account."""
    options: stripe.RequestOptions = {"stripe_account": account_id} if account_id else {}
    balance = client.v1.balance.retrieve(options=options)
    sums: dict[str, int] = defaultdict(int)
    for part in (*balance.available, *balance.pending):
        sums[part["currency"]] += part["amount"]
    return dict(sums)
