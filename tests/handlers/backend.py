"""The functions in one process: the real handlers over the store in memory and a Stripe made by hand."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

from local.cloud.places import PROJECT
from marketplace.adapters.system import SystemIds
from marketplace.domain.principals import SYSTEM
from marketplace.domain.refusals import entry_of
from marketplace.ports import Ports
from marketplace.services.events import EventOutcome, take_in

from ..contract.examples import StillClock
from ..fakes.memory_store import MemoryStore
from ..fakes.stripe import FakeStripe
from .recorded import RecordedStore, RecordedStripe

EVENTS = Path(__file__).parent / "events"
DESCRIPTION: dict[str, Any] = json.loads((PROJECT / "docs" / "openapi.json").read_text())
SHOP = "http://localhost:3000"
ROUTES = (
    *("merchants", "catalog", "checkout", "customers", "payments", "refunds", "transfers", "disputes"),
    *("transactions", "ledger", "commands", "promotions", "subscriptions", "invoices"),
)
SCHEDULES = ("sweep", "catch_up", "reconcile", "audit")
FUNCTIONS = (
    *(f"{name}.app" for name in ROUTES),
    "merchants.balances",
    "checkout.guest",
    "webhooks.process",
    *(f"schedules.{name}" for name in SCHEDULES),
)
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "TABLE_NAME": "marketplace",
    "STRIPE_SECRET_ARN": "stripe-key",
    "STRIPE_API_BASE": "http://stripe.test",
    "LIVEMODE": "false",
    "ROLE_CLAIM": "cognito:groups",
    "MERCHANT_CLAIM": "custom:merchant_id",
    "TOKEN_ISSUER": "",
    "TOKEN_AUDIENCE": "",
    "TOKEN_KEYS_URL": "",
    "RETURN_ORIGINS": SHOP,
    "FEE_POLICY": '{"percent": "10"}',
    "MONEY_POLICY": "{}",
    "MERCHANT_RIGHTS": "{}",
    "PAYMENT_TEMPLATE": "{}",
    "ACCOUNT_POLICY": "{}",
    "API_BASE_URL": "",
    "QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/events.fifo",
    "WEBHOOK_SECRET_ARN": "webhook-secrets",
    "SETTLED_AFTER_SECONDS": "120",
    "EVENT_BUS_NAME": "marketplace",
    "PARTNER_EVENT_SOURCE": "aws.partner/stripe.com/ed_test_1",
    "DEAD_LETTER_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/dead-letters.fifo",
    "POWERTOOLS_SERVICE_NAME": "test",
    "POWERTOOLS_METRICS_NAMESPACE": "marketplace-test",
    "LOG_LEVEL": "INFO",
}


def event(name: str) -> dict[str, Any]:
    """One of the events beside this file."""
    read: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return read


@dataclass
class Context:
    """Lambda's context object."""

    left_ms: int = 25_000
    aws_request_id: str = "1d9b6a0e"
    function_name: str = "test"

    def get_remaining_time_in_millis(self) -> int:
        return self.left_ms


@dataclass(frozen=True)
class User:
    """Whose token a request carries."""

    claims: Mapping[str, Any]


OPERATOR = User({"sub": "operator-1", "cognito:groups": "[operator]"})
BUYER = User({"sub": "buyer-1", "cognito:groups": "[buyer]"})
NOBODY = User({})


def merchant_user(merchant_id: str) -> User:
    return User({"sub": "seller-1", "cognito:groups": "[merchant]", "custom:merchant_id": merchant_id})


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def problem(self) -> str:
        """The slug, of an answer that is a whole problem and nothing else."""
        said = self.json
        assert self.headers["Content-Type"] == "application/problem+json"
        assert said["status"] == self.status
        assert all(said[name] for name in ("title", "detail", "action", "request_id"))
        slug = said["type"].removeprefix("/problems/")
        entry = entry_of(said["stripe_code"]) if slug == "stripe-refused" else slug
        assert said["documentation"] == f"docs/errors.md#{entry}"
        return str(slug)


