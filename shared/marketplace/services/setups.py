"""Setup sessions: a buyer saves payment details on Stripe's page, and nothing is paid."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, override

from marketplace.domain.books import IdempotencyRecord
from marketplace.domain.commands import Command, CommandKind, record
from marketplace.domain.customers import Customer
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import InvalidCustomer, NotFound, UnknownCurrency
from marketplace.domain.money import CURRENCIES
from marketplace.domain.principals import Principal, Role
from marketplace.operations import Operation
from marketplace.ports import Change, Ports, Ref
from marketplace.services.commands import Handler, find_made, handles, made_since, perform_once, replay, require_done
from marketplace.services.customers import at_stripe
from marketplace.services.idempotency import Once


@dataclass(frozen=True, kw_only=True)
class NewSetup:
    """What is asked for. ``currency`` decides which kinds of payment details Stripe offers to save."""

    currency: str
    success_url: str
    cancel_url: str
    customer_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class SetupSession:
    """``url`` is Stripe's page."""

    checkout_session_id: str
    url: str


class CreateSetupSession(Handler[None]):
    """The session; what is saved in it is the customer's at Stripe, and read from there."""

    operation = Operation.CREATE_CHECKOUT_SESSION

    @override
    def load(self, ports: Ports, command: Command) -> None:
        return None

    @override
    def keep(self, made: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"url": made["url"]}

    @override
    def succeeded(self, ports: Ports, subject: None, command: Command, made: Mapping[str, Any]) -> Sequence[Change]:
        return ()

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        params = {"customer": command.params["customer"], "limit": 100, "created": made_since(command)}
        return find_made(ports.stripe.each(Operation.LIST_CHECKOUT_SESSIONS, params=params), command)


CREATE_SETUP_SESSION: Final = CreateSetupSession()
handles(CommandKind.CREATE_SETUP_SESSION, CREATE_SETUP_SESSION)


def create_setup_session(ports: Ports, caller: Principal, wanted: NewSetup, once: Once) -> SetupSession:
    """Make the session in which a customer saves details: a buyer his own, an operator anybody's.

    Raises:
        NotAllowed, InvalidReturnUrl, UnknownCurrency, InvalidCustomer, CustomerNotReady, StripeRefused,
        IdempotencyKeyReused, RequestUnderWay.
        NotFound: no such customer.
        OutcomeUnknown: the session is made without the caller; the same key gives it later.
    """
    caller.require(Role.OPERATOR, Role.BUYER)
    if wanted.customer_id is not None:
        caller.require(Role.OPERATOR)
    for url in (wanted.success_url, wanted.cancel_url):
        ports.policy.require_return_url(url)
    if wanted.currency not in CURRENCIES:
        raise UnknownCurrency(wanted.currency)
    customer_id = caller.subject if caller.role is Role.BUYER else wanted.customer_id
    if customer_id is None:
        raise InvalidCustomer("an operator names the customer: the subject of the buyer's token")
    key, ref = Ref(IdempotencyRecord, once.scope), Ref(Customer, customer_id)
    found = ports.store.get(key, ref)
    used, customer = found(key), found(ref)
    if used is not None:
        return _answer(require_done(replay(ports, CREATE_SETUP_SESSION, once, used)))
    if customer is None:
        raise NotFound("customer")
    command_id = ports.ids.new("command")
    command = record(
        command_id=command_id,
        subject=customer.subject,
        kind=CommandKind.CREATE_SETUP_SESSION,
        params=setup_params(wanted, customer, command_id),
        result=customer_id,
        now=ports.clock.now(),
    )
    return _answer(require_done(perform_once(ports, CREATE_SETUP_SESSION, once, command, None)))


def setup_params(wanted: NewSetup, customer: Customer, command_id: str) -> dict[str, Any]:
    """What Stripe is asked for (`/v1/checkout/sessions`)."""
    return {
        "mode": "setup",
        "ui_mode": "hosted_page",
        "currency": wanted.currency,
        "customer": at_stripe(customer),
        "success_url": wanted.success_url,
        "cancel_url": wanted.cancel_url,
        "metadata": {"customer_id": customer.id, "command_id": command_id},
    }


def _answer(done: Command) -> SetupSession:
    return SetupSession(checkout_session_id=str(done.stripe_id), url=str(done.answer["url"]))
