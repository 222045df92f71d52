"""External accounts of connected accounts. https://docs.stripe.com/api/external_accounts

POST /_simulator/external_accounts/{account}/{bank}    {"instant": true}: whether instant payouts reach the bank
"""

from typing import Any

from ..accounts import ACCOUNTS, banks, get_record, payout_terms, save
from ..accounts.requests import bank_account
from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError, ResourceMissingError
from ..lists import list_object, read_limit
from ..metadata import merged
from ..routing import Routes
from ..state import public
from ..values import Object

routes = Routes()


@routes.api("POST", "/v1/accounts/{account}/external_accounts")
def create(context: Context, account: str) -> Object:
    """Add a bank account; the first one of a currency is its default."""
    params = context.params
    before = get_record(context, account)
    bank = bank_account(context, before, params["external_account"])
    bank["metadata"] = merged({}, params.get("metadata"))
    return _keep(context, before, bank, as_default=params.get("default_for_currency", False))


@routes.api("GET", "/v1/accounts/{account}/external_accounts")
def list_external_accounts(context: Context, account: str) -> Object:
    """An account's external accounts, newest last; few enough for one page."""
    context.unsupported("starting_after", "ending_before")
    kept = _banks(context, account)
    found = [public(each) for each in kept if context.params.get("object", each["object"]) == each["object"]]
    limit = read_limit(context.params)
    return list_object(found[:limit], context.path, has_more=len(found) > limit)


@routes.api("GET", "/v1/accounts/{account}/external_accounts/{id}")
def retrieve(context: Context, account: str, id: str) -> Object:  # noqa: A002 - the SDK's name of the placeholder
    """One external account."""
    return public(_named(_banks(context, account), id))


@routes.api("POST", "/v1/accounts/{account}/external_accounts/{id}")
def update(context: Context, account: str, id: str) -> Object:  # noqa: A002 - the SDK's name of the placeholder
    """Change its holder, its metadata, or make it the default; after a failed payout it is tried again."""
    context.unsupported("account_type", "documents", "exp_month", "exp_year", "name")
    params = context.params
    before = get_record(context, account)
    bank = _find(before, id)
    changes: dict[str, Any] = {"metadata": merged(bank["metadata"], params.get("metadata")), "status": "new"}
    for name in ("account_holder_name", "account_holder_type"):
        if name in params:
            changes[name] = params[name] or None
    as_default = params.get("default_for_currency", bank["default_for_currency"])
    return _keep(context, before, {**bank, **changes}, as_default=as_default)


@routes.api("DELETE", "/v1/accounts/{account}/external_accounts/{id}")
def delete(context: Context, account: str, id: str) -> Object:  # noqa: A002 - the SDK's name of the placeholder
    """Remove an external account that is not the default, unless it is the last one."""
    before = get_record(context, account)
    bank = _find(before, id)
    rest = [each for each in before["bank_accounts"] if each["id"] != id]
    if bank["default_for_currency"] and any(each["currency"] == bank["currency"] for each in rest):
        raise InvalidRequestError(
            "You cannot delete the default external account for your default currency. Please make another external "
            "account the default using the `default_for_currency` param, and then delete this one."
        )
    save(context, before, {**before, "bank_accounts": rest})
    return {"id": id, "object": "bank_account", "deleted": True}


@routes.page("POST", "/_simulator/external_accounts/{account}/{bank}")
def order(context: Context, account: str, bank: str) -> Object:
    """Let a bank take instant payouts, or not."""
    reaches = context.params.get("instant")
    if not isinstance(reaches, bool):
        raise InvalidParameterError("Say whether instant payouts reach the bank: true or false.", param="instant")
    before = context.state.get(ACCOUNTS, account)["_record"]
    found = _find(before, bank)
    methods = ["standard", "instant"] if reaches else ["standard"]
    changed = {**found, "available_payout_methods": methods}
    return _keep(context, before, changed, as_default=found["default_for_currency"])


def _keep(context: Context, before: Object, bank: Object, *, as_default: bool) -> Object:
    """Keep an external account as a part of the record, which tells of it."""
    listed = banks.with_bank(before["bank_accounts"], bank, as_default=as_default)
    after = save(context, before, {**before, "bank_accounts": listed})
    payout_terms.expect_run(context.on(before["id"]))
    return public(_find(after, bank["id"]))


def _banks(context: Context, account: str) -> list[Object]:
    """The external accounts of an account that the caller may see, the platform's own among them."""
    if context.is_platform and account == context.account:
        return banks.banks_of(context)
    found: list[Object] = get_record(context, account)["bank_accounts"]
    return found


def _find(record: Object, bank: str) -> Object:
    return _named(record["bank_accounts"], bank)


def _named(kept: list[Object], bank: str) -> Object:
    found = next((each for each in kept if each["id"] == bank), None)
    if found is None:
        raise ResourceMissingError("external_account", bank)
    return found
