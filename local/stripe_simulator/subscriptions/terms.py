"""The terms of a subscription: when it is billed, for whom, and what goes to whom."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from .. import accounts
from ..context import Context
from ..errors import InvalidParameterError
from ..funds.fees import application_id
from ..funds.methods import PAYMENT_METHODS
from ..lists import list_object
from ..metadata import merged
from ..pricing.tax_rates import TAX_RATES
from ..state import public
from ..values import Object
from .periods import anchor_by, boundary
from .records import INCOMPLETE, TRIALING, interval_of

_DAY_SECONDS: Final = 24 * 3_600
_LONGEST_TRIAL_DAYS: Final = 730


def trial_end_of(params: Mapping[str, Any], now: int) -> int | None:
    """When the trial that is asked for ends; None without one.

    Raises:
        InvalidParameterError: both ways of saying it, or one that is over or over two years away.
    """
    days, at = params.get("trial_period_days"), params.get("trial_end")
    if days is not None and at is not None:
        raise InvalidParameterError("You can only set one of `trial_end` and `trial_period_days`.", param="trial_end")
    if at == "now" or (days is None and at is None):
        return None
    end: int = now + days * _DAY_SECONDS if days is not None else int(at or 0)
    if not now < end <= now + _LONGEST_TRIAL_DAYS * _DAY_SECONDS:
        raise InvalidParameterError(
            "Invalid timestamp: a trial ends in the future, at most two years ahead.",
            param="trial_period_days" if days is not None else "trial_end",
        )
    return end


def anchor_of(params: Mapping[str, Any], prices: Sequence[Object], start: int) -> int:
    """From when the periods are counted: now, a moment ahead, or the next day of the month that is asked for."""
    config = params.get("billing_cycle_anchor_config")
    if config and "billing_cycle_anchor" in params:
        raise InvalidParameterError(
            "You may only specify one of these parameters: billing_cycle_anchor, billing_cycle_anchor_config.",
            param="billing_cycle_anchor_config",
        )
    anchor: int = anchor_by(config, start) if config else params.get("billing_cycle_anchor", start)
    if anchor < start:
        raise InvalidParameterError(
            "billing_cycle_anchor cannot be earlier than the subscription's start.", param="billing_cycle_anchor"
        )
    if config and any(price["recurring"]["interval"] not in ("month", "year") for price in prices):
        raise InvalidParameterError(
            "billing_cycle_anchor_config is only valid with monthly and yearly prices.",
            param="billing_cycle_anchor_config",
        )
    latest = min(boundary(start, interval_of(price), 1) for price in prices)
    if anchor > latest:
        raise InvalidParameterError(
            f"billing_cycle_anchor cannot be later than next natural billing date ({latest}) for plan",
            param="billing_cycle_anchor",
        )
    return anchor


def blank(
    context: Context,
    params: Mapping[str, Any],
    customer: Object,
    currency: str,
    now: int,
    anchor: int,
    trial_end: int | None,
) -> dict[str, Any]:
    """A subscription from the API's parameters, without items."""
    subscription_id = context.ids.new("sub")
    method = params.get("default_payment_method")
    if method:
        context.state.get(PAYMENT_METHODS, method, param="default_payment_method")
    collection = params.get("collection_method", "charge_automatically")
    if (collection == "send_invoice") != ("days_until_due" in params):
        raise InvalidParameterError(
            "`days_until_due` goes with the collection method 'send_invoice', and with no other.",
            param="days_until_due",
        )
    given = params.get("invoice_settings") or {}
    rates = [public(context.state.get(TAX_RATES, each)) for each in params.get("default_tax_rates") or ()]
    at_end = params.get("cancel_at_period_end", False)
    absent = (
        *("billing_thresholds", "canceled_at", "customer_account", "default_source"),
        *("ended_at", "latest_invoice", "managed_payments", "next_pending_invoice_item_invoice", "pause_collection"),
        *("pending_invoice_item_interval", "pending_setup_intent", "pending_update", "schedule"),
    )
    return {
        "id": subscription_id,
        "object": "subscription",
        **dict.fromkeys(absent),
        "application": None if context.is_platform else application_id(context),
        "application_fee_percent": fee_percent(params),
        "automatic_tax": automatic_tax(params.get("automatic_tax")),
        "billing_cycle_anchor": anchor,
        "billing_cycle_anchor_config": _config(params, anchor),
        "billing_mode": {"flexible": None, "type": "flexible", **(params.get("billing_mode") or {})},
        "billing_schedules": [],
        "cancel_at": params.get("cancel_at") or None,
        "cancel_at_period_end": at_end,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": collection,
        "created": now,
        "currency": currency,
        "customer": customer["id"],
        "days_until_due": params.get("days_until_due"),
        "default_payment_method": method or None,
        "default_tax_rates": rates,
        "description": params.get("description") or None,
        "discounts": [],
        "invoice_settings": {"account_tax_ids": None, "issuer": given.get("issuer") or {"type": "self"}},
        "items": list_object([], f"/v1/subscription_items?subscription={subscription_id}"),
        "livemode": False,
        "metadata": merged({}, params.get("metadata")),
        "on_behalf_of": on_behalf_of(context, params.get("on_behalf_of")),
        "payment_settings": payment_settings(params.get("payment_settings")),
        "start_date": now,
        "status": TRIALING if trial_end else INCOMPLETE,
        "test_clock": customer.get("test_clock"),
        "transfer_data": transfer_data(context, params.get("transfer_data")),
        "trial_end": trial_end,
        "trial_settings": params.get("trial_settings")
        or {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": now if trial_end else None,
        "_turn": 0,
    }


def fee_percent(params: Mapping[str, Any]) -> float | None:
    """The fee, in percent with at most two decimals."""
    percent = params.get("application_fee_percent")
    return _percent(percent, "application_fee_percent")


def transfer_data(context: Context, given: Mapping[str, Any] | str | None) -> dict[str, Any] | None:
    """Where the payments go, and how much of each."""
    if not isinstance(given, Mapping):
        return None
    accounts.check_destination(context, given["destination"], "transfer_data[destination]")
    percent = _percent(given.get("amount_percent"), "transfer_data[amount_percent]")
    return {"amount_percent": percent, "destination": given["destination"]}


def on_behalf_of(context: Context, account: str | None) -> str | None:
    """The settlement merchant."""
    if account:
        accounts.check_settlement_merchant(context, account)
    return account or None


def automatic_tax(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """``automatic_tax`` of a subscription."""
    enabled = bool((given or {}).get("enabled"))
    liability = (given or {}).get("liability") or {"type": "self"}
    return {"disabled_reason": None, "enabled": enabled, "liability": liability if enabled else None}


def payment_settings(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """``payment_settings`` of a subscription."""
    blank = {"payment_method_options": None, "payment_method_types": None, "save_default_payment_method": "off"}
    return {**blank, **(given or {})}


def _percent(value: Any, param: str) -> float | None:  # noqa: ANN401 - a number, empty, or absent
    if value in (None, ""):
        return None
    if not 0 <= value <= 100 or -int(value.as_tuple().exponent) > 2:  # noqa: PLR2004 - as documented
        raise InvalidParameterError("A percentage is from 0 to 100, with at most two decimal places.", param=param)
    return float(value)


def _config(params: Mapping[str, Any], anchor: int) -> dict[str, int | None] | None:
    """The ``billing_cycle_anchor_config`` as it is kept: with the time that it came to mean."""
    given = params.get("billing_cycle_anchor_config")
    if not given:
        return None
    time = datetime.fromtimestamp(anchor, UTC)
    meant = {"hour": time.hour, "minute": time.minute, "second": time.second}
    return {"day_of_month": given["day_of_month"], "month": given.get("month"), **meant}
