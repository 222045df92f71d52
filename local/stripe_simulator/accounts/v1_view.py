"""An account as API v1 shows it. https://docs.stripe.com/api/accounts/object"""

from datetime import datetime
from typing import Any, Final

from ..lists import list_object
from ..state import public
from ..values import Object
from . import standing
from .persons import individual_id, people_of, shown_v1
from .record import CARD_PAYMENTS, MERCHANT, RECIPIENT, TRANSFERS, at

V1_NAMES: Final = {
    "transfers": (RECIPIENT, TRANSFERS),
    "us_bank_account_ach_payments": (MERCHANT, "ach_debit_payments"),
}
"""Capabilities that API v1 names otherwise; the rest are the merchant's, under the same name."""

V1_FEES_PAYER: Final = {"stripe": "account"}
"""What API v1 calls a ``fees_collector``; the others have the same name."""

_BUSINESS_PROFILE: Final = (
    *("annual_revenue", "estimated_worker_count", "mcc", "minority_owned_business_designation"),
    *("support_address", "support_email", "support_phone", "support_url"),
)
_COMPANY_FLAGS: Final = ("directors_provided", "executives_provided", "owners_provided", "tax_id_provided")
_PAYOUT_DELAY_DAYS: Final = 2  # of an account that does not override it


def v1_names() -> dict[tuple[str, str], str]:
    """What API v1 calls the capabilities that it names otherwise."""
    return {place: name for name, place in V1_NAMES.items()}


def v1_view(record: Object) -> dict[str, Any]:
    """The account, whole; a closed one is never shown by API v1."""
    return {
        "id": record["id"],
        "object": "account",
        "business_profile": _business_profile(record),
        "business_type": at(record, "identity.entity_type"),
        "capabilities": _capabilities(record),
        "charges_enabled": standing.is_active(record, MERCHANT, CARD_PAYMENTS),
        "company": _company(record),
        "controller": _controller(record),
        "country": at(record, "identity.country"),
        "created": record["created"],
        "default_currency": at(record, "defaults.currency"),
        "details_submitted": record["submitted"],
        "email": record["contact_email"],
        "external_accounts": list_object(
            [public(each) for each in record["bank_accounts"]], f"/v1/accounts/{record['id']}/external_accounts"
        ),
        "future_requirements": _requirements(record, []),
        **_individual(record),
        "metadata": record["metadata"],
        "payouts_enabled": standing.can_be_paid_out(record),
        "requirements": _requirements(record, standing.due(record)),
        "settings": _settings(record),
        "tos_acceptance": _tos_acceptance(record),
        "type": record["type"],
    }


def _business_profile(record: Object) -> Object:
    profile = at(record, "defaults.profile") or {}
    return {
        **dict.fromkeys(_BUSINESS_PROFILE),
        **record["profile"],
        "name": profile.get("doing_business_as"),
        "product_description": profile.get("product_description"),
        "url": profile.get("business_url"),
    }


def _capabilities(record: Object) -> Object:
    names = v1_names()
    shown: dict[str, str] = {}
    for configuration, capability in standing.capabilities(record):
        name = names.get((configuration, capability), capability)
        status = standing.status(record, configuration, capability)
        if "." not in name and configuration != "customer" and status:
            shown[name] = standing.V1_STATUS.get(status.status, "inactive")
    return shown


def _company(record: Object) -> Object:
    address = at(record, "identity.business_details.address") or {}
    blank = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    return {
        "address": {**blank, "country": at(record, "identity.country"), **address},
        "name": at(record, "identity.business_details.registered_name"),
        "phone": at(record, "identity.business_details.phone"),
        **dict.fromkeys(_COMPANY_FLAGS, False),
        **record["company_flags"],
    }


def _individual(record: Object) -> Object:
    """The person that the account is, where the platform collects what is asked of it."""
    individual = next((each for each in people_of(record) if each["id"] == individual_id(record)), None)
    if individual is None or record["responsibilities"].get("requirements_collector") != "application":
        return {}
    return {"individual": shown_v1(record, individual, standing.due_of(record, individual))}


def _controller(record: Object) -> Object:
    responsibilities = record["responsibilities"]
    fees, losses = responsibilities.get("fees_collector"), responsibilities.get("losses_collector")
    return {
        "type": "application",
        "fees": {"payer": V1_FEES_PAYER.get(fees, fees)} if fees else None,
        "is_controller": True,
        "losses": {"payments": losses} if losses else None,
        "requirement_collection": responsibilities.get("requirements_collector"),
        "stripe_dashboard": {"type": record["dashboard"]} if record["dashboard"] else None,
    }


def _requirements(record: Object, due: list[standing.Requirement]) -> Object:
    return {**requirements(due), "disabled_reason": _disabled_reason(record, due)}


def requirements(due: list[standing.Requirement]) -> dict[str, Any]:
    """What is due, as accounts and capabilities list it: what is late is due now, and all is in the end."""

    def named(*statuses: str) -> list[str]:
        return [each.v1_name for each in due if each.status in statuses]

    current, late = standing.CURRENTLY_DUE, standing.PAST_DUE
    deadlines = [each.deadline for each in due if each.status == current and each.deadline is not None]
    return {
        "alternatives": [],
        "current_deadline": min(deadlines, default=None),
        "currently_due": named(current, late),
        "errors": [],
        "eventually_due": named(current, late, standing.EVENTUALLY_DUE),
        "past_due": named(late),
        "pending_verification": [],
    }


def _disabled_reason(record: Object, due: list[standing.Requirement]) -> str | None:
    if record["rejection"]:
        kind = record["rejection"]["reason"].partition("_")[0]
        known = {"fraud": "rejected.platform_fraud", "terms": "rejected.platform_terms_of_service"}
        return known.get(kind, "rejected.platform_other")
    if record["rejected"]:
        return "rejected.other"
    return "requirements.past_due" if any(each.status == standing.PAST_DUE for each in due) else None


def _settings(record: Object) -> Object:
    decline_on = {"avs_failure": False, "cvc_failure": False}
    settings: dict[str, Any] = {
        "branding": dict.fromkeys(("icon", "logo", "primary_color", "secondary_color")),
        "card_payments": {"decline_on": decline_on, "statement_descriptor_prefix": None},
        "dashboard": {"display_name": record["display_name"], "timezone": "Etc/UTC"},
        "payments": dict.fromkeys(("statement_descriptor", "statement_descriptor_kana", "statement_descriptor_kanji")),
        "payouts": _payouts(record["payouts"]),
    }
    for name, given in record["settings"].items():
        settings[name] = {**settings.get(name, {}), **given}
    return settings


def _payouts(terms: Object) -> Object:
    delay = terms["delay_days_override"]
    schedule = {"delay_days": _PAYOUT_DELAY_DAYS if delay is None else delay, "interval": terms["interval"]}
    if terms["weekly_payout_days"]:
        schedule |= {"weekly_anchor": terms["weekly_payout_days"][0], "weekly_payout_days": terms["weekly_payout_days"]}
    if terms["monthly_payout_days"]:
        days = terms["monthly_payout_days"]
        schedule |= {"monthly_anchor": days[0], "monthly_payout_days": days}
    shown = {name: terms[name] for name in ("debit_negative_balances", "statement_descriptor")}
    return {**shown, "schedule": schedule}


def _tos_acceptance(record: Object) -> Object:
    accepted = at(record, "identity.attestations.terms_of_service.account")
    if accepted is None:
        return {"date": None, "ip": None, "user_agent": None}
    return {**accepted, "date": int(datetime.fromisoformat(accepted["date"]).timestamp())}
