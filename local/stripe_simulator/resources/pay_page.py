"""The page that a Checkout Session is paid on.

GET  /c/pay/{session}    the page
POST /c/pay/{session}    its form; for scripts, ``card=4242424242424242`` is enough

A payment is answered by 303 to success_url or to 3-D Secure; a refusal by the page, with the reason and its status.
"""

from http import HTTPStatus
from typing import Final

from ..checkout import buying
from ..checkout.buying import SEPA_DEBIT, US_BANK_ACCOUNT
from ..checkout.line_items import ITEMS
from ..checkout.sessions import COMPLETE, EXPIRED, OPEN, SESSIONS
from ..context import Context
from ..errors import StripeError
from ..funds.intents import PAYMENT_INTENTS
from ..money import amount_text
from ..pages import Markup, alert, fill, joined, leave_for, notice, page
from ..routing import Html, Redirect, Routes
from ..values import Object

routes = Routes()
_TEST_CARDS: Final = (
    ("4242424242424242", "Succeeds"),
    ("4000000000000077", "Succeeds, and the money is available at once"),
    ("4000000000000002", "Is declined"),
    ("4000000000009995", "Has insufficient funds"),
    ("4000000000000069", "Has expired"),
    ("4000000000000127", "Has another security code"),
    ("4000002760003184", "Asks for 3-D Secure"),
    ("4000008260003178", "Asks for 3-D Secure, and has insufficient funds"),
    ("4000000000005126", "Succeeds; a refund fails later"),
)
_TEST_ACCOUNTS: Final = {
    US_BANK_ACCOUNT: (("000123456789", "Is debited"), ("000222222227", "Has insufficient funds, days later")),
    SEPA_DEBIT: (("AT611904300234573201", "Is debited"), ("AT861904300235473202", "Fails, days later")),
}
_ACCOUNT_LABELS: Final = {US_BANK_ACCOUNT: "Bank account number", SEPA_DEBIT: "IBAN"}
_SUMMARY: Final = """
<section aria-label="Your order">
<table>
<tbody>{rows}</tbody>
<tfoot><tr><th scope="row">Total due</th><td class="amount">{total}</td></tr></tfoot>
</table>
</section>
"""
_ROW: Final = '<tr><td>{name}{quantity}</td><td class="amount">{amount}</td></tr>'
_FORM: Final = """
<form method="post" action="{action}">
<h2>Contact</h2>
<label for="email">E-mail</label>
<input id="email" name="email" type="email" value="{email}" autocomplete="email"{readonly}>
<label for="name">Name</label>
<input id="name" name="name" value="{name}" autocomplete="name">
{ways}
</form>
"""
_CARD: Final = """
<h2>Pay by card</h2>
<label for="card">Card number</label>
<input id="card" name="card" inputmode="numeric" autocomplete="cc-number" placeholder="1234 1234 1234 1234">
<div class="pair">
<div><label for="expiry">Expiry, MM / YY</label>
<input id="expiry" name="expiry" inputmode="numeric" autocomplete="cc-exp" placeholder="MM / YY"></div>
<div><label for="cvc">Security code</label>
<input id="cvc" name="cvc" inputmode="numeric" autocomplete="cc-csc" placeholder="CVC"></div>
</div>
<button name="method" value="card">Pay {total}</button>
<h2>Or pay with a test card</h2>
<ul class="plain">{cases}</ul>
"""
_DEBIT: Final = """
<h2>Pay by bank debit</h2>
<p class="soft">The money comes, or does not, some time after you pay.</p>
<label for="account">{label}</label>
<input id="account" name="account" autocomplete="off">
<button name="method" value="{kind}" class="quiet">Pay {total} from your bank</button>
<h2>Or with a test account</h2>
<ul class="plain">{cases}</ul>
"""
_CASE: Final = """
<li><button class="small quiet" name="{field}" value="{value}" aria-label="{shown}: {label}">{shown}</button>
<span>{label}</span></li>
"""
_USUAL_NAME: Final = "Jenny Rosen"
_NOT_AUTHENTICATED: Final = (
    "We are unable to authenticate your payment method. Please choose a different payment method and try again."
)
_FREE: Final = '<button name="method" value="none">Complete the order</button>'


