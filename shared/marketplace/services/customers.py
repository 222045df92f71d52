"""Customers: one at Stripe for each of ours whatever crashes, and the payment details that are saved there."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final, override

from marketplace.domain import customers
from marketplace.domain.books import IdempotencyRecord
from marketplace.domain.commands import Command, CommandKind, record
from marketplace.domain.customers import TRANSITIONS, Customer, CustomerStatus, PaymentMethod, payment_method
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import (
    CustomerExists,
    CustomerNotReady,
    InvalidCustomer,
    NotAllowed,
    NotFound,
    StripeRefused,
)
from marketplace.domain.principals import Principal, Role
from marketplace.domain.states import require_transition
from marketplace.operations import Operation
from marketplace.ports import (
    Change,
    Conflict,
    Create,
    Ports,
    Ref,
    Replace,
    one,
)
from marketplace.services.asking import asked
from marketplace.services.changes import carry_out, require_free
from marketplace.services.commands import Handler, find_made, handles, made_since, perform_once, replay, require_done
from marketplace.services.idempotency import Once

MOST_PAYMENT_METHODS: Final = 100  # of a customer, as Stripe pages them; nobody chooses among more


@dataclass(frozen=True, kw_only=True)
class Address:
    """An address; ``country`` is ISO 3166."""

    country: str
    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None


@dataclass(frozen=True, kw_only=True)
class Shipping:
    """Where to send things, and to whom."""

    name: str
    address: Address
    phone: str | None = None


@dataclass(frozen=True, kw_only=True)
class CustomerDetails:
    """What is known of a customer; None is not said. Phone and addresses are kept at Stripe, and only there."""

    email: str | None = None
    name: str | None = None
    phone: str | None = None
    address: Address | None = None
    shipping: Shipping | None = None

    def params(self) -> dict[str, Any]:
        """As Stripe takes them; an address takes the place of the whole earlier one."""
        return _said(asdict(self))


class CreateCustomer(Handler[Customer]):
    """The customer at Stripe that keeps the payment details."""

    operation = Operation.CREATE_CUSTOMER
    forgets = True

    @override
    def load(self, ports: Ports, command: Command) -> Customer:
        return _stored(ports, command.result)

    @override
    def succeeded(self, ports: Ports, subject: Customer, command: Command, made: Mapping[str, Any]) -> Sequence[Change]:
        return [_moved(subject, CustomerStatus.READY, stripe_customer_id=made["id"])]

    @override
    def refused(self, ports: Ports, subject: Customer, command: Command, code: str) -> Sequence[Change]:
        return [_moved(subject, CustomerStatus.REFUSED)]

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        clock = command.params.get("test_clock")  # its customers are in a list of their own, and made in its time
        params = {"limit": 100, **({"test_clock": clock} if clock else {"created": made_since(command)})}
        return find_made(ports.stripe.each(Operation.LIST_CUSTOMERS, params=params), command)


class UpdateCustomer(Handler[Customer]):
    """Other details. Of two changes at once the second is refused: what Stripe was told last is what is kept."""

    operation = Operation.UPDATE_CUSTOMER
    forgets = True

    @override
    def load(self, ports: Ports, command: Command) -> Customer:
        return _stored(ports, command.result)

    @override
    def succeeded(self, ports: Ports, subject: Customer, command: Command, made: Mapping[str, Any]) -> Sequence[Change]:
        changed = replace(subject, email=made.get("email"), name=made.get("name"), changed_by=None)
        return [Replace(subject, changed)]

    @override
    def refused(self, ports: Ports, subject: Customer, command: Command, code: str) -> Sequence[Change]:
        return [Replace(subject, replace(subject, changed_by=None))]

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        return find_made([ports.stripe.read(Operation.READ_CUSTOMER, *command.target)], command)


CREATE_CUSTOMER: Final = CreateCustomer()
UPDATE_CUSTOMER: Final = UpdateCustomer()
handles(CommandKind.CREATE_CUSTOMER, CREATE_CUSTOMER)
handles(CommandKind.UPDATE_CUSTOMER, UPDATE_CUSTOMER)


def create_customer(
    ports: Ports, caller: Principal, customer_id: str | None, details: CustomerDetails, once: Once,
    *, test_clock: str | None = None,
) -> Customer:  # fmt: skip
    """Make a customer, who can save payment details from then on. A buyer makes himself, an operator anybody.

    ``test_clock`` is one of Stripe's, in test mode: the customer is billed by its time. For operators.

    Raises:
        NotAllowed, InvalidCustomer, StripeRefused, IdempotencyKeyReused, RequestUnderWay.
        CustomerExists: there is one for this id.
        OutcomeUnknown: it is made without the caller; the same key gives the answer later.
    """
    wanted = _named_by(caller, customer_id)
    if test_clock is not None:
        caller.require(Role.OPERATOR)
    key, ref = Ref(IdempotencyRecord, once.scope), Ref(Customer, wanted)
    found = ports.store.get(key, ref)
    used, earlier = found(key), found(ref)
    if used is not None:
        return _stored(ports, require_done(replay(ports, CREATE_CUSTOMER, once, used)).result)
    if earlier is not None and earlier.status is not CustomerStatus.REFUSED:
        raise CustomerExists("there is a customer of this id")
    now = ports.clock.now()
    customer = Customer(id=wanted, email=details.email, name=details.name, created_at=now)
    command_id = ports.ids.new("command")
    command = record(
        command_id=command_id,
        subject=customer.subject,
        kind=CommandKind.CREATE_CUSTOMER,
        params={
            **details.params(),
            **({"test_clock": test_clock} if test_clock else {}),
            "metadata": {"customer_id": wanted, "command_id": command_id},
        },
        result=wanted,
        now=now,
    )
    again = None if earlier is None else _moved(earlier, CustomerStatus.REQUESTED, like=customer)
    subject, change = (customer, Create(customer)) if again is None else (again.stored, again)
    try:
        done = perform_once(ports, CREATE_CUSTOMER, once, command, subject, change)
    except Conflict as conflict:
        raise CustomerExists("there is a customer of this id") from conflict
    return _stored(ports, require_done(done).result)


def read_customer(ports: Ports, caller: Principal, customer_id: str) -> Customer:
    """A customer, to operators and himself. Raises NotAllowed, NotFound."""
    caller.require(Role.OPERATOR, Role.BUYER)
    if not customers.is_visible(customer_id, caller):
        raise NotFound("customer")
    return _stored(ports, customer_id)


def update_customer(
    ports: Ports, caller: Principal, customer_id: str, details: CustomerDetails, once: Once
) -> Customer:
    """Change what is said of a customer's details, and leave the others.

    Raises:
        NotAllowed, NotFound, CustomerNotReady, StripeRefused, IdempotencyKeyReused, OutcomeUnknown.
        RequestUnderWay: also while another change has not ended.
    """
    customer = read_customer(ports, caller, customer_id)
    used = one(ports.store, Ref(IdempotencyRecord, once.scope))
    if used is not None:
        require_done(replay(ports, UPDATE_CUSTOMER, once, used))
        return _stored(ports, customer_id)
    stripe_customer_id = at_stripe(customer)
    require_free(customer, "this customer")
    command_id = ports.ids.new("command")
    command = record(
        command_id=command_id,
        subject=customer.subject,
        kind=CommandKind.UPDATE_CUSTOMER,
        target=(stripe_customer_id,),
        params={**details.params(), "metadata": {"command_id": command_id}},
        result=customer_id,
        now=ports.clock.now(),
    )
    carry_out(ports, UPDATE_CUSTOMER, once, command, customer, customer, "this customer")
    return _stored(ports, customer_id)


def list_payment_methods(ports: Ports, caller: Principal, customer_id: str) -> list[PaymentMethod]:
    """The saved details, the latest first. Raises NotAllowed, NotFound, CustomerNotReady, StripeUnavailable."""
    stripe_customer_id = at_stripe(read_customer(ports, caller, customer_id))
    page = ports.stripe.read(
        Operation.LIST_PAYMENT_METHODS, stripe_customer_id, params={"limit": MOST_PAYMENT_METHODS}
    )  # fmt: skip
    return [payment_method(made) for made in page["data"]]


def delete_payment_method(ports: Ports, caller: Principal, customer_id: str, payment_method_id: str) -> PaymentMethod:
    """Have Stripe forget saved details: they can never be charged again.

    Raises:
        NotAllowed, CustomerNotReady, StripeUnavailable.
        NotFound: none of this customer's, or forgotten already.
    """
    customer = read_customer(ports, caller, customer_id)
    saved = own_payment_method(ports, customer, payment_method_id)
    try:
        return payment_method(asked(ports, Operation.DETACH_PAYMENT_METHOD, saved.id, params={}))
    except StripeRefused as refused:
        raise NotFound("payment method") from refused


def own_payment_method(ports: Ports, customer: Customer, payment_method_id: str) -> PaymentMethod:
    """Saved details of this customer: another's are not found. Raises NotFound, CustomerNotReady, StripeUnavailable."""
    try:
        found = ports.stripe.read(Operation.READ_PAYMENT_METHOD, at_stripe(customer), payment_method_id)
    except StripeRefused as refused:
        raise NotFound("payment method") from refused
    return payment_method(found)


