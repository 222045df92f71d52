"""Whether a merchant can be sold for: paid by such a charge, in such a currency, as its settlement merchant."""

from collections.abc import Collection

from marketplace.domain.errors import CombinationRefused, CurrencyNotAccepted, MerchantNotReady
from marketplace.domain.merchants import Merchant
from marketplace.domain.policies import MoneyPolicy
from marketplace.domain.portions import TaxLiability
from marketplace.domain.regions import require_same_region
from marketplace.domain.transactions import ChargeType
from marketplace.ports import Policy


def can_be_sold_for(merchant: Merchant, charge_type: ChargeType, policy: MoneyPolicy) -> bool:
    """Whether a merchant can be paid by such a charge, now or, where the policy lets its share wait, later."""
    may_wait = policy.hold_until_ready and charge_type is ChargeType.SEPARATE and merchant.may_become_ready
    return may_wait or (merchant.is_ready and merchant.account_id is not None)


def require_sellable(merchant: Merchant, currency: str, charge_type: ChargeType, policy: Policy) -> None:
    """Refuse a sale that its merchant cannot be paid for. Raises MerchantNotReady, CurrencyNotAccepted."""
    if not can_be_sold_for(merchant, charge_type, policy.money):
        raise MerchantNotReady("the merchant cannot receive transfers yet")
    if not policy.money.settles(currency):
        raise CurrencyNotAccepted(f"the platform takes {', '.join(policy.money.settlement_currencies or ())}")
    if currency not in merchant.currencies:
        raise CurrencyNotAccepted(f"the merchant takes {', '.join(merchant.currencies)}")


def settlement_merchant(
    merchants: Collection[Merchant], *, wanted: bool, is_liable: bool, charge_type: ChargeType, policy: MoneyPolicy
) -> str | None:
    """The account on behalf of which a sale is, where that is ``wanted``; ``is_liable`` says that one is for its tax.

    Raises:
        CombinationRefused: several merchants, of which one would be that, or liable for the tax of all.
        MerchantNotReady, RegionNotSupported.
    """
    if not wanted and not is_liable:
        return None
    if len(merchants) > 1:
        raise CombinationRefused("one merchant alone can be the settlement merchant, or liable for tax")
    (merchant,) = merchants
    require_can_be_liable(merchant, TaxLiability.MERCHANT)
    if not wanted:
        return None
    require_settlement_merchant(merchant, charge_type, policy)
    return merchant.account_id


def require_can_be_liable(merchant: Merchant, liable: TaxLiability | None) -> None:
    """Refuse a merchant that would be liable for tax and has no account. Raises MerchantNotReady."""
    if liable is TaxLiability.MERCHANT and merchant.account_id is None:
        raise MerchantNotReady("the merchant has no account that Stripe could be told of")


def require_settlement_merchant(merchant: Merchant, charge_type: ChargeType, policy: MoneyPolicy) -> None:
    """Refuse a merchant whose name, country and currency Stripe would not settle a charge in (`on_behalf_of`).

    Of a destination charge it may be in another region: being the settlement merchant is what makes that possible.

    Raises:
        MerchantNotReady: its card payments are not active. RegionNotSupported.
    """
    if not merchant.takes_card_payments:
        raise MerchantNotReady("the merchant cannot be the settlement merchant: its card payments are not active")
    if charge_type is ChargeType.SEPARATE:
        require_same_region(policy.platform_country, merchant.country)
