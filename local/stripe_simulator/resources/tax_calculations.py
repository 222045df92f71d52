"""Tax calculations. https://docs.stripe.com/api/tax/calculations"""

from typing import Final

from ..context import Context
from ..pricing.tax_calculations import CALCULATION_LINES, CALCULATIONS, calculate, standing
from ..routing import Routes
from ..values import Object

routes = Routes(CALCULATIONS, CALCULATION_LINES)
_PATH: Final = "/v1/tax/calculations"


@routes.api("POST", _PATH)
def create(context: Context) -> Object:
    """Calculate the tax on a purchase."""
    return calculate(context, context.params)


@routes.api("GET", _PATH + "/{calculation}")
def retrieve(context: Context, calculation: str) -> Object:
    """The calculation, if it has not expired."""
    return standing(context, calculation)


@routes.api("GET", _PATH + "/{calculation}/line_items")
def list_line_items(context: Context, calculation: str) -> Object:
    """Its lines, in the order that they were given in."""
    return context.list(CALCULATION_LINES, {"_calculation": standing(context, calculation)["id"]})
