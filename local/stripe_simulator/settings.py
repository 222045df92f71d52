"""What a simulator is told at its start."""

from dataclasses import dataclass, field

from stripe import api_version as pinned_api_version

from .money import Rounding, Tariff


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the simulator is found, and what Stripe decides per platform or leaves undocumented."""

    base_url: str = "http://127.0.0.1:12111"  # what hosted pages are reached at
    api_version: str = pinned_api_version  # of requests that name none
    country: str = "US"
    default_currency: str = "usd"
    tariff: Tariff = field(default_factory=Tariff)
    rounding: Rounding = Rounding.HALF_UP
