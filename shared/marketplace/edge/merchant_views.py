"""What is asked about merchants, and how they are shown."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, Strict

from marketplace.domain.fees import FeePolicy
from marketplace.domain.merchants import Collect, LinkUse, Merchant
from marketplace.domain.responsibilities import AccountPolicy, Collector, Dashboard
from marketplace.edge.fields import Currency, Name, RequestModel, Url
from marketplace.edge.views import View
from marketplace.services.accounts import NewMerchant

MOST_CURRENCIES = 200  # more than there are

Amounts = Annotated[dict[Currency, int], Field(max_length=MOST_CURRENCIES)]
Currencies = Annotated[list[Currency], Field(min_length=1, max_length=MOST_CURRENCIES)]
# JSON has no enums: they come as text.
AskedDashboard = Annotated[Dashboard, Strict(strict=False)]
AskedCollector = Annotated[Collector, Strict(strict=False)]


class FeePolicyBody(RequestModel):
    """`percent` of the amount plus `fixed`, kept between `minimum` and `maximum`: amounts by currency."""

    percent: Annotated[str, Field(max_length=10)] = "0"
    fixed: Amounts = Field(default_factory=dict)
    minimum: Amounts = Field(default_factory=dict)
    maximum: Amounts = Field(default_factory=dict)

    def as_policy(self) -> FeePolicy:
        """As sales use it. Raises InvalidFeePolicy."""
        return FeePolicy.of(self.model_dump())


class MerchantBody(RequestModel):
    """A merchant to be. What is left out is as the deployment's policies say; see docs/merchants.md."""

    name: Name
    contact_email: Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]
    country: Annotated[str, Field(pattern=r"^[a-z]{2}$", description="ISO 3166 in lower case.")]
    currencies: Currencies
    fee_policy: FeePolicyBody | None = None
    dashboard: AskedDashboard | None = None
    fees_collector: AskedCollector | None = None
    losses_collector: AskedCollector | None = None
    card_payments: bool | None = None

    def as_wanted(self, policy: AccountPolicy) -> NewMerchant:
        """As the use case takes it. Raises InvalidFeePolicy."""
        return NewMerchant(
            name=self.name,
            contact_email=self.contact_email,
            country=self.country,
            currencies=tuple(dict.fromkeys(self.currencies)),
            fee_policy=None if self.fee_policy is None else self.fee_policy.as_policy(),
            responsibilities=policy.responsibilities(
                dashboard=self.dashboard, fees_collector=self.fees_collector, losses_collector=self.losses_collector
            ),
            card_payments=policy.card_payments if self.card_payments is None else self.card_payments,
        )


class MerchantChangeBody(RequestModel):
    """What is to be otherwise from now on; what is left out stays. A `fee_policy` of null is the platform's default."""

    name: Name | None = None
    currencies: Currencies | None = None
    fee_policy: FeePolicyBody | None = None

    def as_changes(self) -> dict[str, Any]:
        """The changes by name. Raises InvalidFeePolicy."""
        changes: dict[str, Any] = {}
        if self.name is not None:
            changes["name"] = self.name
        if self.currencies is not None:
            changes["currencies"] = tuple(dict.fromkeys(self.currencies))
        if "fee_policy" in self.model_fields_set:
            changes["fee_policy"] = None if self.fee_policy is None else self.fee_policy.as_policy()
        return changes


class OnboardingLinkBody(RequestModel):
    """Where the merchant's browser goes afterwards, and what it is asked for.

    With `eventually_due` it gives now what Stripe requires later too; `account_update` is for merchants of whom the
    platform collects what is required.
    """

    return_url: Url
    type: Annotated[LinkUse, Strict(strict=False)] = LinkUse.ONBOARDING
    collect: Annotated[Collect, Strict(strict=False)] = Collect.CURRENTLY_DUE


class RequirementView(View):
    """Something that Stripe requires, by Stripe's name for it, and what is restricted without it from `deadline` on."""

    name: str
    due: Annotated[str, Field(description="`past_due`, `currently_due` or `eventually_due`.")]
    deadline: datetime | None
    restricts: list[str]
    awaits: Annotated[str, Field(description="Who has to act: the `user`, or `stripe`, which is checking.")]


def _policy_data(policy: FeePolicy | None) -> dict[str, Any] | None:
    return None if policy is None else policy.as_data()


class MerchantView(View):
    """A merchant. `requirements_due` are the names of what it has to give now, or should have given."""

    id: str
    name: str
    country: str
    currencies: list[str]
    fee_policy: dict[str, Any] | None
    dashboard: str
    fees_collector: str
    losses_collector: str
    status: str
    status_since: datetime | None
    account_id: str | None
    can_receive_transfers: bool
    can_be_paid_out: bool
    card_payments: Annotated[str | None, Field(description="Its status, null where it was not asked for.")]
    restriction: Annotated[str | None, Field(description="Stripe's code for why it cannot receive transfers.")]
    requirements: list[RequirementView]
    requirements_due: list[str]
    requirements_deadline: datetime | None
    created_at: datetime


def merchant_view(merchant: Merchant) -> MerchantView:
    """A merchant as operators and itself see it."""
    asked = merchant.responsibilities
    return MerchantView(
        id=merchant.id,
        name=merchant.name,
        country=merchant.country,
        currencies=list(merchant.currencies),
        fee_policy=_policy_data(merchant.fee_policy),
        dashboard=asked.dashboard,
        fees_collector=asked.fees_collector,
        losses_collector=asked.losses_collector,
        status=merchant.status,
        status_since=merchant.status_since,
        account_id=merchant.account_id,
        can_receive_transfers=merchant.is_ready,
        can_be_paid_out=merchant.can_be_paid_out,
        card_payments=merchant.card_payments,
        restriction=merchant.restriction,
        requirements=[RequirementView.of(each) for each in merchant.requirements],
        requirements_due=list(merchant.requirements_due),
        requirements_deadline=merchant.requirements_deadline,
        created_at=merchant.created_at,
    )


class OnboardingLinkView(View):
    """`url` is Stripe's page, good once and for minutes; until `expires_at` it sends a late browser to a new one."""

    url: str
    expires_at: datetime
