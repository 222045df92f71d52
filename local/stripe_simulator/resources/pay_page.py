"""The page that a Checkout Session is completed on: Stripe's hosted page, and what stands for its embedded ones.

GET  /c/pay/{session}        the page
POST /c/pay/{session}        its form; for scripts, ``card=4242424242424242`` is enough
GET  /c/recover/{session}    begins again what has expired

A payment is answered by 303 to where the session leads or to 3-D Secure; a refusal by the page, with the reason and its
status. Clients that have the parts of the page on their own ("elements") do as JSON what Stripe.js does for them:

POST /_simulator/checkout/sessions/{session}/update     {"code": "SAVE10", "shipping_rate": "shr_...", "country": "US"}
POST /_simulator/checkout/sessions/{session}/confirm    {"payment_method": "pm_card_visa", "email": "a@b.test"}
"""

from http import HTTPStatus
from typing import Final

from ..checkout import buying, changing, making, page_buyer, page_order, page_ways, paying_with
from ..checkout.checks import HOSTED, SETUP
from ..checkout.sessions import COMPLETE, EXPIRED, OPEN, SESSIONS
from ..context import Context
from ..errors import InvalidRequestError, StripeError
from ..funds.intents import PAYMENT_INTENTS
from ..money import amount_text
from ..pages import Markup, alert, fill, joined, notice, page, text_of
from ..routing import Html, Redirect, Routes
from ..setups.intents import SETUP_INTENTS
from ..values import Object

routes = Routes()
_FORM: Final = """
<form method="post" action="{action}">
{order}
{contact}
{consent}
{ways}
<input type="hidden" name="total_shown" value="{total}">
</form>
{after}
"""
_NOT_AUTHENTICATED: Final = (
    "We are unable to authenticate your payment method. Please choose a different payment method and try again."
)
_AUTHENTICATION_FAILURES: Final = frozenset(
    {"payment_intent_authentication_failure", "setup_intent_authentication_failure"}
)


@routes.page("GET", "/c/pay/{session}")
def show(context: Context, session: str) -> Html | Redirect:
    """The page of an open session, or what became of it."""
    holder, found = _find(context, session)
    return _ended(found) or _page(holder, found, _last_problem(holder, found))


@routes.page("POST", "/c/pay/{session}")
def submit(context: Context, session: str) -> Html | Redirect:
    """Change the order, or pay and go on to the shop or to 3-D Secure; or show why not."""
    holder, found = _find(context, session)
    ended = _ended(found)
    if ended:
        status = HTTPStatus.CONFLICT if found["status"] == COMPLETE else ended.status
        return Html(ended.text, int(status))
    try:
        return _act(holder, found)
    except StripeError as error:
        return _page(holder, holder.state.get(SESSIONS, session), error.message, status=error.http_status)


@routes.page("GET", "/c/recover/{session}")
def recover(context: Context, session: str) -> Html | Redirect:
    """Begin again where a session expired."""
    holder, found = _find(context, session)
    recovery = (found["after_expiration"] or {}).get("recovery")
    if not recovery or not recovery["url"] or recovery["expires_at"] <= context.clock.now():
        return notice("This link is not valid", "Please start again in the shop.", status=HTTPStatus.GONE)
    return Redirect(f"/c/pay/{making.again(holder, found)['id']}")


@routes.page("POST", "/_simulator/checkout/sessions/{session}/update")
def update(context: Context, session: str) -> Object:
    """What Stripe.js changes for its clients: quantities, codes, addresses, shipping."""
    holder, found = _open(context, session)
    return changing.by_buyer(holder, found, context.params)


@routes.page("POST", "/_simulator/checkout/sessions/{session}/confirm")
def confirm(context: Context, session: str) -> Object:
    """What Stripe.js does when the buyer pays; a challenge is answered at ``/3ds/``, then the session is complete."""
    holder, found = _open(context, session)
    buying.pay(holder, found, context.params)
    return holder.state.get(SESSIONS, session)


