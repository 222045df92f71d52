"""Everybody who has to do with a marketplace: operator, merchants, buyers, and what they do on Stripe's pages."""

import json
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import stripe

from local.cloud import Stack, User

PATIENCE_SECONDS = 90.0  # the first call of a function unpacks its layer here, which takes a busy machine long
LOOK_EVERY_SECONDS = 0.15
TIMEOUT_SECONDS = 60.0
CARD = "4242424242424242"

Json = dict[str, Any]


class Caller:
    """Somebody with a token, or without."""

    def __init__(self, http: httpx.Client, token: str | None = None) -> None:
        self._http = http
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, **query: str) -> httpx.Response:
        return self._http.get(path, params=query, headers=self._headers)

    def post(self, path: str, body: object = None, *, key: str | None = "new", **headers: str) -> httpx.Response:
        """``key`` is the Idempotency-Key: "new" one, a given one, or None for none. A string is sent as it is."""
        return self.ask("POST", path, body, key=key, **headers)

    def ask(
        self, method: str, path: str, body: object = None, *, key: str | None = "new", **headers: str
    ) -> httpx.Response:
        """Any method; one that has no body is sent none."""
        headers = {**self._headers, **headers}
        if method in {"GET", "DELETE"}:
            return self._http.request(method, path, headers=headers)
        if key is not None:
            headers["Idempotency-Key"] = uuid.uuid4().hex if key == "new" else key
        content = body if isinstance(body, str) else json.dumps({} if body is None else body)
        return self._http.request(
            method, path, content=content, headers={"Content-Type": "application/json", **headers}
        )


class Shop:
    """A marketplace on a running local cloud."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.stripe = stack.stripe_client()
        self.http = httpx.Client(base_url=stack.api, timeout=TIMEOUT_SECONDS)
        self.operator = Caller(self.http, stack.tokens["operator"])
        self.buyer = Caller(self.http, stack.tokens["buyer"])

    def merchant(self, merchant_id: str) -> Caller:
        return Caller(self.http, self.stack.merchant_token(merchant_id))

    def another_buyer(self) -> Caller:
        return Caller(self.http, self.stack.token(User(role="buyer", email="another@marketplace.example")))

    def new_merchant(self, name: str = "Clay & Co") -> Json:
        """A merchant that has not been onboarded."""
        body = {"name": name, "contact_email": "clay@example.com", "country": "us", "currencies": ["usd", "jpy"]}
        return done(self.operator.post("/merchants", body))

    def ready_merchant(self) -> Json:
        """A merchant that has filled in Stripe's onboarding page, and of which Stripe's events have told."""
        path = f"/merchants/{self.new_merchant()['id']}"
        link = done(self.operator.post(f"{path}/onboarding-links", {"return_url": f"{self.stack.return_origin}/back"}))
        assert httpx.post(link["url"], data={"action": "complete"}).is_redirect
        return until(lambda: done(self.operator.get(path)), lambda found: found["status"] == "ready")

    def price(self, merchant: Json, unit_amount: int) -> Json:
        """Something in the catalog, put there by the merchant itself."""
        seller = self.merchant(merchant["id"])
        product = done(seller.post(f"/merchants/{merchant['id']}/products", {"name": "Stoneware cup"}))
        return done(seller.post(f"/products/{product['id']}/prices", {"unit_amount": unit_amount, "currency": "usd"}))

    def basket(self, *line_items: Json, **more: Any) -> Json:
        origin = self.stack.return_origin
        return {"line_items": line_items, "success_url": f"{origin}/thanks", "cancel_url": f"{origin}/cart", **more}

    def inline(self, merchant: Json, amount: int, **more: Any) -> Json:
        """A basket that only an operator may ask for."""
        line = {"name": "A vase to order", "unit_amount": amount, "currency": "usd", "quantity": 1}
        return self.basket(line, merchant_id=merchant["id"], **more)

    def sell(self, merchant: Json, amount: int, **more: Any) -> Json:
        """A Checkout Session for an amount that the operator names."""
        return done(self.operator.post("/checkout/sessions", self.inline(merchant, amount, **more)))

    def pay(self, session: Json, **form: str) -> httpx.Response:
        """What a buyer does on Stripe's page: with a good card, unless told."""
        return httpx.post(session["url"], data=form or {"card": CARD}, timeout=TIMEOUT_SECONDS)

    def settled(self, session: Json) -> Json:
        """The record of a sale, as soon as its payment is known and Stripe's fee has been taken in."""
        transaction_id = session["transaction_id"]
        until(lambda: self.record(transaction_id), lambda sale: sale["status"] == "paid" and not sale["waits_for"])
        return until(lambda: self.reconciled(transaction_id), lambda sale: sale["processing_fee"] is not None)

    def reconciled(self, transaction_id: str) -> Json:
        """The record of a sale after a run of the reconciliation."""
        self.invoke("ReconcileFunction", is_asked=True)
        return self.record(transaction_id)

    def paid_sale(self, merchant: Json, amount: int, **more: Any) -> Json:
        session = self.sell(merchant, amount, **more)
        assert self.pay(session).is_redirect
        return self.settled(session)

    def saved_card(self, customer: Json, card: str = "pm_card_visa") -> str:
        """A card that a customer has saved; its id at Stripe."""
        saved = self.stripe.v1.payment_methods.attach(card, {"customer": customer["stripe_customer_id"]})
        return saved.id

    def record(self, transaction_id: str) -> Json:
        return done(self.operator.get(f"/transactions/{transaction_id}"))

    def refund(self, transaction_id: str, amount: int | None = None, *, key: str = "new") -> httpx.Response:
        body = {} if amount is None else {"amount": amount}
        return self.operator.post(f"/transactions/{transaction_id}/refunds", body, key=key)

    def entries(self, transaction_id: str) -> list[Json]:
        """The ledger's entries of a sale; each balances, and none is there twice."""
        found: list[Json] = done(self.operator.get(f"/transactions/{transaction_id}/ledger"))["data"]
        keys = [(entry["object_id"], entry["kind"]) for entry in found]
        assert len(set(keys)) == len(keys), keys
        for entry in found:
            assert not any(total(entry["lines"], "currency").values()), entry
        return found

    def ledger(self, transaction_id: str) -> dict[str, int]:
        """The balance of each account that is not at zero, of a sale in one currency."""
        return total([line for entry in self.entries(transaction_id) for line in entry["lines"]], "account")

    def balance(self, account_id: str | None = None) -> int:
        """Pending and available US cents at Stripe, of the platform or of a connected account."""
        options: stripe.RequestOptions = {"stripe_account": account_id} if account_id else {}
        balance = self.stripe.v1.balance.retrieve(options=options)
        return sum(part["amount"] for part in (*balance.available, *balance.pending) if part["currency"] == "usd")

    def refunds_at_stripe(self, sale: Json) -> list[stripe.Refund]:
        intent = sale["payment_intent"]["id"]
        return self.stripe.v1.refunds.list({"payment_intent": intent, "limit": 100}).data

    def dispute(self, sale: Json, amount: int | None = None) -> None:
        """The buyer's bank takes a payment back."""
        body = {} if amount is None else {"amount": amount}
        self.order(f"/_simulator/charges/{sale['charge_id']}/dispute", **body)

    def order(self, path: str, **body: Any) -> Json:
        """Something that happens at Stripe because the laboratory says so."""
        return done(httpx.post(f"{self.stack.stripe}{path}", json=body, timeout=TIMEOUT_SECONDS))

    def rows(self, partition: str) -> list[Json]:
        """What the table holds of a partition, for example ``EVENT#evt_1``."""
        key, value = "pk = :partition", {":partition": {"S": partition}}
        found: list[Json] = self.stack.client("dynamodb").query(
            TableName=self.stack.table, KeyConditionExpression=key, ExpressionAttributeValues=value
        )["Items"]
        return found

    def sweep(self) -> None:
        """What the schedule does every minute."""
        self.invoke("SweepFunction")

    def invoke(self, function: str, **event: Any) -> Any:
        """Run a function that a schedule would; its answer."""
        name = self.stack.functions[function]
        answer = self.stack.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
        said = answer["Payload"].read()
        assert "FunctionError" not in answer, said
        return json.loads(said or "null")

    def quiet(self) -> None:
        """Wait until Stripe has no delivery left and the queue of events is empty."""
        until(self._under_way, lambda under_way: under_way == 0)

    def _under_way(self) -> int:
        waiting = httpx.get(f"{self.stack.stripe}/_simulator/deliveries").json()["data"]
        counted = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        queue = self.stack.client("sqs").get_queue_attributes(QueueUrl=self.stack.queue_url, AttributeNames=counted)
        return len(waiting) + sum(int(queue["Attributes"][name]) for name in counted)


