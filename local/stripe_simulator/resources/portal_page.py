"""The billing portal's page: subscriptions, payment method, details, invoices.

GET  /p/session/{session}    everything, or the one step that the session is for
POST /p/session/{session}    ``action``: cancel, keep, preview, change, card, details; goes back to the page
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import islice
from typing import Any, Final

from ..catalog import PRODUCTS
from ..context import Context
from ..errors import StripeError
from ..funds.methods import PAYMENT_METHODS
from ..invoices.records import INVOICES
from ..money import amount_text
from ..pages import Markup, alert, fill, joined, leave_for, notice, page, text_of
from ..portal import acting
from ..portal.acting import feature_for, features
from ..resources.customers import CUSTOMERS
from ..routing import Html, Redirect, Routes
from ..subscriptions.records import SUBSCRIPTIONS, amount_of
from ..values import Object
from .billing_portal import SESSIONS

routes = Routes()
_SHOWN_INVOICES: Final = 24
_BUTTON: Final = """
<form method="post" action="/p/session/{session}">{fields}<button name="action" value="{action}" class="{kind}">{says}
</button></form>
"""
_CARD: Final = """
<form method="post" action="/p/session/{session}">
<label for="card">Card number</label>
<input id="card" name="card" inputmode="numeric" autocomplete="cc-number" placeholder="4242 4242 4242 4242">
<button name="action" value="card">Save this card</button></form>
"""
_FIELD: Final = '<label for="{name}">{label}</label><input id="{name}" name="{name}" value="{value}">'
_ENDS_FLOW: Final[Mapping[str, str]] = {
    "cancel": "subscription_cancel",
    "card": "payment_method_update",
    "change": "subscription_update",
}
"""Which step of a session that is for one step is done by which action."""


@routes.page("GET", "/p/session/{session}")
def show(context: Context, session: str) -> Html:
    """The portal of the session's customer."""
    holder, found = _find(context, session)
    return _expired() if found is None else _page(holder, found)


@routes.page("POST", "/p/session/{session}")
def submit(context: Context, session: str) -> Html | Redirect:
    """Do what the customer wants, as far as the configuration allows it; or show why not."""
    holder, found = _find(context, session)
    if found is None:
        return _expired()
    action = text_of(context.params, "action")
    try:
        if action == "preview":
            return page("Confirm the change", _confirm_part(holder, found, *_change_named(holder, found)))
        _act(holder, found, action)
    except StripeError as error:
        return _page(holder, found, error.message, status=error.http_status)
    return _after(holder, found, action)


def _act(context: Context, session: Object, action: str) -> None:
    feature = feature_for(context, session, action)
    match action:
        case "cancel":
            acting.cancel(context, session, feature, _named(context, session))
        case "keep":
            acting.keep(context, _named(context, session))
        case "change":
            acting.change_price(context, session, feature, *_change_named(context, session))
        case "card":
            acting.save_card(context, session)
        case "details":
            acting.update_details(context, session, feature)


def _named(context: Context, session: Object) -> Object:
    return acting.subscription_of(context, session, text_of(context.params, "subscription"))


def _change_named(context: Context, session: Object) -> tuple[Object, Object]:
    """The subscription and the price that the form names, if they may be named."""
    feature = feature_for(context, session, "change")
    return _named(context, session), acting.offered(context, feature, text_of(context.params, "price"))


def _after(context: Context, session: Object, action: str) -> Html | Redirect:
    """Where to go on: to the portal, unless the step that the session is for was done and leads elsewhere."""
    flow = _open_flow(session)
    if flow is None or not flow["type"].startswith(_ENDS_FLOW.get(action, "none")):
        return Redirect(f"/p/session/{session['id']}")
    context.state.update(SESSIONS, session, {"_flow_done": True})
    after = flow["after_completion"]
    match after["type"]:
        case "redirect":
            return leave_for(after["redirect"]["return_url"])
        case "hosted_confirmation":
            said = (after["hosted_confirmation"] or {}).get("custom_message")
            back = (session["return_url"], "Return to the shop") if session["return_url"] else None
            return notice("Done", said or "Your change is made.", link=back)
        case _:
            return Redirect(f"/p/session/{session['id']}")


