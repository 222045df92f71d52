"""What can leave at once, what that costs and who pays it; banks that rest; where payouts went."""

from decimal import Decimal
from typing import Any

import pytest
import stripe

from local.stripe_simulator import Clock, Settings, Simulator
from local.stripe_simulator.in_process import InProcessClient
from local.stripe_simulator.tariff import Price, Tariff

from .conftest import START
from .paying import assert_exact, balance, booked, pay, pay_seller, refused
from .shop import ready_seller

DAY = 86_400
STRIPE_FEE = 320
ONE_PERCENT = Tariff(instant_payout=Price(Decimal(1), least=50))


def open_shop(**more: Any) -> tuple[Simulator, stripe.StripeClient]:
    simulator = Simulator(clock=Clock.standing(START), seed=7, settings=Settings(**more))
    return simulator, stripe.StripeClient("sk_test_1", http_client=InProcessClient(simulator))


def take_instantly(simulator: Simulator, client: stripe.StripeClient, seller: str) -> str:
    (bank,) = client.v1.accounts.external_accounts.list(seller).data
    assert (
        simulator.request("POST", f"/_simulator/external_accounts/{seller}/{bank.id}", {"instant": True}).status == 200
    )
    return bank.id


def instantly(client: stripe.StripeClient, account: str | None = None) -> tuple[int, list[int]]:
    found: Any = client.v1.balance.retrieve({}, {"stripe_account": account} if account else {})
    (each,) = found.instant_available
    assert each.source_types.card == each.amount
    return each.amount, [net.amount for net in each.net_available]


def pay_out(client: stripe.StripeClient, amount: int, account: str | None = None) -> stripe.Payout:
    params: Any = {"amount": amount, "currency": "usd", "method": "instant"}
    return client.v1.payouts.create(params, {"stripe_account": account} if account else {})


def test_the_platform_pays_for_the_instant_payouts_of_accounts_whose_losses_it_bears() -> None:
    simulator, client = open_shop(tariff=ONE_PERCENT)
    seller = ready_seller(simulator, client)
    pay_seller(client, seller, payment_method="pm_card_bypassPending")
    simulator.run_due()
    assert instantly(client, seller) == (0, [])
    take_instantly(simulator, client, seller)
    assert instantly(client, seller) == (9_000, [9_000])
    before = balance(client)[0]
    made = pay_out(client, 9_000, seller)
    assert (balance(client, seller), balance(client)[0]) == ((0, 0), before - 90)
    assert booked(client)[-1] == ("stripe_fee", -90, 0, -90)
    assert made.method == "instant"
    assert_exact(simulator)


def test_an_account_that_pays_stripe_itself_pays_for_its_instant_payouts() -> None:
    simulator, client = open_shop(tariff=ONE_PERCENT)
    pay(client, payment_method="pm_card_bypassPending")
    simulator.run_due()
    has = 10_000 - STRIPE_FEE
    assert instantly(client) == (has, [has - 97])
    with refused(match=f"{has} usd are available instantly") as failure:
        pay_out(client, has)
    assert failure.value.code == "balance_insufficient"
    pay_out(client, 9_500)  # 95 more than 9,500 are taken
    assert booked(client)[-1] == ("payout", -9_500, 95, -9_595)
    assert balance(client)[0] == has - 9_595
    assert_exact(simulator)


@pytest.mark.parametrize(("reaches", "amount"), [(False, 0), (True, 10_000 - STRIPE_FEE)])
def test_pending_money_leaves_at_once_only_where_the_settings_say_so(reaches: bool, amount: int) -> None:
    simulator, client = open_shop(instant_payouts_reach_pending=reaches)
    pay(client)
    simulator.run_due()
    assert instantly(client)[0] == amount
    if not reaches:
        with refused():
            pay_out(client, 1)
        return
    pay_out(client, amount)
    assert balance(client) == (-amount, amount)
    simulator.advance(3 * DAY)
    assert balance(client) == (0, 0)
    assert_exact(simulator)


def test_a_payout_says_where_it_went(simulator: Simulator, client: stripe.StripeClient) -> None:
    seller = ready_seller(simulator, client)
    pay_seller(client, seller, payment_method="pm_card_bypassPending")
    simulator.run_due()
    expand: Any = {"amount": 1_000, "currency": "usd", "expand": ["destination"]}
    made: Any = client.v1.payouts.create(expand, {"stripe_account": seller})
    assert (made.destination.object, made.destination.account, made.destination.last4) == (
        "bank_account",
        seller,
        "6789",
    )
    assert "_number" not in made.destination
    client.v1.accounts.external_accounts.delete(seller, made.destination.id)
    again: Any = client.v1.payouts.retrieve(made.id, {"expand": ["destination"]}, {"stripe_account": seller})
    assert again.destination.deleted
    own: Any = client.v1.payouts.create(expand | {"amount": 100})
    (bank,) = client.v1.accounts.external_accounts.list(simulator.platform).data
    assert own.destination.to_dict() == bank.to_dict()
    assert client.v1.accounts.external_accounts.retrieve(simulator.platform, bank.id).id == bank.id


@pytest.mark.parametrize(("rests", "arrives", "settles"), [(False, "Sunday", "Sunday"), (True, "Tuesday", "Tuesday")])
def test_banks_rest_on_weekends_when_the_settings_say_so(rests: bool, arrives: str, settles: str) -> None:
    """From Friday noon: a payment settles two days later, a payout leaves at midnight and takes a day."""
    friday = 1_800_014_400 - 1_800_014_400 % DAY + 43_200
    assert weekday(friday) == "Friday"
    simulator = Simulator(clock=Clock.standing(friday), seed=7, settings=Settings(business_days=rests))
    client = stripe.StripeClient("sk_test_1", http_client=InProcessClient(simulator))
    pay(client, payment_method="pm_card_bypassPending")
    pay(client)
    simulator.run_due()
    assert {weekday(each.available_on) for each in client.v1.balance_transactions.list().data} == {"Friday", settles}
    made = client.v1.payouts.create({"amount": 1_000, "currency": "usd"})
    assert weekday(made.arrival_date) == arrives
    assert_exact(simulator)


def test_payouts_are_found_by_their_arrival(simulator: Simulator, client: stripe.StripeClient) -> None:
    pay(client, payment_method="pm_card_bypassPending")
    simulator.run_due()
    made = []
    for _ in range(3):
        made.append(client.v1.payouts.create({"amount": 100, "currency": "usd"}))
        simulator.advance(DAY)
    arrivals = [each.arrival_date for each in made]
    for wanted, found in (
        (arrivals[1], made[1:2]),
        ({"gte": arrivals[1]}, made[1:]),
        ({"gt": arrivals[0], "lt": arrivals[2]}, made[1:2]),
        ({"lte": arrivals[1]}, made[:2]),
        ({"gt": arrivals[2]}, []),
    ):
        params: Any = {"arrival_date": wanted}
        assert [each.id for each in client.v1.payouts.list(params).data] == [each.id for each in reversed(found)]


def weekday(moment: int) -> str:
    return ("Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday")[moment // DAY % 7]