def done(answer: httpx.Response) -> Json:
    """What a request that went well was answered with."""
    assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
    found: Json = answer.json()
    return found


def problem(answer: httpx.Response) -> tuple[int, str]:
    """The status of a refused request, and the name of its problem: one problem+json that says what to do."""
    said = answer.json()
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert said["status"] == answer.status_code
    assert said["title"]
    assert said["detail"]
    assert said["action"]
    return answer.status_code, str(said["type"]).removeprefix("/problems/")


def total(lines: list[Json], by: str) -> dict[str, int]:
    """The sum of ledger lines by one of their fields, where it is not zero."""
    sums: dict[str, int] = defaultdict(int)
    for line in lines:
        assert type(line["amount"]) is int
        sums[line[by]] += line["amount"]
    return {name: amount for name, amount in sums.items() if amount}


def until[T](look: Callable[[], T], is_so: Callable[[T], bool], *, seconds: float = PATIENCE_SECONDS) -> T:
    """Look until something is so: webhooks are on their way."""
    deadline = time.monotonic() + seconds
    found = look()
    while not is_so(found):
        assert time.monotonic() < deadline, f"after {seconds:.0f} seconds still {found}"
        time.sleep(LOOK_EVERY_SECONDS)
        found = look()
    return found


def at_once[T](times: int, act: Callable[[int], T], *, abreast: int = 20) -> list[T]:
    """The answers of many who ask at the same time, so many next to each other."""
    with ThreadPoolExecutor(max_workers=abreast) as pool:
        return list(pool.map(act, range(times)))


def without(names: set[str], said: Mapping[str, Any]) -> Json:
    """An answer but for some of its fields."""
    return {name: value for name, value in said.items() if name not in names}
