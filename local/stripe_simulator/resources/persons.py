"""The people of connected accounts. https://docs.stripe.com/api/persons https://docs.stripe.com/api/v2/core/persons"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ..accounts import get_record, persons, save, standing, tokens
from ..accounts.record import at
from ..catalog import jsonable
from ..context import Context
from ..errors import InvalidRequestError
from ..lists import list_object, read_limit
from ..routing import Routes
from ..values import Object

routes = Routes()
_V1: Final = "/v1/accounts/{account}/persons"
_V2: Final = "/v2/core/accounts/{account_id}/persons"


@routes.api("POST", _V1)
def create(context: Context, account: str) -> Object:
    """Add a person to an account."""
    before = _open(context, account)
    after, person = persons.added(context, before, _given_v1(context))
    return _keep(context, before, after, person, "created")


@routes.api("GET", _V1)
def list_persons(context: Context, account: str) -> Object:
    """An account's people, newest first; few enough for one page."""
    context.unsupported("starting_after", "ending_before")
    record, wanted = get_record(context, account), context.params.get("relationship", {})
    found = [
        each
        for each in reversed(persons.people_of(record))
        if all(bool(at(each, f"relationship.{role}")) == is_wanted for role, is_wanted in wanted.items())
    ]
    limit = read_limit(context.params)
    return list_object([_v1(record, each) for each in found[:limit]], context.path, has_more=len(found) > limit)


@routes.api("GET", _V1 + "/{person}")
def retrieve(context: Context, account: str, person: str) -> Object:
    """One person."""
    record = get_record(context, account)
    return _v1(record, persons.find(record, person))


@routes.api("POST", _V1 + "/{person}")
def update(context: Context, account: str, person: str) -> Object:
    """Change what was given."""
    before = _open(context, account)
    after, changed = persons.changed(context, before, persons.find(before, person), _given_v1(context))
    return _keep(context, before, after, changed, "updated")


@routes.api("DELETE", _V1 + "/{person}")
def delete(context: Context, account: str, person: str) -> Object:
    """Remove a person who does not represent the account."""
    _remove(context, account, person)
    return {"id": person, "object": "person", "deleted": True}


@routes.api("POST", _V2)
def create_v2(context: Context, account_id: str) -> Object:
    """Add a person to an account."""
    before = _open(context, account_id)
    after, person = persons.added(context, before, _given_v2(context))
    _keep(context, before, after, person, "created")
    return persons.shown_v2(after, person)


@routes.api("GET", _V2)
def list_v2(context: Context, account_id: str) -> Object:
    """An account's people, newest first; few enough for one page."""
    context.unsupported("page")
    record, limit = get_record(context, account_id), read_limit(context.params)
    found = [persons.shown_v2(record, each) for each in reversed(persons.people_of(record))]
    return {"data": found[:limit], "next_page_url": None, "previous_page_url": None}


@routes.api("GET", _V2 + "/{id}")
def retrieve_v2(context: Context, account_id: str, id: str) -> Object:  # noqa: A002 - the SDK's name of the placeholder
    """One person."""
    record = get_record(context, account_id)
    return persons.shown_v2(record, persons.find(record, id))


@routes.api("POST", _V2 + "/{id}")
def update_v2(context: Context, account_id: str, id: str) -> Object:  # noqa: A002 - the SDK's name of the placeholder
    """Change what was given; null unsets."""
    before = _open(context, account_id)
    after, changed = persons.changed(context, before, persons.find(before, id), _given_v2(context))
    _keep(context, before, after, changed, "updated")
    return persons.shown_v2(after, changed)


@routes.api("DELETE", _V2 + "/{id}")
def delete_v2(context: Context, account_id: str, id: str) -> Object:  # noqa: A002 - the SDK's name of the placeholder
    """Remove a person who does not represent the account."""
    _remove(context, account_id, id)
    return {"id": id, "object": "v2.core.account_person"}


def _open(context: Context, account: str) -> Object:
    record = get_record(context, account)
    if record["closed"]:
        raise InvalidRequestError(f"The account {account} is closed.", code="account_closed")
    return record


def _given_v1(context: Context) -> dict[str, Any]:
    params = tokens.with_token(context, tokens.PERSON, "person_token")
    replace(context, params=params).unsupported(*persons.V1_ONLY)
    return _with_metadata(context, persons.from_v1(params))


def _given_v2(context: Context) -> dict[str, Any]:
    context.unsupported(*persons.V2_ONLY)
    said: Mapping[str, Any] = jsonable(context.params)
    return _with_metadata(context, {name: value for name, value in said.items() if name != "metadata"})


def _with_metadata(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    return {**given, "metadata": context.params["metadata"]} if "metadata" in context.params else given


def _v1(record: Object, person: Object) -> Object:
    return persons.shown_v1(record, person, standing.due_of(record, person))


def _remove(context: Context, account: str, person: str) -> None:
    before = _open(context, account)
    gone = persons.find(before, person)
    _keep(context, before, persons.removed(before, gone), gone, "deleted")


def _keep(context: Context, before: Object, after: Object, person: Object, what: str) -> Object:
    """Keep the people as a part of the record, and tell of one of them."""
    saved = save(context, before, after)
    own, shown = context.on(saved["id"]), _v1(saved, person)
    previous = _v1(before, persons.find(before, person["id"])) if what == "updated" else None
    own.emit(f"person.{what}", shown, previous=previous)
    url = f"/v2/core/accounts/{saved['id']}/persons/{person['id']}"
    thin = {**persons.shown_v2(saved, person), "_url": url}
    own.emit(f"v2.core.account_person.{what}", thin, data={"account_id": saved["id"]})
    return shown
