"""The hosted onboarding page behind an account link.

GET  /connect/links/{link}         uses the link up and leads to the page; later visits go to refresh_url
POST /connect/links/{link}         the same and the form at once, for scripts
GET  /connect/onboarding/{link}    the page
POST /connect/onboarding/{link}    action=complete | leave | reject, and the fields of the form
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from ..accounts import ACCOUNTS
from ..accounts.onboarding import ACTIONS, COMPLETE, USUAL, finish
from ..accounts.record import at
from ..accounts.v2_view import v2_view
from ..context import Context
from ..pages import Markup, alert, fill, joined, leave_for, notice, page, text_of
from ..routing import Html, Redirect, Routes
from ..values import Object
from .account_links import LINKS

routes = Routes()
_FORM: Final = """
<form method="post" action="{action}">
<h2>About you</h2>
<label for="entity_type">Type of business</label>
<select id="entity_type" name="entity_type">{choices}</select>
<div class="pair">
<div><label for="given_name">First name</label>
<input id="given_name" name="given_name" value="{given_name}" autocomplete="given-name"></div>
<div><label for="surname">Last name</label>
<input id="surname" name="surname" value="{surname}" autocomplete="family-name"></div>
</div>
<label for="name">Registered name, of a company</label>
<input id="name" name="name" value="{name}" autocomplete="organization">
<h2>Where payouts go</h2>
<label for="account_number">Bank account number</label>
<input id="account_number" name="account_number" value="000123456789" inputmode="numeric" aria-describedby="bank">
<p class="soft" id="bank">Stripe's test account. Nothing is sent to any bank.</p>
<p class="soft">By completing, you accept the terms of service of a Stripe that is not real.</p>
<button name="action" value="complete">Complete</button>
<button name="action" value="leave" class="quiet">Leave it incomplete</button>
<button name="action" value="reject" class="quiet">Be rejected</button>
</form>
"""
_PLACES: Final[Mapping[str, str]] = {
    "entity_type": "identity.entity_type",
    "given_name": "identity.individual.given_name",
    "surname": "identity.individual.surname",
    "name": "identity.business_details.registered_name",
}
_LABELS: Final = {"individual": "Individual", "company": "Company", "non_profit": "Non-profit organization"}


@routes.page("GET", "/connect/links/{link}")
def follow(context: Context, link: str) -> Html | Redirect:
    """Use the link up, and lead to the page or to where a new link is made."""
    found = context.state.get(LINKS, link)
    if not _use(context, found):
        return leave_for(found["refresh_url"])
    return Redirect(f"/connect/onboarding/{link}")


@routes.page("POST", "/connect/links/{link}")
def follow_and_submit(context: Context, link: str) -> Html | Redirect:
    """Use the link up and submit the form in one request."""
    found = context.state.get(LINKS, link)
    return _submit(context, found) if _use(context, found) else leave_for(found["refresh_url"])


@routes.page("GET", "/connect/onboarding/{link}")
def show(context: Context, link: str) -> Html | Redirect:
    """The form; whoever comes here without having used a link is led to where a new one is made."""
    found = context.state.get(LINKS, link)
    return _form(context, found) if found["used"] else leave_for(found["refresh_url"])


@routes.page("POST", "/connect/onboarding/{link}")
def submit(context: Context, link: str) -> Html | Redirect:
    """Do what the button says and return to the platform."""
    found = context.state.get(LINKS, link)
    return _submit(context, found) if found["used"] else leave_for(found["refresh_url"])


def _record(context: Context, account: str) -> Object:
    record: Object = context.state.get(ACCOUNTS, account)["_record"]
    return record


def _use(context: Context, link: Object) -> bool:
    """Whether the link was still good; it is not any more."""
    if link["used"] or link["expires_at"] <= context.clock.now():
        return False
    context.state.update(LINKS, link, {"used": True})
    return True


def _form(context: Context, link: Object, problem: str = "") -> Html:
    record = _record(context, link["account"])
    if record["closed"]:
        return notice("Account closed", "This account was closed.", status=HTTPStatus.GONE)
    shown = {name: at(record, place) or USUAL[name] for name, place in _PLACES.items()}
    choices = [
        fill(
            '<option value="{value}"{selected}>{label}</option>',
            value=value,
            selected=Markup(" selected" if value == shown["entity_type"] else ""),
            label=label,
        )
        for value, label in _LABELS.items()
    ]
    form = fill(_FORM, action=f"/connect/onboarding/{link['id']}", choices=joined(choices), **shown)
    name = record["display_name"] or record["contact_email"] or record["id"]
    return page("Set up payouts", joined([alert(problem), form]), heading=f"Set up payouts for {name}")


def _submit(context: Context, link: Object) -> Html | Redirect:
    record = _record(context, link["account"])
    action = text_of(context.params, "action") or COMPLETE
    if record["closed"] or action not in ACTIONS:
        return _form(context, link, "Choose one of the buttons below.")
    finish(context, record, action, context.params)
    if link["version"] == "v2":
        _tell_of_return(context, link)
    if link["return_url"] is None:
        return notice("All done", "You can close this page.")
    return leave_for(link["return_url"])


def _tell_of_return(context: Context, link: Object) -> None:
    record = _record(context, link["account"])
    data = {
        "account_id": record["id"],
        "configurations": v2_view(record, ())["applied_configurations"],
        "use_case": link["use_case"],
    }
    context.on(record["id"]).emit("v2.core.account_link.returned", {"object": "v2.core.account_link"}, data=data)
