"""Mandates: a buyer's permission to debit a bank account, again and again or once.

https://docs.stripe.com/api/mandates
"""

from collections.abc import Mapping
from typing import Any, Final

from ..context import Context
from ..shelves import Collection
from ..values import Object

MANDATES: Final = Collection(
    "mandate",
    path="/v1/mandates",
    indexes=("payment_method",),
    expands={"payment_method": "payment_method"},
    found_anywhere=True,
)
TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {
    "pending": frozenset({"active", "inactive"}),
    "active": frozenset({"inactive"}),
    "inactive": frozenset(),
}
NEEDED_BY: Final = frozenset({"us_bank_account", "sepa_debit"})
_REFERENCE_LENGTH: Final = 16


def create(
    context: Context,
    method: Object,
    acceptance: Mapping[str, Any],
    *,
    single_use: Mapping[str, Any] | None,
    on_behalf_of: str | None,
) -> Object:
    """A pending mandate, which becomes active when the account is verified.

    ``acceptance`` is how the buyer agreed: ``{"type": "online", "online": {"ip_address": ..., "user_agent": ...}}``.
    """
    mandate_id = context.ids.new("mandate")
    kind = "single_use" if single_use else "multi_use"
    mandate = {
        "id": mandate_id,
        "object": "mandate",
        "customer_acceptance": _acceptance(context, acceptance),
        "livemode": False,
        **({"on_behalf_of": on_behalf_of} if on_behalf_of else {}),
        "payment_method": method["id"],
        "payment_method_details": _details(context, method, mandate_id),
        kind: dict(single_use or {}),
        "status": "pending",
        "type": kind,
    }
    return context.state.insert(MANDATES, mandate)


def activate(context: Context, mandate: Object) -> Object:
    """Let a pending mandate be used; nobody is told, for nobody has seen it yet."""
    return _move(context, mandate, "active")


def revoke(context: Context, method: Object) -> None:
    """Let the mandates of a payment method that its customer has no more end."""
    for mandate in list(context.state.select(MANDATES, {"payment_method": method["id"]}, ascending=True)):
        if "inactive" in TRANSITIONS[mandate["status"]]:
            context.emit("mandate.updated", _move(context, mandate, "inactive"), previous=mandate)


def _move(context: Context, mandate: Object, status: str) -> Object:
    if status not in TRANSITIONS[mandate["status"]]:
        raise LookupError(f"a mandate cannot go from {mandate['status']} to {status}")
    return context.state.update(MANDATES, mandate, {"status": status})


def _acceptance(context: Context, given: Mapping[str, Any]) -> dict[str, Any]:
    kind = given["type"]
    details = given.get(kind) or {}
    if kind == "online":
        details = {name: details.get(name) for name in ("ip_address", "user_agent")}
    return {"accepted_at": given.get("accepted_at", context.clock.now()), kind: details, "type": kind}


def _details(context: Context, method: Object, mandate_id: str) -> dict[str, Any]:
    kind = method["type"]
    if kind != "sepa_debit":
        return {kind: {}, "type": kind}
    reference = context.ids.new("SIM", _REFERENCE_LENGTH).replace("_", "").upper()
    return {kind: {"reference": reference, "url": f"{context.settings.base_url}/mandates/{mandate_id}"}, "type": kind}
