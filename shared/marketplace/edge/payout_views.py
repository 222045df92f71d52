"""What a merchant's money looks like to the API: balances, payouts, their schedule. Amounts are minor units."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from marketplace.domain.payout_schedules import MOST_CURRENCIES, Interval, PayoutSchedule
from marketplace.domain.payouts import PayoutMethod
from marketplace.edge.fields import Amount, Currency, RequestModel
from marketplace.edge.views import View
from marketplace.services.payouts import PayoutRequest

MOST_DAYS = 31
MOST_COMPONENTS = 50  # more than there are
MOST_FEATURES = 20
LONGEST_NAME = 100

Component = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Features = Annotated[list[Component], Field(max_length=MOST_FEATURES)]


class ComponentSessionBody(RequestModel):
    """The embedded components to show, by Stripe's names, each with the features to turn on: `{"payouts": []}`."""

    components: Annotated[dict[Component, Features], Field(min_length=1, max_length=MOST_COMPONENTS)]


class DashboardLinkView(View):
    """`url` leads into the Express dashboard, once and soon: send the merchant's browser there at once."""

    url: str


class ComponentSessionView(View):
    """`client_secret` is for Stripe's script in the merchant's browser, until `expires_at`."""

    client_secret: str
    expires_at: datetime


class PayoutScheduleBody(RequestModel):
    """All of a schedule: what is left out is as Stripe has it by itself."""

    interval: Literal["daily", "weekly", "monthly", "manual"]
    weekly_days: Annotated[
        list[Component], Field(max_length=MOST_DAYS, default_factory=list, description="Weekdays, as `monday`.")
    ]
    monthly_days: Annotated[list[int], Field(max_length=MOST_DAYS, default_factory=list, description="From 1 to 31.")]
    delay_days: Annotated[int | None, Field(description="At most 31; null is as soon as Stripe allows.")] = None
    minimum_balances: Annotated[
        dict[Currency, int],
        Field(max_length=MOST_CURRENCIES, default_factory=dict, description="What automatic payouts leave."),
    ]

    def as_wanted(self) -> PayoutSchedule:
        """As the use case takes it."""
        return PayoutSchedule(
            interval=Interval(self.interval),
            weekly_days=tuple(self.weekly_days),
            monthly_days=tuple(self.monthly_days),
            delay_days=self.delay_days,
            minimum_balances=self.minimum_balances,
        )


class PayoutScheduleView(View):
    """When payouts leave, what automatic ones leave behind, and after how many days money becomes available."""

    interval: str
    weekly_days: list[str]
    monthly_days: list[int]
    delay_days: Annotated[int | None, Field(description="Null where it is as soon as Stripe allows.")]
    usual_delay_days: Annotated[int | None, Field(description="The delay that holds now.")]
    minimum_balances: dict[str, int]


class PayoutBody(RequestModel):
    """A payout to the default bank account of its currency."""

    amount: Amount
    currency: Currency
    method: Literal["standard", "instant"] = "standard"

    def as_wanted(self) -> PayoutRequest:
        """As the use case takes it."""
        return PayoutRequest(amount=self.amount, currency=self.currency, method=PayoutMethod(self.method))


class PayoutView(View):
    """A payout; one of a negative amount debits the bank for what the account owes.

    `paid` may become `failed` days later, when the bank sends the money back: the balance has it again.
    """

    id: str
    merchant_id: str
    status: str
    amount: int
    currency: str
    method: str
    is_automatic: bool
    is_itemized: Annotated[
        bool, Field(description="Whether Stripe says what it is made of: automatic payouts alone; `payout` on a line.")
    ]
    arrives_at: datetime | None
    failure: Annotated[str | None, Field(description="Stripe's `failure_code`, of a failed one.")]
    refusal: Annotated[str | None, Field(description="Stripe's code, of a refused one.")]
    stripe_payout_id: str | None
    created_at: datetime

    @classmethod
    def of(cls, record: object) -> Self:
        """From the record."""
        return cls.model_validate(record)


class MerchantBalanceView(View):
    """One currency: what is at Stripe, and what is owed to the platform for refunds and disputes.

    A negative `available` or `pending` is owed to Stripe, and paid by what comes in next. `reserved` is null where
    Stripe says nothing of it.
    """

    currency: str
    available: int
    pending: int
    reserved: int | None
    instant_available: int
    debt: int


class MerchantBalancesView(View):
    """A merchant's balance, by currency."""

    balances: list[MerchantBalanceView]
