"""Changes of what Stripe has too, one at a time: what Stripe was told last is what is kept."""

from dataclasses import replace

from marketplace.domain.catalog import Price, Product
from marketplace.domain.commands import Command
from marketplace.domain.customers import Customer
from marketplace.domain.errors import RequestUnderWay
from marketplace.domain.invoices import Invoice
from marketplace.domain.subscriptions import Subscription
from marketplace.ports import Conflict, Ports, Replace
from marketplace.services.commands import Handler, perform_once, require_done
from marketplace.services.idempotency import Once

type Changeable = Customer | Invoice | Price | Product | Subscription


def require_free(item: Changeable, named: str) -> None:
    """Refuse while another change has not ended. Raises RequestUnderWay."""
    if item.changed_by is not None:
        raise _under_way(named)


def carry_out[S: (Customer, Invoice, Price, Product, Subscription)](
    ports: Ports, handler: Handler[S], once: Once, command: Command, before: S, after: S, named: str
) -> Command:  # fmt: skip
    """Record a change in the commit that takes its subject, and carry it out; ``after`` is what was agreed to.

    Raises:
        StripeRefused, IdempotencyKeyReused, OutcomeUnknown.
        RequestUnderWay: also where another change was faster.
    """
    taken = Replace(before, replace(after, changed_by=command.id))
    try:
        return require_done(perform_once(ports, handler, once, command, taken.stored, taken))
    except Conflict as conflict:
        raise _under_way(named) from conflict


def _under_way(named: str) -> RequestUnderWay:
    return RequestUnderWay(f"another change of {named} has not ended")
