"""Commands: what changes anything at Stripe is written down before Stripe hears of it, and finished whatever happens.

A command that its request could not finish is left to the sweep, which repeats it under the same idempotency key while
Stripe keeps that key, and looks for its object by metadata before it asks again after that.
"""

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from marketplace.domain.deferred import dataclass
from marketplace.domain.states import require_transition

# A request is over after 29 s (API Gateway's limit is 30): until then nobody else takes its command up.
LEASE: Final = timedelta(seconds=35)
# Stripe keeps a key for at least 24 h (https://docs.stripe.com/api/idempotent_requests); an hour of margin for skew.
KEY_KEPT: Final = timedelta(hours=23)
FIRST_RETRY: Final = timedelta(minutes=1)
LONGEST_RETRY: Final = timedelta(hours=1)
ALARM_AFTER: Final = timedelta(hours=24)


class CommandKind(StrEnum):
    """What a command asks of Stripe."""

    CREATE_ACCOUNT = "create_account"
    CREATE_V1_ACCOUNT = "create_v1_account"
    CREATE_PRODUCT = "create_product"
    UPDATE_PRODUCT = "update_product"
    CREATE_PRICE = "create_price"
    UPDATE_PRICE = "update_price"
    CREATE_COUPON = "create_coupon"
    DELETE_COUPON = "delete_coupon"
    CREATE_PROMOTION_CODE = "create_promotion_code"
    UPDATE_PROMOTION_CODE = "update_promotion_code"
    CREATE_CUSTOMER = "create_customer"
    UPDATE_CUSTOMER = "update_customer"
    CREATE_SETUP_SESSION = "create_setup_session"
    CREATE_CHECKOUT_SESSION = "create_checkout_session"
    EXPIRE_CHECKOUT_SESSION = "expire_checkout_session"
    CREATE_REFUND = "create_refund"
    REFUND_APPLICATION_FEE = "refund_application_fee"
    CREATE_PAYMENT_INTENT = "create_payment_intent"
    CAPTURE_PAYMENT = "capture_payment"
    CANCEL_PAYMENT = "cancel_payment"
    CREATE_TRANSFER = "create_transfer"
    REVERSE_TRANSFER = "reverse_transfer"
    DESCRIBE_PAYMENT = "describe_payment"
    SUBMIT_EVIDENCE = "submit_evidence"
    ACCEPT_DISPUTE = "accept_dispute"
    CREATE_PAYOUT = "create_payout"
    CREATE_SUBSCRIPTION_SESSION = "create_subscription_session"
    UPDATE_SUBSCRIPTION = "update_subscription"
    CANCEL_SUBSCRIPTION = "cancel_subscription"
    SPLIT_INVOICE = "split_invoice"
    CREATE_INVOICE = "create_invoice"
    ADD_INVOICE_LINES = "add_invoice_lines"
    UPDATE_INVOICE = "update_invoice"
    FINALIZE_INVOICE = "finalize_invoice"
    SEND_INVOICE = "send_invoice"
    PAY_INVOICE = "pay_invoice"
    VOID_INVOICE = "void_invoice"
    MARK_INVOICE_UNCOLLECTIBLE = "mark_invoice_uncollectible"
    CREATE_CREDIT_NOTE = "create_credit_note"


# Due at once, for the next sweep: whoever records one does not carry it out, and his Stripe key need not be able to.
LEFT_TO_THE_SWEEP: Final = frozenset({CommandKind.REFUND_APPLICATION_FEE})


class CommandStatus(StrEnum):
    """Where a command stands."""

    RECORDED = "recorded"  # durable; Stripe may or may not have heard of it
    UNKNOWN = "unknown"  # Stripe was asked and did not answer, or answered that it failed itself
    SUCCEEDED = "succeeded"  # the object exists
    REFUSED = "refused"  # Stripe's definite no: nothing was done


TRANSITIONS: Final[Mapping[CommandStatus, frozenset[CommandStatus]]] = {
    CommandStatus.RECORDED: frozenset({CommandStatus.UNKNOWN, CommandStatus.SUCCEEDED, CommandStatus.REFUSED}),
    CommandStatus.UNKNOWN: frozenset({CommandStatus.UNKNOWN, CommandStatus.SUCCEEDED, CommandStatus.REFUSED}),
    CommandStatus.SUCCEEDED: frozenset(),
    CommandStatus.REFUSED: frozenset(),
}
OPEN: Final = frozenset({CommandStatus.RECORDED, CommandStatus.UNKNOWN})


class Doubt(StrEnum):
    """Why an outcome is unknown, which decides how it is found out."""

    NO_ANSWER = "no_answer"  # time-out, lost connection, 409, 429: the same key again gives the one answer
    STRIPE_FAILED = "stripe_failed"  # a 500 that Stripe stored under the key: look the object up, then a new key


