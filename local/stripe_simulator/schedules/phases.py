"""Phases: from what a request says, and to what is asked of a subscription.

https://docs.stripe.com/billing/subscriptions/subscription-schedules/use-cases
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError, UnsupportedError
from ..funds.methods import PAYMENT_METHODS
from ..metadata import merged
from ..pricing.tax_rates import TAX_RATES
from ..state import public
from ..subscriptions import selling, terms
from ..subscriptions.periods import Interval, boundary
from ..values import Object

MOST_PHASES: Final = 10  # https://docs.stripe.com/billing/subscriptions/subscription-schedules#phases
MOST_YEARS: Final = 5
_YEAR_SECONDS: Final = 366 * 24 * 3_600
_UNSUPPORTED: Final = ("add_invoice_items", "billing_thresholds", "pause_collection")
_UNSUPPORTED_OF_ITEMS: Final = ("billing_thresholds", "discounts", "plan", "price_data", "trial", "trial_offer")
_UNSUPPORTED_OF_INVOICES: Final = ("account_tax_ids", "custom_fields", "description", "footer")
_SHARED: Final = (
    *("application_fee_percent", "automatic_tax", "collection_method", "default_payment_method", "description"),
    *("on_behalf_of", "transfer_data"),
)
"""What a phase leaves to the schedule's ``default_settings``."""


