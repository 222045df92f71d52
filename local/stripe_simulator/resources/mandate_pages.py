"""What a buyer sees of mandates, and where he verifies a bank account by microdeposits.

GET  /mandates/{mandate}       what was agreed
GET  /microdeposits/{intent}   the page to verify on
POST /microdeposits/{intent}   code=SM11AA
"""

from http import HTTPStatus
from typing import Final

from ..context import Context
from ..errors import StripeError
from ..pages import Markup, alert, fill, joined, notice, page, text_of
from ..routing import Html, Routes
from ..setups import confirming
from ..setups.intents import SETUP_INTENTS
from ..setups.mandates import MANDATES

routes = Routes()
_FORM: Final = """
<form method="post" action="{action}">
<p>A small amount was sent to the account, with a code of six characters in its description.</p>
<label for="code">Code</label>
<input id="code" name="code" value="{code}" autocomplete="off">
<button>Verify the account</button>
</form>
"""


@routes.page("GET", "/mandates/{mandate}")
def show_mandate(context: Context, mandate: str) -> Html:
    """What was agreed, in a sentence."""
    found = context.state.holder_of(MANDATES, mandate).get(MANDATES, mandate)
    often = "once" if found["type"] == "single_use" else "again and again"
    return notice("Mandate", f"The bank account may be debited {often}. The mandate is {found['status']}.")


@routes.page("GET", "/microdeposits/{intent}")
def show(context: Context, intent: str) -> Html:
    """The page, while a verification is waited for."""
    found = context.state.holder_of(SETUP_INTENTS, intent).get(SETUP_INTENTS, intent)
    if "verify_with_microdeposits" not in (found["next_action"] or {}):
        return notice("Nothing to do here", "This bank account waits for no verification.")
    return _page(intent)


@routes.page("POST", "/microdeposits/{intent}")
def submit(context: Context, intent: str) -> Html:
    """Verify the account, or say why not."""
    holder = context.on(context.state.holder_of(SETUP_INTENTS, intent).account)
    code = text_of(context.params, "code")
    try:
        confirming.verify_microdeposits(holder, holder.state.get(SETUP_INTENTS, intent), descriptor_code=code)
    except StripeError as error:
        return _page(intent, alert(error.message), status=error.http_status)
    return notice("You can close this page", "The bank account is verified.")


def _page(intent: str, problem: Markup | None = None, *, status: int = HTTPStatus.OK) -> Html:
    form = fill(_FORM, action=f"/microdeposits/{intent}", code=confirming.VERIFIED_BY[1])
    return page("Verify your bank account", joined([problem or Markup(), form]), status=status)