def _act(context: Context, session: Object) -> Html | Redirect:
    fields = context.params
    removed = text_of(fields, "remove")
    if removed:
        paying_with.remove(context, session, removed)
    if removed or _only_changes(session, fields):
        changed = session if session["mode"] == SETUP else changing.by_buyer(context, session, fields)
        return _page(context, changed, "")
    before = text_of(fields, "total_shown")
    if before and session["mode"] != SETUP:
        session = changing.by_buyer(context, session, fields)
        if before != str(session["amount_total"]):
            return _page(context, session, "The total has changed. Please look at it before you pay.")
    intent = buying.pay(context, session, fields)
    if intent and intent["status"] == "requires_action":
        return Redirect(f"/3ds/{intent['id']}")
    return buying.way_on(context.state.get(SESSIONS, session["id"]))


def _only_changes(session: Object, fields: Object) -> bool:
    """Whether a button was pressed that changes the order: to update it, or to take an item out."""
    takes_out = any(name.startswith("quantity_") and value == "0" for name, value in fields.items())
    pays = any(text_of(fields, name) for name in ("method", "card", "test_card", "test_account", "saved"))
    return text_of(fields, "action") == "update" or (takes_out and not pays and session["mode"] != SETUP)


def _find(context: Context, session: str) -> tuple[Context, Object]:
    holder = context.on(context.state.holder_of(SESSIONS, session).account)
    return holder, holder.state.get(SESSIONS, session)


def _open(context: Context, session: str) -> tuple[Context, Object]:
    holder, found = _find(context, session)
    if found["status"] != OPEN:
        raise InvalidRequestError(
            f"This Checkout Session is {found['status']}.", code="checkout_session_not_open", param="session"
        )
    return holder, found


def _ended(session: Object) -> Html | None:
    if session["status"] == EXPIRED:
        link = (session["cancel_url"], "Back to the shop") if session["cancel_url"] else None
        text = "This checkout session has expired. Nothing was paid; please start again."
        return notice("This page has expired", text, status=HTTPStatus.GONE, link=link)
    if session["status"] == COMPLETE:
        url = buying.success_url(session)
        link = (url, "Continue") if url else None
        return notice("All done here", "This order was completed before. It is paid only once.", link=link)
    return None


def _last_problem(context: Context, session: Object) -> str:
    """Why the last attempt failed, for a buyer who comes back from 3-D Secure."""
    attempt = session["_attempt"]
    if attempt is None:
        return ""
    setup = context.state.find(SETUP_INTENTS, attempt)
    intent = setup or context.state.get(PAYMENT_INTENTS, attempt)
    error = intent["last_setup_error" if setup else "last_payment_error"]
    if error and error["code"] in _AUTHENTICATION_FAILURES:
        return _NOT_AUTHENTICATED
    return error["message"] if error else ""


def _page(context: Context, session: Object, problem: str, *, status: int = HTTPStatus.OK) -> Html:
    saves = session["mode"] == SETUP
    total = "" if saves else amount_text(session["amount_total"], session["currency"])
    says = "Save" if saves else f"Pay {total}"
    form = fill(
        _FORM,
        action=f"/c/pay/{session['id']}",
        total="" if saves else session["amount_total"],
        order=Markup() if saves else page_order.order(context, session),
        contact=page_buyer.contact(context, session),
        consent=page_buyer.consent(session),
        ways=page_ways.ways(
            context, session, "Save" if saves else "Pay", says, needs_method=buying.needs_method(session)
        ),
        after=page_buyer.after_submit(session),
    )
    heading = "Save your payment details" if saves else says
    return page(heading, joined([alert(problem), form, _way_back(session)]), heading=heading, status=status)


def _way_back(session: Object) -> Markup:
    if session["ui_mode"] != HOSTED or not session["cancel_url"]:
        return Markup()
    return fill('<a href="{url}">Back to the shop</a>', url=session["cancel_url"])
