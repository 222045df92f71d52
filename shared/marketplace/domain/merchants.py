"""Merchants: who sells, the connected account behind it, and whether it can be sold for."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from marketplace.domain.deferred import dataclass
from marketplace.domain.fees import FeePolicy

LINK_LIFETIME: Final = timedelta(days=7)  # how long our onboarding link renews Stripe's, which lives minutes


class MerchantStatus(StrEnum):
    """Read from the account, whose capability goes back and forth: every state may follow every other."""

    REQUESTED = "requested"  # no account yet
    PENDING = "pending"  # Stripe is checking
    READY = "ready"  # can receive transfers
    RESTRICTED = "restricted"  # cannot now; ``restriction`` says why, ``requirements_due`` what is missing
    REJECTED = "rejected"  # Stripe will not have it
    REFUSED = "refused"  # Stripe refused to make the account


# https://docs.stripe.com/connect/accounts-v2: status of recipient.capabilities.stripe_balance.stripe_transfers
BY_CAPABILITY: Final[Mapping[str, MerchantStatus]] = {
    "active": MerchantStatus.READY,
    "pending": MerchantStatus.PENDING,
    "restricted": MerchantStatus.RESTRICTED,
    "rejected": MerchantStatus.REJECTED,
    "unsupported": MerchantStatus.REJECTED,
}


@dataclass(frozen=True, kw_only=True)
class Merchant:
    """A seller. ``currencies`` are what it may be sold for in; ``account_id`` is Stripe's."""

    id: str
    name: str
    country: str
    currencies: tuple[str, ...]
    fee_policy: FeePolicy | None
    status: MerchantStatus = MerchantStatus.REQUESTED
    account_id: str | None = None
    requirements_due: tuple[str, ...] = ()
    restriction: str | None = None
    created_at: datetime
    version: int = 1

    @property
    def is_waiting(self) -> bool:
        """Whether it may become ready, by what it or Stripe does."""
        return self.status in {MerchantStatus.PENDING, MerchantStatus.RESTRICTED}

    @property
    def is_ready(self) -> bool:
        """Whether it can receive transfers now."""
        return self.status is MerchantStatus.READY

    @property
    def may_become_ready(self) -> bool:
        """Whether waiting for it makes sense."""
        return self.status in WAITING


@dataclass(frozen=True, kw_only=True)
class OnboardingLink:
    """Our link behind Stripe's ``refresh_url``: Stripe's own links are used once, this one mints the next."""

    token_hash: str
    merchant_id: str
    return_url: str
    expires_at: datetime


WAITING: Final = frozenset(
    {MerchantStatus.REQUESTED, MerchantStatus.PENDING, MerchantStatus.RESTRICTED, MerchantStatus.READY}
)


def as_at_stripe(merchant: Merchant, account: Mapping[str, Any]) -> Merchant:
    """The merchant as its Accounts v2 object, just read, shows it; the same object when nothing changed.

    ``account`` needs ``include=["configuration.recipient", "requirements"]``.
    """
    transfers = _transfers_capability(account)
    capability = str(transfers.get("status", "pending"))
    details = transfers.get("status_details") or []
    seen = replace(
        merchant,
        account_id=account["id"],
        status=BY_CAPABILITY.get(capability, MerchantStatus.RESTRICTED),
        requirements_due=_requirements_due(account),
        restriction=str(details[0]["code"]) if details else None,
    )
    return merchant if seen == merchant else seen


def _transfers_capability(account: Mapping[str, Any]) -> Mapping[str, Any]:
    recipient = (account.get("configuration") or {}).get("recipient") or {}
    balance = (recipient.get("capabilities") or {}).get("stripe_balance") or {}
    return balance.get("stripe_transfers") or {}


def _requirements_due(account: Mapping[str, Any]) -> tuple[str, ...]:
    entries = (account.get("requirements") or {}).get("entries") or []
    return tuple(sorted({str(entry["description"]) for entry in entries if entry.get("description")}))
