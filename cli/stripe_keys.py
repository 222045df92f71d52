"""Restricted Stripe keys: which functions share one, and which rights it needs, found in their code."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Final, NamedTuple

from local.stripe_use import FUNCTIONS, Asked, asked_by
from marketplace.operations import Operation

READS: Final = frozenset({"retrieve", "list"})
SHARED_KEY: Final = "StripeKeySecretArn"


# Where Stripe names its permissions: by endpoint, and by the object that they are for.
BY_ENDPOINT: Final = "https://docs.stripe.com/keys/permissions-reference"
BY_OBJECT: Final = "https://docs.stripe.com/stripe-apps/reference/permissions"


class Resource(NamedTuple):
    """A row of Stripe's page for restricted keys.

    ``permission`` is what Stripe calls it, in refusals (``rak_charge_read``) and in links to that page. ``probe`` reads
    it; None where nothing can be read. ``source`` is the page of Stripe's that says so; None where none was found.
    """

    name: str
    permission: str
    prefixes: tuple[str, ...]  # of the operations that need it
    probe: str | None
    source: str | None = BY_OBJECT


RESOURCES: Final = (
    # As refusals say that others publish (`v2_account_storer_write`); in the Dashboard, Accounts v2 and the
    # configurations under it.
    Resource(
        "Accounts v2",
        "v2_account_storer",
        ("v2.core.accounts.", "v2.core.account_links."),
        "v2.core.accounts.list",
        source=None,
    ),
    Resource(
        "Connected accounts",
        "connected_account",
        ("v1.accounts.create", "v1.accounts.retrieve", "v1.accounts.list"),
        "v1.accounts.list",
        source=BY_ENDPOINT,
    ),
    Resource("Account links", "account_link", ("v1.account_links.",), None, source=BY_ENDPOINT),
    Resource("Account sessions", "account_session", ("v1.account_sessions.",), None, source=BY_ENDPOINT),
    Resource("Login links", "edit_link", ("v1.accounts.login_links.",), None),
    Resource("Products", "product", ("v1.products.",), "v1.products.list"),
    Resource("Prices", "plan", ("v1.prices.",), "v1.prices.list"),
    Resource("Customers", "customer", ("v1.customers.",), "v1.customers.list"),
    Resource(
        "Payment methods",
        "payment_method",
        ("v1.payment_methods.", "v1.customers.payment_methods."),
        "v1.payment_methods.list",
    ),
    Resource("Checkout sessions", "checkout_session", ("v1.checkout.sessions.",), "v1.checkout.sessions.list"),
    Resource("PaymentIntents", "payment_intent", ("v1.payment_intents.",), "v1.payment_intents.list"),
    Resource("Charges and refunds", "charge", ("v1.charges.", "v1.refunds."), "v1.refunds.list"),
    Resource("Application fees", "application_fee", ("v1.application_fees.",), "v1.application_fees.list"),
    Resource("Transfers", "transfer", ("v1.transfers.",), "v1.transfers.list"),
    Resource("Balance", "balance", ("v1.balance.",), "v1.balance.retrieve"),
    Resource(
        "Balance transaction sources",
        "balance_transaction_source",
        ("v1.balance_transactions.",),
        "v1.balance_transactions.list",
    ),
    Resource(
        "Balance settings",
        "balance_settings",
        ("v1.balance_settings.",),
        "v1.balance_settings.retrieve",
        source=None,
    ),
    Resource("Payouts", "payout", ("v1.payouts.",), "v1.payouts.list"),
    Resource("Disputes", "dispute", ("v1.disputes.",), "v1.disputes.list"),
    Resource("Files", "file", ("v1.files.",), "v1.files.list"),
    Resource("Events", "event", ("v1.events.",), "v1.events.list"),
    Resource("Invoices", "invoice", ("v1.invoices.",), "v1.invoices.list"),
    Resource("Invoice payments", "invoice", ("v1.invoice_payments.",), "v1.invoice_payments.list", source=None),
    Resource("Tax rates", "tax_rate", ("v1.tax_rates.",), "v1.tax_rates.list"),
    Resource("Credit notes", "credit_note", ("v1.credit_notes.",), "v1.credit_notes.list"),
    Resource("Subscriptions", "subscription", ("v1.subscriptions.",), "v1.subscriptions.list"),
    Resource("Billing portal", "customer_portal", ("v1.billing_portal.",), "v1.billing_portal.configurations.list"),
    Resource("Coupons", "coupon", ("v1.coupons.",), "v1.coupons.list"),
    Resource("Promotion codes", "promotion_code", ("v1.promotion_codes.",), "v1.promotion_codes.list"),
)


class Group(StrEnum):
    """Functions that do alike things at Stripe: they share a key. The value is the group's name in the docs."""

    MERCHANTS = "merchants"
    CATALOG = "catalog"
    CHECKOUT = "checkout"
    PAYMENTS = "payments"
    BILLING = "billing"
    EVENTS = "events"
    RECOVERY = "recovery"
    RECONCILIATION = "reconciliation"


