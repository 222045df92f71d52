"""Disputes read, answered with evidence, accepted. What they move is booked as their events come in (foreign.py)."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, override

from marketplace.domain.books import Books
from marketplace.domain.commands import Command, CommandKind, record
from marketplace.domain.disputes import Dispute, DisputeStatus, join, require_answerable
from marketplace.domain.errors import NotFound
from marketplace.domain.evidence import FILES, TEXTS, require_document
from marketplace.domain.ids import owner_of
from marketplace.domain.principals import Principal, Role
from marketplace.domain.stripe_objects import dispute_facts
from marketplace.operations import Operation
from marketplace.ports import Change, Page, Ports
from marketplace.services.asking import asked
from marketplace.services.commands import Handler, find_made, handles, perform_once, replay, require_done
from marketplace.services.idempotency import Once
from marketplace.services.recovery import dispute_step
from marketplace.services.transactions import read_books

GIVEN_UP: Final = frozenset({DisputeStatus.LOST, DisputeStatus.WARNING_CLOSED})


class AnswerDispute(Handler[Books]):
    """What evidence and acceptance have in common: Stripe's answer is the dispute as it stands then."""

    @override
    def load(self, ports: Ports, command: Command) -> Books:
        return read_books(ports, command.subject)

    @override
    def succeeded(self, ports: Ports, subject: Books, command: Command, made: Mapping[str, Any]) -> Sequence[Change]:
        before = subject.disputes[command.result]
        facts = dispute_facts(made)
        told = replace(facts, withdrawn=0, fee=0, reinstated=0, fee_returned=0)  # money is taken in by its events
        return dispute_step(ports, subject, before, self.answered(ports, join(before, told)))

    def answered(self, ports: Ports, dispute: Dispute) -> Dispute:  # noqa: ARG002 - for those that care
        """The dispute with what this answer leaves on it."""
        return dispute


class SubmitEvidence(AnswerDispute):
    """The staged evidence goes to the buyer's bank, once and for all."""

    operation = Operation.UPDATE_DISPUTE

    @override
    def answered(self, ports: Ports, dispute: Dispute) -> Dispute:
        return replace(dispute, submitted_at=ports.clock.now())

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        return find_made([ports.stripe.read(Operation.READ_DISPUTE, *command.target)], command)


class AcceptDispute(AnswerDispute):
    """The dispute is given up."""

    operation = Operation.CLOSE_DISPUTE

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        found = ports.stripe.read(Operation.READ_DISPUTE, *command.target)
        return found if found["status"] in GIVEN_UP else None


SUBMIT_EVIDENCE: Final = SubmitEvidence()
ACCEPT_DISPUTE: Final = AcceptDispute()
handles(CommandKind.SUBMIT_EVIDENCE, SUBMIT_EVIDENCE)
handles(CommandKind.ACCEPT_DISPUTE, ACCEPT_DISPUTE)


def list_disputes(
    ports: Ports, caller: Principal, *, merchant_id: str | None, cursor: str | None, limit: int
) -> Page[Dispute]:
    """Disputes, the newest first: about a merchant's own sales, or for operators about one merchant's or all.

    Raises:
        NotAllowed, InvalidCursor.
    """
    caller.require(Role.OPERATOR, Role.MERCHANT)
    about = caller.merchant_id if caller.role is Role.MERCHANT else merchant_id
    return ports.store.disputes(about, cursor=cursor, limit=limit)


def read_dispute(ports: Ports, caller: Principal, dispute_id: str) -> Dispute:
    """A dispute, to operators and the merchants of the sale. Raises NotAllowed, NotFound."""
    _, dispute = _read(ports, caller, dispute_id)
    return dispute


def read_evidence(ports: Ports, caller: Principal, dispute_id: str) -> Mapping[str, str]:
    """What is staged or was submitted, read at Stripe, which alone keeps it.

    Raises:
        NotAllowed, NotFound, StripeUnavailable, StripeRefused.
    """
    dispute = _of_one(ports, caller, dispute_id)
    found = ports.stripe.read(Operation.READ_DISPUTE, dispute.stripe_dispute_id)["evidence"]
    return {name: found[name] for name in (*TEXTS, *FILES) if found.get(name)}


