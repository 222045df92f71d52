"""Early fraud warnings. https://docs.stripe.com/api/radar/early_fraud_warnings

POST /_simulator/charges/{charge}/early_fraud_warning    {"fraud_type": "made_with_stolen_card"}, optional
"""

from ..context import Context
from ..errors import InvalidParameterError
from ..funds import radar
from ..funds.methods import card_outcome
from ..funds.radar import EARLY_FRAUD_WARNINGS, FRAUD_TYPES
from ..funds.records import CHARGES
from ..routing import Routes
from ..values import Object

routes = Routes(EARLY_FRAUD_WARNINGS)
_PATH = "/v1/radar/early_fraud_warnings"


@routes.api("GET", _PATH + "/{early_fraud_warning}")
def retrieve(context: Context, early_fraud_warning: str) -> Object:
    """The warning as it stands."""
    return context.state.get(EARLY_FRAUD_WARNINGS, early_fraud_warning)


@routes.api("GET", _PATH)
def list_warnings(context: Context) -> Object:
    """Warnings, newest first."""
    names = ("charge", "payment_intent")
    return context.list(EARLY_FRAUD_WARNINGS, {name: context.params.get(name) for name in names})


@routes.page("POST", "/_simulator/charges/{charge}/early_fraud_warning")
def order(context: Context, charge: str) -> Object:
    """Let the issuer of a card warn."""
    fraud_type = context.params.get("fraud_type", "misc")
    if fraud_type not in FRAUD_TYPES:
        raise InvalidParameterError(f"Invalid fraud_type: must be one of {', '.join(FRAUD_TYPES)}", param="fraud_type")
    holder = context.on(context.state.holder_of(CHARGES, charge).account)
    found = holder.state.get(CHARGES, charge)
    if (found["payment_method_details"] or {}).get("type") != "card" or not found["paid"]:
        raise InvalidParameterError("Only payments by card are warned of.", param="charge")
    return radar.warn(holder, found, fraud_type)


@routes.due("charge.warn")
def warn(context: Context, charge: str) -> None:
    """A test card's issuer warns of what was paid with it."""
    found = context.state.get(CHARGES, charge)
    if card_outcome(found).is_warned_of:
        radar.warn(context, found, "misc")
