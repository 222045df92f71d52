"""The billing portal's configurations and sessions. https://docs.stripe.com/api/customer_portal"""

from collections.abc import Mapping
from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError, UnsupportedError
from ..pages import checked_link
from ..portal import configurations
from ..portal.acting import offered
from ..portal.configurations import CONFIGURATIONS
from ..resources.customers import CUSTOMERS
from ..routing import Routes
from ..shelves import Collection
from ..state import public
from ..subscriptions.records import ENDED, SUBSCRIPTIONS
from ..values import Object

SESSIONS: Final = Collection(
    "billing_portal.session",
    path="/v1/billing_portal/sessions",
    expands={"configuration": "billing_portal.configuration"},
    found_anywhere=True,
)
"""``_ends``: until when its page can be used."""

routes = Routes(CONFIGURATIONS, SESSIONS)
_CONFIGURATIONS: Final = "/v1/billing_portal/configurations"
_LIFE_SECONDS: Final = 3_600  # of inactivity at Stripe; here from its creation
_FLOWS: Final = ("payment_method_update", "subscription_cancel", "subscription_update", "subscription_update_confirm")


@routes.api("POST", _CONFIGURATIONS)
def create_configuration(context: Context) -> Object:
    """Say what a portal offers."""
    _refuse_unsupported(context)
    return configurations.add(context, context.params)


@routes.api("GET", _CONFIGURATIONS + "/{configuration}")
def retrieve_configuration(context: Context, configuration: str) -> Object:
    """The configuration as it stands."""
    return context.state.get(CONFIGURATIONS, configuration)


@routes.api("POST", _CONFIGURATIONS + "/{configuration}")
def update_configuration(context: Context, configuration: str) -> Object:
    """Change what a portal offers."""
    _refuse_unsupported(context)
    return configurations.change(context, context.state.get(CONFIGURATIONS, configuration), context.params)


@routes.api("GET", _CONFIGURATIONS)
def list_configurations(context: Context) -> Object:
    """Configurations, newest first."""
    params = context.params
    return context.list(CONFIGURATIONS, {name: params.get(name) for name in ("active", "is_default")})


@routes.api("POST", "/v1/billing_portal/sessions")
def create_session(context: Context) -> Object:
    """Let a customer in, for an hour."""
    context.unsupported("customer_account", "after_expiration")
    params = context.params
    customer = context.state.find(CUSTOMERS, params.get("customer") or "")
    if customer is None or "deleted" in customer:
        code = "resource_missing" if params.get("customer") else "parameter_missing"
        raise InvalidParameterError(f"No such customer: '{params.get('customer')}'", code=code, param="customer")
    named = params.get("configuration")
    chosen = (
        context.state.get(CONFIGURATIONS, named, param="configuration") if named else configurations.default(context)
    )
    if not chosen["active"]:
        raise InvalidRequestError("This configuration is not active.", param="configuration")
    back = params.get("return_url") or chosen["default_return_url"]
    session_id = context.ids.new("bps")
    session = {
        "id": session_id,
        "object": "billing_portal.session",
        "configuration": chosen["id"],
        "created": context.clock.now(),
        "customer": customer["id"],
        "customer_account": None,
        "flow": _flow(context, customer, chosen, params.get("flow_data")),
        "livemode": False,
        "locale": params.get("locale"),
        "on_behalf_of": params.get("on_behalf_of"),
        "return_url": checked_link(back, "return_url") if back else None,
        "url": f"{context.settings.base_url}/p/session/{session_id}",
        "_ends": context.clock.now() + _LIFE_SECONDS,
    }
    context.state.insert(SESSIONS, session)
    context.emit("billing_portal.session.created", session)
    return session


def _flow(
    context: Context, customer: Object, configuration: Object, given: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    if not given:
        return None
    kind = given["type"]
    if kind not in _FLOWS:
        raise UnsupportedError(f"flow_data of type {kind}")
    feature = "subscription_update" if kind == "subscription_update_confirm" else kind
    if not configuration["features"][feature]["enabled"]:
        raise InvalidRequestError(f"The feature {feature} is not enabled in this configuration.", param="flow_data")
    details = given.get(kind)
    if kind != "payment_method_update":
        found = context.state.find(SUBSCRIPTIONS, (details or {}).get("subscription", ""))
        if found is None or found["customer"] != customer["id"] or found["status"] in ENDED:
            raise InvalidParameterError(
                "The subscription is none of the customer's that goes on.",
                code="resource_missing",
                param=f"flow_data[{kind}][subscription]",
            )
    if kind == "subscription_update_confirm":
        _require_price_alone(context, configuration, details or {})
    after = given.get("after_completion") or {"type": "portal_homepage"}
    return {
        "after_completion": {"hosted_confirmation": None, "redirect": None, **after},
        **dict.fromkeys(_FLOWS[1:]),
        **({kind: _details(kind, details)} if details else {}),
        "type": kind,
    }


def _require_price_alone(context: Context, configuration: Object, given: Mapping[str, Any]) -> None:
    if given.get("discounts") or any(set(item) - {"id", "price"} for item in given["items"]) or len(given["items"]) > 1:
        raise UnsupportedError("subscription_update_confirm with more than one item's price")
    offered(context, configuration["features"]["subscription_update"], given["items"][0].get("price") or "")


def _details(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    if kind == "subscription_cancel":
        return {"retention": None, **given}
    if kind == "subscription_update_confirm":
        return {"discounts": None, **given}
    return dict(public(given))


def _refuse_unsupported(context: Context) -> None:
    given = context.params.get("features") or {}
    if (given.get("subscription_pause") or {}).get("enabled"):
        raise UnsupportedError("the feature subscription_pause")
    if (context.params.get("login_page") or {}).get("enabled"):
        raise UnsupportedError("login pages of the billing portal")
    if ((given.get("subscription_update") or {}).get("schedule_at_period_end") or {}).get("conditions"):
        raise UnsupportedError("updates that are scheduled for the period's end")
