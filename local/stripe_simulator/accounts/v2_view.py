"""An account as API v2 shows it: parts that ``include`` does not name are null.

https://docs.stripe.com/api/v2/core/accounts/object
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from ..clock import rfc3339
from ..values import Json, Object
from . import standing

_CONFIGURATIONS: Final = ("customer", "merchant", "recipient")
EVERYTHING: Final = (
    *(f"configuration.{name}" for name in _CONFIGURATIONS),
    *("defaults", "future_requirements", "identity", "requirements"),
)
_SOONEST: Final = (standing.PAST_DUE, standing.CURRENTLY_DUE, standing.EVENTUALLY_DUE)
_IDENTITY: Final = ("attestations", "business_details", "country", "entity_type", "individual")
_DEFAULTS: Final = ("currency", "locales", "payout_methods", "profile")
_NEVER_SHOWN: Final = frozenset({"id_numbers"})  # only that they were given is


def v2_view(record: Object, include: Collection[str]) -> Object:
    """The account, with the parts that were asked for."""
    configurations = record["configurations"]
    shown = {
        name: _configuration(record, name) if f"configuration.{name}" in include else None for name in _CONFIGURATIONS
    }
    return {
        "id": record["id"],
        "object": "v2.core.account",
        "applied_configurations": [name for name in _CONFIGURATIONS if configurations.get(name, {}).get("applied")],
        "closed": record["closed"],
        "configuration": shown if any(f"configuration.{name}" in include for name in _CONFIGURATIONS) else None,
        "contact_email": record["contact_email"],
        "contact_phone": record["contact_phone"],
        "created": rfc3339(record["created"]),
        "dashboard": record["dashboard"],
        "defaults": _defaults(record) if "defaults" in include else None,
        "display_name": record["display_name"],
        "future_requirements": _requirements(record, []) if "future_requirements" in include else None,
        "identity": _identity(record) if "identity" in include else None,
        "livemode": False,
        "metadata": record["metadata"],
        "requirements": _requirements(record, standing.due(record)) if "requirements" in include else None,
    }


def _configuration(record: Object, name: str) -> Object | None:
    found = record["configurations"].get(name)
    if found is None:
        return None
    tree: dict[str, Any] = {}
    for capability in record["capabilities"].get(name, ()):
        *groups, leaf = capability.split(".")
        node = tree
        for group in groups:
            node = node.setdefault(group, {})
        status = standing.status(record, name, capability)
        node[leaf] = status.shown() if status else None
    return {**found, "capabilities": tree}


def _defaults(record: Object) -> Object:
    responsibilities = {"fees_collector": None, "losses_collector": None, **record["responsibilities"]}
    return {**{name: record["defaults"].get(name) for name in _DEFAULTS}, "responsibilities": responsibilities}


def _identity(record: Object) -> Object:
    identity = {name: _shown(record["identity"].get(name)) for name in _IDENTITY}
    if identity["individual"] is not None:
        created = rfc3339(record["created"])
        person = {"id": f"person_{record['id'].removeprefix('acct_')}", "object": "v2.core.account_person"}
        changed = identity["individual"].get("updated")
        updated = created if changed is None else rfc3339(changed)
        made = {"account": record["id"], "created": created, "updated": updated}
        identity["individual"] = {**identity["individual"], **person, **made}
    return identity


def _shown(value: Json) -> Json:
    if not isinstance(value, Mapping):
        return value
    return {
        name: [{"type": each["type"]} for each in item] if name in _NEVER_SHOWN else _shown(item)
        for name, item in value.items()
    }


def _requirements(record: Object, due: list[standing.Requirement]) -> Object:
    asking = [each for each in standing.capabilities(record) if each[0] != "customer"]

    def restricted(status: str) -> list[Object]:
        return [
            {"capability": capability, "configuration": configuration, "deadline": {"status": status}}
            for configuration, capability in asking
        ]

    entries = [
        {
            "awaiting_action_from": "user",
            "description": each.name,
            "errors": [],
            "impact": {"restricts_capabilities": restricted(each.status)},
            "minimum_deadline": {"status": each.status},
            "reference": None,
            "requested_reasons": [{"code": "routine_onboarding"}],
        }
        for each in due
    ]
    deadline = _soonest(due) if due else None
    return {"alternatives": [], "entries": entries, "summary": {"minimum_deadline": deadline}}


def _soonest(due: list[standing.Requirement]) -> Object:
    status = min((each.status for each in due), key=_SOONEST.index)
    moments = [each.deadline for each in due if each.status == status and each.deadline is not None]
    return {"status": status, "time": rfc3339(min(moments)) if moments else None}
