"""Reviews of payments. https://docs.stripe.com/api/radar/reviews"""

from ..context import Context
from ..errors import InvalidRequestError
from ..funds import radar
from ..funds.radar import REVIEWS
from ..routing import Routes
from ..values import Object

routes = Routes(REVIEWS)


@routes.api("GET", "/v1/reviews/{review}")
def retrieve(context: Context, review: str) -> Object:
    """The review as it stands."""
    return context.state.get(REVIEWS, review)


@routes.api("GET", "/v1/reviews")
def list_reviews(context: Context) -> Object:
    """The reviews that are open, newest first."""
    return context.list(REVIEWS, {"open": True})


@routes.api("POST", "/v1/reviews/{review}/approve")
def approve(context: Context, review: str) -> Object:
    """Close a review: the payment is good."""
    found = context.state.get(REVIEWS, review)
    if not found["open"]:
        raise InvalidRequestError(f"The review {review} is already closed.", param="review")
    return radar.close_review(context, found, "approved")