def at_stripe(customer: Customer) -> str:
    """The id of the customer at Stripe. Raises CustomerNotReady."""
    if customer.status is not CustomerStatus.READY or customer.stripe_customer_id is None:
        raise CustomerNotReady(f"the customer at Stripe is {customer.status}")
    return customer.stripe_customer_id


def _said(details: Mapping[str, Any]) -> dict[str, Any]:
    said = {field: _said(value) if isinstance(value, dict) else value for field, value in details.items()}
    return {field: value for field, value in said.items() if value is not None}


def _named_by(caller: Principal, customer_id: str | None) -> str:
    caller.require(Role.OPERATOR, Role.BUYER)
    if caller.role is Role.BUYER:
        if customer_id not in {None, caller.subject}:
            raise NotAllowed("other customers are for operators")
        return caller.subject
    if customer_id is None:
        raise InvalidCustomer("an operator names the customer: the subject of the buyer's token")
    return customer_id


def _moved(
    before: Customer, status: CustomerStatus, *, like: Customer | None = None, stripe_customer_id: str | None = None
) -> Replace[Customer]:
    require_transition(TRANSITIONS, before.status, status)
    after = replace(like or before, status=status, stripe_customer_id=stripe_customer_id)
    return Replace(before, after)


def _stored(ports: Ports, customer_id: str) -> Customer:
    customer = one(ports.store, Ref(Customer, customer_id))
    if customer is None:
        raise NotFound("customer")
    return customer
