"""Where accounts are kept, and how their records begin."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from ..context import Context
from ..errors import AccountAccessError, ResourceMissingError
from ..shelves import Collection, Index
from ..values import Json, Object

ACCOUNTS: Final = Collection(
    "account",
    path="/v1/accounts",
    indexes=(
        "_closed",
        Index("configuration", lambda account: tuple(account.get("_record", {}).get("configurations", ()))),
    ),
    found_anywhere=True,
)
ACCOUNTS_V2: Final = Collection("v2.core.account", path="/v2/core/accounts")
"""Names the URL of what thin events refer to; the accounts themselves are in ``ACCOUNTS``."""

RECIPIENT, MERCHANT, CUSTOMER = "recipient", "merchant", "customer"
TRANSFERS: Final = "stripe_balance.stripe_transfers"
PAYOUTS: Final = "stripe_balance.payouts"
CARD_PAYMENTS: Final = "card_payments"
ID_LENGTH: Final = 16
GONE: Final = "gone"
"""What ``_closed`` says of an account that left the platform, without being closed."""


def blank(context: Context) -> dict[str, Any]:
    """The record of a new account that nothing is known of."""
    made = blank_of(context.ids.new("acct", ID_LENGTH), context.settings.payout_interval)
    return {**made, "created": context.clock.now()}


def blank_of(account: str, payout_interval: str) -> dict[str, Any]:
    """The record of an account that nothing is known of but its id."""
    return {
        "id": account,
        "created": 0,
        "closed": False,
        "type": "none",
        "dashboard": None,
        "contact_email": None,
        "contact_phone": None,
        "display_name": None,
        "metadata": {},
        "identity": {},
        "defaults": {},
        "responsibilities": {},
        "configurations": {},
        "capabilities": {},
        "bank_accounts": [],
        "persons": [],
        "company_flags": {},
        "demands": [],
        "requested_at": {},
        "submitted": False,
        "rejected": False,
        "rejection": None,
        "deauthorized": False,
        "profile": {},
        "settings": {},
        "payouts": payout_defaults(payout_interval),
    }


def payout_defaults(interval: str) -> dict[str, Any]:
    """The terms of an account that nobody changed."""
    return {
        "interval": interval,
        "weekly_payout_days": None,
        "monthly_payout_days": None,
        "minimum_balance_by_currency": None,
        "delay_days_override": None,
        "debit_negative_balances": interval != "manual",
        "statement_descriptor": None,
    }


def get_record(context: Context, account: str) -> Object:
    """The record of an account that the caller may see: any for the platform, itself for a connected one.

    Raises:
        AccountAccessError: API v1 knows no such account, or it is closed.
        ResourceMissingError: API v2 knows no such account.
    """
    stored = (
        context.on_platform().state.find(ACCOUNTS, account)
        if context.is_platform or _is_own(context, account)
        else None
    )
    is_v2 = context.path.startswith("/v2/")
    if stored is None or "_record" not in stored or stored["_closed"] == GONE or (stored["_closed"] and not is_v2):
        if is_v2:
            raise ResourceMissingError("account", account)
        raise AccountAccessError(
            f"The provided key does not have access to account '{account}' (or that account does not exist). "
            "Application access may have been revoked.",
            code="account_invalid",
            status=HTTPStatus.FORBIDDEN,
        )
    record: Object = stored["_record"]
    return record


def _is_own(context: Context, account: str) -> bool:
    return context.account == account


def at(value: Json, dotted: str) -> Json:
    """What stands at a path of names joined by points; None where there is nothing."""
    for name in dotted.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def overlaid(before: Json, given: Json) -> Json:
    """``before`` with what was given: hashes member by member, an empty text or null unsets, a list replaces."""
    if not isinstance(given, Mapping):
        return None if given == "" else given
    result = dict(before) if isinstance(before, Mapping) else {}
    for name, value in given.items():
        result[name] = overlaid(result.get(name), value)
    return {name: value for name, value in result.items() if value is not None}
