"""Balance settings: when payouts leave, what they leave behind, and when payments become available.

https://docs.stripe.com/api/balance-settings
"""

from collections.abc import Mapping
from typing import Any

from ..accounts import ACCOUNTS, payout_terms, save, standing
from ..context import Context
from ..errors import UnsupportedError
from ..routing import Routes
from ..values import Object

routes = Routes()


@routes.api("GET", "/v1/balance_settings")
def retrieve(context: Context) -> Object:
    """The settings of the account."""
    return _shown(context)


@routes.api("POST", "/v1/balance_settings")
def update(context: Context) -> Object:
    """Change what was given."""
    terms = payout_terms.changed(payout_terms.read(context), _given(context))
    if context.is_platform:
        payout_terms.keep_for_platform(context, terms)
    else:
        record = _record(context)
        save(context, record, {**record, "payouts": terms})
    payout_terms.expect_run(context)
    after = _shown(context)
    context.emit("balance_settings.updated", after)
    return after


def _given(context: Context) -> dict[str, Any]:
    """What the parameters say, under the names of the terms."""
    payments: Mapping[str, Any] = context.params.get("payments", {})
    payouts, timing = payments.get("payouts", {}), payments.get("settlement_timing", {})
    for name, place in (("automatic_transfer_rules_by_currency", payouts), ("start_of_day", timing)):
        if place.get(name):
            raise UnsupportedError(f"the parameter {name} of {context.path}")
    schedule = payouts.get("schedule", {})
    given = {name: schedule[name] for name in schedule}
    for name, place in (("debit_negative_balances", payments), ("statement_descriptor", payouts)):
        if name in place:
            given[name] = place[name]
    if "delay_days_override" in timing:
        given["delay_days_override"] = None if timing["delay_days_override"] == "" else timing["delay_days_override"]
    if "minimum_balance_by_currency" in payouts:
        kept = payout_terms.read(context)["minimum_balance_by_currency"] or {}
        asked = payouts["minimum_balance_by_currency"] or {}
        left = {currency: amount for currency, amount in {**kept, **asked}.items() if amount != ""}
        given["minimum_balance_by_currency"] = left if asked and left else None
    return given


def _shown(context: Context) -> Object:
    terms = payout_terms.read(context)
    may_leave = context.is_platform or standing.can_be_paid_out(_record(context))
    days = {name: terms[name] for name in ("weekly_payout_days", "monthly_payout_days") if terms[name]}
    payouts = {
        "minimum_balance_by_currency": terms["minimum_balance_by_currency"],
        "schedule": {"interval": terms["interval"], **days},
        "statement_descriptor": terms["statement_descriptor"],
        "status": "enabled" if may_leave else "disabled",
    }
    timing = {
        "delay_days": payout_terms.delay_days(context),
        "start_of_day": None,
    }
    if terms["delay_days_override"] is not None:
        timing["delay_days_override"] = terms["delay_days_override"]
    return {
        "object": "balance_settings",
        "payments": {
            "debit_negative_balances": terms["debit_negative_balances"],
            "payouts": payouts,
            "settlement_timing": timing,
        },
    }


def _record(context: Context) -> Object:
    record: Object = context.on_platform().state.get(ACCOUNTS, context.account)["_record"]
    return record
