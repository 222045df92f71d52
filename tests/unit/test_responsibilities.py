"""Every combination of dashboard, fees and losses, held against what Stripe makes and what it lets receive money."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator.in_process import InProcessClient
from local.stripe_simulator.simulator import Simulator
from marketplace.domain.errors import ImpossibleAccount
from marketplace.domain.responsibilities import (
    AccountPolicy,
    AccountsApi,
    Dashboard,
    RefusedBy,
    Responsibilities,
    every_combination,
    require_possible,
    rule_against,
)
from marketplace.services.accounts import NewMerchant, account_params

COMBINATIONS = list(every_combination())
named = pytest.mark.parametrize("asked", COMBINATIONS, ids=lambda asked: "-".join(vars(asked).values()))
by_both = pytest.mark.parametrize("api", AccountsApi)


class Platform:
    """A platform at the simulator, with some money."""

    def __init__(self) -> None:
        self.simulator = Simulator(seed=7)
        self.client = stripe.StripeClient("sk_test_1", http_client=InProcessClient(self.simulator))
        self.client.v1.topups.create({"amount": 100_000, "currency": "usd", "description": "to send on"})
        self.simulator.advance(10 * 24 * 3_600)

    def make(self, api: AccountsApi, asked: Responsibilities, *, card_payments: bool = False) -> dict[str, Any]:
        wanted = NewMerchant(
            name="Clay & Co", contact_email="clay@example.com", country="us", currencies=("usd",),
            responsibilities=asked, card_payments=card_payments,
        )  # fmt: skip
        params: Any = account_params(api, wanted, "merchant-1", "command-1")
        made: Any = (
            self.client.v1.accounts.create(params)
            if api is AccountsApi.V1
            else self.client.v2.core.accounts.create(params)
        )
        self.simulator.request("POST", f"/_simulator/accounts/{made.id}/onboarding", {"action": "complete"})
        shown: dict[str, Any] = self.client.v1.accounts.retrieve(made.id).to_dict()
        return shown

    def sends_to(self, account: str) -> bool:
        try:
            self.client.v1.transfers.create({"amount": 100, "currency": "usd", "destination": account})
        except stripe.InvalidRequestError as error:
            return "losses" not in str(error)
        return True


@by_both
@named
def test_the_table_says_what_stripe_does(api: AccountsApi, asked: Responsibilities) -> None:
    rule, platform = rule_against(asked), Platform()
    if rule is not None and rule.refused_by is RefusedBy.STRIPE:
        with pytest.raises(stripe.InvalidRequestError):
            platform.make(api, asked)
        return
    account = platform.make(api, asked)
    assert platform.sends_to(account["id"]) is (rule is None)


@by_both
@named
def test_an_account_is_made_with_what_was_asked_for(api: AccountsApi, asked: Responsibilities) -> None:
    if rule_against(asked) is not None:
        with pytest.raises(ImpossibleAccount, match="`"):
            require_possible(asked)
        return
    controller = Platform().make(api, asked)["controller"]
    assert controller["stripe_dashboard"]["type"] == asked.dashboard
    assert controller["losses"]["payments"] == asked.losses_collector
    assert controller["fees"]["payer"] == asked.fees_collector
    collects = "application" if asked.platform_collects_requirements else "stripe"
    assert controller["requirement_collection"] == collects


def test_there_is_something_of_each_kind() -> None:
    rules = [rule_against(asked) for asked in COMBINATIONS]
    assert len(rules) == 12
    assert {rule and rule.refused_by for rule in rules} == {None, *RefusedBy}
    assert {asked.dashboard for asked in COMBINATIONS if rule_against(asked) is None} == set(Dashboard)


@by_both
def test_card_payments_are_asked_for_only_where_they_are_wanted(api: AccountsApi) -> None:
    usual = Responsibilities()
    assert Platform().make(api, usual)["capabilities"] == {"transfers": "active"}
    both = Platform().make(api, usual, card_payments=True)["capabilities"]
    assert both == {"transfers": "active", "card_payments": "active"}


def test_a_policy_says_how_accounts_are_made_and_an_operator_may_say_otherwise() -> None:
    policy = AccountPolicy.of({"api": "v1", "dashboard": "none", "card_payments": True})
    assert policy == AccountPolicy(api=AccountsApi.V1, dashboard=Dashboard.NONE, card_payments=True)
    assert policy.responsibilities().dashboard is Dashboard.NONE
    assert policy.responsibilities(dashboard=Dashboard.FULL) == Responsibilities(dashboard=Dashboard.FULL)


@pytest.mark.parametrize(
    "given",
    [{"dashbord": "full"}, {"dashboard": "half"}, {"api": 1}, {"card_payments": "yes"}, {"losses_collector": "stripe"}],
)
def test_a_policy_that_cannot_be_is_none(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"known are|is not a valid|true or false|`losses_collector`|`fees_collector`"):
        AccountPolicy.of(given)
