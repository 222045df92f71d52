"""M1, M3, M9: merchants follow their accounts, whichever API those are of, and however late and often that is told."""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import pytest

from marketplace.domain.account_facts import Awaits, Due
from marketplace.domain.errors import MerchantNotReady, StripeRefused
from marketplace.domain.merchant_states import MerchantStatus
from marketplace.domain.merchants import Merchant
from marketplace.domain.policies import MoneyPolicy
from marketplace.domain.responsibilities import AccountPolicy, AccountsApi
from marketplace.operations import Operation
from marketplace.ports import Answer, StripeApi
from marketplace.services.events import EventOutcome, take_in
from marketplace.services.merchants import change_merchant

from .crashes import ProcessDied
from .market import OPERATOR, Event, Market
from .test_crashes import MOST_STEPS
from .test_outgoing import Stream

DAY = 24 * 3_600
SAMPLES = 80  # of the orders of all events
S = MerchantStatus
ACCOUNT_CHANGES = ("account.updated", "v2.core.account[configuration.recipient].capability_status_updated")

by_both = pytest.mark.parametrize("api", AccountsApi)


def market_of(api: AccountsApi, **more: Any) -> Market:
    """A platform on one of the APIs: on v1 it hears no thin events."""
    market = Market(accounts=AccountPolicy(api=api), **more)
    if api is AccountsApi.V2:
        market.hear_thin_events()
    return market


def hear(market: Market, merchant: Merchant) -> Merchant:
    """The merchant after all that was told."""
    market.take_in(*market.events())
    return market.merchant(merchant.id)


def onboarded(market: Market, name: str = "Clay & Co") -> Merchant:
    """A merchant that has given all that Stripe requires."""
    merchant = market.new_merchant(name)
    market.onboard(merchant)
    return hear(market, merchant)


def demand(market: Market, merchant: Merchant, name: str, *, days: int | None = None, **more: Any) -> None:
    """Stripe requires something more."""
    deadline = None if days is None else int(market.in_days(days).timestamp())
    market.order(f"/_simulator/accounts/{merchant.account_id}/requirements", name=name, deadline=deadline, **more)


def demand_later(market: Market, merchant: Merchant) -> None:
    demand(market, merchant, "identity.individual.address", days=14)


def reject(market: Market, merchant: Merchant) -> None:
    market.order(f"/v1/accounts/{merchant.account_id}/reject", reason="fraud_other")


def unreject(market: Market, merchant: Merchant) -> None:
    market.order(f"/v1/accounts/{merchant.account_id}/unreject")


def deauthorize(market: Market, merchant: Merchant) -> None:
    market.order(f"/_simulator/accounts/{merchant.account_id}/deauthorize")


def close(market: Market, merchant: Merchant) -> None:
    market.order(f"/v2/core/accounts/{merchant.account_id}/close", applied_configurations=["recipient"])


@by_both
def test_a_merchant_goes_the_same_way_by_either_api(api: AccountsApi) -> None:
    market = market_of(api)
    stream = Stream(market)
    merchant = market.new_merchant()
    assert (merchant.status, merchant.can_be_paid_out) == (S.RESTRICTED, False)
    assert merchant.requirements_due
    assert merchant.restriction
    market.onboard(merchant)
    merchant = hear(market, merchant)
    assert (merchant.status, merchant.can_be_paid_out, merchant.requirements) == (S.READY, True, ())
    demand(market, merchant, "identity.individual.address", days=14)
    merchant = hear(market, merchant)
    assert merchant.status is S.READY
    assert merchant.requirements_deadline == market.in_days(14)
    market.advance(14 * DAY)
    merchant = hear(market, merchant)
    assert (merchant.status, merchant.can_be_paid_out) == (S.RESTRICTED, False)
    demand(market, merchant, "identity.individual.address", met=True)
    assert hear(market, merchant).is_ready
    reject(market, merchant)
    merchant = hear(market, merchant)
    assert (merchant.status, merchant.is_lost, merchant.can_be_paid_out) == (S.REJECTED, True, False)
    unreject(market, merchant)
    assert hear(market, merchant).is_ready
    deauthorize(market, merchant)
    merchant = hear(market, merchant)
    assert (merchant.status, merchant.restriction) == (S.DEAUTHORIZED, "deauthorized")
    assert stream.counted() == {
        "merchant.requirements_due": 2, "merchant.ready": 3, "merchant.payouts_enabled": 3,
        "merchant.payouts_disabled": 3, "merchant.restricted": 1, "merchant.rejected": 1, "merchant.deauthorized": 1,
    }  # fmt: skip


