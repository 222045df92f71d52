"""What comes of onboarding: what was asked for is given, by whoever fills in the form or by a test."""

from collections.abc import Mapping
from typing import Any, Final

from ..context import Context
from ..pages import text_of
from ..values import Object
from .changes import save
from .persons import INDIVIDUAL, added, changed, representative
from .record import at, overlaid
from .requests import bank_account

COMPLETE, LEAVE, REJECT = "complete", "leave", "reject"
ACTIONS: Final = (COMPLETE, LEAVE, REJECT)
USUAL: Final = {"entity_type": "individual", "given_name": "Jenny", "surname": "Rosen", "name": "Rosen Tea Ltd"}
"""What a field that was left empty means."""


def finish(context: Context, before: Object, action: str, fields: Mapping[str, Any]) -> None:
    """End an onboarding: leaving changes nothing, completing gives what is asked, a rejection follows all the same."""
    if action == LEAVE:
        return
    record = {**before, "identity": overlaid(before["identity"], _identity(context, before, fields))}
    if not record["bank_accounts"]:
        number = text_of(fields, "account_number")
        record["bank_accounts"] = [bank_account(context, record, {"account_number": number} if number else None)]
    if at(record, "identity.entity_type") != INDIVIDUAL:
        record = _represented(context, record, fields)
    save(context, before, {**record, "demands": [], "submitted": True, "rejected": action == REJECT})


def _represented(context: Context, record: dict[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """The record with whoever filled in the form as the representative, if it has none."""
    found = representative(record)
    names = {name: text_of(fields, name) or USUAL[name] for name in ("given_name", "surname")}
    if found is None:
        return dict(added(context, record, {**names, "relationship": {"representative": True}})[0])
    missing = {name: value for name, value in names.items() if found.get(name) is None}
    return dict(changed(context, record, found, missing)[0]) if missing else record


def _identity(context: Context, record: Object, fields: Mapping[str, Any]) -> Object:
    given = {name: text_of(fields, name) or usual for name, usual in USUAL.items()}
    entity_type = text_of(fields, "entity_type") or at(record, "identity.entity_type") or USUAL["entity_type"]
    accepted = {"date": context.clock.timestamp(), "ip": "127.0.0.1", "user_agent": None}
    terms = {"attestations": {"terms_of_service": {"account": accepted}}}
    if entity_type == "individual":
        details = {"individual": {"given_name": given["given_name"], "surname": given["surname"]}}
    else:
        details = {"business_details": {"registered_name": given["name"]}}
    return {"entity_type": entity_type, **details, **terms}
