"""Merchants: created, changed, and their status kept as Stripe has it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from marketplace.domain.commands import record
from marketplace.domain.errors import NotFound, StripeRefused, Unavailable, UnknownCurrency
from marketplace.domain.merchant_states import MerchantStatus
from marketplace.domain.merchants import Merchant, as_at_stripe, deauthorized
from marketplace.domain.money import CURRENCIES
from marketplace.domain.principals import Principal, Role
from marketplace.domain.readings import AccountReading
from marketplace.domain.responsibilities import AccountsApi, require_possible
from marketplace.ports import Conflict, Create, Page, Ports, Ref, Replace, one
from marketplace.services.accounts import CREATIONS, NewMerchant, account_params, get_merchant, read_account
from marketplace.services.commands import perform_once, require_done
from marketplace.services.idempotency import Once
from marketplace.services.shares import pay_what_waited

MOST_COMMIT_TRIES: Final = 12
# What Stripe says where the platform has no access to an account any more, in API v1 and v2.
NO_ACCESS: Final = frozenset({"account_invalid", "resource_missing", "not_found"})
CHANGEABLE: Final = frozenset({"name", "currencies", "fee_policy"})


def create_merchant(ports: Ports, caller: Principal, wanted: NewMerchant, once: Once) -> Merchant:
    """Make a merchant and its connected account.

    Raises:
        NotAllowed, UnknownCurrency, ImpossibleAccount, StripeRefused, IdempotencyKeyReused, RequestUnderWay.
        OutcomeUnknown: the account is made without the caller; the same key gives the answer later.
    """
    caller.require(Role.OPERATOR)
    _require_currencies(wanted.currencies)
    require_possible(wanted.responsibilities)
    now, api = ports.clock.now(), ports.policy.accounts.api
    merchant = Merchant(
        id=ports.ids.new("merchant"),
        name=wanted.name,
        country=wanted.country,
        currencies=wanted.currencies,
        fee_policy=wanted.fee_policy,
        api=api,
        responsibilities=wanted.responsibilities,
        created_at=now,
    )
    command_id = ports.ids.new("command")
    creation = CREATIONS[api]
    command = record(
        command_id=command_id,
        subject=merchant.id,
        kind=creation.kind,
        params=account_params(api, wanted, merchant.id, command_id),
        result=merchant.id,
        now=now,
    )
    done = require_done(perform_once(ports, creation.handler, once, command, merchant, Create(merchant)))
    return get_merchant(ports, done.result)


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


def change_merchant(ports: Ports, caller: Principal, merchant_id: str, changes: Mapping[str, Any]) -> Merchant:
    """Change what of ``CHANGEABLE`` is named: it holds for sales from now on, those that were made stay as they were.

    To repeat it is harmless, so that it needs no key.

    Raises:
        NotAllowed, NotFound, UnknownCurrency, Unavailable.
    """
    caller.require(Role.OPERATOR)
    assert changes.keys() <= CHANGEABLE  # noqa: S101 - the edge lets nothing else in
    if "currencies" in changes:
        _require_currencies(changes["currencies"])
    for _ in range(MOST_COMMIT_TRIES):
        merchant = read_merchant(ports, caller, merchant_id)
        changed = Replace(merchant, replace(merchant, **changes))
        try:
            ports.store.commit(changed)
        except Conflict:
            continue
        return changed.stored
    raise Unavailable("the merchant keeps changing")


def follow_account(ports: Ports, reading: AccountReading) -> bool:
    """Read a connected account again and keep what it says; False when it is no merchant's, or not the platform's.

    The merchant is read first, then the account, and what it says is written where the merchant still stands as it was
    read, be it only to count its version on. So each version was read at Stripe after the one before it was written,
    and the last one after the last event: no look that took its time can bring back what was (docs/adr/0019).

    Raises:
        StripeUnavailable, Unavailable.
    """
    merchant_id = ports.store.merchant_of_account(reading.account_id) or _named_in(ports, reading)
    if merchant_id is None:
        return False
    for _ in range(MOST_COMMIT_TRIES):
        merchant = one(ports.store, Ref(Merchant, merchant_id))
        if merchant is None or merchant.account_id not in {None, reading.account_id}:
            return False
        seen = _seen(ports, merchant, reading)
        if seen is None:
            return False
        try:
            ports.store.commit(Replace(merchant, _stops_selling(ports, merchant, seen)))
        except Conflict:
            continue
        if seen.is_ready != merchant.is_ready or seen.is_lost != merchant.is_lost:
            pay_what_waited(ports, merchant_id)
        return True
    raise Unavailable("the merchant keeps changing")


def _stops_selling(ports: Ports, before: Merchant, after: Merchant) -> Merchant:
    """The merchant with its open sessions to be ended from now on, where this step takes away what they need."""
    if (before.is_ready and not after.is_ready) or (after.is_lost and not before.is_lost):
        return replace(after, due_at=ports.clock.now(), sessions_cursor=None)
    return replace(after, due_at=None, sessions_cursor=None) if after.is_ready else after


def _seen(ports: Ports, merchant: Merchant, reading: AccountReading) -> Merchant | None:
    """The merchant as its account is now; None where the account cannot be read and nothing says that it has left.

    A late event of one that has left says nothing; the event of its leaving counts where the account cannot be read.
    """
    try:
        account = read_account(ports, merchant.api, reading.account_id)
    except StripeRefused as refusal:
        if refusal.code not in NO_ACCESS:
            raise
        is_known_to_have_left = reading.has_left or merchant.status is MerchantStatus.DEAUTHORIZED
        return deauthorized(merchant, ports.clock.now()) if is_known_to_have_left else None
    return as_at_stripe(merchant, account, ports.clock.now())


def _named_in(ports: Ports, reading: AccountReading) -> str | None:
    """The merchant that an account names, where the index does not know it yet."""
    api = AccountsApi.V2 if reading.is_thin else AccountsApi.V1
    try:
        account = read_account(ports, api, reading.account_id)
    except StripeRefused as refusal:
        if refusal.code not in NO_ACCESS:
            raise
        return None
    named = (account.get("metadata") or {}).get("merchant_id")
    return None if named is None else str(named)


def _require_currencies(currencies: Sequence[str]) -> None:
    unknown = [currency for currency in currencies if currency not in CURRENCIES]
    if unknown or not currencies:
        raise UnknownCurrency(", ".join(unknown) or "at least one currency")
