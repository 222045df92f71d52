"""The table of changes, the newest first: what a request was before it, and what an answer was.

Sources: https://docs.stripe.com/changelog and https://docs.stripe.com/upgrades; each change names its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..lists import list_object
from ..state import State, public
from ..values import Object

type Params = dict[str, Any]
type Lift = Callable[[Params], Params]
type Lower = Callable[[Object, State], Params]


@dataclass(frozen=True)
class Change:
    """``renames``: parameters by path (a pattern) as (old, new) names; ``lifts``: by path, what makes an old request a
    new one; ``lowers``: by object, what makes a new answer an old one; ``moves``: operations that were elsewhere, or
    (None) are not simulated.
    """

    since: str
    source: str
    renames: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    lifts: Mapping[str, Lift] = field(default_factory=dict)
    lowers: Mapping[str, Lower] = field(default_factory=dict)
    moves: Mapping[tuple[str, str], tuple[str, str] | None] = field(default_factory=dict)


_INTENTS: Final = r"/v1/(payment_intents|setup_intents)(/[^/]+(/confirm)?)?"
_SESSIONS: Final = r"/v1/checkout/sessions"
_PREVIEWS: Final = r"/v1/invoices/(create_preview|upcoming)"
_UPCOMING_DETAILS: Final = (
    *("billing_cycle_anchor", "cancel_at", "cancel_at_period_end", "cancel_now", "default_tax_rates", "items"),
    *("proration_behavior", "proration_date", "resume_at", "start_date", "trial_end"),
)
_MODES: Final = {"hosted": "hosted_page", "embedded": "embedded_page", "custom": "elements"}


def _without(*names: str) -> Lower:
    return lambda item, _state: {name: value for name, value in item.items() if name not in names}


def _anchor_as_object(params: Params) -> Params:
    given = params.get("billing_cycle_anchor")
    return {**params, "billing_cycle_anchor": {"type": given}} if isinstance(given, str) and given else params


def _preview_anchor_as_object(params: Params) -> Params:
    details = params.get("subscription_details")
    given = details.get("billing_cycle_anchor") if isinstance(details, dict) else None
    if not isinstance(details, dict) or isinstance(given, dict) or not given:
        return params
    anchor = {"type": given} if given in ("now", "unchanged") else {"type": "timestamp", "timestamp": given}
    return {**params, "subscription_details": {**details, "billing_cycle_anchor": anchor}}


def _upcoming_lifted(params: Params) -> Params:
    """``subscription_details`` were parameters of their own."""
    flat = {f"subscription_{name}": name for name in _UPCOMING_DETAILS if f"subscription_{name}" in params}
    if not flat:
        return params
    kept = {name: value for name, value in params.items() if name not in flat}
    given = params.get("subscription_details")
    details = given if isinstance(given, dict) else {}
    return {**kept, "subscription_details": {**details, **{name: params[old] for old, name in flat.items()}}}


def _link_without_configurations(params: Params) -> Params:
    use_case = params.get("use_case")
    if not isinstance(use_case, dict):
        return params
    kept = {
        name: {key: item for key, item in each.items() if key != "configurations"} if isinstance(each, dict) else each
        for name, each in use_case.items()
    }
    return {**params, "use_case": kept}


def _mode_lifted(params: Params) -> Params:
    mode = params.get("ui_mode")
    if mode in _MODES.values():
        return {**params, "ui_mode": f"{mode} (of a later version)"}
    return {**params, "ui_mode": _MODES[mode]} if mode in _MODES else params


def _mode_lowered(item: Object, _state: State) -> Params:
    names = {new: old for old, new in _MODES.items()}
    return {**item, "ui_mode": names.get(item["ui_mode"], item["ui_mode"])}


def _coupon_lifted(params: Params) -> Params:
    if "coupon" not in params:
        return params
    kept = {name: value for name, value in params.items() if name != "coupon"}
    return {**kept, "promotion": {"type": "coupon", "coupon": params["coupon"]}}


def _code_lowered(item: Object, state: State) -> Params:
    kept = {name: value for name, value in item.items() if name != "promotion"}
    return {**kept, "coupon": _found(state, "coupon", item["promotion"]["coupon"])}


def _discount_lowered(item: Object, state: State) -> Params:
    kept = {name: value for name, value in item.items() if name != "source"}
    return {**kept, "coupon": _found(state, "coupon", item["source"]["coupon"])}


def _discounts_lifted(params: Params) -> Params:
    """``coupon`` and ``promotion_code`` were parameters of their own."""
    given = [{name: params[name]} for name in ("coupon", "promotion_code") if params.get(name)]
    kept = {name: value for name, value in params.items() if name not in ("coupon", "promotion_code")}
    return {**kept, "discounts": given} if given else params


def _invoice_lowered(item: Object, state: State) -> Params:
    """Its one payment, its subscription, whether it is paid, its tax."""
    payment = _payment_of(state, "invoice", item.get("id"))
    intent = state.find("payment_intent", payment["payment"]["payment_intent"]) if payment else None
    details = (item.get("parent") or {}).get("subscription_details") or {}
    taxes = [tax["amount"] for tax in item.get("total_taxes") or ()]
    kept = _without("parent", "confirmation_secret", "payments", "total_taxes")(item, state)
    return {
        **kept,
        "charge": intent["latest_charge"] if intent else None,
        "paid": item["status"] == "paid",
        "payment_intent": intent["id"] if intent else None,
        "subscription": details.get("subscription"),
        "subscription_details": {"metadata": details.get("metadata")} if details else None,
        "tax": sum(taxes) if taxes else None,
        "total_tax_amounts": [
            {
                "amount": tax["amount"],
                "inclusive": tax["tax_behavior"] == "inclusive",
                "tax_rate": (tax["tax_rate_details"] or {}).get("tax_rate"),
                "taxability_reason": tax["taxability_reason"],
                "taxable_amount": tax["taxable_amount"],
            }
            for tax in item.get("total_taxes") or ()
        ],
    }


def _line_lowered(item: Object, state: State) -> Params:
    details = (item.get("pricing") or {}).get("price_details") or {}
    parent = item.get("parent") or {}
    held = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    return {
        **_without("pricing", "parent", "taxes")(item, state),
        "invoice_item": held.get("invoice_item"),
        "price": _found(state, "price", details.get("price")),
        "proration": held.get("proration", False),
        "subscription_item": held.get("subscription_item"),
        "type": "subscription" if parent.get("subscription_item_details") else "invoiceitem",
    }


def _with_invoice(item: Object, state: State) -> Params:
    """Charges and PaymentIntents named the invoice that they pay."""
    intent = item["id"] if item["object"] == "payment_intent" else item.get("payment_intent")
    named = intent["id"] if isinstance(intent, Mapping) else intent
    payment = _payment_of(state, "payment.payment_intent", named)
    return {**item, "invoice": payment["invoice"] if payment else None}


def _subscription_lowered(item: Object, _state: State) -> Params:
    """All of its items had one period, which was the subscription's."""
    items = item["items"]["data"]
    period = {name: items[0][name] if items else None for name in ("current_period_start", "current_period_end")}
    return {**item, **period}


