"""The Express dashboard: what an account has, got and was paid out, and what is asked of it.

GET  /express/{link}               from a login link, once; leads to
GET  /express/session/{session}    the dashboard, for an hour
POST /express/session/{session}    ``action``: instant_payout with ``amount`` and ``currency``, or complete
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from itertools import islice
from typing import Any, Final

from ..accounts import ACCOUNTS, banks, payout_terms
from ..accounts.v1_view import v1_view
from ..context import Context
from ..errors import InvalidParameterError, StripeError
from ..funds.balance_view import balance, instantly_available
from ..funds.balances import BALANCE_TRANSACTIONS, shown
from ..funds.payouts import PAYOUTS
from ..money import amount_text, decimals
from ..pages import Markup, alert, fill, joined, notice, page, text_of
from ..routing import Html, Redirect, Routes
from ..shelves import Collection
from ..values import Object
from . import payouts
from .account_links import ONBOARDING, link_url, make_link
from .login_links import LOGINS

EXPRESS_SESSIONS: Final = Collection("_express_session", found_anywhere=True)
"""On the platform ``{id, account, ends}``; the id is the secret in its URL."""

routes = Routes(EXPRESS_SESSIONS)
_SESSION_LENGTH: Final = 32
_LIFE_SECONDS: Final = 3_600
_SHOWN: Final = 20
_EVERY: Final[Mapping[str, str]] = {"daily": "every day", "weekly": "every week", "monthly": "every month"}
_TABLE: Final = "<section><h2>{heading}</h2>{table}</section>"
_ROWS: Final = "<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
_INSTANT: Final = """
<form class="row" method="post" action="/express/session/{session}">
<input type="hidden" name="currency" value="{currency}">
<div><label for="amount-{currency}">Pay out at once, up to {most}</label>
<input id="amount-{currency}" name="amount" inputmode="decimal" value="{value}"></div>
<button name="action" value="instant_payout">Pay out now</button></form>
"""
_DUE: Final = """
<section><h2>Something is needed</h2><p>{said}</p>
<form method="post" action="/express/session/{session}">
<button name="action" value="complete">Complete your details</button></form></section>
"""


@routes.page("GET", "/express/{link}")
def follow(context: Context, link: str) -> Html | Redirect:
    """Use the link up, and begin a session."""
    found = context.state.get(LOGINS, link)
    if found["used"]:
        return notice("This link was used", "Ask for a new one where you found it.", status=HTTPStatus.GONE)
    context.state.update(LOGINS, found, {"used": True})
    session = {
        "id": context.ids.new("express", _SESSION_LENGTH),
        "account": found["account"],
        "ends": context.clock.now() + _LIFE_SECONDS,
    }
    context.state.insert(EXPRESS_SESSIONS, session)
    return Redirect(f"/express/session/{session['id']}")


@routes.page("GET", "/express/session/{session}")
def show(context: Context, session: str) -> Html:
    """The dashboard."""
    found = context.state.get(EXPRESS_SESSIONS, session)
    return _page(context.on(found["account"]), found) if _goes_on(context, found) else _ended()


@routes.page("POST", "/express/session/{session}")
def submit(context: Context, session: str) -> Html | Redirect:
    """Pay out at once, or go on to what is asked."""
    found = context.state.get(EXPRESS_SESSIONS, session)
    if not _goes_on(context, found):
        return _ended()
    seller, here = context.on(found["account"]), f"/express/session/{session}"
    if text_of(context.params, "action") == "complete":
        back = context.settings.base_url + here
        urls = {"refresh_url": back, "return_url": back}
        return Redirect(link_url(seller, make_link(seller, _record(seller), ONBOARDING, urls, version="v1")))
    try:
        _pay_out(seller)
    except StripeError as error:
        return _page(seller, found, error.message, status=error.http_status)
    return Redirect(here)


def _pay_out(context: Context) -> None:
    currency = text_of(context.params, "currency")
    try:
        amount = Decimal(text_of(context.params, "amount").replace(",", "")).scaleb(decimals(currency))
    except InvalidOperation as error:
        raise InvalidParameterError("Give the amount as a number.", param="amount") from error
    params = {"amount": int(amount), "currency": currency, "method": "instant"}
    payouts.create(replace(context, params=params))


def _goes_on(context: Context, session: Object) -> bool:
    return bool(session["ends"] > context.clock.now())


def _ended() -> Html:
    return notice("This session has ended", "Ask for a new link where you found it.", status=HTTPStatus.GONE)


def _record(context: Context) -> Object:
    found: Object = context.on_platform().state.get(ACCOUNTS, context.account)["_record"]
    return found


def _page(context: Context, session: Object, problem: str = "", *, status: int = HTTPStatus.OK) -> Html:
    record = _record(context)
    name = record["display_name"] or record["contact_email"] or record["id"]
    parts = [
        alert(problem),
        _requirements(v1_view(record)["requirements"], session),
        _balance(context, session, record),
        _payouts(context),
        _transactions(context),
        _settings(context, record),
    ]
    return page("Express", joined(parts), heading=str(name), status=status)


def _requirements(due: Object, session: Object) -> Markup:
    now, later = due["currently_due"], due["eventually_due"]
    if not later:
        return Markup()
    said = f"Payments or payouts wait for {len(now)} of your details." if now else "Some details will be needed later."
    if now and due["current_deadline"]:
        said = f"{len(now)} of your details are needed until {_day(due['current_deadline'])}."
    return fill(_DUE, said=said, session=session["id"])


def _balance(context: Context, session: Object, record: Object) -> Markup:
    held = balance(context, default_currency=record.get("default_currency") or context.settings.default_currency)
    on_the_way: dict[str, int] = {}
    for status in ("pending", "in_transit"):
        for each in context.state.select(PAYOUTS, {"status": status}):
            on_the_way[each["currency"]] = on_the_way.get(each["currency"], 0) + each["amount"]
    rows: list[tuple[object, ...]] = []
    for available, pending in zip(held["available"], held["pending"], strict=True):
        currency = available["currency"]
        transit = amount_text(on_the_way.get(currency, 0), currency)
        rows.append((amount_text(available["amount"], currency), amount_text(pending["amount"], currency), transit))
    forms = [_instant(context, session, each["currency"]) for each in held["available"]]
    return joined([_table("Balance", ("Available", "Pending", "On the way"), rows), *forms])


def _instant(context: Context, session: Object, currency: str) -> Markup:
    most = instantly_available(context, currency)
    if not most:
        return Markup()
    value = amount_text(most, currency).partition(" ")[0]
    return fill(_INSTANT, session=session["id"], currency=currency, most=amount_text(most, currency), value=value)


def _payouts(context: Context) -> Markup:
    rows = [
        (
            _day(each["arrival_date"]),
            _with_more(each["status"].replace("_", " ").capitalize(), _held(context, each)),
            amount_text(each["amount"], each["currency"]),
        )
        for each in islice(context.state.select(PAYOUTS), _SHOWN)
    ]
    return _table("Payouts", ("Arrives", "Status", "Amount"), rows)


def _held(context: Context, payout: Object) -> str:
    """What an automatic payout is of; a manual one is of the balance."""
    if not payout["automatic"]:
        return "of the balance"
    count = context.state.count(BALANCE_TRANSACTIONS, {"payout": payout["id"]})
    return f"of {count} transaction{'' if count == 1 else 's'}"


def _transactions(context: Context) -> Markup:
    now = context.clock.now()
    rows = [
        (
            _day(each["created"]),
            _with_more(each["description"] or each["type"].replace("_", " "), shown(each, now)["status"]),
            amount_text(each["net"], each["currency"]),
        )
        for each in islice(context.state.select(BALANCE_TRANSACTIONS), _SHOWN)
    ]
    return _table("Transactions", ("Date", "What", "Net"), rows)


def _with_more(text: str, more: str) -> Markup:
    return fill('{text}<br><span class="soft">{more}</span>', text=text, more=more)


def _settings(context: Context, record: Object) -> Markup:
    terms = payout_terms.read(context)
    details: list[tuple[str, Any]] = [
        ("Payouts", _EVERY.get(terms["interval"], "when the platform makes them")),
        *((f"Bank account for {each['currency'].upper()}", f"{each['bank_name'] or 'Bank'}, ending in {each['last4']}")
          for each in banks.banks_of(context)),
        ("E-mail", record["contact_email"] or ""),
        ("Country", (v1_view(record)["country"] or "").upper()),
    ]  # fmt: skip
    rows = [fill('<tr><th scope="row">{name}</th><td>{value}</td></tr>', name=n, value=v) for n, v in details if v]
    return fill(_TABLE, heading="Account", table=fill("<table><tbody>{rows}</tbody></table>", rows=joined(rows)))


def _table(heading: str, columns: tuple[str, ...], rows: Sequence[Sequence[object]]) -> Markup:
    if not rows:
        return fill(_TABLE, heading=heading, table=fill("<p>None yet.</p>"))
    head = joined(fill('<th scope="col">{name}</th>', name=name) for name in columns)
    lines = [joined(fill("<td>{cell}</td>", cell=cell) for cell in row) for row in rows]
    body = joined(fill("<tr>{line}</tr>", line=line) for line in lines)
    return fill(_TABLE, heading=heading, table=fill(_ROWS, head=head, rows=body))


def _day(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%b %d, %Y").replace(" 0", " ")
