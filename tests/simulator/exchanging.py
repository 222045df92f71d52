"""Payments that settle in another currency than they are presented in, for the tests of that."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import stripe

from local.stripe_simulator import Clock, Settings, Simulator
from local.stripe_simulator.in_process import InProcessClient

from .conftest import START
from .shop import RESPONSIBILITIES, ready_seller

EUR, GBP, JPY = Decimal("1.16"), Decimal("1.33"), Decimal("0.0067")  # in dollars, as the settings have them


def whole(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def open_shop(**more: Any) -> tuple[Simulator, stripe.StripeClient]:
    simulator = Simulator(clock=Clock.standing(START), seed=7, settings=Settings(converts_currencies=True, **more))
    return simulator, stripe.StripeClient("sk_test_1", http_client=InProcessClient(simulator))


def european(simulator: Simulator, client: stripe.StripeClient, **more: Any) -> str:
    defaults = {"currency": "eur", "responsibilities": RESPONSIBILITIES}
    return ready_seller(simulator, client, identity={"country": "de"}, defaults=defaults, **more)


def movement(client: stripe.StripeClient, of: Any, account: str | None = None) -> stripe.BalanceTransaction:
    return client.v1.balance_transactions.retrieve(str(of), {}, {"stripe_account": account} if account else {})


def amounts(client: stripe.StripeClient, account: str | None = None) -> dict[str, int]:
    found = client.v1.balance.retrieve({}, {"stripe_account": account} if account else {})
    return {
        each.currency: each.amount + other.amount for each, other in zip(found.available, found.pending, strict=True)
    }


def move_rate(simulator: Simulator, **rates: str) -> None:
    answer = simulator.request("POST", "/_simulator/exchange_rates", rates)
    assert answer.status == 200, answer.body
