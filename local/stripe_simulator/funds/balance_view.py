"""The Balance of an account: sums that are kept, and what of them can leave at once.

https://docs.stripe.com/api/balance/balance_object https://docs.stripe.com/payouts/instant-payouts
"""

from typing import Any

from ..accounts import banks
from ..accounts.checks import platform_bears_losses
from ..context import Context
from ..values import Object
from .balances import BALANCES, RESERVES, book, reserved

_EMPTY: Object = {"available": 0, "pending": 0}


def balance(context: Context, *, default_currency: str) -> Object:
    """Stripe's Balance of the context's account, with every currency that it ever had."""
    kept = {each["id"]: each for each in context.state.select(BALANCES, ascending=True)}
    currencies = sorted(kept) or [default_currency]

    def amounts(name: str) -> list[Object]:
        return [_amount(kept.get(each, _EMPTY)[name], each) for each in currencies]

    answer: dict[str, Any] = {
        "object": "balance",
        "available": amounts("available"),
        "instant_available": [_instant(context, each) for each in currencies],
        "livemode": False,
        "pending": amounts("pending"),
        "refund_and_dispute_prefunding": {"available": [], "pending": []},
    }
    if context.is_platform:
        owed_in = {each["currency"] for each in context.state.select(RESERVES)}
        answer["connect_reserved"] = [
            _amount(reserved(context, each), each) for each in sorted({*currencies, *owed_in})
        ]
    return answer


def instantly_available(context: Context, currency: str) -> int:
    """What instant payouts can take before their fee; nothing where no bank of the currency takes them."""
    if not _instant_banks(context, currency):
        return 0
    kept = context.state.find(BALANCES, currency) or _EMPTY
    both: int = kept["available"] + kept["pending"]
    reached = both if context.settings.instant_payouts_reach_pending else min(both, kept["available"])
    return max(0, reached)


def own_instant_fee(context: Context, amount: int, currency: str) -> int:
    """Stripe's fee of an instant payout, as far as the account itself pays it."""
    return 0 if _platform_pays(context) else context.settings.tariff.instant_payout.of(amount, currency)


def bill_platform(context: Context, amount: int, currency: str, payout: str) -> None:
    """Take Stripe's fee of a connected account's instant payout from the platform, when that collects the fees."""
    fee = context.settings.tariff.instant_payout.of(amount, currency)
    if fee and _platform_pays(context):
        now, why = context.clock.now(), f"Instant payout fee of {context.account}"
        book(context.on_platform(), "stripe_fee", -fee, currency, source=payout, available_on=now, description=why)


def _platform_pays(context: Context) -> bool:
    """Whoever bears an account's losses collects its fees too, and pays Stripe's."""
    return not context.is_platform and platform_bears_losses(context)


def _instant(context: Context, currency: str) -> Object:
    amount = instantly_available(context, currency)
    net = max(0, amount - own_instant_fee(context, amount, currency)) if amount else 0
    reached = [
        {"amount": net, "destination": bank["id"], "source_types": {"card": net}}
        for bank in _instant_banks(context, currency)
    ]
    return {**_amount(amount, currency), "net_available": reached}


def _instant_banks(context: Context, currency: str) -> list[Object]:
    return [
        bank
        for bank in banks.banks_of(context)
        if bank["currency"] == currency
        and bank["status"] != banks.ERRORED
        and "instant" in bank["available_payout_methods"]
    ]


def _amount(amount: int, currency: str) -> Object:
    """``source_types``: all payment methods but the legacy ACH and FPX count as ``card``."""
    return {"amount": amount, "currency": currency, "source_types": {"card": amount}}