@dataclass(frozen=True, kw_only=True)
class Command:
    """An intent. ``subject`` names the transaction, merchant or customer whose partition holds it.

    ``account`` is the connected account on which it is carried out, None for the platform's own.
    """

    id: str
    subject: str
    kind: CommandKind
    target: tuple[str, ...] = ()  # the ids in the operation's path, for example the session to expire
    account: str | None = None
    params: Mapping[str, Any]
    result: str  # our id of what it makes: a transaction, refund, merchant, product or price
    status: CommandStatus = CommandStatus.RECORDED
    doubt: Doubt | None = None
    attempt: int = 1
    tries: int = 1
    created_at: datetime
    attempt_began_at: datetime
    settled_at: datetime | None = None
    stripe_id: str | None = None
    refusal: str | None = None  # Stripe's code
    answer: Mapping[str, Any] = field(default_factory=dict)  # what of Stripe's object is kept
    due_at: datetime | None
    version: int = 1

    @property
    def idempotency_key(self) -> str:
        """Stripe's key: the same for every repetition of an attempt, another for a new attempt."""
        return f"{self.id}:{self.attempt}"

    @property
    def is_open(self) -> bool:
        """Whether its outcome is still to be found out."""
        return self.status in OPEN

    @property
    def waits_for(self) -> str | None:
        """In words, what an open command waits for."""
        if not self.is_open:
            return None
        return "Stripe's answer" if self.status is CommandStatus.RECORDED else "the next look at Stripe"


def record(
    *,
    command_id: str,
    subject: str,
    kind: CommandKind,
    params: Mapping[str, Any],
    result: str,
    now: datetime,
    target: tuple[str, ...] = (),
    account: str | None = None,
) -> Command:
    """A new command, leased to the request that records it unless it is left to the sweep."""
    return Command(
        id=command_id, subject=subject, kind=kind, target=target, account=account, params=params, result=result,
        created_at=now, attempt_began_at=now, due_at=now if kind in LEFT_TO_THE_SWEEP else now + LEASE,
    )  # fmt: skip


def lease(command: Command, now: datetime) -> Command:
    """The command taken up again by one worker; whoever held it before can no longer write its outcome."""
    return replace(command, due_at=now + LEASE, tries=command.tries + 1)


def succeed(command: Command, stripe_id: str, now: datetime, *, keep: Mapping[str, Any] | None = None) -> Command:
    """The object exists; ``keep`` is what of Stripe's answer a repeated request is answered with."""
    return _settled(command, CommandStatus.SUCCEEDED, now, stripe_id=stripe_id, answer=keep)


def is_followed_up(command: Command, now: datetime) -> bool:
    """Whether a command is carried out by whoever records it, rather than by the next sweep."""
    return command.due_at is not None and command.due_at > now


def refuse(command: Command, code: str, now: datetime) -> Command:
    """Stripe said no; nothing was done."""
    return _settled(command, CommandStatus.REFUSED, now, refusal=code)


def forget(command: Command) -> Command:
    """A settled command without what it asked for: personal data that Stripe keeps, and nobody reads here again."""
    return command if command.is_open else replace(command, params={})


def doubt(command: Command, why: Doubt, now: datetime, jitter: float) -> Command:
    """No answer; looked at again after a growing pause. ``jitter`` is from 0 to 1 and spreads the retries."""
    require_transition(TRANSITIONS, command.status, CommandStatus.UNKNOWN)
    pause = min(FIRST_RETRY * 2 ** min(command.tries - 1, 10), LONGEST_RETRY)
    due_at = now + pause * (0.5 + jitter / 2)
    return replace(command, status=CommandStatus.UNKNOWN, doubt=why, due_at=due_at)


def next_attempt(command: Command, now: datetime) -> Command:
    """The command under a new key: only after its object was looked for at Stripe and not found."""
    return replace(command, attempt=command.attempt + 1, attempt_began_at=now, doubt=None)


def must_look_first(command: Command, now: datetime) -> bool:
    """Whether repeating the request could do it twice, or replay a stored 500 for ever."""
    return command.doubt is Doubt.STRIPE_FAILED or now - command.attempt_began_at > KEY_KEPT


def _settled(
    command: Command, status: CommandStatus, now: datetime, *, stripe_id: str | None = None, refusal: str | None = None,
    answer: Mapping[str, Any] | None = None,
) -> Command:  # fmt: skip
    require_transition(TRANSITIONS, command.status, status)
    return replace(
        command, status=status, stripe_id=stripe_id, refusal=refusal, answer=answer or {}, doubt=None,
        settled_at=now, due_at=None,
    )  # fmt: skip
