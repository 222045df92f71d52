"""Restricted keys: what each may ask, held against every request, and what it has asked for so far.

A key that was not made here may do everything, so that any test key goes on opening the simulator. The rights are
Stripe's (https://docs.stripe.com/keys/permissions-reference): one for each kind of object, ``read`` or ``write``, where
who may write may read. What is asked of a connected account goes by the key's Connect permissions alone. What is
expanded in an answer needs a right of its own (https://docs.stripe.com/stripe-apps/reference/permissions, where most
names are from). ``balance_settings``, ``event`` of API v2, ``invoice`` of its payments and the names that are only the
singular of a path and stand in no list of Stripe's are the simulator's.

GET  /_simulator/keys    those that were made, with what each used
POST /_simulator/keys    {"name": "refunds", "permissions": {"charge": "write"}, "connect_permissions": {}} makes one
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from .errors import InvalidParameterError, MissingRightError
from .values import Object

READ: Final = "read"
WRITE: Final = "write"
_LEVELS: Final = (READ, WRITE)
_MOST_KEYS: Final = 1_000
_SHOWN_ENDS: Final = 4  # characters of a key that Stripe quotes
_NAMES_V2: Final[Mapping[str, str]] = {
    "account_links": "v2_account_storer",
    "accounts": "v2_account_storer",
    "event_destinations": "webhook",
}
# Where a right is not called as its path is.
_NAMES: Final[Mapping[str, str]] = {
    "account": "connected_account",
    "accounts": "connected_account",
    "balance": "balance",
    "balance_settings": "balance_settings",
    "balance_transactions": "balance_transaction_source",
    "billing_portal": "customer_portal",
    "checkout": "checkout_session",
    "invoice_payments": "invoice",
    "invoiceitems": "invoice",
    "login_links": "edit_link",
    "prices": "plan",
    "refunds": "charge",
    "subscription_items": "subscription",
    "subscription_schedules": "subscription",
    "tax": "tax_settings",
    "webhook_endpoints": "webhook",
}
_OF_THEIR_OWN: Final = frozenset({"login_links", "payment_methods"})  # though under another's path
# Where it is not called as the object is that is expanded; None where Stripe names none.
_OBJECTS: Final[Mapping[str, str | None]] = {
    "account": "connected_account",
    "balance_transaction": "balance",
    "discount": None,
    "fee_refund": "application_fee",
    "price": "plan",
    "refund": "charge",
    "subscription_schedule": "subscription",
    "transfer_reversal": "transfer",
}


class Right(NamedTuple):
    """What a request needs: ``charge``, ``write``, and whether it is about a connected account."""

    name: str
    level: str
    is_connect: bool


@dataclass(slots=True)
class RestrictedKey:
    """A key with its rights by kind of object. What requests needed, it had and ``used``, or ``lacked``."""

    key: str
    name: str
    permissions: Mapping[str, str]
    connect_permissions: Mapping[str, str]
    used: set[Right] = field(default_factory=set)
    lacked: set[Right] = field(default_factory=set)

    def has(self, right: Right) -> bool:
        """Whether it may; who may write may read."""
        given = (self.connect_permissions if right.is_connect else self.permissions).get(right.name)
        return given in {WRITE, right.level}

    def shown(self) -> Object:
        """As JSON."""
        return {
            "key": self.key,
            "name": self.name,
            "permissions": dict(self.permissions),
            "connect_permissions": dict(self.connect_permissions),
            "used": _listed(self.used),
            "lacked": _listed(self.lacked),
        }


class RestrictedKeys:
    """The keys that were made. A reset and a snapshot leave them: who holds one goes on with it."""

    def __init__(self) -> None:
        self._keys: dict[str, RestrictedKey] = {}

    def make(self, params: Mapping[str, Any]) -> Object:
        """A new key. Raises InvalidParameterError: its rights are no rights."""
        if len(self._keys) >= _MOST_KEYS:
            raise InvalidParameterError(f"There are {_MOST_KEYS} keys already.")
        key = RestrictedKey(
            key=f"rk_test_{len(self._keys) + 1:024d}",
            name=str(params.get("name", "")),
            permissions=_rights(params, "permissions"),
            connect_permissions=_rights(params, "connect_permissions"),
        )
        self._keys[key.key] = key
        return key.shown()

    def listed(self) -> list[Object]:
        """All, the oldest first."""
        return [each.shown() for each in self._keys.values()]

    def of(self, key: str) -> RestrictedKey:
        """The key that was made with this text."""
        return self._keys[key]

    def require(self, key: str, right: Right, account: str) -> None:
        """Note that the key uses a right.

        Raises:
            MissingRightError: it was made without.
        """
        found = self._keys.get(key)
        if found is None:
            return
        if not found.has(right):
            found.lacked.add(right)
            shown = f"{key[:8]}{'*' * (len(key) - 8 - _SHOWN_ENDS)}{key[-_SHOWN_ENDS:]}"
            raise MissingRightError(shown, account, f"rak_{right.name}_{right.level}")
        found.used.add(right)


def right_to(method: str, path: str, *, is_connect: bool) -> Right:
    """The right that a request needs."""
    _, version, *segments = path.split("/")
    is_v2 = version == "v2"
    kinds = segments[1:] if is_v2 else segments  # /v2/core/accounts
    # /v1/customers/{id}/payment_methods, /v1/accounts/{id}/login_links
    kind = next((each for each in kinds[1:] if each in _OF_THEIR_OWN), kinds[0])
    return Right(
        (_NAMES_V2 if is_v2 else _NAMES).get(kind) or kind.removesuffix("s"),
        READ if method == "GET" else WRITE,
        is_connect,
    )


def right_to_see(kind: str, *, is_connect: bool) -> Right | None:
    """The right that an object needs which is expanded in an answer."""
    name = _OBJECTS.get(kind, kind)
    return None if name is None else Right(name, READ, is_connect)


def _listed(rights: Iterable[Right]) -> list[Object]:
    return [right._asdict() for right in sorted(rights)]


def _rights(params: Mapping[str, Any], name: str) -> Mapping[str, str]:
    rights = params.get(name, {})
    if not isinstance(rights, Mapping) or not all(level in _LEVELS for level in rights.values()):
        raise InvalidParameterError(f"Give {name} as an object of read and write by name.", param=name)
    return {str(kind): str(level) for kind, level in rights.items()}
