"""What parameters ask of a record: capabilities of both APIs, external accounts, terms of service."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..context import Context
from ..errors import UnsupportedError
from ..values import Object
from .record import CARD_PAYMENTS, MERCHANT, PAYOUTS, RECIPIENT, TRANSFERS
from .tokens import BANK_ACCOUNT, TOKENS, redeem
from .v1_view import V1_NAMES

_NOT_HERE: Final = frozenset(
    {"app_distribution", "card_issuing", "legacy_payments", "tax_reporting_us_1099_k", "tax_reporting_us_1099_misc"}
    | {"treasury"}
)
_BRINGS_PAYOUTS: Final = {RECIPIENT: TRANSFERS, MERCHANT: CARD_PAYMENTS}
_TEST_BANK_NUMBER: Final = "000123456789"
_TEST_ROUTING_NUMBER: Final = "110000000"


def asked_by_v2(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, bool]]:
    """``{stripe_balance: {stripe_transfers: {requested: true}}}`` as dotted names."""
    for name, each in tree.items():
        if "requested" in each:
            yield prefix + name, each["requested"]
        else:
            yield from asked_by_v2(each, f"{prefix}{name}.")


def asked_by_v1(given: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """``{transfers: {requested: true}}`` as configuration and dotted name.

    Raises:
        UnsupportedError: a capability that is none of payments or transfers.
    """
    for name, each in given.items():
        if name in _NOT_HERE:
            raise UnsupportedError(f"the capability {name}")
        if "requested" in each:
            yield *V1_NAMES.get(name, (MERCHANT, name)), each["requested"]


def with_capability(capabilities: Object, configuration: str, name: str, *, requested: bool) -> dict[str, Any]:
    """The capabilities with one requested or given up; payouts come and go with what brings money in."""
    own = dict(capabilities.get(configuration, {}))
    names = (name, PAYOUTS) if _BRINGS_PAYOUTS.get(configuration) == name else (name,)
    for each in names:
        if requested:
            own.setdefault(each, None)
        else:
            own.pop(each, None)
    return {**capabilities, configuration: own}


def bank_account(context: Context, record: Object, given: Mapping[str, Any] | str | None = None) -> dict[str, Any]:
    """An external account as API v1 shows it: the details that were given, or Stripe's test account.

    Raises:
        UnsupportedError: it is a card, or a token of one.
    """
    if isinstance(given, str) and context.state.find(TOKENS, given):
        given = redeem(context, given, BANK_ACCOUNT, "external_account")
    details = given if isinstance(given, Mapping) else {}
    if details.get("object", "bank_account") != "bank_account":
        raise UnsupportedError("external accounts that are cards")
    if isinstance(given, str) and not given.startswith("btok"):
        raise UnsupportedError(f"the external account {given}")
    number = re.sub(r"[\s-]", "", details.get("account_number", _TEST_BANK_NUMBER))
    return {
        "id": context.ids.new("ba"),
        "object": "bank_account",
        "account": record["id"],
        "account_holder_name": details.get("account_holder_name"),
        "account_holder_type": details.get("account_holder_type"),
        "account_type": None,
        "available_payout_methods": ["standard"],
        "bank_name": "STRIPE TEST BANK",
        "country": details.get("country") or record["identity"].get("country") or context.settings.country,
        "currency": details.get("currency") or record["defaults"].get("currency") or context.settings.default_currency,
        "default_for_currency": True,
        "fingerprint": context.ids.new("fp").removeprefix("fp_")[:16],
        "future_requirements": None,
        "last4": number[-4:],
        "metadata": {},
        "requirements": None,
        "routing_number": details.get("routing_number", _TEST_ROUTING_NUMBER),
        "status": "new",
        "_number": number,
    }
