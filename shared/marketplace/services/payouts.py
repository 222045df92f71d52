"""Payouts of merchants: asked for here, crash safe; taken in from wherever they were made, in any order."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, override

from marketplace.domain.commands import Command, CommandKind, CommandStatus, record
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import (
    InstantPayoutUnavailable,
    MerchantNotReady,
    NotAllowed,
    NotFound,
    PayoutExceedsBalance,
    PayoutsNotAllowed,
    Refused,
    StripeRefused,
    Unavailable,
)
from marketplace.domain.ids import id_from, owner_of
from marketplace.domain.payouts import (
    Payout,
    PayoutFacts,
    PayoutMethod,
    doubted,
    join,
    payout_facts,
    refused,
    require_payout_amount,
)
from marketplace.domain.principals import Principal, Role
from marketplace.domain.stripe_objects import Object
from marketplace.operations import Operation
from marketplace.ports import Change, Conflict, Create, Page, Ports, Ref, Replace, one
from marketplace.services.commands import Handler, find_made, handles, made_since, perform_once
from marketplace.services.idempotency import Once
from marketplace.services.merchants import read_merchant

MOST_COMMIT_TRIES: Final = 12
# https://docs.stripe.com/error-codes
REFUSALS: Final[Mapping[str, tuple[type[Refused], str]]] = {
    "balance_insufficient": (PayoutExceedsBalance, "less than this is available"),
    "insufficient_funds": (PayoutExceedsBalance, "less than this is available"),
    "instant_payouts_config_disabled": (InstantPayoutUnavailable, "the account may not pay out instantly"),
    "instant_payouts_currency_disabled": (InstantPayoutUnavailable, "this currency is not paid out instantly"),
    "instant_payouts_limit_exceeded": (InstantPayoutUnavailable, "the limit of instant payouts is reached"),
    "instant_payouts_unsupported": (InstantPayoutUnavailable, "the bank account or card takes no instant payouts"),
    "payouts_limit_exceeded": (PayoutsNotAllowed, "the limit of payouts is reached"),
    "payouts_not_allowed": (PayoutsNotAllowed, "Stripe has stopped the payouts of this account"),
}


@dataclass(frozen=True, kw_only=True)
class PayoutRequest:
    """What to pay out, in minor units; to the default bank account of the currency."""

    amount: int
    currency: str
    method: PayoutMethod


class CreatePayout(Handler[Payout]):
    """A payout from the merchant's balance, made on its own account."""

    operation = Operation.CREATE_PAYOUT

    @override
    def load(self, ports: Ports, command: Command) -> Payout:
        return _stored(ports, command.result)

    @override
    def succeeded(self, ports: Ports, subject: Payout, command: Command, made: Mapping[str, Any]) -> Sequence[Change]:
        return _joined(subject, payout_facts(made))

    @override
    def refused(self, ports: Ports, subject: Payout, command: Command, code: str) -> Sequence[Change]:
        return [Replace(subject, refused(subject, code))]

    @override
    def doubtful(self, subject: Payout, command: Command) -> Sequence[Change]:
        after = doubted(subject)
        return [Replace(subject, after)] if after != subject else []

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        params = {"limit": 100, "created": made_since(command)}
        return find_made(ports.stripe.each(Operation.LIST_PAYOUTS, params=params, account=command.account), command)


CREATE_PAYOUT: Final = CreatePayout()
handles(CommandKind.CREATE_PAYOUT, CREATE_PAYOUT)


def request_payout(ports: Ports, caller: Principal, merchant_id: str, wanted: PayoutRequest, once: Once) -> Payout:
    """Pay out from a merchant's balance to its bank. A payout that Stripe has not answered for is UNKNOWN, not failed.

    From the recorded intent on, a crash delays the payout and can neither lose nor repeat it.

    Raises:
        NotFound, InvalidAmount, UnknownCurrency, IdempotencyKeyReused, RequestUnderWay.
        NotAllowed: a merchant, where operators alone ask for payouts.
        MerchantNotReady: its account is not made yet.
        PayoutExceedsBalance, InstantPayoutUnavailable, PayoutsNotAllowed, StripeRefused: nothing moved.
    """
    merchant = read_merchant(ports, caller, merchant_id)
    _require_right(ports, caller, wanted.method)
    require_payout_amount(wanted.amount, wanted.currency)
    if merchant.account_id is None:
        raise MerchantNotReady("its account is not made yet")
    now, command_id = ports.clock.now(), ports.ids.new("command")
    payout = Payout(
        id=ports.ids.new("payout", owner=merchant.id),
        merchant_id=merchant.id,
        account_id=merchant.account_id,
        command_id=command_id,
        amount=wanted.amount,
        currency=wanted.currency,
        method=wanted.method,
        is_automatic=False,
        created_at=now,
    )
    command = record(
        command_id=command_id,
        subject=merchant.id,
        kind=CommandKind.CREATE_PAYOUT,
        account=merchant.account_id,
        params=_params(payout),
        result=payout.id,
        now=now,
    )
    ended = perform_once(ports, CREATE_PAYOUT, once, command, payout, Create(payout))
    if ended.status is CommandStatus.REFUSED:
        raise _in_words(ended.refusal or "unknown")
    return _stored(ports, ended.result)