def default_settings(context: Context, given: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    """``default_settings`` with what a request names of them."""
    _refuse(given, "default_settings", ("billing_thresholds",))
    _refuse_phase_start(given, "default_settings")
    blank = {
        **dict.fromkeys(_SHARED),
        "automatic_tax": terms.automatic_tax(None),
        "billing_cycle_anchor": "automatic",
        "billing_thresholds": None,
        "collection_method": "charge_automatically",
        "invoice_settings": _invoice_settings({}, "default_settings"),
    }
    return {**(before or blank), **_settings(context, given, "default_settings")}


def build(context: Context, given: Sequence[Mapping[str, Any]], start: int) -> list[dict[str, Any]]:
    """Phases that follow on each other from ``start``.

    Raises:
        InvalidParameterError: none, too many, a gap between two, or an end that is missing or not after the begin.
    """
    if not given:
        raise InvalidParameterError("You must pass in at least one phase.", param="phases")
    if len(given) > MOST_PHASES:
        raise InvalidParameterError(f"A schedule has at most {MOST_PHASES} phases.", param="phases")
    phases: list[dict[str, Any]] = []
    for at, each in enumerate(given):
        param = f"phases[{at}]"
        if each.get("start_date", start) not in (start, "now"):
            raise InvalidParameterError(
                "Phases must be contiguous: each begins where the one before it ends.", param=f"{param}[start_date]"
            )
        phases.append(_phase(context, each, start, param))
        start = phases[-1]["end_date"]
    if len({phase["currency"] for phase in phases}) > 1:
        raise InvalidParameterError("All phases of a schedule must have the same currency.", param="phases")
    if phases[-1]["end_date"] - phases[0]["start_date"] > MOST_YEARS * _YEAR_SECONDS:
        raise InvalidParameterError(f"A schedule ends within {MOST_YEARS} years.", param="phases")
    return phases


def of_subscription(subscription: Object) -> dict[str, Any]:
    """The phase that a subscription is in: its terms, and its current period."""
    items = subscription["items"]["data"]
    kept = [_item(item["price"]["id"], item["quantity"], item["metadata"], item["tax_rates"]) for item in items]
    named = {name: subscription[name] for name in _SHARED if name != "automatic_tax"}
    return {
        **_blank(subscription["currency"]),
        **named,
        "automatic_tax": subscription["automatic_tax"],
        "default_tax_rates": subscription["default_tax_rates"],
        "end_date": min(item["current_period_end"] for item in items),
        "invoice_settings": {
            **_invoice_settings({}, "phases"), "days_until_due": subscription["days_until_due"],
        },
        "items": kept,
        "start_date": min(item["current_period_start"] for item in items),
        "trial_end": subscription["trial_end"] if subscription["status"] == "trialing" else None,
    }  # fmt: skip


def terms_of(schedule: Object, phase: Mapping[str, Any]) -> dict[str, Any]:
    """What a phase asks of its subscription, but for its items: its own terms, or else the schedule's."""
    settings = schedule["default_settings"]
    said = {name: settings[name] if phase.get(name) is None else phase[name] for name in _SHARED}
    said["automatic_tax"] = {"enabled": said["automatic_tax"]["enabled"]}
    said["application_fee_percent"] = _exact(said["application_fee_percent"])
    if said["transfer_data"]:
        percent = _exact(said["transfer_data"]["amount_percent"])
        said["transfer_data"] = {**said["transfer_data"], "amount_percent": percent}
    invoices = phase["invoice_settings"] or settings["invoice_settings"]
    if said["collection_method"] == "send_invoice":
        said["days_until_due"] = invoices["days_until_due"]
    said["default_tax_rates"] = [rate["id"] for rate in phase["default_tax_rates"]]
    said["metadata"] = phase["metadata"]
    if phase["trial_end"] is not None:
        said["trial_end"] = phase["trial_end"]
    return said


def sold_of(phase: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The items of a phase, as parameters of a subscription; their prices may be inactive since."""
    return [
        {
            "_kept": True,
            "price": each["price"],
            "quantity": each["quantity"],
            "metadata": each["metadata"],
            "tax_rates": [rate["id"] for rate in each["tax_rates"]],
        }
        for each in phase["items"]
    ]


def changed_items(items: Iterable[Object], phase: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What makes the items of a subscription those of a phase.

    One with the same price stays; the others take the new prices in their order, and what is left over is deleted.
    """
    by_price = {item["price"]["id"]: item for item in items}
    changes, new = [], []
    for wanted in sold_of(phase):
        item = by_price.pop(wanted["price"], None)
        if item is None:
            new.append(wanted)
        elif not _is_same(item, wanted):
            changes.append({"id": item["id"], **{name: each for name, each in wanted.items() if name != "price"}})
    left = list(by_price.values())
    changes += [{"id": item["id"], **wanted} for item, wanted in zip(left, new, strict=False)]
    changes += new[len(left) :]
    return [*changes, *({"id": item["id"], "deleted": True} for item in left[len(new) :])]


def _is_same(item: Object, wanted: Mapping[str, Any]) -> bool:
    rates = [rate["id"] for rate in item["tax_rates"]]
    stands = (item["quantity"], item["metadata"], rates)
    return bool(stands == (wanted["quantity"], wanted["metadata"], wanted["tax_rates"]))


def _exact(percent: float | None) -> Decimal | None:
    """A percentage as requests have it."""
    return None if percent is None else Decimal(str(percent))


def _phase(context: Context, given: Mapping[str, Any], start: int, param: str) -> dict[str, Any]:
    _refuse(given, param, _UNSUPPORTED)
    _refuse_phase_start(given, param)
    if not given.get("items"):
        raise InvalidParameterError("A phase has at least one item.", code="parameter_missing", param=f"{param}[items]")
    if given.get("discounts"):
        raise UnsupportedError(f"{param}[discounts]")
    prices = []
    items = []
    for at, each in enumerate(given["items"]):
        of_item = f"{param}[items][{at}]"
        _refuse(each, of_item, _UNSUPPORTED_OF_ITEMS)
        price = selling.recurring_price(context, each, of_item)
        prices.append(price)
        items.append(_item(price["id"], each.get("quantity", 1), merged({}, each.get("metadata")),
                           _rates(context, each.get("tax_rates"))))  # fmt: skip
    currency = selling.one_currency(prices)
    if given.get("currency", currency) != currency:
        raise InvalidParameterError("The phase's currency is not its prices'.", param=f"{param}[currency]")
    end = _end_of(given, start, param)
    return {
        **_blank(currency),
        **_settings(context, given, param),
        "default_tax_rates": _rates(context, given.get("default_tax_rates")),
        "end_date": end,
        "items": items,
        "metadata": merged({}, given.get("metadata")),
        "proration_behavior": given.get("proration_behavior", "create_prorations"),
        "start_date": start,
        "trial_end": _trial_end(given, start, end, param),
    }


def _end_of(given: Mapping[str, Any], start: int, param: str) -> int:
    duration, end = given.get("duration"), given.get("end_date")
    if (duration is None) is (end is None):
        raise InvalidParameterError("A phase has either `duration` or `end_date`.", param=f"{param}[end_date]")
    if duration is not None:
        return boundary(start, Interval(duration["interval"], duration.get("interval_count", 1)), 1)
    if end == "now" or int(end or 0) <= start:
        raise InvalidParameterError("A phase ends after it begins.", param=f"{param}[end_date]")
    return int(end or 0)


def _trial_end(given: Mapping[str, Any], start: int, end: int, param: str) -> int | None:
    at = given.get("trial_end")
    if given.get("trial"):
        if at is not None:
            raise InvalidParameterError("You may only specify one of `trial` and `trial_end`.", param=f"{param}[trial]")
        return end
    if at is not None and not (isinstance(at, int) and start < at <= end):
        raise InvalidParameterError("A phase's trial ends within the phase.", param=f"{param}[trial_end]")
    return at


def _settings(context: Context, given: Mapping[str, Any], param: str) -> dict[str, Any]:
    """What a request says of the terms that phases and ``default_settings`` share, checked."""
    said: dict[str, Any] = {name: given[name] or None for name in ("collection_method", "description") if name in given}
    if "application_fee_percent" in given:
        said["application_fee_percent"] = terms.fee_percent(given)
    if "automatic_tax" in given:
        said["automatic_tax"] = terms.automatic_tax(given["automatic_tax"])
    if "on_behalf_of" in given:
        said["on_behalf_of"] = terms.on_behalf_of(context, given["on_behalf_of"])
    if "transfer_data" in given:
        said["transfer_data"] = terms.transfer_data(context, given["transfer_data"])
    if "default_payment_method" in given:
        method = given["default_payment_method"] or None
        if method:
            context.state.get(PAYMENT_METHODS, method, param=f"{param}[default_payment_method]")
        said["default_payment_method"] = method
    if "invoice_settings" in given:
        said["invoice_settings"] = _invoice_settings(given["invoice_settings"] or {}, param)
    days = (said.get("invoice_settings") or {}).get("days_until_due")
    if said.get("collection_method") == "send_invoice" and days is None:
        raise InvalidParameterError(
            "`days_until_due` goes with the collection method 'send_invoice'.",
            param=f"{param}[invoice_settings][days_until_due]",
        )
    return said


def _invoice_settings(given: Mapping[str, Any], param: str) -> dict[str, Any]:
    _refuse(given, f"{param}[invoice_settings]", (*_UNSUPPORTED_OF_INVOICES, "issuer"))
    days = given.get("days_until_due")
    return {"account_tax_ids": None, "custom_fields": None, "days_until_due": days, "description": None,
            "footer": None, "issuer": {"type": "self"}}  # fmt: skip


def _blank(currency: str) -> dict[str, Any]:
    return {
        **dict.fromkeys(name for name in _SHARED if name != "automatic_tax"),
        "add_invoice_items": [],
        "billing_cycle_anchor": None,
        "billing_thresholds": None,
        "currency": currency,
        "default_tax_rates": [],
        "discounts": [],
        "invoice_settings": None,
        "metadata": {},
        "proration_behavior": "create_prorations",
        "trial_end": None,
    }


def _item(price: str, quantity: int, metadata: Object, rates: Sequence[Object]) -> dict[str, Any]:
    return {"billing_thresholds": None, "discounts": [], "metadata": metadata, "price": price,
            "quantity": quantity, "tax_rates": list(rates)}  # fmt: skip


def _rates(context: Context, given: Sequence[str] | str | None) -> list[Object]:
    return [public(context.state.get(TAX_RATES, each)) for each in given or ()]


def _refuse(given: Mapping[str, Any], param: str, names: Iterable[str]) -> None:
    for name in names:
        if given.get(name):
            raise UnsupportedError(f"{param}[{name}]")


def _refuse_phase_start(given: Mapping[str, Any], param: str) -> None:
    if given.get("billing_cycle_anchor") == "phase_start":
        raise UnsupportedError(f"{param}[billing_cycle_anchor] phase_start")
