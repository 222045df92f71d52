"""Who answers for a connected account: its dashboard, who pays Stripe's fees for it and who bears its losses.

``RULES`` is the whole table of what cannot be; what no rule names can (docs/merchants.md).
"""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from itertools import product
from typing import Any, Final, NamedTuple, Self

from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import ImpossibleAccount


class AccountsApi(StrEnum):
    """By which of Stripe's APIs an account is made, read and onboarded."""

    V1 = "v1"  # /v1/accounts, with controller properties
    V2 = "v2"  # /v2/core/accounts


class Dashboard(StrEnum):
    """What of Stripe the merchant can log in to."""

    EXPRESS = "express"
    FULL = "full"
    NONE = "none"


class Collector(StrEnum):
    """Who collects Stripe's fees from the account, or bears what it cannot pay back."""

    APPLICATION = "application"  # the platform
    STRIPE = "stripe"


class RefusedBy(StrEnum):
    """Who makes a combination impossible."""

    STRIPE = "stripe"  # it makes no such account
    CHARGES = "charges"  # Stripe makes it, and then lets it receive none of the charges that sales here are


@dataclass(frozen=True, kw_only=True)
class Responsibilities:
    """One of the combinations; the default is what Stripe recommends for marketplaces."""

    dashboard: Dashboard = Dashboard.EXPRESS
    fees_collector: Collector = Collector.APPLICATION
    losses_collector: Collector = Collector.APPLICATION

    @property
    def platform_collects_requirements(self) -> bool:
        """Whether the platform, and not Stripe, has to ask the merchant for what is required of it."""
        return self.dashboard is Dashboard.NONE and self.losses_collector is Collector.APPLICATION


class Rule(NamedTuple):
    """What cannot be, and why."""

    applies: Callable[[Responsibilities], bool]
    refused_by: RefusedBy
    reason: str


_STRIPE: Final = Collector.STRIPE
# https://docs.stripe.com/connect/accounts-v2/connected-account-configuration; the first rule that applies is told.
RULES: Final = (
    Rule(
        lambda asked: (
            asked.dashboard is Dashboard.EXPRESS and _STRIPE in {asked.fees_collector, asked.losses_collector}
        ),
        RefusedBy.STRIPE,
        "Stripe gives the Express dashboard only to accounts whose fees and losses are both the platform's: "
        "`fees_collector` and `losses_collector` must be `application`, or the dashboard another.",
    ),
    Rule(
        lambda asked: asked.losses_collector is Collector.APPLICATION and asked.fees_collector is _STRIPE,
        RefusedBy.STRIPE,
        "Who bears an account's losses pays Stripe's fees for it: with `losses_collector` `application` the "
        "`fees_collector` must be `application` too.",
    ),
    Rule(
        lambda asked: asked.losses_collector is _STRIPE,
        RefusedBy.CHARGES,
        "Where Stripe bears an account's losses the account can receive neither destination charges nor transfers, and "
        "every sale here is one of these: `losses_collector` must be `application`.",
    ),
)


def every_combination() -> Iterator[Responsibilities]:
    """All that can be asked for, possible or not."""
    for dashboard, fees, losses in product(Dashboard, Collector, Collector):
        yield Responsibilities(dashboard=dashboard, fees_collector=fees, losses_collector=losses)


def rule_against(asked: Responsibilities) -> Rule | None:
    """Why there can be no such account; None where there can."""
    return next((rule for rule in RULES if rule.applies(asked)), None)


def require_possible(asked: Responsibilities) -> None:
    """Refuse what Stripe refuses, and what no sale could be made with.

    Raises:
        ImpossibleAccount: with the reason in words.
    """
    rule = rule_against(asked)
    if rule is not None:
        raise ImpossibleAccount(rule.reason)


class AccountPolicy(NamedTuple):
    """How a deployment makes accounts, as its parameter ``AccountPolicy`` says in JSON; what is left out is as here.

    An operator may ask for other responsibilities, merchant by merchant. ``card_payments`` makes each merchant able to
    be the settlement merchant of a charge (`on_behalf_of`), for which Stripe asks it for more.
    """

    api: AccountsApi = AccountsApi.V2
    dashboard: Dashboard = Dashboard.EXPRESS
    fees_collector: Collector = Collector.APPLICATION
    losses_collector: Collector = Collector.APPLICATION
    card_payments: bool = False

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """The policy that the names and values of a JSON object say.

        Raises:
            ValueError: a name that is none of these, a value of another kind, or responsibilities that cannot be.
        """
        unknown = sorted(set(given) - set(cls._fields))
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: known are {', '.join(cls._fields)}")
        if not isinstance(given.get("card_payments", False), bool):
            raise ValueError("card_payments is true or false")  # noqa: TRY004 - of a text, as json's own errors are
        said = {name: kind(given[name]) for name, kind in _KINDS.items() if name in given}
        policy = cls(**said)
        rule = rule_against(policy.responsibilities())
        if rule is not None:
            raise ValueError(rule.reason)
        return policy

    def responsibilities(
        self, *, dashboard: Dashboard | None = None, fees_collector: Collector | None = None,
        losses_collector: Collector | None = None,
    ) -> Responsibilities:  # fmt: skip
        """Those of a merchant for which some are asked for."""
        return Responsibilities(
            dashboard=dashboard or self.dashboard,
            fees_collector=fees_collector or self.fees_collector,
            losses_collector=losses_collector or self.losses_collector,
        )


_KINDS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "api": AccountsApi,
    "dashboard": Dashboard,
    "fees_collector": Collector,
    "losses_collector": Collector,
    "card_payments": bool,
}