def _confirm_part(context: Context, session: Object, before: Object, price: Object) -> Markup:
    """What a change costs, before it is made."""
    feature = features(context, session)["subscription_update"]
    due = acting.cost_of_change(context, session, feature, before, price)
    when = "now" if acting.is_billed_now(feature, before, price) else "with your next invoice"
    return fill(
        "<section><p>From now on you pay {price}.</p><p>For this change, with discounts and taxes: "
        "<strong>{due}</strong>, {when}.</p>{change}<p><a href='/p/session/{session}'>Go back</a></p></section>",
        price=_price_text(context, price, before["items"]["data"][0]["quantity"]),
        due=amount_text(due, before["currency"]),
        when=when,
        change=_button(session, "change", "Confirm the change", subscription=before["id"], price=price["id"]),
        session=session["id"],
    )


def _find(context: Context, session: str) -> tuple[Context, Object | None]:
    holder = context.on(context.state.holder_of(SESSIONS, session).account)
    found = holder.state.get(SESSIONS, session)
    return holder, found if found["_ends"] > context.clock.now() else None


def _expired() -> Html:
    return notice("This session has ended", "Please come again from the shop.", status=HTTPStatus.GONE)


def _open_flow(session: Object) -> Object | None:
    """The one step that the session is for, until it is done."""
    flow: Object | None = None if session.get("_flow_done") else session["flow"]
    return flow


def _page(context: Context, session: Object, problem: str = "", *, status: int = HTTPStatus.OK) -> Html:
    parts = _flow_parts(context, session) or _all_parts(context, session)
    if session["return_url"]:
        parts.append(fill('<p><a href="{url}">Return to the shop</a></p>', url=session["return_url"]))
    return page("Billing", joined([alert(problem), *parts]), heading="Your subscriptions and invoices", status=status)


def _flow_parts(context: Context, session: Object) -> list[Markup]:
    flow, offer = _open_flow(session), features(context, session)
    if flow is None:
        return []
    if flow["type"] == "payment_method_update":
        return [_payment_method(context, session)]
    details = flow[flow["type"]]
    subscription = acting.subscription_of(context, session, details["subscription"])
    if flow["type"] == "subscription_update_confirm":
        price = acting.offered(context, offer["subscription_update"], details["items"][0]["price"])
        return [_confirm_part(context, session, subscription, price)]
    return [_subscription_part(context, session, subscription, {flow["type"]: offer[flow["type"]]})]


def _all_parts(context: Context, session: Object) -> list[Markup]:
    offer, parts = features(context, session), [_subscriptions(context, session)]
    if offer["payment_method_update"]["enabled"]:
        parts.append(_payment_method(context, session))
    if offer["customer_update"]["enabled"]:
        parts.append(_details(context, session, offer["customer_update"]["allowed_updates"]))
    if offer["invoice_history"]["enabled"]:
        parts.append(_invoices(context, session))
    return parts


def _subscriptions(context: Context, session: Object) -> Markup:
    found = context.state.select(SUBSCRIPTIONS, {"customer": session["customer"], "_running": True})
    shown = [_subscription_part(context, session, each, features(context, session)) for each in found]
    return joined(shown or [fill("<section><p>You have no subscription.</p></section>")])


def _subscription_part(context: Context, session: Object, subscription: Object, offer: Mapping[str, Any]) -> Markup:
    """A subscription, with as much as is on offer."""
    item = subscription["items"]["data"][0]
    acts: list[Markup] = []
    if (offer.get("subscription_cancel") or {}).get("enabled"):
        acts.append(_cancel_part(session, subscription, offer["subscription_cancel"]))
    if (offer.get("subscription_update") or {}).get("enabled"):
        acts += [
            _button(
                session, "preview", f"Change to {_price_text(context, price, item['quantity'])}",
                subscription=subscription["id"], price=price["id"], kind="quiet",
            )
            for price in _other_prices(context, offer["subscription_update"], item)
        ]  # fmt: skip
    return fill(
        "<section><h2>{product}</h2><p>{price}, {status}. {next} {date}.</p>{acts}</section>",
        product=context.state.get(PRODUCTS, item["price"]["product"])["name"],
        price=_price_text(context, item["price"], item["quantity"]),
        status=subscription["status"].replace("_", " "),
        next="It ends on" if subscription["cancel_at_period_end"] else "It renews on",
        date=_day(item["current_period_end"]),
        acts=joined(acts),
    )


