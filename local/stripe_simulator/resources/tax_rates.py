"""Tax rates. https://docs.stripe.com/api/tax_rates"""

from typing import Any, Final

from ..context import Context
from ..metadata import merged
from ..pricing.tax_rates import TAX_RATES, add_tax_rate
from ..routing import Routes
from ..values import Object

routes = Routes(TAX_RATES)
_PATH: Final = "/v1/tax_rates"
_CHANGED: Final = ("active", "country", "description", "display_name", "jurisdiction", "state", "tax_type")


@routes.api("POST", _PATH)
def create(context: Context) -> Object:
    """Create a tax rate."""
    return add_tax_rate(context, context.params)


@routes.api("GET", _PATH + "/{tax_rate}")
def retrieve(context: Context, tax_rate: str) -> Object:
    """The tax rate as it stands."""
    return context.state.get(TAX_RATES, tax_rate)


@routes.api("POST", _PATH + "/{tax_rate}")
def update(context: Context, tax_rate: str) -> Object:
    """Archive it, or change its words; its percentage stays."""
    before, params = context.state.get(TAX_RATES, tax_rate), context.params
    changes: dict[str, Any] = {name: params[name] for name in _CHANGED if name in params}
    changes["metadata"] = merged(before["metadata"], params.get("metadata"))
    after = context.state.update(TAX_RATES, before, changes)
    context.emit("tax_rate.updated", after, previous=before)
    return after


@routes.api("GET", _PATH)
def list_tax_rates(context: Context) -> Object:
    """Tax rates, newest first."""
    params = context.params
    return context.list(TAX_RATES, {"active": params.get("active"), "inclusive": params.get("inclusive")})
