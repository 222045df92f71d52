"""A capability as API v1 shows it on its own. https://docs.stripe.com/api/capabilities/object"""

from ..values import Object
from . import standing
from .record import CUSTOMER, MERCHANT
from .v1_view import V1_NAMES, requirements, v1_names

_NEEDS_FIELDS = "requirements.fields_needed"


def place_of(name: str) -> tuple[str, str]:
    """Configuration and name in API v2 of what API v1 calls ``name``."""
    return V1_NAMES.get(name, (MERCHANT, name))


def named(record: Object) -> list[str]:
    """What API v1 calls the capabilities that the account requested; some it does not know."""
    names = v1_names()
    known = [names.get(each, each[1]) for each in standing.capabilities(record) if each[0] != CUSTOMER]
    return [name for name in known if "." not in name]


def shown(record: Object, name: str) -> Object:
    """The capability, requested or not."""
    configuration, capability = place_of(name)
    found = standing.status(record, configuration, capability)
    due = standing.due(record) if found else []
    status = standing.V1_STATUS.get(found.status, "inactive") if found else "unrequested"
    reason = None
    if found and found.status == standing.REJECTED:
        reason = "rejected.other"
    elif any(each.status == standing.PAST_DUE for each in due):
        reason = _NEEDS_FIELDS
    return {
        "id": name,
        "object": "capability",
        "account": record["id"],
        "future_requirements": {**requirements([]), "disabled_reason": None},
        "requested": found is not None,
        "requested_at": record["requested_at"].get(f"{configuration}.{capability}"),
        "requirements": {**requirements(due), "disabled_reason": reason},
        "status": status,
    }
