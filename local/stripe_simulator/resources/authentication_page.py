"""The challenge of 3-D Secure, for any PaymentIntent or SetupIntent that requires it.

GET  /3ds/{intent}    the page
POST /3ds/{intent}    action=complete | fail; goes on to the shop, back to the pay page, or to the intent's return_url
"""

from contextlib import suppress
from typing import Final
from urllib.parse import urlencode

from ..checkout.buying import way_on
from ..checkout.sessions import COMPLETE, SESSIONS
from ..context import Context
from ..errors import CardError
from ..funds import intents
from ..funds.intents import PAYMENT_INTENTS
from ..money import amount_text
from ..pages import Markup, fill, leave_for, notice, page, text_of
from ..routing import Html, Redirect, Routes
from ..setups import confirming
from ..setups.intents import SETUP_INTENTS
from ..values import Object

routes = Routes()
_CHALLENGES: Final = ("redirect_to_url", "use_stripe_sdk")
_FORM: Final = """
<form method="post" action="{action}">
<p>Your bank wants to be sure that it is you who {wish}.</p>
<button name="action" value="complete">Complete authentication</button>
<button name="action" value="fail" class="quiet">Fail authentication</button>
</form>
"""


@routes.page("GET", "/3ds/{intent}")
def show(context: Context, intent: str) -> Html | Redirect:
    """The challenge, while it is asked for."""
    _, found = _find(context, intent)
    if not _waits(found):
        return notice("Nothing to do here", "This payment waits for no authentication.")
    return page("3-D Secure", fill(_FORM, action=f"/3ds/{found['id']}", wish=_wish(found)))


@routes.page("POST", "/3ds/{intent}")
def submit(context: Context, intent: str) -> Html | Redirect:
    """Let the challenge end as the button says, and go on."""
    holder, found = _find(context, intent)
    if _waits(found):
        authenticate = confirming.authenticate if _is_setup(found) else intents.authenticate
        with suppress(CardError):  # declined after all, and recorded: the page that the buyer comes back to says why
            authenticate(holder, intent, succeeded=text_of(context.params, "action") != "fail")
    _, after = _find(context, intent)
    return _go_on(holder, after)


def _find(context: Context, intent: str) -> tuple[Context, Object]:
    collection = SETUP_INTENTS if intent.startswith("seti_") else PAYMENT_INTENTS
    holder = context.on(context.state.holder_of(collection, intent).account)
    return holder, holder.state.get(collection, intent)


def _is_setup(intent: Object) -> bool:
    return bool(intent["object"] == "setup_intent")


def _waits(intent: Object) -> bool:
    """Whether the bank has not been answered; a SetupIntent may wait for microdeposits instead."""
    return bool(intent["status"] == "requires_action" and intent["next_action"]["type"] in _CHALLENGES)


def _wish(intent: Object) -> Markup:
    if _is_setup(intent):
        return Markup("saves this card")
    return fill("pays <strong>{amount}</strong>", amount=amount_text(intent["amount"], intent["currency"]))


def _go_on(context: Context, intent: Object) -> Html | Redirect:
    session = context.state.first(SESSIONS, {"_attempt": intent["id"]})
    if session:
        return way_on(session) if session["status"] == COMPLETE else Redirect(f"/c/pay/{session['id']}")
    outcome = "succeeded" if intent["status"] in ("succeeded", "processing", "requires_capture") else "failed"
    if intent["_return_url"] is None:
        return notice("You can close this page", f"The authentication {outcome}.")
    told = {
        intent["object"]: intent["id"],
        f"{intent['object']}_client_secret": intent["client_secret"],
        "redirect_status": outcome,
    }
    joiner = "&" if "?" in intent["_return_url"] else "?"
    return leave_for(f"{intent['_return_url']}{joiner}{urlencode(told)}")
