"""What a connected account says of its merchant, read from Stripe's object in the words of either API."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from marketplace.domain.deferred import dataclass
from marketplace.domain.merchant_states import MerchantStatus

# What of an Accounts v2 object is read; the rest is left out of it.
PARTS: Final = ("configuration.recipient", "configuration.merchant", "requirements")

# https://docs.stripe.com/connect/accounts-v2: status of recipient.capabilities.stripe_balance.stripe_transfers
BY_CAPABILITY: Final[Mapping[str, MerchantStatus]] = {
    "active": MerchantStatus.READY,
    "pending": MerchantStatus.PENDING,
    "restricted": MerchantStatus.RESTRICTED,
    "rejected": MerchantStatus.REJECTED,
    "unsupported": MerchantStatus.REJECTED,
}
# Capabilities of API v1 are active, pending or inactive; for these reasons an inactive one is only being checked.
CHECKING: Final = frozenset({"requirements.pending_verification", "under_review", "listed"})
_PREFIX_OF_REJECTIONS: Final = "rejected."


class Due(StrEnum):
    """When something is required: Stripe's words in both APIs."""

    PAST = "past_due"  # what it restricts is restricted
    CURRENTLY = "currently_due"
    EVENTUALLY = "eventually_due"


class Awaits(StrEnum):
    """Who has to act on a requirement."""

    USER = "user"  # the merchant
    STRIPE = "stripe"  # it was given, and Stripe is checking


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """Something that Stripe requires of a merchant, by Stripe's name for it.

    ``deadline`` is the soonest moment that Stripe names for what is due so; ``restricts`` are the capabilities that end
    then, which only API v2 says.
    """

    name: str
    due: Due
    deadline: datetime | None = None
    restricts: tuple[str, ...] = ()
    awaits: Awaits = Awaits.USER


class AccountFacts(NamedTuple):
    """What is kept of an account. ``card_payments`` is that capability's status, None where it was not asked for."""

    account_id: str
    status: MerchantStatus
    restriction: str | None
    requirements: tuple[Requirement, ...]
    can_be_paid_out: bool
    card_payments: str | None

    @property
    def requirements_due(self) -> tuple[str, ...]:
        """The names of what the merchant has to give now, or should have given."""
        pressing = (each for each in self.requirements if each.due is not Due.EVENTUALLY)
        return tuple(each.name for each in pressing if each.awaits is Awaits.USER)


def account_facts(account: Mapping[str, Any]) -> AccountFacts:
    """What an account, just read by API v1 or v2, says; one of v2 with the ``PARTS``."""
    return _facts_v2(account) if account["object"] == "v2.core.account" else _facts_v1(account)


def _facts_v2(account: Mapping[str, Any]) -> AccountFacts:
    transfers = _at(account, "configuration", "recipient", "capabilities", "stripe_balance", "stripe_transfers")
    payouts = [
        _at(account, "configuration", name, "capabilities", "stripe_balance", "payouts")
        for name in ("recipient", "merchant")
    ]
    details = transfers.get("status_details") or []
    status = BY_CAPABILITY.get(str(transfers.get("status", "pending")), MerchantStatus.RESTRICTED)
    restriction = str(details[0]["code"]) if details else None
    if account.get("closed"):
        status, restriction = MerchantStatus.CLOSED, "closed"
    return AccountFacts(
        account_id=account["id"],
        status=status,
        restriction=restriction,
        requirements=tuple(sorted(_requirements_v2(account), key=_in_order)),
        can_be_paid_out=any(each.get("status") == "active" for each in payouts),
        card_payments=_at(account, "configuration", "merchant", "capabilities", "card_payments").get("status"),
    )


def _requirements_v2(account: Mapping[str, Any]) -> Iterator[Requirement]:
    """Each says when it is due, and the summary has the moment of those that are due the soonest."""
    soonest = _at(account, "requirements", "summary", "minimum_deadline")
    moment = datetime.fromisoformat(soonest["time"]) if soonest.get("time") else None
    for entry in _at(account, "requirements").get("entries") or []:
        due = Due(entry["minimum_deadline"]["status"])
        restricts = (entry.get("impact") or {}).get("restricts_capabilities") or []
        yield Requirement(
            name=str(entry["description"]),
            due=due,
            deadline=moment if due == soonest.get("status") else None,
            restricts=tuple(sorted({str(each["capability"]) for each in restricts})),
            awaits=Awaits(entry["awaiting_action_from"]),
        )


def _facts_v1(account: Mapping[str, Any]) -> AccountFacts:
    capabilities, required = account.get("capabilities") or {}, account.get("requirements") or {}
    why = required.get("disabled_reason")
    transfers = capabilities.get("transfers", "pending")
    return AccountFacts(
        account_id=account["id"],
        status=_status_v1(transfers, why or ""),
        restriction=None if transfers == "active" else why,
        requirements=tuple(sorted(_requirements_v1(required), key=_in_order)),
        can_be_paid_out=bool(account["payouts_enabled"]),
        card_payments=capabilities.get("card_payments"),
    )


def _status_v1(transfers: str, why: str) -> MerchantStatus:
    if transfers == "active":
        return MerchantStatus.READY
    if why.startswith(_PREFIX_OF_REJECTIONS):
        return MerchantStatus.REJECTED
    return MerchantStatus.PENDING if transfers == "pending" or why in CHECKING else MerchantStatus.RESTRICTED


def _requirements_v1(required: Mapping[str, Any]) -> Iterator[Requirement]:
    """What is past due is currently due as well, and all of it eventually: each is told where it presses most."""
    deadline = required.get("current_deadline")
    moment = None if deadline is None else datetime.fromtimestamp(deadline, UTC)
    told: set[str] = set()
    for due in Due:
        for name in required.get(due) or []:
            if name not in told:
                told.add(name)
                yield Requirement(name=name, due=due, deadline=moment if due is Due.CURRENTLY else None)
    for name in required.get("pending_verification") or []:
        if name not in told:
            yield Requirement(name=name, due=Due.CURRENTLY, awaits=Awaits.STRIPE)


def _in_order(requirement: Requirement) -> tuple[int, str]:
    return list(Due).index(requirement.due), requirement.name


def _at(account: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """What stands at a path, empty where any part of it is null."""
    found: Mapping[str, Any] = account
    for name in path:
        found = found.get(name) or {}
    return found
