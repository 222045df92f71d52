"""Carry out a command that is written down, and write down what came of it; begun again wherever it stopped.

Every kind of command is one ``Handler``. The request that records a command executes it at once; when that ends without
an outcome, the next request with the same Idempotency-Key or the sweep takes it up with ``resume``.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import cache
from importlib import import_module
from typing import Any, ClassVar, Final

from marketplace.domain import commands
from marketplace.domain.books import IdempotencyRecord
from marketplace.domain.commands import Command, CommandKind, CommandStatus, Doubt
from marketplace.domain.errors import OutcomeUnknown, RequestUnderWay, StripeRefused, Unavailable
from marketplace.domain.shares import Share
from marketplace.operations import Operation
from marketplace.ports import (
    Answer,
    Change,
    Conflict,
    Create,
    Done,
    NoAnswer,
    Ports,
    Ref,
    Refusal,
    Replace,
    StripeUnavailable,
    one,
)
from marketplace.services.idempotency import Once

CLOCK_SKEW: Final = timedelta(minutes=15)
MOST_COMMIT_TRIES: Final = 12  # of one outcome, when events move the same records on meanwhile


FOLLOWERS: Final = (
    "captures",
    "catalog_commands",
    "coupons",
    "customers",
    "descriptions",
    "disputes",
    "invoice_commands",
    "invoice_following",
    "off_session",
    "payouts",
    "promotion_codes",
    "refund_commands",
    "setups",
    "shares",
    "subscription_commands",
    "subscriptions",
    "transfers",
)
HANDLERS: Final[dict[CommandKind, "Handler[Any]"]] = {}  # filled by the modules that carry them out
_SHARES: Final[list[Callable[[Ports, str, str], None]]] = []


def handles(kind: CommandKind, handler: "Handler[Any]") -> None:
    """Let a handler carry out the commands of a kind."""
    HANDLERS[kind] = handler


def evens_out(act: Callable[[Ports, str, str], None]) -> Callable[[Ports, str, str], None]:
    """Let a function even out the shares that a commit touched."""
    _SHARES[:] = [act]
    return act


class Handler[S](ABC):
    """How one kind of command is carried out. ``S`` is what it changes when it ends, as read from the store."""

    operation: Operation
    forgets: ClassVar[bool] = False  # what it asked for, once it is settled
    # Whether Stripe keeps its answer under the key; of a DELETE it keeps none, and refuses the second one.
    is_kept: ClassVar[bool] = True

    @abstractmethod
    def load(self, ports: Ports, command: Command) -> S:
        """What the command is about, as it stands now."""

    @abstractmethod
    def succeeded(self, ports: Ports, subject: S, command: Command, made: Mapping[str, Any]) -> Sequence[Change]:
        """What else changes with Stripe's object, commands that follow from it among them."""

    @abstractmethod
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        """The object that the command made at Stripe, if it did. Raises StripeUnavailable."""

    def target(self, ports: Ports, command: Command) -> tuple[str, ...]:  # noqa: ARG002 - for those that must look
        """The ids in the operation's path. Raises StripeUnavailable, StripeRefused."""
        return command.target

    def keep(self, made: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002 - for those that care
        """What of Stripe's object a repeated request is answered with."""
        return {}

    def refused(self, ports: Ports, subject: S, command: Command, code: str) -> Sequence[Change]:  # noqa: ARG002 - for those that care
        """What else changes with Stripe's no."""
        return ()

    def doubtful(self, subject: S, command: Command) -> Sequence[Change]:  # noqa: ARG002 - for those that care
        """What else changes with no answer."""
        return ()


def perform_once[S](
    ports: Ports, handler: Handler[S], once: Once, command: Command, subject: S, *changes: Change
) -> Command:
    """Record an intent with its changes and carry it out, or answer as the first request with this key was.

    From the commit on a crash delays the command and can neither lose nor repeat it.

    Raises:
        Conflict: another of the changes no longer fits.
        IdempotencyKeyReused, RequestUnderWay, Unavailable.
    """
    used = once.used_for(command, ports.clock.now())
    try:
        ports.store.commit(Create(used), Create(command), *changes)
    except Conflict as conflict:
        if not conflict.is_about(used):
            raise
        earlier = one(ports.store, Ref(IdempotencyRecord, once.scope, once.subject))
        if earlier is None:
            raise Unavailable("the earlier request with this key is not readable") from conflict
        return replay(ports, handler, once, earlier)
    return execute(ports, handler, command, subject)


def execute[S](ports: Ports, handler: Handler[S], command: Command, subject: S | None = None) -> Command:
    """Ask Stripe and write the outcome. ``subject`` saves reading it when the caller has just written it."""
    return settle(ports, handler, command, _ask(ports, handler, command), subject)


def _ask(ports: Ports, handler: Handler[Any], command: Command) -> Answer:
    try:
        target = handler.target(ports, command)
    except StripeUnavailable:
        return NoAnswer(Doubt.NO_ANSWER)
    except StripeRefused as refused:
        return Refusal(refused.code)
    key, account = command.idempotency_key, command.account
    answer = ports.stripe.ask(handler.operation, *target, params=command.params, key=key, account=account)
    if handler.is_kept or not isinstance(answer, Refusal):
        return answer
    try:  # the no may be to a repetition
        made = handler.look_up(ports, command)
    except StripeUnavailable:
        return NoAnswer(Doubt.NO_ANSWER)
    return answer if made is None else Done(made)


def resume[S](ports: Ports, handler: Handler[S], command: Command) -> Command:
    """Finish an open command that nobody works on: the same request again, after a look where that is not safe.

    Raises:
        RequestUnderWay: somebody else has just taken it up.
    """
    leased = _write(ports, command, commands.lease(command, ports.clock.now()))
    if not commands.must_look_first(leased, ports.clock.now()):
        return execute(ports, handler, leased)
    try:
        found = handler.look_up(ports, leased)
    except StripeUnavailable:
        return settle(ports, handler, leased, NoAnswer(leased.doubt or Doubt.NO_ANSWER))
    if found is not None:
        return settle(ports, handler, leased, Done(found))
    return execute(ports, handler, _write(ports, leased, commands.next_attempt(leased, ports.clock.now())))


def settle[S](ports: Ports, handler: Handler[S], command: Command, answer: Answer, subject: S | None = None) -> Command:
    """Write the outcome with all that follows from it, in one commit; read again where an event was faster.

    Raises:
        RequestUnderWay: the command was taken up by another worker, whose outcome counts.
        Unavailable: the records kept moving, or the store did not answer; the sweep finishes the command.
    """
    for _ in range(MOST_COMMIT_TRIES):
        current = handler.load(ports, command) if subject is None else subject
        after, changes = _outcome(ports, handler, current, command, answer)
        ended = Replace(command, commands.forget(after) if handler.forgets else after)
        try:
            ports.store.commit(ended, *changes)
        except Conflict as conflict:
            if conflict.is_about(command):
                raise RequestUnderWay("another worker has taken the command up") from conflict
            subject = None
            continue
        follow_up(ports, changes)
        return ended.stored
    raise Unavailable("the records of this command keep changing")


def follow_up(ports: Ports, changes: Iterable[Change]) -> None:
    """Carry out what follows from changes that were just committed, as far as the time allows; the sweep does the rest.

    New commands are executed, touched shares evened out. They are as durable as what they follow from, so that none of
    their troubles is the caller's.
    """
    for change in changes:
        with suppress(RequestUnderWay, Unavailable):
            match change:
                case Create(Command() as command) if commands.is_followed_up(command, ports.clock.now()):
                    execute(ports, follower_of(command.kind), command)
                case Create(Share() as share) | Replace(_, Share() as share) if _is_touched(ports, share):
                    _know_followers()
                    _SHARES[0](ports, share.transaction_id, share.merchant_id)


def follower_of(kind: CommandKind) -> "Handler[Any]":
    """The handler of a command that follows from something, whichever function it follows in."""
    _know_followers()
    return HANDLERS[kind]


@cache
def _know_followers() -> None:
    """Import the modules that carry out what follows, when something does: they import this one."""
    for module in FOLLOWERS:
        import_module(f"marketplace.services.{module}")


def _is_touched(ports: Ports, share: Share) -> bool:
    return share.due_at is not None and share.due_at <= ports.clock.now()


def replay[S](ports: Ports, handler: Handler[S], once: Once, used: IdempotencyRecord) -> Command:
    """The command that an Idempotency-Key was used for, for a request that comes again with it.

    Raises:
        IdempotencyKeyReused: with another body.
        RequestUnderWay: the first request is still at it.
    """
    once.require_same(used)
    command = one(ports.store, Ref(Command, used.command_id, used.command_subject))
    if command is None:
        raise Unavailable("the command of this key is not readable yet")
    return answer_again(ports, handler, command)


def answer_again[S](ports: Ports, handler: Handler[S], command: Command) -> Command:
    """The outcome of a command for a request that comes again: as it ended, or finished now.

    Raises:
        RequestUnderWay: the first request is still at it.
    """
    if not command.is_open:
        return command
    if command.status is CommandStatus.RECORDED and command.due_at and command.due_at > ports.clock.now():
        raise RequestUnderWay("the first request with this key has not finished")
    return resume(ports, handler, command)


def require_done(command: Command) -> Command:
    """The command, if it succeeded.

    Raises:
        StripeRefused, OutcomeUnknown.
    """
    if command.status is CommandStatus.REFUSED:
        raise StripeRefused(command.refusal or "unknown")
    if command.is_open:
        raise OutcomeUnknown("Stripe has not answered; the request goes on without the caller")
    return command


def find_made(pages: Iterable[Mapping[str, Any]], command: Command) -> Mapping[str, Any] | None:
    """The object in a list at Stripe that carries this command's id in its metadata."""
    return next(
        (made for made in pages if (made.get("metadata") or {}).get("command_id") == command.id),
        None,
    )


def made_since(command: Command) -> dict[str, int]:
    """Stripe's ``created`` filter for whatever this command made; our clock and Stripe's may differ."""
    return {"gte": int((command.created_at - CLOCK_SKEW).timestamp())}


def _outcome[S](
    ports: Ports, handler: Handler[S], subject: S, command: Command, answer: Answer
) -> tuple[Command, Sequence[Change]]:
    now = ports.clock.now()
    match answer:
        case Done(made):
            ended = commands.succeed(command, made["id"], now, keep=handler.keep(made))
            return ended, handler.succeeded(ports, subject, command, made)
        case Refusal(code):
            return commands.refuse(command, code, now), handler.refused(ports, subject, command, code)
        case NoAnswer(why):
            return commands.doubt(command, why, now, ports.ids.jitter()), handler.doubtful(subject, command)


def _write(ports: Ports, before: Command, after: Command) -> Command:
    change = Replace(before, after)
    try:
        ports.store.commit(change)
    except Conflict as conflict:
        raise RequestUnderWay("another worker has taken the command up") from conflict
    return change.stored
