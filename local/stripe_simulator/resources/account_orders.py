"""What the laboratory orders of accounts.

POST /_simulator/accounts/{account}/onboarding      {"action": "complete" | "reject"}, without a link
POST /_simulator/accounts/{account}/capabilities    {"capability", "configuration", "status", "code", "resolution"}
POST /_simulator/accounts/{account}/requirements    {"name", "v1_name", "status", "deadline", "met": false}
POST /_simulator/accounts/{account}/deauthorize     the account leaves the platform
"""

from collections.abc import Mapping
from typing import Any, Final

from ..accounts import ACCOUNTS, save, standing
from ..accounts.onboarding import ACTIONS, COMPLETE, finish
from ..accounts.record import RECIPIENT
from ..accounts.v1_view import V1_NAMES
from ..accounts.v2_view import v2_view
from ..context import Context
from ..errors import InvalidParameterError
from ..funds.fees import application_id
from ..routing import Routes
from ..values import Object

routes = Routes()
COMPUTED: Final = "computed"
_RESOLUTIONS: Final = ("contact_stripe", "no_resolution", "provide_info")
_USUAL_DETAILS: Final[Mapping[str, tuple[str, str]]] = {
    standing.PENDING: ("determining_status", "no_resolution"),
    standing.RESTRICTED: ("restricted_other", "contact_stripe"),
    standing.REJECTED: ("rejected_other", "contact_stripe"),
    standing.UNSUPPORTED: ("unsupported_country", "no_resolution"),
}


@routes.page("POST", "/_simulator/accounts/{account}/onboarding")
def onboard(context: Context, account: str) -> Object:
    """End an account's onboarding; the fields of the hosted page may be given too."""
    action = context.params.get("action", COMPLETE)
    _require(action, ACTIONS, "action")
    finish(context, _record(context, account), action, context.params)
    return _standing(context, account)


@routes.page("POST", "/_simulator/accounts/{account}/capabilities")
def order(context: Context, account: str) -> Object:
    """Give a capability a status, whatever is due of the account; ``computed`` takes the order back."""
    params, before = context.params, _record(context, account)
    name = params.get("capability", "transfers")
    configuration, capability = V1_NAMES.get(name, (params.get("configuration", RECIPIENT), name))
    if standing.status(before, configuration, capability) is None:
        raise InvalidParameterError(f"The account has not requested {configuration}.{capability}.", param="capability")
    own = {**before["capabilities"][configuration], capability: _ordered(params)}
    save(context, before, {**before, "capabilities": {**before["capabilities"], configuration: own}})
    return _standing(context, account)


@routes.page("POST", "/_simulator/accounts/{account}/requirements")
def ask(context: Context, account: str) -> Object:
    """Ask something more of an account, in time, now or too late; or have it given.

    What is currently due is past due once the clock shows its deadline.
    """
    params, before = context.params, _record(context, account)
    name, status, deadline = params.get("name"), params.get("status", standing.CURRENTLY_DUE), params.get("deadline")
    _require(status, (standing.EVENTUALLY_DUE, standing.CURRENTLY_DUE, standing.PAST_DUE), "status")
    if not isinstance(name, str) or not (deadline is None or type(deadline) is int):
        raise InvalidParameterError("Give a name, and the deadline in seconds since 1970.", param="name")
    others = [each for each in before["demands"] if each["name"] != name]
    asked = {"name": name, "v1_name": params.get("v1_name", name), "status": status, "deadline": deadline}
    save(context, before, {**before, "demands": others if params.get("met") else [*others, asked]})
    if deadline is not None:
        context.schedule("account.demand", at=deadline, account=account, demand=name)
    return _standing(context, account)


@routes.due("account.demand")
def lapse(context: Context, account: str, demand: str) -> None:
    """What was asked for in time is late now, unless it was given or given more time."""
    before = _record(context, account)
    late = [
        {**each, "status": standing.PAST_DUE}
        if each["name"] == demand and (each["deadline"] or 0) <= context.clock.now()
        else each
        for each in before["demands"]
    ]
    save(context, before, {**before, "demands": late})


@routes.page("POST", "/_simulator/accounts/{account}/deauthorize")
def deauthorize(context: Context, account: str) -> Object:
    """Let an account's owner disconnect it: from then on the platform has no access to it."""
    before = _record(context, account)
    own = context.on(account)
    application = {"id": application_id(context), "object": "application", "name": "Stripe simulator"}
    own.emit("account.application.deauthorized", application)
    save(context, before, {**before, "deauthorized": True})
    return application


def _ordered(params: Mapping[str, Any]) -> Object | None:
    wanted = params.get("status")
    _require(wanted, (standing.ACTIVE, *_USUAL_DETAILS, COMPUTED), "status")
    if wanted == COMPUTED:
        return None
    if wanted == standing.ACTIVE:
        return {"status": wanted, "status_details": []}
    code, resolution = _USUAL_DETAILS[str(wanted)]
    details = {"code": params.get("code", code), "resolution": params.get("resolution", resolution)}
    _require(details["resolution"], _RESOLUTIONS, "resolution")
    return {"status": wanted, "status_details": [details]}


def _require(value: object, choices: tuple[str, ...], param: str) -> None:
    if value not in choices:
        raise InvalidParameterError(f"Invalid {param}: must be one of {', '.join(choices)}", param=param)


def _record(context: Context, account: str) -> Object:
    record: Object = context.state.get(ACCOUNTS, account)["_record"]
    return record


def _standing(context: Context, account: str) -> Object:
    record = _record(context, account)
    return v2_view(record, [*(f"configuration.{name}" for name in record["configurations"]), "requirements"])
