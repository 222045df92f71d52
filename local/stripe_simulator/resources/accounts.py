"""Connected accounts in API v1. https://docs.stripe.com/api/accounts"""

from collections.abc import Mapping
from typing import Any, Final

from ..accounts import ACCOUNTS, get_record, insert, payout_terms, persons, save, tokens
from ..accounts.platform_view import platform_view
from ..accounts.record import MERCHANT, RECIPIENT, blank, overlaid
from ..accounts.requests import asked_by_v1, bank_account, with_capability
from ..accounts.responsibilities import APPLICATION, LOSSES, OF_TYPE, REQUIREMENTS, STRIPE, settled
from ..accounts.v1_view import v1_view
from ..catalog import jsonable
from ..clock import rfc3339
from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError, UnsupportedError
from ..funds.balance_view import balance
from ..metadata import merged
from ..money import currency_code
from ..routing import Routes
from ..values import Object

routes = Routes(ACCOUNTS)
_UNSUPPORTED: Final = ("documents", "groups")
_REJECTION_REASONS: Final = (
    *("credit", "fraud_no_intent_to_fulfill", "fraud_other", "fraud_payment_method_casher"),
    *("fraud_payment_method_tester", "other", "terms_of_service"),
)
_COMPANY_FLAGS: Final = ("directors_provided", "executives_provided", "owners_provided")
_FOLLOWED_OF_COMPANIES: Final = frozenset({"address", "name", "phone", "tax_id", *_COMPANY_FLAGS})
_PLACES: Final[Mapping[str, Mapping[str, str]]] = {
    "company": {"name": "registered_name", "phone": "phone"},
    "business_profile": {
        "name": "doing_business_as",
        "product_description": "product_description",
        "url": "business_url",
    },
}
"""What API v1 and v2 both know, by their names; the rest of what was given stays as it was given."""


@routes.api("POST", "/v1/accounts")
def create(context: Context) -> Object:
    """Create an account, by controller properties or by a legacy type."""
    context.unsupported(*_UNSUPPORTED)
    params = tokens.with_token(context, tokens.ACCOUNT, "account_token")
    record = _controlled(blank(context), params)
    record["identity"] = {"country": params.get("country", context.settings.country).upper()}
    record["defaults"] = {"currency": context.settings.default_currency}
    for configuration in (RECIPIENT, MERCHANT):
        record["configurations"][configuration] = {"applied": True}
    return v1_view(insert(context, _applied(context, record, params)))


@routes.api("GET", "/v1/account")
def retrieve_current(context: Context) -> Object:
    """The account that asks."""
    return retrieve(context, context.account)


@routes.api("GET", "/v1/accounts/{account}")
def retrieve(context: Context, account: str) -> Object:
    """The account as it stands."""
    if context.is_platform and account == context.account:
        return platform_view(context)
    return v1_view(get_record(context, account))


@routes.api("POST", "/v1/accounts/{account}")
def update(context: Context, account: str) -> Object:
    """Change what was given."""
    context.unsupported(*_UNSUPPORTED)
    before = get_record(context, account)
    params = tokens.with_token(context, tokens.ACCOUNT, "account_token")
    after = save(context, before, _applied(context, before, params))
    payout_terms.expect_run(context.on(account))
    return v1_view(after)


@routes.api("DELETE", "/v1/accounts/{account}")
def delete(context: Context, account: str) -> Object:
    """Delete the account, which API v2 shows as closed."""
    before = get_record(context, account)
    if before["dashboard"] == "full" and before["responsibilities"].get(LOSSES) == STRIPE:
        raise InvalidRequestError("This account has access to the full Stripe Dashboard and cannot be deleted.")
    require_no_money(context, before)
    save(context, before, {**before, "closed": True})
    return {"id": account, "object": "account", "deleted": True}


@routes.api("POST", "/v1/accounts/{account}/reject")
def reject(context: Context, account: str) -> Object:
    """Reject an account whose losses the platform bears; its payouts stop too, unless told otherwise."""
    before = get_record(context, account)
    if before["responsibilities"].get(LOSSES) != APPLICATION:
        raise InvalidRequestError("Only accounts whose losses your platform is liable for can be rejected.")
    if context.params["reason"] not in _REJECTION_REASONS:
        raise InvalidParameterError(f"Invalid reason: must be one of {', '.join(_REJECTION_REASONS)}", param="reason")
    keeps_payouts = context.params.get("payouts_action") == "none"
    rejection = {"reason": context.params["reason"], "payouts": keeps_payouts}
    return v1_view(save(context, before, {**before, "rejection": rejection}))


@routes.api("POST", "/v1/accounts/{account}/unreject")
def unreject(context: Context, account: str) -> Object:
    """Take a rejection back, which the platform made."""
    before = get_record(context, account)
    if before["rejection"] is None:
        raise InvalidRequestError("Only accounts that were rejected by your platform can be unrejected.")
    return v1_view(save(context, before, {**before, "rejection": None}))


@routes.api("GET", "/v1/accounts")
def list_accounts(context: Context) -> Object:
    """Connected accounts, newest first."""
    return context.on_platform().list(ACCOUNTS, {"_closed": False})


def require_no_money(context: Context, record: Object) -> None:
    """Refuse to end an account that has money or owes some.

    Raises:
        InvalidRequestError: a balance is not zero.
    """
    found = balance(context.on(record["id"]), default_currency=context.settings.default_currency)
    if any(each["amount"] for name in ("available", "pending") for each in found[name]):
        raise InvalidRequestError(
            "This account cannot be closed because its balance is not zero.", code="cannot_delete_account_with_balance"
        )