def _cancel_part(session: Object, subscription: Object, feature: Object) -> Markup:
    if subscription["cancel_at_period_end"]:
        return _button(session, "keep", "Keep the subscription", subscription=subscription["id"])
    reasons = Markup()
    if feature["cancellation_reason"]["enabled"]:
        options = [
            fill('<option value="{value}">{says}</option>', value=each, says=each.replace("_", " ").capitalize())
            for each in feature["cancellation_reason"]["options"]
        ]
        reasons = fill(
            '<label for="feedback-{id}">Why do you leave?</label><select id="feedback-{id}" name="feedback">'
            '<option value="">Rather not say</option>{options}</select>',
            id=subscription["id"],
            options=joined(options),
        )
    says = "Cancel now" if feature["mode"] == "immediately" else "Cancel at the end of the period"
    return _button(session, "cancel", says, subscription=subscription["id"], kind="quiet", more=reasons)


def _payment_method(context: Context, session: Object) -> Markup:
    customer = context.state.get(CUSTOMERS, session["customer"])
    named = (customer["invoice_settings"] or {}).get("default_payment_method")
    method = context.state.find(PAYMENT_METHODS, named) if named else None
    card = (method or {}).get("card")
    text = f"{card['brand'].capitalize()} ending in {card['last4']}" if card else "None is saved."
    form = fill(_CARD, session=session["id"])
    return fill("<section><h2>Payment method</h2><p>{text}</p>{form}</section>", text=text, form=form)


def _details(context: Context, session: Object, allowed: list[str]) -> Markup:
    customer = context.state.get(CUSTOMERS, session["customer"])
    fields = [
        fill(_FIELD, name=name, label=name.capitalize(), value=customer.get(name) or "")
        for name in acting.DETAILS
        if name in allowed
    ]
    form = _button(session, "details", "Save your details", more=joined(fields))
    return fill("<section><h2>Your details</h2>{form}</section>", form=form) if fields else Markup()


def _invoices(context: Context, session: Object) -> Markup:
    found = context.state.select(INVOICES, {"customer": session["customer"]})
    shown = islice((each for each in found if each["hosted_invoice_url"]), _SHOWN_INVOICES)
    lines = [
        fill(
            '<li><span>{date}: {total}, {status}</span> <a href="/i/{id}" aria-label="View the invoice of {date}">View'
            '</a> <a href="/i/{id}/pdf" aria-label="The invoice of {date} as PDF">PDF</a></li>',
            date=_day(each["created"]),
            total=amount_text(each["total"], each["currency"]),
            status=each["status"],
            id=each["id"],
        )
        for each in shown
    ]
    listed = fill('<ul class="plain">{lines}</ul>', lines=joined(lines)) if lines else fill("<p>None yet.</p>")
    return fill("<section><h2>Invoices</h2>{listed}</section>", listed=listed)


def _other_prices(context: Context, feature: Object, item: Object) -> list[Any]:
    ids = [price for product in feature["products"] or () for price in product["prices"]]
    found = [context.state.find("price", each) for each in ids if each != item["price"]["id"]]
    return [price for price in found if price is not None]


def _price_text(context: Context, price: Object, quantity: int) -> str:
    recurring = price["recurring"]
    every = recurring["interval"] if recurring["interval_count"] == 1 else (
        f"{recurring['interval_count']} {recurring['interval']}s"
    )  # fmt: skip
    return f"{amount_text(amount_of(context, price, quantity), price['currency'])} every {every}"


def _button(
    session: Object, action: str, says: str, *, kind: str = "", more: Markup | None = None, **fields: str
) -> Markup:
    hidden = [fill('<input type="hidden" name="{name}" value="{value}">', name=name, value=value)
              for name, value in fields.items()]  # fmt: skip
    inner = joined([*hidden, more or Markup()])
    return fill(_BUTTON, session=session["id"], fields=inner, action=action, kind=kind, says=says)


def _day(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%B %d, %Y").replace(" 0", " ")
