"""Tax IDs: of an account, of one that is connected to it, or of a customer, and what an authority says of them.

https://docs.stripe.com/api/tax_ids
"""

from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError
from ..shelves import Collection, Index
from ..state import State
from ..values import Object
from .tax_id_formats import FOREVER_PENDING, MAGIC_TYPES, UNVERIFIED, country_of, is_well_formed

TAX_IDS: Final = Collection(
    "tax_id",
    path="/v1/tax_ids",
    indexes=("customer", Index("owner", lambda held: (owner_key(held["owner"]),))),
    expands={"customer": "customer", "owner.account": "account", "owner.customer": "customer"},
)
SELF: Final = {"type": "self"}
VERIFIED_TYPES: Final = MAGIC_TYPES | {"gb_vat"}
"""Of other types Stripe says that verification is unavailable."""


def owner_key(owner: Object) -> str:
    """One word for an owner, to find what it has."""
    return f"{owner['type']}:{owner.get('customer') or owner.get('account') or ''}"


def add_tax_id(context: Context, kind: str, value: str, owner: Object, *, param: str = "value") -> Object:
    """Keep a tax ID, tell of a customer's, and have it verified where that is done.

    Raises:
        InvalidParameterError: ``tax_id_invalid``, it cannot be one of this type.
    """
    if not is_well_formed(kind, value):
        raise InvalidParameterError(f"Invalid value for {kind}.", code="tax_id_invalid", param=param)
    is_verified = kind in VERIFIED_TYPES
    held = {
        "id": context.ids.new("txi"),
        "object": "tax_id",
        "country": country_of(kind, value),
        "created": context.clock.now(),
        "customer": owner.get("customer"),
        "customer_account": None,
        "livemode": False,
        "owner": dict(owner),
        "type": kind,
        "value": value,
        "verification": _verification("pending" if is_verified else "unavailable"),
    }
    context.state.insert(TAX_IDS, held)
    _tell(context, "created", held)
    if is_verified and FOREVER_PENDING not in value:
        after = context.settings.tax_id_verification_seconds
        context.schedule("tax_id.verify", at=context.clock.now() + after, tax_id=held["id"])
    return held


def numbers_of(state: State, customer: str) -> list[tuple[str, str]]:
    """The tax IDs of a customer, as (type, value)."""
    return [(held["type"], held["value"]) for held in state.select(TAX_IDS, {"customer": customer})]


def verify(context: Context, held: Object) -> None:
    """The authority has answered."""
    is_known = UNVERIFIED not in held["value"]
    owner = context.state.find("customer", held["customer"]) if held["customer"] else None
    found = _verification("verified" if is_known else "unverified", (owner or {}).get("name") if is_known else None)
    _tell(context, "updated", context.state.update(TAX_IDS, held, {"verification": found}), previous=held)


def remove(context: Context, held: Object) -> Object:
    """Forget a tax ID; gives the stub that is left of it."""
    context.state.delete(TAX_IDS, held["id"])
    _tell(context, "deleted", held)
    return {"id": held["id"], "object": "tax_id", "deleted": True}


def _verification(status: str, name: str | None = None) -> dict[str, Any]:
    return {"status": status, "verified_address": None, "verified_name": name}


def _tell(context: Context, what: str, held: Object, previous: Object | None = None) -> None:
    if held["customer"]:
        context.emit(f"customer.tax_id.{what}", held, previous=previous)
