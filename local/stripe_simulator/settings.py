"""What a simulator is told at its start."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from stripe import api_version as pinned_api_version

from .exchange_rates import EXCHANGE_RATES
from .money import Rounding
from .tariff import Tariff

_DAY_SECONDS: Final = 24 * 3_600
RETRIES_OVER_THREE_DAYS: Final = (1, 5, 30, 120, 600, 3_600, 10_800, 21_600, 43_200, 86_400, 86_400)


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the simulator is found, and what Stripe decides per platform or leaves undocumented."""

    base_url: str = "http://127.0.0.1:12111"  # what hosted pages are reached at
    api_version: str = pinned_api_version  # of requests that name none
    country: str = "US"
    default_currency: str = "usd"
    converts_currencies: bool = False  # whether an account gets its own currencies only; else it keeps them all
    settlement_currencies: frozenset[str] = frozenset()  # that the platform has a bank account for, besides the default
    exchange_rates: Mapping[str, Decimal] = field(default_factory=lambda: EXCHANGE_RATES)  # in US dollars
    exchange_spread: Decimal = Decimal(0)  # percent that a conversion is worse than the rate
    tariff: Tariff = field(default_factory=Tariff)
    rounding: Rounding = Rounding.HALF_UP  # of reversals and fee refunds in proportion; Stripe does not say which
    last_refund_closes: bool = True  # the last of several partial refunds takes what rounding left of transfer and fee
    settlement_delay_seconds: int = 2 * _DAY_SECONDS  # from a payment to its money being available
    authorization_seconds: int = 7 * _DAY_SECONDS  # how long an authorization can be captured
    debit_delay_seconds: int = 3  # until a bank answers; days at Stripe
    reversals_overdraw: bool = False  # connected reserves: a reversal may leave a seller with less than nothing
    payout_interval: str = "manual"  # of accounts that did not choose; "daily" at Stripe
    business_days: bool = False  # whether banks rest on Saturdays and Sundays
    instant_payouts_reach_pending: bool = False  # whether they take what is not available yet
    payout_transit_seconds: int = _DAY_SECONDS  # from the midnight that a payout leaves at to its arrival
    topup_delay_seconds: int = 3  # until a top-up arrives; days at Stripe
    dispute_fee: int = 1_500  # of every dispute, in the minor unit of its currency
    collection_seconds: int = 180 * _DAY_SECONDS  # until the platform pays what an account owes for it
    refunds_wait_for_funds: bool = False  # whether a refund is pending while the balance does not cover it
    unfunded_refund_seconds: int = 30 * _DAY_SECONDS  # until one that nobody covers fails
    dispute_countering_fee: int = 0  # of every answer, returned when it wins; Stripe's prices differ by country
    compliance_fee: int = 50_000  # of answers about Visa's rules, likewise
    elevated_risk_is_reviewed: bool = True  # Radar's usual rule
    won_dispute_returns_fee: bool = False  # Stripe's documents say either, by age and country
    dispute_review_seconds: int = 3  # until a bank has read evidence; weeks at Stripe
    refund_delay_seconds: int = 3  # until a pending refund succeeds, or the refund of the failing test card fails
    invoice_draft_seconds: int = 3_600  # until a draft that advances by itself is finalized
    invoice_retry_days: tuple[int, ...] = (3, 5, 7)  # from each failed payment of an invoice to the next try
    subscription_ends_as: str = "canceled"  # after the last try: canceled, unpaid or past_due
    tax_id_verification_seconds: int = 3  # until an authority has verified a tax ID; up to days at Stripe
    search_delay_seconds: int = 0  # until what was made or changed is found by search; up to a minute at Stripe
    requests_per_second: int | None = None  # of each account, before 429; 25 in a sandbox of Stripe's, 100 live
    webhook_retry_delays_seconds: tuple[int, ...] = RETRIES_OVER_THREE_DAYS  # Stripe says how long, not when
