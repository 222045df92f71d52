"""What merchants see of their payments: told to Stripe with the payment where it takes it, else after it, by a command.

A PaymentIntent of ours takes it up front (``transfer_data.payment_data``). A Checkout Session's does not, nor does a
transfer: the merchant's own charge is changed when it is there. Money never waits for it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, override

from marketplace.domain.commands import Command, CommandKind, record
from marketplace.domain.movements import Transfer
from marketplace.domain.shares import Share
from marketplace.domain.transactions import Payment, Transaction
from marketplace.operations import Operation
from marketplace.ports import Change, Create, Ports
from marketplace.services.commands import Handler, handles


class DescribePayment(Handler[None]):
    """The merchant's own charge (``py_...``, on its account) says what the template says."""

    operation = Operation.UPDATE_CHARGE

    @override
    def load(self, ports: Ports, command: Command) -> None:
        return None

    @override
    def target(self, ports: Ports, command: Command) -> tuple[str, ...]:
        """The payment as which the transfer arrived: where it is not known yet, the transfer names it."""
        transfer_id, *payment_id = command.target
        if payment_id:
            return (payment_id[0],)
        return (str(ports.stripe.read(Operation.READ_TRANSFER, transfer_id)["destination_payment"]),)

    @override
    def succeeded(self, ports: Ports, subject: None, command: Command, made: Mapping[str, Any]) -> Sequence[Change]:
        return ()

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        charge = ports.stripe.read(
            Operation.READ_CHARGE, *self.target(ports, command), account=command.account
        )  # fmt: skip
        metadata = command.params.get("metadata", {})
        says_so = charge.get("description") == command.params.get("description", charge.get("description"))
        return charge if says_so and metadata.items() <= (charge.get("metadata") or {}).items() else None


DESCRIBE_PAYMENT: Final = DescribePayment()
handles(CommandKind.DESCRIBE_PAYMENT, DESCRIBE_PAYMENT)


def up_front(ports: Ports, transaction: Transaction) -> dict[str, Any]:
    """``payment_data`` of a PaymentIntent's ``transfer_data``, nothing where there is no template."""
    said = _said(ports, transaction, transaction.legs[0].merchant_id)
    return {"payment_data": said} if said else {}


def of_destination_charge(ports: Ports, transaction: Transaction, payment: Payment) -> list[Change]:
    """The command after a payment on Stripe's page; a PaymentIntent of ours was told up front."""
    (leg,) = transaction.legs
    if payment.checkout_session_id is None or leg.account_id is None or payment.transfer_id is None:
        return []
    return _described(ports, transaction, leg.merchant_id, leg.account_id, (payment.transfer_id,))


def of_transfer(ports: Ports, transaction: Transaction, share: Share, transfer: Transfer) -> list[Change]:
    """The command after a transfer of ours."""
    if share.account_id is None or transfer.stripe_transfer_id is None:
        return []
    known = (transfer.stripe_transfer_id, transfer.destination_payment_id)
    target = tuple(each for each in known if each is not None)
    return _described(ports, transaction, share.merchant_id, share.account_id, target)


def _described(
    ports: Ports, transaction: Transaction, merchant_id: str, account_id: str, target: tuple[str, ...]
) -> list[Change]:
    said = _said(ports, transaction, merchant_id)
    if not said:
        return []
    command = record(
        command_id=ports.ids.new("command"),
        subject=transaction.id,
        kind=CommandKind.DESCRIBE_PAYMENT,
        target=target,
        account=account_id,
        params=said,
        result=transaction.id,
        now=ports.clock.now(),
    )
    return [Create(command)]


def _said(ports: Ports, transaction: Transaction, merchant_id: str) -> dict[str, Any]:
    template = ports.policy.template
    return {} if template is None else template.of_payment(transaction, merchant_id)
