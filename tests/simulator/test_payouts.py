"""Payouts: what leaves a balance when, what comes back, and which movements a payout is made of."""

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
import stripe

from local.stripe_simulator import Settings, Simulator
from local.stripe_simulator.accounts import payout_terms
from local.stripe_simulator.clock import Clock
from local.stripe_simulator.funds import payouts
from local.stripe_simulator.funds.payouts import PAYOUTS
from local.stripe_simulator.in_process import InProcessClient

from .conftest import START
from .paying import assert_exact, balance, booked, context_of, heard, listen, pay, pay_seller, refused
from .shop import ready_seller

DAY = 86_400
STRIPE_FEE = 320  # 2.9% of 100.00, and 0.30
GOOD, NO_ACCOUNT = "000123456789", "000111111116"


@pytest.fixture
def seller(simulator: Simulator, client: stripe.StripeClient) -> str:
    """A seller with 90.00 available."""
    account = ready_seller(simulator, client)
    pay_seller(client, account, payment_method="pm_card_bypassPending")
    simulator.run_due()
    return account


def at(account: str) -> Any:
    return {"stripe_account": account}


def pay_out(client: stripe.StripeClient, account: str, amount: int = 9_000, **more: Any) -> stripe.Payout:
    params: Any = {"amount": amount, "currency": "usd", **more}
    return client.v1.payouts.create(params, at(account))


def payout(client: stripe.StripeClient, account: str, payout_id: str) -> stripe.Payout:
    return client.v1.payouts.retrieve(payout_id, {}, at(account))


def bank(client: stripe.StripeClient, account: str, number: str = GOOD, **more: Any) -> Any:
    details = {"object": "bank_account", "country": "US", "currency": "usd", "account_number": number}
    params: Any = {"external_account": {**details, "routing_number": "110000000"}, **more}
    return client.v1.accounts.external_accounts.create(account, params)


def set_terms(client: stripe.StripeClient, account: str | None = None, **payments: Any) -> stripe.BalanceSettings:
    params: Any = {"payments": payments}
    return client.v1.balance_settings.update(params, at(account) if account else {})


def daily(**more: Any) -> dict[str, Any]:
    return {"schedule": {"interval": "daily"}, **more}


def test_a_manual_payout_leaves_at_midnight_and_arrives_a_day_later(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    listen(simulator)
    made = pay_out(client, seller, metadata={"a": "1"}, statement_descriptor="TEA")
    assert (made.status, made.automatic, made.method, made.reconciliation_status) == (
        *("pending", False, "standard"),
        "not_applicable",
    )
    assert booked(client, seller)[-1] == ("payout", -9_000, 0, -9_000)
    assert balance(client, seller) == (0, 0)
    midnight = (START // DAY + 1) * DAY
    assert made.arrival_date == midnight + DAY
    simulator.move_clock_to(midnight)
    assert payout(client, seller, made.id).status == "in_transit"
    with refused(match="only be canceled while"):
        client.v1.payouts.cancel(made.id, {}, at(seller))
    simulator.advance(DAY)
    assert payout(client, seller, made.id).status == "paid"
    told = [each for each in heard(simulator) if "payout" in each]
    assert told == ["seller: payout.created", "seller: payout.updated", "seller: payout.paid"]
    assert_exact(simulator)


def test_a_pending_payout_can_be_canceled(simulator: Simulator, client: stripe.StripeClient, seller: str) -> None:
    made = pay_out(client, seller, 4_000)
    canceled = client.v1.payouts.cancel(made.id, {}, at(seller))
    assert (canceled.status, balance(client, seller)) == ("canceled", (9_000, 0))
    assert booked(client, seller)[-1] == ("payout_cancel", 4_000, 0, 4_000)
    simulator.advance(3 * DAY)
    assert payout(client, seller, made.id).status == "canceled"
    assert_exact(simulator)


def test_nobody_is_paid_more_than_is_available(simulator: Simulator, client: stripe.StripeClient, seller: str) -> None:
    pay_seller(client, seller)  # pending
    with refused(match="insufficient funds") as failure:
        pay_out(client, seller, 9_001)
    assert failure.value.code == "balance_insufficient"
    for params, message in (
        ({"amount": 0}, "greater than or equal to 1"),
        ({"currency": "huf", "amount": 150}, "divisible by 100"),
        ({"currency": "eur"}, "any external accounts in that currency"),
        ({"destination": "ba_none"}, "No such external account"),
    ):
        wrong: Any = {"amount": 100, **params}
        with refused(match=message):
            pay_out(client, seller, **wrong)
    restricted = {"capability": "stripe_balance.payouts", "status": "restricted"}
    assert simulator.request("POST", f"/_simulator/accounts/{seller}/capabilities", restricted).status == 200
    with refused() as failure:
        pay_out(client, seller)
    assert failure.value.code == "payouts_not_allowed"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (NO_ACCOUNT, "no_account"),
        ("000111111113", "account_closed"),
        ("000222222227", "insufficient_funds"),
        ("000333333335", "debit_not_authorized"),
        ("000444444440", "invalid_currency"),
    ],
)
def test_a_bank_that_returns_the_money_is_not_paid_to_again_until_it_is_changed(
    simulator: Simulator, client: stripe.StripeClient, seller: str, number: str, code: str
) -> None:
    added = bank(client, seller, number, default_for_currency=True)
    listen(simulator)
    made = pay_out(client, seller)
    assert made.destination == added.id
    simulator.advance(3 * DAY)
    failed = payout(client, seller, made.id)
    assert (failed.status, failed.failure_code, balance(client, seller)) == ("failed", code, (9_000, 0))
    found = client.v1.balance_transactions.retrieve(str(failed.failure_balance_transaction), {}, at(seller))
    assert (found.type, found.amount, found.source) == ("payout_failure", 9_000, made.id)
    told = heard(simulator)
    assert told[-3:] == ["seller: payout.failed", "seller: account.updated", "seller: account.external_account.updated"]
    with refused(match="earlier payout"):
        pay_out(client, seller)
    client.v1.accounts.external_accounts.delete(seller, client.v1.accounts.external_accounts.list(seller).data[0].id)
    good = bank(client, seller, default_for_currency=True)
    assert pay_out(client, seller).destination == good.id
    assert_exact(simulator)


