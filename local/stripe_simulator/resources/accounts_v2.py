"""Connected accounts in API v2. https://docs.stripe.com/api/v2/core/accounts"""

from collections.abc import Mapping
from typing import Any, Final

from ..accounts import ACCOUNTS, ACCOUNTS_V2, get_record, insert, save
from ..accounts.record import CUSTOMER, MERCHANT, blank, overlaid
from ..accounts.requests import asked_by_v2, with_capability
from ..accounts.responsibilities import FEES, LOSSES, STRIPE, settled
from ..accounts.v2_view import v2_view
from ..catalog import jsonable
from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError
from ..metadata import merged
from ..money import currency_code
from ..routing import Routes
from ..values import Object
from .accounts import require_no_money

routes = Routes(ACCOUNTS_V2)
_PATH: Final = "/v2/core/accounts"
_CONFIGURATIONS: Final = ("customer", "merchant", "recipient")


@routes.api("POST", _PATH)
def create(context: Context) -> Object:
    """Create an account with its configurations."""
    context.unsupported("account_token")
    record = insert(context, _checked(_applied(blank(context), context.params)))
    return v2_view(record, context.params.get("include", ()))


@routes.api("GET", _PATH + "/{account}")
def retrieve(context: Context, account: str) -> Object:
    """The account, closed ones included, with what ``include`` names."""
    return v2_view(get_record(context, account), context.params.get("include", ()))


@routes.api("POST", _PATH + "/{account}")
def update(context: Context, account: str) -> Object:
    """Change what was given; null unsets."""
    context.unsupported("account_token")
    before = _open_record(context, account)
    after = save(context, before, _checked(_applied(before, context.params)))
    return v2_view(after, context.params.get("include", ()))


@routes.api("POST", _PATH + "/{account}/close")
def close(context: Context, account: str) -> Object:
    """Close the account; ``applied_configurations`` must name exactly those that it has."""
    before = _open_record(context, account)
    applied = v2_view(before, ())["applied_configurations"]
    if sorted(context.params.get("applied_configurations", ())) != sorted(applied):
        raise InvalidRequestError(
            "To close an account, `applied_configurations` must match its applied configurations.",
            code="configs_must_match_to_close",
            applied_configurations=applied,
        )
    if before["responsibilities"].get(LOSSES) == STRIPE and before["dashboard"] not in (None, "none"):
        raise InvalidRequestError(
            "An account whose losses Stripe collects and that has a dashboard cannot be closed.",
            code="stripe_loss_liable_cannot_be_deleted",
        )
    require_no_money(context, before)
    return v2_view(save(context, before, {**before, "closed": True}), ())


@routes.api("GET", _PATH)
def list_accounts(context: Context) -> Object:
    """Accounts, newest first; closed ones only when asked for."""
    params = context.params
    wanted = params.get("applied_configurations", [])
    where: dict[str, Any] = {"_closed": params.get("closed", False)}
    if wanted:
        where["configuration"] = wanted[0]
    page = context.on_platform().list_v2(ACCOUNTS, where)
    shown = [v2_view(get_record(context, each["id"]), ()) for each in page["data"]]
    return {**page, "data": [each for each in shown if set(wanted) <= set(each["applied_configurations"])]}


def _open_record(context: Context, account: str) -> Object:
    record = get_record(context, account)
    if record["closed"]:
        raise InvalidRequestError(f"The account {account} is closed.", code="account_closed")
    return record


def _applied(before: Object, params: Mapping[str, Any]) -> dict[str, Any]:
    """The record with the parameters in it."""
    record = dict(before)
    for name in ("contact_email", "contact_phone", "dashboard", "display_name"):
        if name in params:
            record[name] = params[name] or None
    record["metadata"] = merged(before["metadata"], params.get("metadata"))
    record["identity"] = overlaid(before["identity"], jsonable(params.get("identity", {})))
    if record["identity"].get("country"):
        record["identity"]["country"] = record["identity"]["country"].upper()
    defaults = dict(params.get("defaults", {}))
    responsibilities = defaults.pop("responsibilities", None)
    record["defaults"] = overlaid(before["defaults"], defaults)
    if "currency" in defaults:
        record["defaults"]["currency"] = currency_code(defaults["currency"], "defaults[currency]")
    for name, given in params.get("configuration", {}).items():
        _configure(record, name, given)
    _take_responsibilities(record, responsibilities, before["dashboard"])
    return record


def _configure(record: dict[str, Any], name: str, given: Mapping[str, Any]) -> None:
    before = record["configurations"].get(name, {"applied": True})
    settings = {key: value for key, value in given.items() if key != "capabilities"}
    record["configurations"] = {**record["configurations"], name: overlaid(before, jsonable(settings))}
    for capability, requested in asked_by_v2(given.get("capabilities", {})):
        record["capabilities"] = with_capability(record["capabilities"], name, capability, requested=requested)
    if not record["configurations"][name]["applied"]:
        record["capabilities"] = {key: value for key, value in record["capabilities"].items() if key != name}


def _take_responsibilities(
    record: dict[str, Any], given: Mapping[str, Any] | None, dashboard_before: str | None
) -> None:
    seller = _is_seller(record)
    if given is not None and not seller:
        raise InvalidRequestError(
            "Responsibilities cannot be set on an account that is only a customer.",
            code="unsupported_field_for_configs",
        )
    kept = record["responsibilities"]
    if given is not None and kept and any(kept[name] != given[name] for name in (FEES, LOSSES)):
        raise InvalidRequestError(
            "`defaults.responsibilities` cannot be changed once they are set.",
            code="account_controller_unsupported_configuration",
        )
    if seller and record["dashboard"] is None:
        record["dashboard"] = "none"
    if given is not None:
        record["responsibilities"] = settled(record["dashboard"], given[FEES], given[LOSSES])
    elif kept and record["dashboard"] != dashboard_before:
        record["responsibilities"] = settled(record["dashboard"], kept[FEES], kept[LOSSES])


def _checked(record: dict[str, Any]) -> Object:
    if not _is_seller(record):
        return record
    if record["contact_email"] is None:
        raise _missing("contact_email")
    if "country" not in record["identity"] and any(record["capabilities"].values()):
        raise InvalidRequestError(
            "`identity.country` is required to request capabilities.", code="identity_country_required"
        )
    if MERCHANT in record["configurations"] and not record["responsibilities"]:
        raise _missing("defaults.responsibilities")
    return record


def _is_seller(record: Object) -> bool:
    return any(name != CUSTOMER for name in record["configurations"])


def _missing(name: str) -> InvalidParameterError:
    return InvalidParameterError(f"Missing required param: {name}.", code="parameter_missing", param=name)
