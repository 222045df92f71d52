"""What a portal offers. https://docs.stripe.com/api/customer_portal/configurations"""

from collections.abc import Mapping
from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError
from ..metadata import merged
from ..pages import checked_link
from ..shelves import Collection
from ..values import Object

CONFIGURATIONS: Final = Collection(
    "billing_portal.configuration", path="/v1/billing_portal/configurations", indexes=("active", "is_default")
)
_REASONS: Final = (
    *("too_expensive", "missing_features", "switched_service", "unused", "customer_service", "too_complex"),
    *("low_quality", "other"),
)
_DEFAULT_FEATURES: Final[Mapping[str, Any]] = {
    "customer_update": {"allowed_updates": [], "enabled": False},
    "invoice_history": {"enabled": False},
    "payment_method_update": {"enabled": False, "payment_method_configuration": None},
    "subscription_cancel": {
        "cancellation_reason": {"enabled": False, "options": list(_REASONS)},
        "enabled": False,
        "mode": "at_period_end",
        "proration_behavior": "none",
    },
    "subscription_update": {
        "billing_cycle_anchor": None,
        "default_allowed_updates": [],
        "enabled": False,
        "products": None,
        "proration_behavior": "none",
        "schedule_at_period_end": {"conditions": []},
        "trial_update_behavior": "end_trial",
    },
}
_ALL: Final[Mapping[str, Any]] = {
    "customer_update": {"allowed_updates": ["email", "name", "address", "phone"], "enabled": True},
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True},
    "subscription_cancel": {"enabled": True, "cancellation_reason": {"enabled": True}},
}
"""What the default configuration offers, which nobody made: the Dashboard's preset."""


def add(context: Context, params: Mapping[str, Any], *, is_default: bool = False) -> Object:
    """A configuration from the API's parameters, kept and told of."""
    now = context.clock.now()
    configuration = {
        "id": context.ids.new("bpc"),
        "object": "billing_portal.configuration",
        "active": True,
        "application": None,
        "business_profile": _profile(params.get("business_profile") or {}),
        "created": now,
        "default_return_url": _link(params.get("default_return_url")),
        "features": features(context, _DEFAULT_FEATURES, params.get("features") or {}),
        "is_default": is_default,
        "livemode": False,
        "login_page": {"enabled": False, "url": None},
        "metadata": merged({}, params.get("metadata")),
        "name": params.get("name") or None,
        "updated": now,
    }
    context.state.insert(CONFIGURATIONS, configuration)
    context.emit("billing_portal.configuration.created", configuration)
    return configuration


def change(context: Context, before: Object, params: Mapping[str, Any]) -> Object:
    """A configuration with what was given changed."""
    changes: dict[str, Any] = {
        "metadata": merged(before["metadata"], params.get("metadata")),
        "updated": context.clock.now(),
    }
    if "active" in params:
        if before["is_default"] and not params["active"]:
            raise InvalidParameterError("The default configuration cannot be deactivated.", param="active")
        changes["active"] = params["active"]
    if "business_profile" in params:
        changes["business_profile"] = {**before["business_profile"], **_profile(params["business_profile"])}
    if "default_return_url" in params:
        changes["default_return_url"] = _link(params["default_return_url"])
    if "features" in params:
        changes["features"] = features(context, before["features"], params["features"])
    if "name" in params:
        changes["name"] = params["name"] or None
    after = context.state.update(CONFIGURATIONS, before, changes)
    context.emit("billing_portal.configuration.updated", after, previous=before)
    return after


def default(context: Context) -> Object:
    """The account's default configuration, made when it is first needed."""
    found = context.state.first(CONFIGURATIONS, {"is_default": True})
    return found or add(context, {"features": _ALL}, is_default=True)


def features(context: Context, before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The features with what was given changed, each member by itself.

    Raises:
        InvalidParameterError: updates of subscriptions are offered without anything to change to.
    """
    result = {name: dict(feature) for name, feature in before.items()}
    for name, feature in given.items():
        current = result[name]
        for key, value in feature.items():
            nested = isinstance(value, Mapping) and isinstance(current.get(key), Mapping)
            current[key] = {**current[key], **value} if nested else value or (None if key == "products" else value)
    updates = result["subscription_update"]
    updates["products"] = [_product(context, each) for each in updates["products"] or ()] or None
    if updates["enabled"] and not (updates["products"] and updates["default_allowed_updates"]):
        raise InvalidParameterError(
            "`products` and `default_allowed_updates` are required when updates of subscriptions are enabled.",
            code="parameter_missing",
            param="features[subscription_update][products]",
        )
    return result


def _product(context: Context, given: Mapping[str, Any]) -> dict[str, Any]:
    for price in given["prices"]:
        if context.state.find("price", price) is None:
            raise InvalidParameterError(f"No such price: '{price}'", code="resource_missing", param="features")
    quantity = {"enabled": False, "maximum": None, "minimum": 1, **(given.get("adjustable_quantity") or {})}
    return {"adjustable_quantity": quantity, "prices": list(given["prices"]), "product": given["product"]}


def _profile(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given.get(name) or None for name in ("headline", "privacy_policy_url", "terms_of_service_url")}


def _link(url: str | None) -> str | None:
    return checked_link(url, "default_return_url") if url else None