def test_a_payout_can_fail_after_it_was_paid(simulator: Simulator, client: stripe.StripeClient, seller: str) -> None:
    made = pay_out(client, seller)
    simulator.advance(3 * DAY)
    assert payout(client, seller, made.id).status == "paid"
    order = {"failure_code": "account_frozen"}
    assert simulator.request("POST", f"/_simulator/payouts/{made.id}/fail", order).status == 200
    assert simulator.request("POST", f"/_simulator/payouts/{made.id}/fail", order).status == 400
    failed = payout(client, seller, made.id)
    assert (failed.status, failed.failure_code, balance(client, seller)) == ("failed", "account_frozen", (9_000, 0))
    assert_exact(simulator)


def test_instant_payouts_need_a_bank_that_takes_them(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    with refused() as failure:
        pay_out(client, seller, method="instant")
    assert failure.value.code == "instant_payouts_unsupported"
    (kept,) = client.v1.accounts.external_accounts.list(seller).data
    order = {"instant": True}
    assert simulator.request("POST", f"/_simulator/external_accounts/{seller}/{kept.id}", order).status == 200
    made = pay_out(client, seller, method="instant")
    simulator.advance(1_800)
    assert payout(client, seller, made.id).status == "paid"
    assert_exact(simulator)


def test_a_reversal_debits_the_bank(simulator: Simulator, client: stripe.StripeClient, seller: str) -> None:
    made = pay_out(client, seller)
    with refused(match="that were paid"):
        client.v1.payouts.reverse(made.id, {}, at(seller))
    simulator.advance(3 * DAY)
    reversal = client.v1.payouts.reverse(made.id, {}, at(seller))
    assert (reversal.amount, reversal.original_payout) == (-9_000, made.id)
    assert payout(client, seller, made.id).reversed_by == reversal.id
    assert balance(client, seller) == (0, 9_000)
    assert_exact(simulator)
    simulator.advance(2 * DAY)
    assert (payout(client, seller, reversal.id).status, balance(client, seller)) == ("paid", (9_000, 0))
    assert_exact(simulator)


def test_automatic_payouts_take_what_is_available_and_list_what_they_are_made_of(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    """90.00 are available, 45.00 from the day after tomorrow on; 20.00 always stay."""
    pay_seller(client, seller, 5_000, 500)
    kept = {"minimum_balance_by_currency": {"usd": 2_000}}
    shown: Any = set_terms(client, seller, payouts=daily(**kept)).payments
    assert (shown.payouts.status, shown.payouts.schedule.interval) == ("enabled", "daily")
    simulator.advance(4 * DAY)
    newest, oldest = client.v1.payouts.list({}, at(seller)).data
    assert [(each.amount, each.automatic) for each in (oldest, newest)] == [(7_000, True), (4_500, True)]
    assert balance(client, seller) == (2_000, 0)

    def made_of(each: stripe.Payout) -> list[tuple[str, int]]:
        found = client.v1.balance_transactions.list({"payout": each.id}, at(seller)).data
        return [(item.type, item.net) for item in found[::-1]]

    hold, release = "payout_minimum_balance_hold", "payout_minimum_balance_release"
    assert made_of(oldest) == [("payment", 9_000), (hold, -2_000), ("payout", -7_000)]
    assert made_of(newest) == [("payment", 4_500), (release, 2_000), (hold, -2_000), ("payout", -4_500)]
    assert_exact(simulator)


def test_a_week_pays_on_its_days_only(simulator: Simulator, client: stripe.StripeClient, seller: str) -> None:
    schedule = {"interval": "weekly", "weekly_payout_days": ["tuesday", "thursday"]}
    set_terms(client, seller, payouts={"schedule": schedule})
    simulator.advance(8 * DAY)
    (made,) = client.v1.payouts.list({}, at(seller)).data
    assert datetime.fromtimestamp(made.created, UTC).strftime("%A") in ("Tuesday", "Thursday")
    account: Any = client.v1.accounts.retrieve(seller)
    assert account.settings.payouts.schedule.to_dict() == {
        "delay_days": 2,
        "weekly_anchor": "tuesday",
        **schedule,
    }
    with refused(match="monthly_payout_days") as failure:
        set_terms(client, seller, payouts={"schedule": {"interval": "monthly"}})
    assert failure.value.code == "parameter_missing"


@pytest.mark.parametrize(("day", "is_due"), [("2027-02-28", True), ("2027-01-28", False), ("2027-01-31", True)])
def test_a_month_that_is_too_short_pays_on_its_last_day(day: str, is_due: bool) -> None:
    terms = {"interval": "monthly", "monthly_payout_days": [31]}
    moment = int(datetime.fromisoformat(f"{day}T01:00+00:00").timestamp())
    assert payout_terms.is_payout_day(terms, moment) is is_due


def test_api_v1_and_balance_settings_change_the_same_terms(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    schedule: Any = {"interval": "monthly", "monthly_anchor": 15, "delay_days": 7}
    client.v1.accounts.update(seller, {"settings": {"payouts": {"schedule": schedule}}})
    shown: Any = client.v1.balance_settings.retrieve({}, at(seller)).payments
    assert shown.payouts.schedule.to_dict() == {"interval": "monthly", "monthly_payout_days": [15]}
    assert (shown.settlement_timing.delay_days, shown.settlement_timing.delay_days_override) == (7, 7)
    with refused(match="at most 31"):
        set_terms(client, seller, settlement_timing={"delay_days_override": 32})
    with refused(stripe.APIError, match="start_of_day") as failure:
        set_terms(client, seller, settlement_timing={"start_of_day": {"hour": 1}})
    assert failure.value.http_status == 501


def test_a_sellers_delay_holds_what_is_paid_to_it(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    set_terms(client, seller, settlement_timing={"delay_days_override": 10})
    intent = pay_seller(client, seller)
    simulator.advance(3 * DAY)
    assert (balance(client, seller), balance(client)[1]) == ((9_000, 9_000), 0)
    both: Any = {"payment_intent": intent.id, "reverse_transfer": True, "refund_application_fee": True, "amount": 5_000}
    client.v1.refunds.create(both)
    assert_exact(simulator)
    simulator.advance(8 * DAY)
    assert balance(client, seller) == (9_000 + 4_500, 0)
    assert_exact(simulator)


def test_a_seller_that_owes_is_debited_at_its_bank_and_paid_nothing(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    """A direct charge of 100.00, paid out, then refunded: what is missing comes from the bank."""
    merchant: Any = {"merchant": {"capabilities": {"card_payments": {"requested": True}}}}
    account = ready_seller(simulator, client, configuration=merchant)
    params: Any = {"amount": 10_000, "currency": "usd", "confirm": True, "payment_method": "pm_card_bypassPending"}
    charged = client.v1.payment_intents.create(params, at(account))
    simulator.run_due()
    pay_out(client, account, 10_000 - STRIPE_FEE)
    set_terms(client, account, debit_negative_balances=True)
    client.v1.refunds.create({"payment_intent": charged.id}, at(account))
    assert balance(client, account) == (-10_000, 0)
    with refused() as failure:
        pay_out(client, account, 1)
    assert failure.value.code == "balance_insufficient"
    simulator.advance(DAY)
    assert balance(client, account) == (-10_000, 10_000)
    assert_exact(simulator)
    simulator.advance(3 * DAY)
    assert [each.amount for each in client.v1.payouts.list({}, at(account)).data] == [-10_000, 10_000 - STRIPE_FEE]
    assert balance(client, account) == (0, 0)
    assert_exact(simulator)


def test_the_platform_pays_out_and_tops_up(simulator: Simulator, client: stripe.StripeClient) -> None:
    listen(simulator)
    params: Any = {"amount": 5_000, "currency": "usd", "description": "for refunds"}
    first, second = client.v1.topups.create(params), client.v1.topups.create(params)
    assert client.v1.topups.cancel(second.id).status == "canceled"
    assert balance(client) == (0, 0)
    simulator.advance(3)
    assert (client.v1.topups.retrieve(first.id).status, balance(client)) == ("succeeded", (5_000, 0))
    with refused(match="Only pending"):
        client.v1.topups.cancel(first.id)
    third = client.v1.topups.create(params)
    assert simulator.request("POST", f"/_simulator/topups/{third.id}/fail", {}).status == 200
    ended = ("topup.canceled", "topup.succeeded", "topup.failed")
    assert [each for each in heard(simulator) if each in ended] == list(ended)
    pay(client, payment_method="pm_card_bypassPending")
    set_terms(client, payouts=daily())
    simulator.advance(3 * DAY)
    assert [each.amount for each in client.v1.payouts.list().data] == [15_000 - STRIPE_FEE]
    assert balance(client) == (0, 0)
    assert_exact(simulator)


def test_accounts_can_be_paid_daily_from_the_start() -> None:
    simulator = Simulator(clock=Clock.standing(START), seed=7, settings=Settings(payout_interval="daily"))
    client = stripe.StripeClient("sk_test_1", http_client=InProcessClient(simulator))
    account = ready_seller(simulator, client)
    pay_seller(client, account)
    simulator.advance(4 * DAY)
    assert [each.amount for each in client.v1.payouts.list({}, at(account)).data] == [9_000]
    assert [each.amount for each in client.v1.payouts.list().data] == [1_000 - STRIPE_FEE]
    assert_exact(simulator)


def test_external_accounts_have_one_default_for_each_currency(client: stripe.StripeClient, seller: str) -> None:
    (first,) = client.v1.accounts.external_accounts.list(seller).data
    second = bank(client, seller, metadata={"a": "1"})
    assert (first.default_for_currency, second.default_for_currency, second.metadata["a"]) == (True, False, "1")
    with refused(match="cannot delete the default"):
        client.v1.accounts.external_accounts.delete(seller, first.id)
    client.v1.accounts.external_accounts.update(seller, second.id, {"default_for_currency": True})
    found = client.v1.accounts.external_accounts.list(seller).data
    assert [each.default_for_currency for each in found] == [False, True]
    assert client.v1.accounts.external_accounts.delete(seller, first.id).deleted
    account: Any = client.v1.accounts.retrieve(seller)
    assert [each.id for each in account.external_accounts.data] == [second.id]
    assert "_number" not in account.external_accounts.data[0].to_dict()
    with refused(match="No such external account"):
        client.v1.accounts.external_accounts.retrieve(seller, first.id)


@pytest.mark.parametrize(("before", "after"), list(product(payouts.TRANSITIONS, repeat=2)))
def test_a_status_changes_only_as_the_table_says(
    simulator: Simulator, client: stripe.StripeClient, seller: str, before: str, after: str
) -> None:
    made = pay_out(client, seller)
    with simulator.store.transaction() as transaction:
        context = context_of(simulator, transaction).on(seller)
        found = context.state.update(PAYOUTS, context.state.get(PAYOUTS, made.id), {"status": before})
        if after in payouts.TRANSITIONS[before]:
            assert payouts.move(context, found, after, "payout.updated")["status"] == after
        else:
            with pytest.raises(LookupError, match="cannot go from"):
                payouts.move(context, found, after, "payout.updated")
