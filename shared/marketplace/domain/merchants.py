"""Merchants: who sells, the connected account behind it, and whether it can be sold for."""

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from marketplace.domain.account_facts import Requirement, account_facts
from marketplace.domain.deferred import dataclass
from marketplace.domain.fees import FeePolicy
from marketplace.domain.merchant_states import GONE, LOST, TRANSITIONS, WAITING, MerchantStatus
from marketplace.domain.responsibilities import AccountsApi, Responsibilities
from marketplace.domain.states import require_transition

LINK_LIFETIME: Final = timedelta(days=7)  # how long our onboarding link renews Stripe's, which lives minutes
ACTIVE: Final = "active"  # Stripe's word for a capability that can be used
LEFT: Final = "deauthorized"  # as the restriction of an account that cannot be read any more


@dataclass(frozen=True, kw_only=True)
class Merchant:
    """A seller. ``currencies`` are what it may be sold for in; ``account_id`` is Stripe's.

    ``status`` is whether its account can receive transfers, since ``status_since`` as far as is known here. While
    ``due_at`` is set, its open sessions are being ended, and ``sessions_cursor`` is how far that is.
    """

    id: str
    name: str
    country: str
    currencies: tuple[str, ...]
    fee_policy: FeePolicy | None
    api: AccountsApi = AccountsApi.V2
    responsibilities: Responsibilities = field(default_factory=Responsibilities)
    status: MerchantStatus = MerchantStatus.REQUESTED
    status_since: datetime | None = None
    account_id: str | None = None
    restriction: str | None = None
    requirements_due: tuple[str, ...] = ()  # the names of what the merchant has to give now, or should have given
    requirements: tuple[Requirement, ...] = ()
    can_be_paid_out: bool = False
    card_payments: str | None = None
    created_at: datetime
    due_at: datetime | None = None
    sessions_cursor: str | None = None
    version: int = 1

    @property
    def is_waiting(self) -> bool:
        """Whether it may become ready, by what it or Stripe does."""
        return self.status in WAITING

    @property
    def is_ready(self) -> bool:
        """Whether it can receive transfers now."""
        return self.status is MerchantStatus.READY

    @property
    def takes_card_payments(self) -> bool:
        """Whether it can be the settlement merchant of a charge now."""
        return self.card_payments == ACTIVE

    @property
    def is_lost(self) -> bool:
        """Whether waiting for it makes no sense."""
        return self.status in LOST

    @property
    def is_gone(self) -> bool:
        """Whether the platform cannot reach its account any more."""
        return self.status in GONE

    @property
    def may_become_ready(self) -> bool:
        """Whether waiting for it makes sense."""
        return not self.is_lost

    @property
    def requirements_deadline(self) -> datetime | None:
        """The soonest moment at which something that is missing restricts the merchant."""
        return min((each.deadline for each in self.requirements if each.deadline), default=None)


class LinkUse(StrEnum):
    """What an account link is for: Stripe's words."""

    ONBOARDING = "account_onboarding"
    UPDATE = "account_update"  # where the platform collects requirements


class Collect(StrEnum):
    """What a link asks the merchant for: Stripe's words."""

    CURRENTLY_DUE = "currently_due"
    EVENTUALLY_DUE = "eventually_due"  # and what will be due later


@dataclass(frozen=True, kw_only=True)
class OnboardingLink:
    """Our link behind Stripe's ``refresh_url``: Stripe's own links are used once, this one mints the next, like it."""

    token_hash: str
    merchant_id: str
    return_url: str
    expires_at: datetime
    use: LinkUse = LinkUse.ONBOARDING
    collect: Collect = Collect.CURRENTLY_DUE


def as_at_stripe(merchant: Merchant, account: Mapping[str, Any], now: datetime) -> Merchant:
    """The merchant as its account, just read by either API, shows it."""
    facts = account_facts(account)
    return replace(
        _moved(merchant, facts.status, now),
        account_id=facts.account_id,
        restriction=facts.restriction,
        requirements_due=facts.requirements_due,
        requirements=facts.requirements,
        can_be_paid_out=facts.can_be_paid_out,
        card_payments=facts.card_payments,
    )


def deauthorized(merchant: Merchant, now: datetime) -> Merchant:
    """The merchant whose account cannot be read any more, because its owner took it off the platform."""
    if merchant.status is MerchantStatus.CLOSED:
        return merchant
    left = _moved(merchant, MerchantStatus.DEAUTHORIZED, now)
    return replace(
        left, restriction=LEFT, requirements_due=(), requirements=(), can_be_paid_out=False, card_payments=None
    )


def refused(merchant: Merchant, code: str, now: datetime) -> Merchant:
    """The merchant whose account Stripe refused to make."""
    return replace(_moved(merchant, MerchantStatus.REFUSED, now), restriction=code)


def _moved(merchant: Merchant, status: MerchantStatus, now: datetime) -> Merchant:
    if status is merchant.status:
        return merchant
    require_transition(TRANSITIONS, merchant.status, status)
    return replace(merchant, status=status, status_since=now)
