"""The people of an account: kept in its record under the names of API v2, and shown by each API in its own way.

Those of a company or another entity are in ``persons``; an individual is the only person of its account, and is kept
in ``identity.individual``. https://docs.stripe.com/api/persons https://docs.stripe.com/api/v2/core/persons
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from ..clock import rfc3339
from ..context import Context
from ..errors import InvalidRequestError, ResourceMissingError
from ..metadata import merged
from ..values import Json, Object
from .record import at, overlaid

INDIVIDUAL: Final = "individual"
ROLES: Final = ("authorizer", "director", "executive", "legal_guardian", "owner", "representative")
_SAME: Final = ("address", "email", "phone", "political_exposure", "relationship")
_V1_NAMES: Final[Mapping[str, str]] = {
    "first_name": "given_name",
    "last_name": "surname",
    "dob": "date_of_birth",
    "gender": "legal_gender",
    **{name: name for name in _SAME},
}
"""What both APIs know, by the names of v1."""
V1_ONLY: Final = (
    *("additional_tos_acceptances", "address_kana", "address_kanji", "documents", "first_name_kana"),
    *("first_name_kanji", "full_name_aliases", "id_number_secondary", "last_name_kana", "last_name_kanji"),
    *("maiden_name", "registered_address", "us_cfpb_data", "verification"),
)
V2_ONLY: Final = (
    *("additional_addresses", "additional_names", "additional_terms_of_service", "documents", "person_token"),
    *("script_addresses", "script_names"),
)
_ID_NUMBER, _LAST_FOUR = "us_ssn", "us_ssn_last_4"
_WHOLE: Final = 100  # percent


def people_of(record: Object) -> list[Object]:
    """Everybody of the account, oldest first."""
    individual = at(record, "identity.individual")
    if at(record, "identity.entity_type") != INDIVIDUAL or individual is None:
        return list(record["persons"])
    alone = {
        "metadata": {},
        "updated": record["created"],
        **individual,
        "id": individual_id(record),
        "created": record["created"],
        "relationship": {**individual.get("relationship", {}), "representative": True},
    }
    return [alone, *record["persons"]]


def individual_id(record: Object) -> str:
    """The id of an account's individual as a person."""
    return f"person_{record['id'].removeprefix('acct_')}"


def find(record: Object, person: str) -> Object:
    """One of the account's people.

    Raises:
        ResourceMissingError: it has no such person.
    """
    found = next((each for each in people_of(record) if each["id"] == person), None)
    if found is None:
        raise ResourceMissingError("person", person)
    return found


def representative(record: Object) -> Object | None:
    """Whoever opens the account for a company."""
    return next((each for each in people_of(record) if at(each, "relationship.representative")), None)


def added(context: Context, record: Object, given: Mapping[str, Any]) -> tuple[Object, Object]:
    """The record with one more person, and that person.

    Raises:
        InvalidRequestError: a second representative, or owners of more than the whole.
    """
    now = context.clock.now()
    new = {"id": context.ids.new("person"), "created": now, "updated": now, "metadata": {}}
    return _kept(record, {**new, **_changed(new, given)})


def changed(context: Context, record: Object, person: Object, given: Mapping[str, Any]) -> tuple[Object, Object]:
    """The record with another version of a person, and that version.

    Raises:
        InvalidRequestError: as for a new one.
    """
    return _kept(record, {**_changed(person, given), "updated": context.clock.now()})


def removed(record: Object, person: Object) -> Object:
    """The record without a person.

    Raises:
        InvalidRequestError: it is the individual, or the representative.
    """
    if person["id"] == individual_id(record) or at(person, "relationship.representative"):
        raise InvalidRequestError("You cannot delete the representative of an account.", param="person")
    return {**record, "persons": [each for each in record["persons"] if each["id"] != person["id"]]}


def from_v1(given: Mapping[str, Any]) -> dict[str, Any]:
    """What the parameters of API v1 say, under the names of v2."""
    said = {_V1_NAMES[name]: given[name] for name in _V1_NAMES if name in given}
    if "nationality" in given:
        said["nationalities"] = [given["nationality"]] if given["nationality"] else []
    numbers = [
        {"type": kind} for name, kind in (("id_number", _ID_NUMBER), ("ssn_last_4", _LAST_FOUR)) if given.get(name)
    ]
    return {**said, "id_numbers": numbers} if numbers else said


