"""Tax rates: made by hand, or by Stripe Tax for the jurisdictions that it collects for.

https://docs.stripe.com/api/tax_rates
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError
from ..metadata import merged
from ..shelves import Collection
from ..values import Object
from .tax_kinds import Rate

TAX_RATES: Final = Collection("tax_rate", path="/v1/tax_rates", indexes=("active", "inclusive", "_by_stripe"))
"""``_by_stripe``: which rate of the table it stands for, where Stripe Tax made it."""

_HUNDRED: Final = Decimal(100)
_DECIMALS: Final = 4


def add_tax_rate(context: Context, params: Mapping[str, Any]) -> Object:
    """A tax rate from the API's parameters, kept and told of.

    Raises:
        InvalidParameterError: a percentage that is none, or of over four decimals.
    """
    percentage = params["percentage"]
    if not 0 <= percentage <= _HUNDRED or -int(percentage.as_tuple().exponent) > _DECIMALS:
        raise InvalidParameterError(
            "Invalid percentage: must be from 0 to 100, with at most four decimals.", param="percentage"
        )
    return _made(
        context,
        {
            "active": params.get("active", True),
            "country": params.get("country"),
            "description": params.get("description") or None,
            "display_name": params["display_name"],
            "inclusive": params["inclusive"],
            "jurisdiction": params.get("jurisdiction") or None,
            "metadata": merged({}, params.get("metadata")),
            "percentage": float(percentage),
            "state": params.get("state"),
            "tax_type": params.get("tax_type"),
            "_by_stripe": None,
        },
    )


def of_table(context: Context, rate: Rate, country: str, state: str | None, *, inclusive: bool) -> Object:
    """The tax rate that Stripe Tax shows for a rate of the table, made when it is first collected."""
    name = f"{country}:{state}:{rate.level}:{rate.jurisdiction}:{rate.tax_type}:{rate.percentage}:{inclusive}"
    found = context.state.first(TAX_RATES, {"_by_stripe": name})
    if found:
        return found
    return _made(
        context,
        {
            "active": False,
            "country": country,
            "description": None,
            "display_name": rate.display_name,
            "inclusive": inclusive,
            "jurisdiction": rate.jurisdiction,
            "jurisdiction_level": rate.level,
            "metadata": {},
            "percentage": float(rate.percentage),
            "state": state,
            "tax_type": rate.tax_type,
            "_by_stripe": name,
        },
    )


def _made(context: Context, members: Mapping[str, Any]) -> Object:
    rate = {
        "id": context.ids.new("txr"),
        "object": "tax_rate",
        "created": context.clock.now(),
        "effective_percentage": None,
        "flat_amount": None,
        "jurisdiction_level": None,
        "livemode": False,
        "rate_type": "percentage",
        **members,
    }
    rate["effective_percentage"] = rate["percentage"] if rate["_by_stripe"] else None
    context.state.insert(TAX_RATES, rate)
    if not rate["_by_stripe"]:
        context.emit("tax_rate.created", rate)
    return rate
