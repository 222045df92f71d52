"""What an account may do now and what is still asked of it, computed from its record.

Stripe asks for far more, by country and business; these few stand for them, so that the ways into and out of each
status can be walked. https://docs.stripe.com/connect/required-verification-information
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from ..values import Object
from .persons import representative
from .record import CUSTOMER, MERCHANT, PAYOUTS, RECIPIENT, at

ACTIVE, PENDING, RESTRICTED, REJECTED, UNSUPPORTED = "active", "pending", "restricted", "rejected", "unsupported"
V1_STATUS: Final = {ACTIVE: "active", PENDING: "pending"}
"""What API v1 says for a status; ``inactive`` for all others."""

EXTERNAL_ACCOUNT: Final = "external_account"
REPRESENTATIVE: Final = "representative."
PAST_DUE, CURRENTLY_DUE, EVENTUALLY_DUE = "past_due", "currently_due", "eventually_due"


class Requirement(NamedTuple):
    """Something that is asked of an account: where API v2 has it, and what each API calls it."""

    name: str
    v1_name: str
    entity_types: frozenset[str] | None = None  # None: of all
    status: str = "past_due"
    deadline: int | None = None


_COMPANIES: Final = frozenset({"company", "government_entity", "non_profit"})
_INDIVIDUALS: Final = frozenset({"individual"})
REQUIREMENTS: Final = (
    Requirement("identity.entity_type", "business_type"),
    Requirement("identity.individual.given_name", "individual.first_name", _INDIVIDUALS),
    Requirement("identity.individual.surname", "individual.last_name", _INDIVIDUALS),
    Requirement("identity.business_details.registered_name", "company.name", _COMPANIES),
    Requirement(REPRESENTATIVE + "given_name", "representative.first_name", _COMPANIES),
    Requirement(REPRESENTATIVE + "surname", "representative.last_name", _COMPANIES),
    Requirement("identity.attestations.terms_of_service.account", "tos_acceptance.date"),
    Requirement(EXTERNAL_ACCOUNT, EXTERNAL_ACCOUNT),
)


class Status(NamedTuple):
    """A capability's status, with the details of API v2."""

    status: str
    details: tuple[tuple[str, str], ...] = ()  # (code, resolution)

    def shown(self) -> dict[str, Any]:
        """As API v2 shows it."""
        details = [{"code": code, "resolution": resolution} for code, resolution in self.details]
        return {"status": self.status, "status_details": details}


def capabilities(record: Object) -> Iterator[tuple[str, str]]:
    """The requested capabilities: configuration and name."""
    for configuration, requested in record["capabilities"].items():
        for name in requested:
            yield configuration, name


def due(record: Object) -> list[Requirement]:
    """What is still asked for; nothing before a capability that needs it was requested."""
    if record["closed"] or not any(configuration != CUSTOMER for configuration, _ in capabilities(record)):
        return []
    entity_type = at(record, "identity.entity_type")
    asked = [each for each in REQUIREMENTS if each.entity_types is None or entity_type in each.entity_types]
    demanded = [
        Requirement(each["name"], each["v1_name"], status=each["status"], deadline=each["deadline"])
        for each in record["demands"]
    ]
    return [each for each in (*asked, *demanded) if not _is_met(record, each)]


def due_of(record: Object, person: Object) -> list[str]:
    """What is still asked for of one of the account's people, as API v1 names it."""
    found = representative(record)
    if found is None or found["id"] != person["id"]:
        return []
    asked = [each.v1_name for each in due(record)]
    return [name.removeprefix(REPRESENTATIVE) for name in asked if name.startswith(REPRESENTATIVE)]


def _is_met(record: Object, requirement: Requirement) -> bool:
    if requirement.name == EXTERNAL_ACCOUNT:
        return bool(record["bank_accounts"])
    if requirement.name.startswith(REPRESENTATIVE):
        return at(representative(record), requirement.name.removeprefix(REPRESENTATIVE)) is not None
    return at(record, requirement.name) is not None


def status(record: Object, configuration: str, capability: str) -> Status | None:
    """A capability's status, None when it was not requested."""
    if capability not in record["capabilities"].get(configuration, {}):
        return None
    ordered = record["capabilities"][configuration][capability]
    if ordered:
        return Status(
            ordered["status"], tuple((each["code"], each["resolution"]) for each in ordered["status_details"])
        )
    if record["closed"]:
        return Status(RESTRICTED, (("restricted_other", "no_resolution"),))
    if configuration == CUSTOMER:
        return Status(ACTIVE)
    rejection = record["rejection"]
    if record["rejected"] or (rejection and not (capability == PAYOUTS and rejection["payouts"])):
        return Status(REJECTED, (("rejected_other", "contact_stripe"),))
    is_late = any(each.status == PAST_DUE for each in due(record))
    return Status(RESTRICTED, (("requirements_past_due", "provide_info"),)) if is_late else Status(ACTIVE)


def is_active(record: Object, configuration: str, capability: str) -> bool:
    """Whether the capability can be used."""
    found = status(record, configuration, capability)
    return found is not None and found.status == ACTIVE


def can_be_paid_out(record: Object) -> bool:
    """Whether payouts leave the account's balance."""
    return any(is_active(record, configuration, PAYOUTS) for configuration in (RECIPIENT, MERCHANT))
