"""Stripe Tax: settings and registrations of an account. https://docs.stripe.com/api/tax"""

from collections.abc import Mapping
from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError, UnsupportedError
from ..pricing.tax import REGISTRATIONS, TAX_SETTINGS, settings_of
from ..pricing.tax_kinds import check_tax_code
from ..routing import Routes
from ..state import public
from ..values import Object

routes = Routes(REGISTRATIONS, TAX_SETTINGS)
_ADDRESS: Final = ("city", "country", "line1", "line2", "postal_code", "state")


@routes.api("GET", "/v1/tax/settings")
def retrieve_settings(context: Context) -> Object:
    """The account's settings."""
    return _shown(settings_of(context.state, context.account))


@routes.api("POST", "/v1/tax/settings")
def update_settings(context: Context) -> Object:
    """Say where the business is, and what its products are unless they say so."""
    before, params = settings_of(context.state, context.account), context.params
    given = params.get("defaults") or {}
    if given.get("tax_code"):
        check_tax_code(given["tax_code"], "defaults[tax_code]")
    changes: dict[str, Any] = {"defaults": {**before["defaults"], **given}}
    if "head_office" in params:
        address = params["head_office"]["address"]
        changes["head_office"] = {"address": {name: address.get(name) for name in _ADDRESS}}
    office = changes.get("head_office", before["head_office"])
    is_active = bool(office and office["address"]["country"])
    changes["status"] = "active" if is_active else "pending"
    details: dict[str, Any] = {"active": {}} if is_active else {"pending": {"missing_fields": ["head_office"]}}
    changes["status_details"] = details
    if context.state.find(TAX_SETTINGS, "settings"):
        after = context.state.update(TAX_SETTINGS, before, changes)
    else:
        after = context.state.insert(TAX_SETTINGS, {**before, **changes})
    context.emit("tax.settings.updated", _shown(after))
    return _shown(after)


@routes.api("POST", "/v1/tax/registrations")
def create_registration(context: Context) -> Object:
    """Say that tax is collected in a country, or a state of it."""
    params, now = context.params, context.clock.now()
    country = params["country"].upper()
    options = _options(country, params["country_options"])
    begins = now if params["active_from"] == "now" else params["active_from"]
    if begins < now:
        raise InvalidParameterError("`active_from` cannot be in the past.", param="active_from")
    ends = params.get("expires_at")
    _check_end(begins, ends)
    registration = {
        "id": context.ids.new("taxreg"),
        "object": "tax.registration",
        "active_from": begins,
        "country": country,
        "country_options": {country.lower(): options},
        "created": now,
        "expires_at": ends,
        "livemode": False,
        "status": "active" if begins <= now else "scheduled",
    }
    context.state.insert(REGISTRATIONS, registration)
    for moment in (begins, ends):
        if moment is not None and moment > now:
            context.schedule("tax.registration.turn", at=moment, registration=registration["id"])
    return registration


@routes.api("GET", "/v1/tax/registrations/{registration}")
def retrieve_registration(context: Context, registration: str) -> Object:
    """The registration as it stands."""
    return context.state.get(REGISTRATIONS, registration)


@routes.api("POST", "/v1/tax/registrations/{registration}")
def update_registration(context: Context, registration: str) -> Object:
    """Change when it begins or ends."""
    before, params, now = context.state.get(REGISTRATIONS, registration), context.params, context.clock.now()
    changes: dict[str, Any] = {}
    if "active_from" in params:
        changes["active_from"] = now if params["active_from"] == "now" else params["active_from"]
    if "expires_at" in params:
        ends = params["expires_at"]
        changes["expires_at"] = now if ends == "now" else ends or None
    after = context.state.update(REGISTRATIONS, before, changes)
    _check_end(after["active_from"], after["expires_at"])
    for moment in (after["active_from"], after["expires_at"]):
        if moment is not None and moment > now:
            context.schedule("tax.registration.turn", at=moment, registration=registration)
    return _turned(context, after)


@routes.api("GET", "/v1/tax/registrations")
def list_registrations(context: Context) -> Object:
    """Registrations, newest first."""
    status = context.params.get("status")
    return context.list(REGISTRATIONS, {"status": None if status == "all" else status})


@routes.due("tax.registration.turn")
def turn(context: Context, registration: str) -> None:
    """A registration begins or ends."""
    _turned(context, context.state.get(REGISTRATIONS, registration))


def _options(country: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a registration is for, in the form that it is shown in.

    Raises:
        UnsupportedError: goods that come from abroad, or small sellers, who are taxed where they are.
    """
    options = given.get(country.lower())
    if options is None or len(given) != 1:
        raise InvalidParameterError(
            f"`country_options` must have exactly the options of {country}.", param="country_options"
        )
    if country in ("CA", "US") or options["type"] != "standard":
        return dict(options)
    scheme = options.get("standard", {}).get("place_of_supply_scheme", "standard")
    if scheme != "standard":
        raise UnsupportedError(f"registrations with the place_of_supply_scheme {scheme}")
    return {**options, "standard": {"place_of_supply_scheme": scheme}}


def _check_end(begins: int, ends: int | None) -> None:
    if ends is not None and ends < begins:
        raise InvalidParameterError("`expires_at` cannot be before `active_from`.", param="expires_at")


def _shown(settings: Object) -> Object:
    return {name: value for name, value in public(settings).items() if name != "id"}


def _turned(context: Context, registration: Object) -> Object:
    now, ends = context.clock.now(), registration["expires_at"]
    status = "expired" if ends is not None and ends <= now else "active"
    if registration["active_from"] > now:
        status = "scheduled"
    return context.state.update(REGISTRATIONS, registration, {"status": status})