@dataclass
class Backend:
    """All functions, and what a test wants to know of them."""

    template: str
    modules: Mapping[str, ModuleType]
    clock: StillClock = field(default_factory=StillClock)
    stripe: FakeStripe = field(default_factory=FakeStripe)
    store: MemoryStore = field(init=False)

    def __post_init__(self) -> None:
        self.store = MemoryStore(self.clock)

    def ports_of(self, name: str) -> Ports:
        """The function's own ports, with store, Stripe and clock replaced."""
        ports: Ports = self.modules[name].ports
        ids = SystemIds(self.clock)  # lists go by the time in an id
        store: Any = RecordedStore(self.store, name)
        return ports._replace(store=store, stripe=RecordedStripe(self.stripe, name), clock=self.clock, ids=ids)

    def send(self, user: User, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        """A request to the function that serves the path; a body is JSON unless it is text."""
        name = next(name for name, prefixes in _SERVES.items() if _is_served(path, prefixes))
        return self.call(name, self.request(user, method, path, body, **options))

    def call(self, name: str, request: Mapping[str, Any], context: Context | None = None) -> Answer:
        """An event for a function behind the API."""
        answer = self.modules[name].handler(request, context or Context())
        headers = {key: str(value) for key, value in answer["headers"].items()}
        asked = request["requestContext"]["http"]
        require_described(asked["method"], asked["path"], int(answer["statusCode"]), headers.get("Content-Type", ""))
        return Answer(int(answer["statusCode"]), headers, answer.get("body") or "")

    def request(
        self, user: User, method: str, path: str, body: Any = None, *, key: str | None = None,
        query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """The event that API Gateway makes of a request."""
        made = event(self.template)
        made["rawPath"] = made["requestContext"]["http"]["path"] = path
        made["requestContext"]["http"]["method"] = method
        made["requestContext"]["authorizer"]["jwt"]["claims"] = dict(user.claims)
        made["headers"] = {name.lower(): value for name, value in made["headers"].items()} | dict(headers or {})
        if key is not None:
            made["headers"]["Idempotency-Key" if self.template == "http_api_local" else "idempotency-key"] = key
        if query is not None:
            made["queryStringParameters"] = dict(query)
            made["rawQueryString"] = "&".join(f"{name}={value}" for name, value in query.items())
        if body is not None:
            made["body"] = body if isinstance(body, str) else json.dumps(body)
        return made

    # What tests begin with.

    def merchant(self, **fields: Any) -> str:
        """The id of a merchant that can be sold for."""
        body = {
            "name": "Café Nordlicht", "contact_email": "nora@nordlicht.example", "country": "us",
            "currencies": ["usd"], **fields,
        }  # fmt: skip
        answer = self.send(OPERATOR, "POST", "/merchants", body)
        assert answer.status == 201, answer.text
        return str(answer.json["id"])

    def price(self, merchant_id: str, unit_amount: int = 1000) -> str:
        """The id of a price of the merchant's."""
        product = self.send(OPERATOR, "POST", f"/merchants/{merchant_id}/products", {"name": "Tea"}).json
        body = {"unit_amount": unit_amount, "currency": "usd"}
        return str(self.send(OPERATOR, "POST", f"/products/{product['id']}/prices", body).json["id"])

    def basket(self, price_id: str, **fields: Any) -> dict[str, Any]:
        """What a buyer's browser sends."""
        return {
            "line_items": [{"price": price_id, "quantity": 1}], "success_url": f"{SHOP}/thanks",
            "cancel_url": f"{SHOP}/basket", **fields,
        }  # fmt: skip

    def sale(self, price_id: str, *, key: str = "sale") -> str:
        """The id of a transaction whose session is open."""
        answer = self.send(BUYER, "POST", "/checkout/sessions", self.basket(price_id), key=key)
        assert answer.status == 201, answer.text
        return str(answer.json["transaction_id"])

    def paid_sale(self, merchant_id: str) -> str:
        """The id of a transaction that the buyer has paid: its charge has come in."""
        transaction_id = self.sale(self.price(merchant_id))
        transaction = self.books(transaction_id).transaction
        charge = charge_of(transaction_id, amount_captured=transaction.amount, application_fee_amount=transaction.fee)
        body = stripe_event("charge.succeeded", charge)
        assert take_in(self.ports_of("webhooks.process"), body) is EventOutcome.APPLIED
        return transaction_id

    def books(self, transaction_id: str) -> Any:
        return self.store.books(transaction_id, visible_to=SYSTEM)

    def wait(self, seconds: int) -> None:
        self.clock.advance(timedelta(seconds=seconds))


def stripe_event(event_type: str, subject: Mapping[str, Any], event_id: str = "evt_1", **fields: Any) -> dict[str, Any]:
    """A snapshot event of the platform's own account."""
    return {
        "id": event_id, "object": "event", "type": event_type, "created": 1_795_422_398, "livemode": False,
        "data": {"object": dict(subject)}, **fields,
    }  # fmt: skip


def charge_of(transaction_id: str, **fields: Any) -> dict[str, Any]:
    """The charge of a sale of 10.00 with a fee of 1.00, or of what ``fields`` say."""
    return {
        "id": "ch_1", "object": "charge", "status": "succeeded", "captured": True, "amount_captured": 1_000,
        "application_fee_amount": 100, "created": 1_795_422_397, "payment_intent": "pi_1",
        "metadata": {"transaction_id": transaction_id}, **fields,
    }  # fmt: skip


def require_described(method: str, path: str, status: int, content_type: str) -> None:
    """Hold an answer against the OpenAPI document, where the document has the operation."""
    for template, operations in DESCRIPTION["paths"].items():
        if method.lower() in operations and re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path):
            answers = operations[method.lower()]["responses"]
            assert str(status) in answers, f"{method} {template}: {status} is not in docs/openapi.json"
            found = answers[str(status)]
            if "$ref" in found:
                found = DESCRIPTION["components"]["responses"][found["$ref"].rsplit("/", 1)[-1]]
            kind = content_type.split(";", maxsplit=1)[0]
            assert kind in found.get("content", {kind: {}}), f"{method} {template}: {status} is not {kind}"
            return


_SERVES = {
    "refunds.app": ("/refunds", "/transactions/{}/refunds"),
    "catalog.app": ("/merchants/{}/products", "/products/", "/prices/"),
    "payments.app": ("/payments", *(f"/transactions/{{}}/{act}" for act in ("capture", "cancel", "release", "hold"))),
    "transactions.app": ("/transactions",),
    "ledger.app": ("/ledger/", "/reconciliations", "/audits", "/exports/", "/tax/"),
    "promotions.app": ("/coupons", "/promotion-codes"),
    "checkout.app": ("/checkout/",),
    "checkout.guest": ("/guest/",),
    "customers.app": ("/customers",),
    "transfers.app": ("/transfers",),
    "subscriptions.app": ("/subscriptions",),
    "invoices.app": ("/invoices",),
    "disputes.app": ("/disputes",),
    "merchants.balances": tuple(
        f"/merchants/{{}}/{what}"
        for what in ("dashboard-links", "component-sessions", "payout-schedule", "payouts", "balance", "statement")
    ),
    "commands.app": ("/commands",),
    "dead_letters.app": ("/dead-letters",),
    "merchants.app": ("/merchants", "/onboarding/", "/debts"),
}


def _is_served(path: str, prefixes: tuple[str, ...]) -> bool:
    """Whether a path begins like one of the prefixes, ``{}`` standing for any one part."""
    parts = path.strip("/").split("/")
    for prefix in prefixes:
        wanted = prefix.strip("/").split("/")
        if len(parts) >= len(wanted) and all(a in ("{}", b) for a, b in zip(wanted, parts, strict=False)):
            return True
    return False