def stage_evidence(ports: Ports, caller: Principal, dispute_id: str, evidence: Mapping[str, str]) -> Mapping[str, str]:
    """Stage evidence at Stripe, beside what is staged or in its place; nothing goes to the bank yet.

    Repeating it is harmless. Stripe has no way to take a name back: only to say something else under it.

    Raises:
        NotAllowed, NotFound, DisputeNotAnswerable, StripeRefused, StripeUnavailable.
    """
    dispute = _of_one(ports, caller, dispute_id)
    require_answerable(dispute, ports.clock.now())
    params = {"evidence": evidence, "submit": False}
    made = asked(ports, Operation.UPDATE_DISPUTE, dispute.stripe_dispute_id, params=params)["evidence"]
    return {name: made[name] for name in (*TEXTS, *FILES) if made.get(name)}


def upload_file(ports: Ports, caller: Principal, dispute_id: str, content: bytes) -> str:
    """Stripe's id of a document that evidence can name.

    Raises:
        NotAllowed, NotFound, DisputeNotAnswerable, InvalidFile, StripeRefused, StripeUnavailable.
    """
    dispute = _of_one(ports, caller, dispute_id)
    require_answerable(dispute, ports.clock.now())
    file = io.BytesIO(content)
    file.name = f"evidence.{require_document(content)}"
    return str(asked(ports, Operation.CREATE_FILE, params={"file": file, "purpose": "dispute_evidence"})["id"])


def submit_evidence(ports: Ports, caller: Principal, dispute_id: str, once: Once) -> Dispute:
    """Send what is staged to the buyer's bank. It can be done once.

    Raises:
        NotAllowed, NotFound, DisputeNotAnswerable, StripeRefused, OutcomeUnknown, IdempotencyKeyReused,
        RequestUnderWay, Unavailable.
    """
    return _answer(ports, caller, dispute_id, once, CommandKind.SUBMIT_EVIDENCE, SUBMIT_EVIDENCE)


def accept_dispute(ports: Ports, caller: Principal, dispute_id: str, once: Once) -> Dispute:
    """Give a dispute up: it is lost, and nothing undoes it. Raises as `submit_evidence`."""
    return _answer(ports, caller, dispute_id, once, CommandKind.ACCEPT_DISPUTE, ACCEPT_DISPUTE)


def _read(ports: Ports, caller: Principal, dispute_id: str) -> tuple[Books, Dispute]:
    caller.require(Role.OPERATOR, Role.MERCHANT)
    books = ports.store.books(owner_of("dispute", dispute_id) or "", visible_to=caller)
    if books is None or dispute_id not in books.disputes:
        raise NotFound("dispute")
    return books, books.disputes[dispute_id]


def _answer(
    ports: Ports, caller: Principal, dispute_id: str, once: Once, kind: CommandKind, handler: AnswerDispute
) -> Dispute:
    caller.require(Role.OPERATOR)
    books, dispute = _read(ports, caller, dispute_id)
    used = books.idempotency.get(once.scope)
    if used is not None:
        require_done(replay(ports, handler, once, used))
        return read_dispute(ports, caller, dispute_id)
    now = ports.clock.now()
    require_answerable(dispute, now)
    command_id = ports.ids.new("command")
    named = {"metadata": {"transaction_id": dispute.transaction_id, "command_id": command_id}, "submit": True}
    command = record(
        command_id=command_id,
        subject=dispute.transaction_id,
        kind=kind,
        target=(dispute.stripe_dispute_id,),
        params=named if kind is CommandKind.SUBMIT_EVIDENCE else {},
        result=dispute_id,
        now=now,
    )
    require_done(perform_once(ports, handler, once, command, books))
    return read_dispute(ports, caller, dispute_id)


def _of_one(ports: Ports, caller: Principal, dispute_id: str) -> Dispute:
    """A dispute whose evidence the caller may see and give: operators, and the only merchant of a sale."""
    dispute = read_dispute(ports, caller, dispute_id)
    if not dispute.is_all_seen_by(caller):
        raise NotFound("dispute")
    return dispute