def shown_v1(record: Object, person: Object, due: list[str]) -> dict[str, Any]:
    """The person as API v1 shows it; ``due`` has what is still asked of it."""
    kinds = {each["type"] for each in person.get("id_numbers") or ()}
    relationship = person.get("relationship") or {}
    blank = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    lists: dict[str, list[Json]] = {name: [] for name in ("alternatives", "errors", "pending_verification")}
    asked = {**lists, "currently_due": due, "eventually_due": due, "past_due": due}
    nationalities = person.get("nationalities") or [None]
    return {
        "id": person["id"],
        "object": "person",
        "account": record["id"],
        "address": {**blank, **(person.get("address") or {})},
        "created": person["created"],
        "dob": {**dict.fromkeys(("day", "month", "year")), **(person.get("date_of_birth") or {})},
        **{name: person.get(_V1_NAMES[name]) for name in ("email", "first_name", "last_name", "gender", "phone")},
        "future_requirements": {**lists, "currently_due": [], "eventually_due": [], "past_due": []},
        "id_number_provided": _ID_NUMBER in kinds,
        "metadata": person["metadata"],
        "nationality": nationalities[0],
        "political_exposure": person.get("political_exposure") or "none",
        "relationship": {
            **{role: bool(relationship.get(role)) for role in ROLES},
            "percent_ownership": _number(relationship.get("percent_ownership")),
            "title": relationship.get("title"),
        },
        "requirements": asked,
        "ssn_last_4_provided": bool(kinds),
        "verification": {
            "additional_document": dict.fromkeys(("back", "details", "details_code", "front")),
            "details": None,
            "details_code": None,
            "document": dict.fromkeys(("back", "details", "details_code", "front")),
            "status": "unverified" if due else "verified",
        },
    }


def shown_v2(record: Object, person: Object) -> dict[str, Any]:
    """The person as API v2 shows it."""
    absent = (
        "address",
        "date_of_birth",
        "email",
        "given_name",
        "legal_gender",
        "phone",
        "political_exposure",
        "surname",
    )
    relationship = person.get("relationship") or {}
    share = relationship.get("percent_ownership")
    return {
        "id": person["id"],
        "object": "v2.core.account_person",
        "account": record["id"],
        **{name: person.get(name) for name in absent},
        "created": rfc3339(person["created"]),
        "id_numbers": [{"type": each["type"]} for each in person.get("id_numbers") or ()],
        "livemode": False,
        "metadata": person["metadata"],
        "nationalities": person.get("nationalities"),
        "relationship": {
            **{role: bool(relationship.get(role)) for role in ROLES},
            "percent_ownership": None if share is None else str(share),
            "title": relationship.get("title"),
        },
        "updated": rfc3339(person["updated"]),
    }


def _number(share: Json) -> Json:
    """API v1 shows shares as numbers."""
    return None if share is None else float(share)


def _changed(before: Object, given: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in given.items() if name != "metadata"}
    relationship = told.get("relationship") or {}
    if relationship.get("percent_ownership") not in (None, ""):
        share = str(relationship["percent_ownership"])
        told["relationship"] = {**relationship, "percent_ownership": share}
    if told.get("id_numbers"):  # the numbers themselves are never shown again
        told["id_numbers"] = [{"type": each["type"]} for each in told["id_numbers"]]
    metadata = merged(before["metadata"], given.get("metadata"))
    return {**overlaid(before, told), "metadata": metadata}


def _kept(record: Object, person: Object) -> tuple[Object, Object]:
    if person["id"] == individual_id(record):
        told = {name: value for name, value in person.items() if name not in ("id", "created")}
        return {**record, "identity": {**record["identity"], INDIVIDUAL: told}}, person
    others = [each for each in record["persons"] if each["id"] != person["id"]]
    _check(record, others, person)
    kept = [person if each["id"] == person["id"] else each for each in record["persons"]]
    return {**record, "persons": kept if person in kept else [*kept, person]}, person


def _check(record: Object, others: list[Object], person: Object) -> None:
    if at(record, "identity.entity_type") == INDIVIDUAL and at(person, "relationship.representative"):
        raise InvalidRequestError(
            "The representative of an individual is the individual itself.", param="relationship[representative]"
        )
    if at(person, "relationship.representative") and any(at(each, "relationship.representative") for each in others):
        raise InvalidRequestError("An account can have only one representative.", param="relationship[representative]")
    shares = [at(each, "relationship.percent_ownership") for each in (*others, person)]
    if sum(Decimal(share) for share in shares if share) > _WHOLE:
        raise InvalidRequestError(
            "The shares of all owners are more than 100 percent.", param="relationship[percent_ownership]"
        )
