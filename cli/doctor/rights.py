"""What the key may do: each kind of object that the code uses is read once, one object at most.

Reading is harmless. Writing cannot be tried without writing, so the rights to write are named and not checked.
"""

from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Final, NamedTuple

import stripe

from marketplace.operations import Operation

from .lines import Line, ok, unknown, wrong
from .patient import Patient

READS: Final = frozenset({"retrieve", "list"})


class Resource(NamedTuple):
    """A row of Stripe's page for restricted keys. ``probe`` reads it; None where nothing can be read."""

    name: str
    prefixes: tuple[str, ...]  # of the operations that need it
    probe: str | None


RESOURCES: Final = (
    Resource("Accounts v2", ("v2.core.accounts.", "v2.core.account_links."), "v2.core.accounts.list"),
    Resource("Connected accounts", ("v1.accounts.",), "v1.accounts.list"),
    Resource("Account links", ("v1.account_links.",), None),
    Resource("Account sessions", ("v1.account_sessions.",), None),
    Resource("Products", ("v1.products.",), "v1.products.list"),
    Resource("Prices", ("v1.prices.",), "v1.prices.list"),
    Resource("Customers", ("v1.customers.",), "v1.customers.list"),
    Resource("Payment methods", ("v1.payment_methods.",), "v1.payment_methods.list"),
    Resource("Checkout sessions", ("v1.checkout.sessions.",), "v1.checkout.sessions.list"),
    Resource("PaymentIntents", ("v1.payment_intents.",), "v1.payment_intents.list"),
    Resource("Charges and refunds", ("v1.charges.", "v1.refunds."), "v1.refunds.list"),
    Resource("Application fees", ("v1.application_fees.",), "v1.application_fees.list"),
    Resource("Transfers", ("v1.transfers.",), "v1.transfers.list"),
    Resource("Balance", ("v1.balance.",), "v1.balance.retrieve"),
    Resource("Balance transactions", ("v1.balance_transactions.",), "v1.balance_transactions.list"),
    Resource("Balance settings", ("v1.balance_settings.",), "v1.balance_settings.retrieve"),
    Resource("Payouts", ("v1.payouts.",), "v1.payouts.list"),
    Resource("Disputes", ("v1.disputes.",), "v1.disputes.list"),
    Resource("Files", ("v1.files.",), "v1.files.list"),
    Resource("Events", ("v1.events.",), "v1.events.list"),
    Resource("Events v2", ("v2.core.events.",), "v2.core.events.list"),
    Resource("Tax", ("v1.tax.",), "v1.tax.settings.retrieve"),
    Resource("Invoices", ("v1.invoices.", "v1.invoice_items.", "v1.invoice_payments."), "v1.invoices.list"),
    Resource("Tax rates", ("v1.tax_rates.",), "v1.tax_rates.list"),
    Resource("Credit notes", ("v1.credit_notes.",), "v1.credit_notes.list"),
    Resource("Subscriptions", ("v1.subscriptions.", "v1.subscription_items."), "v1.subscriptions.list"),
    Resource("Billing portal", ("v1.billing_portal.",), "v1.billing_portal.configurations.list"),
    Resource("Coupons", ("v1.coupons.",), "v1.coupons.list"),
    Resource("Promotion codes", ("v1.promotion_codes.",), "v1.promotion_codes.list"),
    Resource("SetupIntents", ("v1.setup_intents.",), "v1.setup_intents.list"),
)
PARAMETERS: Final[Mapping[str, Mapping[str, object]]] = {"v2.core.events.list": {"object_id": "acct_none"}}


def rights(patient: Patient) -> Iterator[Line]:
    """A line for each right that the key lacks, one for those that it has, one for those that cannot be tried."""
    used = [(resource, needed_by(resource)) for resource in RESOURCES if needed_by(resource)]
    lacking = 0
    for resource, operations in used:
        if resource.probe and not may_read(patient.stripe, resource.probe):
            lacking += 1
            needs = ", ".join(operations)
            mend = f"Give the restricted key {resource.name}: {level(operations)}."
            yield wrong("rights", f"The key may not read {resource.name}, needed for {needs}.", mend)
    probed = sum(resource.probe is not None for resource, _ in used)
    if not lacking:
        yield ok("rights", f"The key may read all {probed} kinds of objects that are read.")
    if patient.key.startswith("rk_"):
        written = [resource.name for resource, operations in used if level(operations) == "write"]
        yield unknown("rights", f"Whether it may write {', '.join(written)}.", "Compare it with docs/going-live.md.")


def needed_by(resource: Resource) -> Sequence[Operation]:
    """What the code asks of this kind of object."""
    return [each for each in Operation if each.value.startswith(resource.prefixes)]


def level(operations: Sequence[Operation]) -> str:
    """The right that they need together."""
    return "read" if all(each.value.rsplit(".", 1)[-1] in READS for each in operations) else "write"


def may_read(client: stripe.StripeClient, probe: str) -> bool:
    """Whether the key may; any answer but a refusal of the right says that it may."""
    params = {**PARAMETERS.get(probe, {}), **({"limit": 1} if probe.endswith(".list") else {})}
    try:
        attrgetter(probe)(client)(params)
    except stripe.PermissionError:
        return False
    except stripe.InvalidRequestError:
        return True
    return True
