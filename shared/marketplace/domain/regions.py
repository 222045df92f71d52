"""Where a merchant can be the settlement merchant: in the platform's own region.

https://docs.stripe.com/connect/destination-charges#settlement-merchant
"""

from typing import Final

from marketplace.domain.errors import RegionNotSupported

# The European Economic Area, with Switzerland and the United Kingdom, between which Stripe settles.
EUROPE: Final = frozenset(
    "at be bg ch cy cz de dk ee es fi fr gb gr hr hu ie is it li lt lu lv mt nl no pl pt ro se si sk".split()
)


def require_same_region(platform_country: str | None, merchant_country: str) -> None:
    """Refuse a settlement merchant in another region; where the platform's country is not said, Stripe decides.

    Raises:
        RegionNotSupported.
    """
    if platform_country is None or platform_country == merchant_country:
        return
    if not {platform_country, merchant_country} <= EUROPE:
        raise RegionNotSupported(f"a merchant in {merchant_country} cannot settle for a platform in {platform_country}")