@routes.page("GET", "/c/pay/{session}")
def show(context: Context, session: str) -> Html | Redirect:
    """The page of an open session, or what became of it."""
    holder, found = _find(context, session)
    return _ended(found) or _page(holder, found, _last_problem(holder, found))


@routes.page("POST", "/c/pay/{session}")
def submit(context: Context, session: str) -> Html | Redirect:
    """Pay, and go on to the shop or to 3-D Secure; or show why not."""
    holder, found = _find(context, session)
    ended = _ended(found)
    if ended:
        status = HTTPStatus.CONFLICT if found["status"] == COMPLETE else ended.status
        return Html(ended.text, int(status))
    try:
        intent = buying.pay(holder, found, context.params)
    except StripeError as error:
        return _page(holder, holder.state.get(SESSIONS, session), error.message, status=error.http_status)
    if intent and intent["status"] == "requires_action":
        return Redirect(f"/3ds/{intent['id']}")
    return leave_for(buying.success_url(found))


def _find(context: Context, session: str) -> tuple[Context, Object]:
    holder = context.on(context.state.holder_of(SESSIONS, session).account)
    return holder, holder.state.get(SESSIONS, session)


def _ended(session: Object) -> Html | None:
    if session["status"] == EXPIRED:
        link = (session["cancel_url"], "Back to the shop") if session["cancel_url"] else None
        text = "This checkout session has expired. Nothing was paid; please start again."
        return notice("This page has expired", text, status=HTTPStatus.GONE, link=link)
    if session["status"] == COMPLETE:
        link = (buying.success_url(session), "Continue")
        return notice("All done here", "This order was completed before. It is paid only once.", link=link)
    return None


def _last_problem(context: Context, session: Object) -> str:
    """Why the last attempt failed, for a buyer who comes back from 3-D Secure."""
    intent = context.state.find(PAYMENT_INTENTS, session["payment_intent"]) if session["payment_intent"] else None
    error = intent.get("last_payment_error") if intent and session["status"] == OPEN else None
    if error and error["code"] == "payment_intent_authentication_failure":
        return _NOT_AUTHENTICATED
    return error["message"] if error else ""


def _page(context: Context, session: Object, problem: str, *, status: int = HTTPStatus.OK) -> Html:
    total = amount_text(session["amount_total"], session["currency"])
    known = buying.email_of_customer(context, session)
    details = session["customer_details"] or {}
    back = (
        fill('<a href="{url}">Back to the shop</a>', url=session["cancel_url"]) if session["cancel_url"] else Markup()
    )
    form = fill(
        _FORM,
        action=f"/c/pay/{session['id']}",
        email=known or details.get("email") or buying.USUAL_EMAIL,
        name=details.get("name") or _USUAL_NAME,
        readonly=Markup(" readonly" if known else ""),
        ways=_ways(session, total),
    )
    parts = [alert(problem), _summary(context, session, total), form, back]
    return page(f"Pay {total}", joined(parts), heading=f"Pay {total}", status=status)


def _summary(context: Context, session: Object, total: str) -> Markup:
    rows = [
        fill(
            _ROW,
            name=item["description"],
            quantity=f" × {item['quantity']}" if item["quantity"] > 1 else "",  # noqa: RUF001 - a multiplication sign
            amount=amount_text(item["amount_total"], item["currency"]),
        )
        for item in context.state.select(ITEMS, {"_session": session["id"]})
    ]
    return fill(_SUMMARY, rows=joined(rows), total=total)


def _ways(session: Object, total: str) -> Markup:
    if session["amount_total"] == 0:
        return Markup(_FREE)
    ways: list[Markup] = []
    for kind in session["payment_method_types"]:
        if kind in _TEST_ACCOUNTS:
            cases = _cases("test_account", _TEST_ACCOUNTS[kind])
            ways.append(fill(_DEBIT, label=_ACCOUNT_LABELS[kind], kind=kind, total=total, cases=cases))
        else:
            ways.append(fill(_CARD, total=total, cases=_cases("test_card", _TEST_CARDS)))
    return joined(ways)


def _cases(field: str, cases: tuple[tuple[str, str], ...]) -> Markup:
    return joined(fill(_CASE, field=field, value=value, shown=_in_fours(value), label=label) for value, label in cases)


def _in_fours(number: str) -> str:
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))