@by_both
def test_each_requirement_says_how_it_presses_and_until_when(api: AccountsApi) -> None:
    market = market_of(api)
    merchant = market.ready_merchant()
    market.onboard(merchant)
    demand(market, merchant, "late", status="past_due")
    demand(market, merchant, "soon", days=3)
    demand(market, merchant, "some.day", status="eventually_due")
    found = {each.name: each for each in hear(market, merchant).requirements}
    assert {name: each.due for name, each in found.items()} == {
        "late": Due.PAST, "soon": Due.CURRENTLY, "some.day": Due.EVENTUALLY
    }  # fmt: skip
    assert {each.awaits for each in found.values()} == {Awaits.USER}
    assert found["some.day"].deadline is None
    restricts = ("stripe_balance.payouts", "stripe_balance.stripe_transfers") if api is AccountsApi.V2 else ()
    assert {each.restricts for each in found.values()} == {restricts}
    assert market.merchant(merchant.id).requirements_due == ("late", "soon")
    demand(market, merchant, "late", met=True)
    merchant = hear(market, merchant)
    (soon,) = (each for each in merchant.requirements if each.name == "soon")
    assert soon.deadline == merchant.requirements_deadline == market.in_days(3)


@by_both
def test_a_creation_that_died_is_found_again_by_its_api(api: AccountsApi) -> None:
    """Stripe did it, and nobody heard: a day later it is looked for before it is asked for."""
    market = market_of(api)
    market.fuse.set(4)  # after the commit of the intent and Stripe's answer
    with pytest.raises(ProcessDied):
        market.new_merchant()
    market.advance(3 * DAY)
    market.sweep()
    assert len(market.accounts_at_stripe()) == 1
    assert market.only_merchant().account_id
    lists = {AccountsApi.V1: Operation.LIST_V1_ACCOUNTS, AccountsApi.V2: Operation.LIST_ACCOUNTS}
    assert lists[api] in market.calls


@by_both
def test_a_creation_that_dies_anywhere_is_made_once(api: AccountsApi) -> None:
    for step in range(MOST_STEPS):
        market = market_of(api)
        market.fuse.set(step)
        with suppress(ProcessDied):
            market.new_merchant()
            assert step > 4
            return
        market.advance(60)
        assert market.sweep().troubles == []
        merchant = market.new_merchant()
        assert [each["id"] for each in market.accounts_at_stripe()] == [merchant.account_id], step
    raise AssertionError("the creation has more steps than the test looks at")


@by_both
def test_stripe_s_no_to_an_account_is_shown(api: AccountsApi) -> None:
    market = market_of(api)
    stream = Stream(market)
    path = "/v1/accounts" if api is AccountsApi.V1 else "/v2/core/accounts"
    market.simulator.faults.order("error", method="POST", path=path, status=400, code="country_unsupported")
    with pytest.raises(StripeRefused, match="country_unsupported"):
        market.new_merchant()
    refused = market.only_merchant()
    assert (refused.status, refused.restriction) == (S.REFUSED, "country_unsupported")
    assert stream.counted() == {"merchant.refused": 1}


def test_a_closed_account_stays_closed() -> None:
    market = market_of(AccountsApi.V2)
    merchant = market.ready_merchant()
    close(market, merchant)
    merchant = hear(market, merchant)
    assert (merchant.status, merchant.restriction, merchant.can_be_paid_out) == (S.CLOSED, "closed", False)


@pytest.mark.parametrize("end", [reject, deauthorize, close])
@pytest.mark.parametrize("waits", [True, False])
def test_a_lost_merchant_is_sold_for_no_more(end: Callable[[Market, Merchant], None], *, waits: bool) -> None:
    market = market_of(AccountsApi.V2, money=MoneyPolicy(hold_until_ready=waits))
    merchant, other = onboarded(market), onboarded(market, "Linen")
    end(market, merchant)
    merchant = hear(market, merchant)
    with pytest.raises(MerchantNotReady):
        market.sell(merchant, 1_000)
    with pytest.raises(MerchantNotReady):
        market.sell_cart({merchant: 1_000, other: 1_000})


def whole_life(market: Market) -> tuple[Merchant, list[Event]]:
    """A merchant that was onboarded, restricted, ready again and asked for more; none of it has been told."""
    merchant = market.new_merchant()
    market.onboard(merchant)
    market.set_capability(merchant, "restricted")
    market.set_capability(merchant, "active")
    demand(market, merchant, "identity.individual.address", days=14)
    return merchant, market.events()


def left(market: Market) -> tuple[Merchant, list[Event]]:
    merchant, events = whole_life(market)
    deauthorize(market, merchant)
    return merchant, [*events, *market.events()]


def orders(events: list[Event], seed: int) -> Iterator[list[Event]]:
    """Some of the orders of all events, each of them up to three times."""
    chance = random.Random(seed)
    for _ in range(SAMPLES):
        several = [event for event in events for _ in range(chance.randint(1, 3))]
        chance.shuffle(several)
        yield several