# A function that is in none has no key. The template says the same by its policies: tests/template/test_stripe_keys.py.
FUNCTIONS_OF: Final[Mapping[Group, tuple[str, ...]]] = {
    Group.MERCHANTS: ("merchants/app", "merchants/balances"),
    Group.CATALOG: ("catalog/app", "promotions/app"),
    Group.CHECKOUT: ("checkout/app", "checkout/guest"),
    Group.PAYMENTS: ("payments/app", "refunds/app", "transfers/app", "disputes/app"),
    Group.BILLING: ("customers/app", "subscriptions/app", "invoices/app"),
    Group.EVENTS: ("webhooks/process", "schedules/catch_up"),
    Group.RECOVERY: ("schedules/sweep", "commands/app"),
    Group.RECONCILIATION: ("schedules/reconcile",),
}


class Level(StrEnum):
    """What a key may do with a kind of object; who may write may read."""

    READ = "read"
    WRITE = "write"


class Right(NamedTuple):
    """What a key needs of a kind of object: of the platform's own, and of connected accounts' (Connect permissions)."""

    resource: Resource
    own: Level | None
    connect: Level | None


@cache
def rights_of(group: Group) -> tuple[Right, ...]:
    """What a group's key needs."""
    return rights_for(_asked(group))


@cache
def rights_of_all() -> tuple[Right, ...]:
    """What one key for all functions needs."""
    return rights_for(frozenset().union(*map(_asked, Group)))


def _asked(group: Group) -> frozenset[Asked]:
    return frozenset().union(*(asked_by(FUNCTIONS / f"{name}.py") for name in FUNCTIONS_OF[group]))


def rights_for(asked: Collection[Asked]) -> tuple[Right, ...]:
    """The rights that this needs, in the order of Stripe's page."""
    rights = (
        Right(
            resource,
            level([each.operation for each in asked if _needs(each, resource) and not each.of_account]),
            level([each.operation for each in asked if _needs(each, resource) and each.of_account]),
        )
        for resource in RESOURCES
    )
    return tuple(right for right in rights if right.own or right.connect)


def needed_by(resource: Resource, group: Group | None = None) -> frozenset[Operation]:
    """What is asked of this kind of object, by a group's functions or by all."""
    asked = frozenset().union(*map(_asked, [group] if group else Group))
    return frozenset(each.operation for each in asked if _needs(each, resource))


class Place(NamedTuple):
    """A key of a deployment: where its secret is, what it must be able to do, and whether anybody uses it already.

    The operator's commands use the one that has no group, whoever else does.
    """

    name: str
    output: str  # of the stack, the secret's ARN
    group: Group | None
    rights: tuple[Right, ...]
    is_in_use: bool


def places(stripe_keys: str) -> tuple[Place, ...]:
    """The keys of a deployment with this value of the parameter ``StripeKeys``."""
    has_own = stripe_keys in {"switched", "separate"}
    shared = Place("key", SHARED_KEY, None, () if has_own else rights_of_all(), is_in_use=True)
    own = (
        Place(f"key of {group}", f"{group.title()}{SHARED_KEY}", group, rights_of(group), is_in_use=has_own)
        for group in Group
    )
    return (shared,) if stripe_keys == "shared" else (shared, *own)


def level(operations: Sequence[Operation]) -> Level | None:
    """The level that they need together; None of nothing."""
    if not operations:
        return None
    reads = all(each.value.rsplit(".", 1)[-1] in READS for each in operations)
    return Level.READ if reads else Level.WRITE


def permissions(rights: Sequence[Right]) -> tuple[dict[str, str], dict[str, str]]:
    """As Stripe names them: the permissions and the Connect permissions, the higher of two levels by one name."""
    return _by_name((each.resource.permission, each.own) for each in rights), _by_name(
        (each.resource.permission, each.connect) for each in rights
    )


def _needs(asked: Asked, resource: Resource) -> bool:
    return asked.operation.value.startswith(resource.prefixes)


def _by_name(levels: Iterable[tuple[str, Level | None]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, wanted in levels:
        if wanted is not None and found.get(name) != Level.WRITE:
            found[name] = wanted.value
    return found