def _session_lowered(item: Object, _state: State) -> Params:
    collected = item.get("collected_information") or {}
    return {**item, "shipping_details": collected.get("shipping_details")}


def _counted(name: str) -> Lower:
    """Lists inside objects said how many there are in all."""

    def lower(item: Object, _state: State) -> Params:
        found = item.get(name)
        if not isinstance(found, Mapping) or "total_count" in found:
            return dict(item)
        return {**item, name: {**found, "total_count": len(found["data"])}}

    return lower


def _card_by_default(params: Params) -> Params:
    automatic = params.get("automatic_payment_methods") or {}
    asked = "payment_method_types" in params or automatic.get("enabled") in (True, "true")
    return params if asked else {**params, "payment_method_types": ["card"]}


def _with_charges(item: Object, state: State) -> Params:
    collection = state.collection_of("charge")
    found = list(state.select(collection, {"payment_intent": item["id"]})) if collection else []
    charges = [public(charge) for charge in found]
    return {**item, "charges": list_object(charges, f"/v1/charges?payment_intent={item['id']}")}


def _payment_of(state: State, name: str, value: str | None) -> Object | None:
    collection = state.collection_of("invoice_payment")
    return state.first(collection, {name: value}) if collection and value else None


def _found(state: State, collection: str, object_id: str | None) -> Object | None:
    item = state.find(collection, object_id) if object_id else None
    return public(item) if item else None


CHANGES: Final = (
    Change(
        since="2026-09-30.endive",
        source="https://docs.stripe.com/changelog/endive",
        renames={
            _INTENTS: ("payment_method_types", "allowed_payment_method_types"),
            _SESSIONS: ("payment_method_types", "allowed_payment_method_types"),
        },
        lifts={
            r"/v1/subscriptions/[^/]+": _anchor_as_object,
            _PREVIEWS: _preview_anchor_as_object,
            r"/v2/core/account_links": _link_without_configurations,
        },
        lowers={
            "payment_intent": _without("allowed_payment_method_types"),
            "setup_intent": _without("allowed_payment_method_types"),
            "checkout.session": _without("allowed_payment_method_types"),
        },
    ),
    Change(
        since="2026-03-25.dahlia",
        source="https://docs.stripe.com/changelog/dahlia/2026-03-25/updates-available-checkout-session-ui-modes",
        lifts={_SESSIONS: _mode_lifted},
        lowers={"checkout.session": _mode_lowered},
    ),
    Change(
        since="2025-09-30.clover",
        source="https://docs.stripe.com/changelog/clover",
        lifts={r"/v1/promotion_codes": _coupon_lifted},
        lowers={"promotion_code": _code_lowered, "discount": _discount_lowered},
    ),
    Change(
        since="2025-03-31.basil",
        source="https://docs.stripe.com/changelog/basil",
        lifts={
            r"/v1/(subscriptions|invoices)(/[^/]+)?": _discounts_lifted,
            r"/v1/invoices/upcoming": _upcoming_lifted,
        },
        moves={
            ("GET", "/v1/invoices/upcoming"): ("POST", "/v1/invoices/create_preview"),
            ("GET", "/v1/invoices/upcoming/lines"): None,
        },
        lowers={
            "charge": lambda item, state: _counted("refunds")(_with_invoice(item, state), state),
            "payment_intent": _with_invoice,
            "invoice": _invoice_lowered,
            "line_item": _line_lowered,
            "subscription": _subscription_lowered,
            "checkout.session": _session_lowered,
            "transfer": _counted("reversals"),
            "application_fee": _counted("refunds"),
        },
    ),
    Change(
        since="2023-08-16",
        source="https://docs.stripe.com/upgrades#2023-08-16",
        lifts={r"/v1/(payment_intents|setup_intents)": _card_by_default},
    ),
    Change(
        since="2022-11-15",
        source="https://docs.stripe.com/upgrades#2022-11-15",
        lowers={"payment_intent": _with_charges},
    ),
)