@by_both
@pytest.mark.parametrize("story", [whole_life, left])
def test_every_order_and_number_of_events_ends_as_the_account_is(
    api: AccountsApi, story: Callable[[Market], tuple[Merchant, list[Event]]]
) -> None:
    market = market_of(api)
    merchant, events = story(market)
    ends = []
    for order in orders(events, seed=len(events)):
        twin = market.fork()
        twin.take_in(*order)
        ends.append(replace(twin.merchant(merchant.id), version=0))
    assert len(set(map(repr, ends))) == 1
    assert ends[0].status is (S.DEAUTHORIZED if story is left else S.READY)


def test_the_event_of_its_leaving_in_every_place_among_the_others() -> None:
    market = market_of(AccountsApi.V1)
    merchant = market.ready_merchant()
    demand(market, merchant, "late", status="past_due")
    deauthorize(market, merchant)
    events = market.events()
    for order in permutations(events):
        twin = market.fork()
        twin.take_in(*order)
        assert twin.merchant(merchant.id).status is S.DEAUTHORIZED


@dataclass
class SlowStripe:
    """A Stripe that answers reads of accounts late: ``meanwhile`` happens between the look and its answer, once."""

    inner: StripeApi
    meanwhile: Callable[[], object] | None

    def read(self, operation: Operation, *ids: str, **more: Any) -> Mapping[str, Any]:
        answer = self.inner.read(operation, *ids, **more)
        act, self.meanwhile = self.meanwhile, None
        if act is not None:
            act()
        return answer

    def ask(self, operation: Operation, *ids: str, params: Mapping[str, Any], key: str) -> Answer:
        return self.inner.ask(operation, *ids, params=params, key=key)

    def each(self, operation: Operation, *ids: str, **more: Any) -> Iterator[Mapping[str, Any]]:
        return self.inner.each(operation, *ids, **more)


@by_both
@pytest.mark.parametrize("ends_ready", [True, False])
def test_a_look_that_took_its_time_does_not_bring_back_what_was(api: AccountsApi, *, ends_ready: bool) -> None:
    """Not even where the later look found the merchant as it was stored already, and had nothing to write."""
    market = market_of(api)
    merchant = market.ready_merchant()
    market.set_capability(merchant, "restricted")
    told = [event for event in market.events() if event["type"] in ACCOUNT_CHANGES]

    def another_worker_hears_what_came_next() -> None:
        if ends_ready:
            market.set_capability(merchant, "active")
        else:
            market.set_capability(merchant, "pending")
        market.take_in(*market.events())

    slow: Any = SlowStripe(market.ports.stripe, another_worker_hears_what_came_next)
    assert take_in(market.ports._replace(stripe=slow), told[0]) is EventOutcome.APPLIED
    assert market.merchant(merchant.id).status is (S.READY if ends_ready else S.PENDING)


def test_what_an_operator_changes_meanwhile_stays() -> None:
    market = Market()
    merchant = market.ready_merchant()
    market.set_capability(merchant, "restricted")
    (told,) = [event for event in market.events() if event["type"] == "account.updated"]

    def renamed() -> None:

        change_merchant(market.ports, OPERATOR, merchant.id, {"name": "Clay & Sons"})

    slow: Any = SlowStripe(market.ports.stripe, renamed)
    take_in(market.ports._replace(stripe=slow), told)
    merchant = market.merchant(merchant.id)
    assert (merchant.name, merchant.status) == ("Clay & Sons", S.RESTRICTED)


def test_an_account_that_names_a_merchant_of_another_deployment_is_not_ours(market: Market) -> None:
    """Nor is one that names a merchant of ours that has its account already."""
    merchant = market.ready_merchant()
    for named in ("merchant-01jd2k8m6wq3v5x7y9zabcdefg", "nobody", merchant.id):
        params = {"controller": {"stripe_dashboard": {"type": "none"}}, "metadata": {"merchant_id": named}}
        account = market.order("/v1/accounts", capabilities={"transfers": {"requested": True}}, **params)
        market.order_capability(account["id"], "active")
        assert set(market.take_in(*market.events())) == {EventOutcome.IGNORED}
    assert market.merchant(merchant.id) == merchant


def test_a_hundred_merchants_at_once_in_every_order_all_end_right() -> None:
    """Each goes its own way; their events come mixed, some twice, none in order."""
    market = market_of(AccountsApi.V2)
    ways: list[Callable[[Market, Merchant], None]] = [demand_later, demand_later, reject, deauthorize, close]
    merchants = [market.new_merchant(f"Shop {number}") for number in range(100)]
    for number, merchant in enumerate(merchants):
        market.onboard(merchant)
        ways[number % len(ways)](market, merchant)
    events = market.events()
    random.Random(7).shuffle(events)
    market.take_in(*events, *events[::3])
    ends = [market.merchant(merchant.id).status for merchant in merchants]
    assert ends == 20 * [S.READY, S.READY, S.REJECTED, S.DEAUTHORIZED, S.CLOSED]
