"""Merchants: create the connected account, onboard it, keep its status as Stripe has it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, override

from marketplace.domain.commands import Command, CommandKind, Doubt, record
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import LinkExpired, MerchantNotReady, NotFound, StripeRefused, UnknownCurrency
from marketplace.domain.fees import FeePolicy
from marketplace.domain.merchants import LINK_LIFETIME, Merchant, MerchantStatus, OnboardingLink, as_at_stripe
from marketplace.domain.money import CURRENCIES
from marketplace.domain.principals import Principal, Role
from marketplace.operations import Operation
from marketplace.ports import (
    Change,
    Conflict,
    Create,
    Done,
    NoAnswer,
    Page,
    Ports,
    Ref,
    Refusal,
    Replace,
    StripeUnavailable,
    one,
)
from marketplace.services.commands import Handler, find_made, perform_once, require_done
from marketplace.services.idempotency import Once
from marketplace.services.shares import pay_what_waited

ACCOUNT_PARTS: Final = ["configuration.recipient", "requirements"]
MOST_COMMIT_TRIES: Final = 12


@dataclass(frozen=True, kw_only=True)
class NewMerchant:
    """A seller to be. ``country`` is ISO 3166 in lower case; without a fee policy the platform's default holds."""

    name: str
    contact_email: str
    country: str
    currencies: tuple[str, ...]
    fee_policy: FeePolicy | None


class CreateAccount(Handler[Merchant]):
    """An Accounts v2 account that receives transfers: express dashboard, fees and losses with the platform."""

    operation = Operation.CREATE_ACCOUNT

    @override
    def load(self, ports: Ports, command: Command) -> Merchant:
        return _merchant(ports, command.subject)

    @override
    def succeeded(self, ports: Ports, subject: Merchant, command: Command, made: Mapping[str, Any]) -> Sequence[Change]:
        # A repeated request gets the answer of long ago: where an event has brought the account already, it is newer.
        return [Replace(subject, as_at_stripe(subject, made))] if subject.account_id is None else []

    @override
    def refused(self, ports: Ports, subject: Merchant, command: Command, code: str) -> Sequence[Change]:
        return [Replace(subject, replace(subject, status=MerchantStatus.REFUSED, restriction=code))]

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        found = find_made(ports.stripe.each(Operation.LIST_ACCOUNTS, params={"limit": 100}), command)
        return None if found is None else _read_account(ports, found["id"])


CREATE_ACCOUNT: Final = CreateAccount()


def create_merchant(ports: Ports, caller: Principal, wanted: NewMerchant, once: Once) -> Merchant:
    """Make a merchant and its connected account.

    Raises:
        NotAllowed, UnknownCurrency, StripeRefused, IdempotencyKeyReused, RequestUnderWay.
        OutcomeUnknown: the account is made without the caller; the same key gives the answer later.
    """
    caller.require(Role.OPERATOR)
    _require_currencies(wanted.currencies)
    now = ports.clock.now()
    merchant = Merchant(
        id=ports.ids.new("merchant"),
        name=wanted.name,
        country=wanted.country,
        currencies=wanted.currencies,
        fee_policy=wanted.fee_policy,
        created_at=now,
    )
    command_id = ports.ids.new("command")
    command = record(
        command_id=command_id,
        subject=merchant.id,
        kind=CommandKind.CREATE_ACCOUNT,
        params=account_params(wanted, merchant.id, command_id),
        result=merchant.id,
        now=now,
    )
    done = require_done(perform_once(ports, CREATE_ACCOUNT, once, command, merchant, Create(merchant)))
    return _merchant(ports, done.result)


