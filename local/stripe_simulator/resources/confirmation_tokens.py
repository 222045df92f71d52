"""ConfirmationTokens, which Stripe.js makes and tests make here. https://docs.stripe.com/api/confirmation_tokens"""

from ..confirmation_tokens import CONFIRMATION_TOKENS, add_token
from ..context import Context
from ..errors import InvalidParameterError
from ..routing import Routes
from ..values import Object
from .payment_methods import find, from_data

routes = Routes(CONFIRMATION_TOKENS)


@routes.api("POST", "/v1/test_helpers/confirmation_tokens")
def create(context: Context) -> Object:
    """Create a token as if a buyer had entered this payment method."""
    context.unsupported("payment_method_options")
    params = context.params
    if ("payment_method" in params) == ("payment_method_data" in params):
        raise InvalidParameterError(
            "You must provide either `payment_method` or `payment_method_data`.", param="payment_method"
        )
    named = "payment_method" in params
    method = find(context, params["payment_method"]) if named else from_data(context, params["payment_method_data"])
    return add_token(context, params, method)


@routes.api("GET", "/v1/confirmation_tokens/{confirmation_token}")
def retrieve(context: Context, confirmation_token: str) -> Object:
    """The token, and what it was used for."""
    return context.state.get(CONFIRMATION_TOKENS, confirmation_token)