def _controlled(record: dict[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """The record with its dashboard and responsibilities."""
    if "type" in params and "controller" in params:
        raise InvalidParameterError(
            "You may not provide the `type` parameter and `controller` parameters at the same time.", param="type"
        )
    if "type" in params:
        dashboard, responsibilities = OF_TYPE[params["type"]]
        return {**record, "type": params["type"], "dashboard": dashboard, "responsibilities": responsibilities}
    given = params.get("controller", {})
    dashboard = given.get("stripe_dashboard", {}).get("type", "full")
    payer = given.get("fees", {}).get("payer", "account")
    losses = given.get("losses", {}).get("payments", STRIPE)
    responsibilities = settled(dashboard, APPLICATION if payer == APPLICATION else STRIPE, losses)
    asked = given.get("requirement_collection", responsibilities[REQUIREMENTS])
    if asked == APPLICATION != responsibilities[REQUIREMENTS]:
        raise InvalidRequestError(
            "Your platform can only collect the requirements of an account that has no Stripe Dashboard and whose "
            "losses it bears.",
            param="controller[requirement_collection]",
        )
    return {**record, "dashboard": dashboard, "responsibilities": {**responsibilities, REQUIREMENTS: asked}}


def _applied(context: Context, before: Object, params: Mapping[str, Any]) -> dict[str, Any]:
    """The record with the parameters in it."""
    record = {**before, "metadata": merged(before["metadata"], params.get("metadata"))}
    _describe(record, params)
    for configuration, name, requested in asked_by_v1(params.get("capabilities", {})):
        record["capabilities"] = with_capability(record["capabilities"], configuration, name, requested=requested)
    if "external_account" in params:
        given = params["external_account"]
        record["bank_accounts"] = [bank_account(context, record, given)] if given else []
    if "tos_acceptance" in params:
        _accept_terms(record, params["tos_acceptance"])
    settings = {name: each for name, each in params.get("settings", {}).items() if name != "payouts"}
    record["settings"] = overlaid(before["settings"], settings)
    record["payouts"] = _payout_terms(before["payouts"], params.get("settings", {}).get("payouts", {}))
    record["profile"] = overlaid(before["profile"], params.get("business_profile", {}))
    record["profile"] = {
        name: each for name, each in record["profile"].items() if name not in _PLACES["business_profile"]
    }
    return record


def _payout_terms(before: Object, given: Mapping[str, Any]) -> Object:
    """The terms of payouts with what API v1 says of them, whose anchors are days on which money leaves."""
    if not given:
        return before
    schedule = given.get("schedule", {})
    changes = {name: given[name] for name in ("debit_negative_balances", "statement_descriptor") if name in given}
    for name in ("interval", "weekly_payout_days", "monthly_payout_days"):
        if name in schedule:
            changes[name] = schedule[name]
    for anchor, name in (("weekly_anchor", "weekly_payout_days"), ("monthly_anchor", "monthly_payout_days")):
        if anchor in schedule:
            changes.setdefault(name, [schedule[anchor]])
    if "delay_days" in schedule:
        changes["delay_days_override"] = None if schedule["delay_days"] == "minimum" else schedule["delay_days"]
    return payout_terms.changed(before, changes)


def _describe(record: dict[str, Any], params: Mapping[str, Any]) -> None:
    identity: dict[str, Any] = {}
    if "business_type" in params:
        identity["entity_type"] = params["business_type"]
    if "individual" in params:
        given = params["individual"]
        _refuse("individual", [name for name in given if name in persons.V1_ONLY])
        individual = jsonable(persons.from_v1(given))
        identity["individual"] = {**individual, **({"metadata": given["metadata"]} if given.get("metadata") else {})}
    if "company" in params:
        given = params["company"]
        _refuse("company", [name for name in given if name not in _FOLLOWED_OF_COMPANIES])
        address = {"address": given["address"]} if "address" in given else {}
        identity["business_details"] = {
            place: given[name] for name, place in _PLACES["company"].items() if name in given
        } | address
        flags = {name: given[name] for name in _COMPANY_FLAGS if name in given}
        if given.get("tax_id"):  # the number itself is never shown again
            flags["tax_id_provided"] = True
        record["company_flags"] = {**record["company_flags"], **flags}
    record["identity"] = overlaid(record["identity"], identity)
    profile = params.get("business_profile", {})
    known = {place: profile[name] for name, place in _PLACES["business_profile"].items() if name in profile}
    record["defaults"] = overlaid(record["defaults"], {"profile": known} if known else {})
    if "default_currency" in params:
        record["defaults"]["currency"] = currency_code(params["default_currency"], "default_currency")
    if "email" in params:
        record["contact_email"] = params["email"]


def _refuse(member: str, names: list[str]) -> None:
    for name in names:
        raise UnsupportedError(f"the parameter {member}[{name}] of accounts")


def _accept_terms(record: dict[str, Any], given: Mapping[str, Any]) -> None:
    if record["responsibilities"][REQUIREMENTS] == STRIPE and "date" in given:
        raise InvalidRequestError(
            "You cannot accept the Terms of Service on behalf of this account: Stripe collects its requirements.",
            param="tos_acceptance[date]",
        )
    if "date" in given:
        accepted = {"date": rfc3339(given["date"]), "ip": given.get("ip"), "user_agent": given.get("user_agent")}
        terms = {"attestations": {"terms_of_service": {"account": accepted}}}
        record["identity"] = overlaid(record["identity"], terms)
