"""The platform's own account, as it sees itself in API v1: open for everything, and nothing is asked of it."""

from typing import Any

from ..context import Context
from ..lists import list_object
from ..state import public
from . import payout_terms
from .banks import banks_of
from .record import blank_of
from .v1_view import v1_view


def platform_view(context: Context) -> dict[str, Any]:
    """The account, whole."""
    settings = context.settings
    record = {
        **blank_of(context.account, settings.payout_interval),
        "type": "standard",
        "identity": {"country": settings.country},
        "defaults": {"currency": settings.default_currency},
        "payouts": payout_terms.read(context),
        "submitted": True,
    }
    banks = [public(each) for each in banks_of(context)]
    return {
        **v1_view(record),
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "controller": {"type": "account"},
        "external_accounts": list_object(banks, f"/v1/accounts/{context.account}/external_accounts"),
        "payouts_enabled": True,
    }
