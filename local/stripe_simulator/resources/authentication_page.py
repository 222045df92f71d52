"""The challenge of 3-D Secure, for any PaymentIntent that requires it.

GET  /3ds/{intent}    the page
POST /3ds/{intent}    action=complete | fail; goes on to the shop, back to the pay page, or to the intent's return_url
"""

from contextlib import suppress
from typing import Final
from urllib.parse import urlencode

from ..checkout.buying import success_url
from ..checkout.sessions import COMPLETE, SESSIONS
from ..context import Context
from ..errors import CardError
from ..funds import intents
from ..funds.intents import PAYMENT_INTENTS
from ..money import amount_text
from ..pages import fill, leave_for, notice, page, text_of
from ..routing import Html, Redirect, Routes
from ..values import Object

routes = Routes()
_FORM: Final = """
<form method="post" action="{action}">
<p>Your bank wants to be sure that it is you who pays <strong>{amount}</strong>.</p>
<button name="action" value="complete">Complete authentication</button>
<button name="action" value="fail" class="quiet">Fail authentication</button>
</form>
"""


@routes.page("GET", "/3ds/{intent}")
def show(context: Context, intent: str) -> Html | Redirect:
    """The challenge, while it is asked for."""
    _, found = _find(context, intent)
    if found["status"] != "requires_action":
        return notice("Nothing to do here", "This payment waits for no authentication.")
    amount = amount_text(found["amount"], found["currency"])
    return page("3-D Secure", fill(_FORM, action=f"/3ds/{found['id']}", amount=amount))


@routes.page("POST", "/3ds/{intent}")
def submit(context: Context, intent: str) -> Html | Redirect:
    """Let the challenge end as the button says, and go on."""
    holder, found = _find(context, intent)
    if found["status"] == "requires_action":
        with suppress(CardError):  # declined after all, and recorded: the page that the buyer comes back to says why
            intents.authenticate(holder, intent, succeeded=text_of(context.params, "action") != "fail")
    return _go_on(holder, holder.state.get(PAYMENT_INTENTS, intent))


def _find(context: Context, intent: str) -> tuple[Context, Object]:
    holder = context.on(context.state.holder_of(PAYMENT_INTENTS, intent).account)
    return holder, holder.state.get(PAYMENT_INTENTS, intent)


def _go_on(context: Context, intent: Object) -> Html | Redirect:
    session = context.state.first(SESSIONS, {"payment_intent": intent["id"]})
    if session:
        is_done = session["status"] == COMPLETE
        return leave_for(success_url(session)) if is_done else Redirect(f"/c/pay/{session['id']}")
    outcome = "succeeded" if intent["status"] in ("succeeded", "processing", "requires_capture") else "failed"
    if intent["_return_url"] is None:
        return notice("You can close this page", f"The authentication {outcome}.")
    told = {
        "payment_intent": intent["id"],
        "payment_intent_client_secret": intent["client_secret"],
        "redirect_status": outcome,
    }
    joiner = "&" if "?" in intent["_return_url"] else "?"
    return leave_for(f"{intent['_return_url']}{joiner}{urlencode(told)}")