def read_payout(ports: Ports, caller: Principal, merchant_id: str, payout_id: str) -> Payout:
    """A payout, to operators and the merchant whose it is. Raises NotFound."""
    payout = one(ports.store, Ref(Payout, payout_id))
    if payout is None or payout.merchant_id != merchant_id or not caller.sees_merchant(merchant_id):
        raise NotFound("payout")
    return payout


def list_payouts(ports: Ports, caller: Principal, merchant_id: str, *, cursor: str | None, limit: int) -> Page[Payout]:
    """A merchant's payouts, newest first, to operators and itself. Raises NotFound, InvalidCursor."""
    read_merchant(ports, caller, merchant_id)
    return ports.store.payouts(merchant_id, cursor=cursor, limit=limit)


def payout_changes(ports: Ports, account_id: str, said: PayoutFacts) -> Sequence[Change] | None:
    """What a payout on a connected account changes, whoever asked for it; None where the account is no merchant's."""
    merchant_id = ports.store.merchant_of_account(account_id)
    if merchant_id is None:
        return None
    own_id = said.payout_id if owner_of("payout", said.payout_id or "") == merchant_id else None
    foreign_id = id_from("payout", said.created, f"{account_id} {said.stripe_payout_id}", owner=merchant_id)
    own, foreign = Ref(Payout, own_id or foreign_id), Ref(Payout, foreign_id)
    found = ports.store.get(own, foreign)
    ours = found(own)
    if ours is not None and ours.is_at_stripe(account_id, said):
        return _joined(ours, said)
    known = found(foreign)
    return [Create(_foreign(foreign_id, merchant_id, account_id, said))] if known is None else _joined(known, said)


def take_in_payouts(ports: Ports, account_id: str, lines: Iterable[Object]) -> None:
    """What balance transactions of an account, their ``source`` expanded, say of its payouts: no event need have come.

    Raises:
        Unavailable: the payouts keep changing.
    """
    for line in lines:
        source = line.get("source")
        if isinstance(source, Mapping) and source.get("object") == "payout":
            _take_in(ports, account_id, payout_facts(source))


def _take_in(ports: Ports, account_id: str, said: PayoutFacts) -> None:
    for _ in range(MOST_COMMIT_TRIES):
        changes = payout_changes(ports, account_id, said)
        if not changes:
            return
        try:
            ports.store.commit(*changes)
        except Conflict:
            continue
        return
    raise Unavailable("the payout keeps changing")


def _joined(payout: Payout, said: PayoutFacts) -> Sequence[Change]:
    after = join(payout, said)
    return [Replace(payout, after)] if after != payout else []


def _foreign(payout_id: str, merchant_id: str, account_id: str, said: PayoutFacts) -> Payout:
    """A payout that was made elsewhere: by the schedule, in a dashboard or an embedded component."""
    payout = Payout(
        id=payout_id,
        merchant_id=merchant_id,
        account_id=account_id,
        command_id=None,
        amount=said.amount,
        currency=said.currency,
        method=said.method,
        is_automatic=said.is_automatic,
        created_at=said.created,
    )
    return join(payout, said)


def _params(payout: Payout) -> dict[str, Any]:
    """What Stripe is asked for (`/v1/payouts`)."""
    return {
        "amount": payout.amount,
        "currency": payout.currency,
        "method": payout.method.value,
        "metadata": {"payout_id": payout.id, "command_id": payout.command_id},
    }


def _require_right(ports: Ports, caller: Principal, method: PayoutMethod) -> None:
    caller.require(Role.OPERATOR, Role.MERCHANT)
    rights = ports.policy.rights
    allowed = rights.instant_payouts if method is PayoutMethod.INSTANT else rights.payouts
    if caller.role is Role.MERCHANT and not allowed:
        raise NotAllowed(f"{method} payouts are asked for by operators")


def _in_words(code: str) -> Refused:
    kind, why = REFUSALS.get(code, (None, ""))
    return StripeRefused(code) if kind is None else kind(why)


def _stored(ports: Ports, payout_id: str) -> Payout:
    payout = one(ports.store, Ref(Payout, payout_id))
    if payout is None:
        raise NotFound("payout")
    return payout