def account_params(wanted: NewMerchant, merchant_id: str, command_id: str) -> dict[str, Any]:
    """What Stripe is asked for (`/v2/core/accounts`)."""
    return {
        "contact_email": wanted.contact_email,
        "display_name": wanted.name,
        "dashboard": "express",
        "identity": {"country": wanted.country},
        "defaults": {
            "currency": wanted.currencies[0],
            "responsibilities": {"fees_collector": "application", "losses_collector": "application"},
        },
        "configuration": {"recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}}},
        "metadata": {"merchant_id": merchant_id, "command_id": command_id},
        "include": ACCOUNT_PARTS,
    }


def read_merchant(ports: Ports, caller: Principal, merchant_id: str) -> Merchant:
    """A merchant, to operators and itself. Raises NotFound."""
    merchant = one(ports.store, Ref(Merchant, merchant_id))
    if merchant is None or not caller.sees_merchant(merchant_id):
        raise NotFound("merchant")
    return merchant


def list_merchants(ports: Ports, caller: Principal, *, cursor: str | None, limit: int) -> Page[Merchant]:
    """All merchants, for operators. Raises NotAllowed, InvalidCursor."""
    caller.require(Role.OPERATOR)
    return ports.store.merchants(cursor=cursor, limit=limit)


def begin_onboarding(
    ports: Ports, caller: Principal, merchant_id: str, *, return_url: str, onboarding_url: str
) -> tuple[str, OnboardingLink]:
    """A link to Stripe's onboarding, used once and soon; ours behind it (``onboarding_url``/token) mints the next.

    Raises:
        NotFound, InvalidReturnUrl, StripeRefused, StripeUnavailable.
        MerchantNotReady: its account is not made yet.
    """
    merchant = read_merchant(ports, caller, merchant_id)
    token = ports.ids.token()
    link = OnboardingLink(
        token_hash=_hash(token),
        merchant_id=merchant.id,
        return_url=ports.policy.require_return_url(return_url),
        expires_at=ports.clock.now() + LINK_LIFETIME,
    )
    ports.store.commit(Create(link))
    return _account_link(ports, merchant, link, f"{onboarding_url}/{token}"), link


def continue_onboarding(ports: Ports, token: str, *, onboarding_url: str) -> str:
    """Stripe's next link, for a browser that comes back because the last one was used up.

    Raises:
        LinkExpired, StripeRefused, StripeUnavailable.
    """
    link = one(ports.store, Ref(OnboardingLink, _hash(token)))
    if link is None:
        raise LinkExpired("this onboarding link has ended")
    return _account_link(ports, _merchant(ports, link.merchant_id), link, f"{onboarding_url}/{token}")


def follow_account(ports: Ports, account_id: str) -> bool:
    """Read a connected account again and keep what it says; False when it is no merchant's.

    Whatever moved the record on since it was read makes the commit fail, and the account is read anew: what is kept
    last was read at Stripe last, whichever event asked for it.

    Raises:
        StripeUnavailable, Unavailable.
    """
    merchant_id = ports.store.merchant_of_account(account_id) or _named_in(_read_account(ports, account_id))
    if merchant_id is None:
        return False
    for _ in range(MOST_COMMIT_TRIES):
        merchant = _merchant(ports, merchant_id)
        seen = as_at_stripe(merchant, _read_account(ports, account_id))
        if seen == merchant:
            return True
        try:
            ports.store.commit(Replace(merchant, seen))
        except Conflict:
            continue
        if seen.is_ready and not merchant.is_ready:
            pay_what_waited(ports, merchant_id)
        return True
    raise StripeUnavailable("the merchant keeps changing")


def _account_link(ports: Ports, merchant: Merchant, link: OnboardingLink, refresh_url: str) -> str:
    if merchant.account_id is None:
        raise MerchantNotReady("its account is not made yet")
    params = {
        "account": merchant.account_id,
        "use_case": {
            "type": "account_onboarding",
            "account_onboarding": {"refresh_url": refresh_url, "return_url": link.return_url},
        },
    }
    match ports.stripe.ask(Operation.CREATE_ACCOUNT_LINK, params=params, key=ports.ids.token()):
        case Done(made):
            return str(made["url"])
        case Refusal(code):
            raise StripeRefused(code)
        case NoAnswer(Doubt() as doubt):
            raise StripeUnavailable(f"no link: {doubt}")


def _read_account(ports: Ports, account_id: str) -> Mapping[str, Any]:
    return ports.stripe.read(Operation.READ_ACCOUNT, account_id, params={"include": ACCOUNT_PARTS})


def _named_in(account: Mapping[str, Any]) -> str | None:
    return (account.get("metadata") or {}).get("merchant_id")


def _merchant(ports: Ports, merchant_id: str) -> Merchant:
    merchant = one(ports.store, Ref(Merchant, merchant_id))
    if merchant is None:
        raise NotFound("merchant")
    return merchant


def _require_currencies(currencies: Sequence[str]) -> None:
    unknown = [currency for currency in currencies if currency not in CURRENCIES]
    if unknown or not currencies:
        raise UnknownCurrency(", ".join(unknown) or "at least one currency")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
