"""The gateway: what each of Stripe's answers means, what is tried again, and that nothing outlives the invocation."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from local.stripe_simulator import parameters
from local.stripe_simulator.messages import Request
from local.stripe_simulator.simulator import Simulator
from marketplace.adapters import stripe_gateway
from marketplace.adapters.stripe_gateway import CONNECT_SECONDS, KEPT_SECONDS, LONGEST_CALL_SECONDS, StripeGateway
from marketplace.domain.commands import Doubt
from marketplace.domain.errors import StripeRefused, Unavailable
from marketplace.ports import Answer, Done, NoAnswer, Operation, Refusal, StripeUnavailable

from ..fakes.stripe import PATHS

UNKNOWN = NoAnswer(Doubt.NO_ANSWER)
FAILED = NoAnswer(Doubt.STRIPE_FAILED)


@dataclass
class Key:
    """An API key that changes when it is forgotten."""

    keys: list[str] = field(default_factory=lambda: ["sk_test_1"])
    forgotten: int = 0

    def value(self) -> str:
        return self.keys[min(self.forgotten, len(self.keys) - 1)]

    def forget(self) -> None:
        self.forgotten += 1


@dataclass
class Lab:
    """A gateway with everything that a test may want to set or to know."""

    base: str
    key: Key = field(default_factory=Key)
    seconds_left: float = 25.0
    calls: list[Operation] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    @property
    def gateway(self) -> StripeGateway:
        return StripeGateway(
            api_key=self.key,
            api_base=self.base,
            time_left_seconds=lambda: self.seconds_left,
            jitter=lambda: 0.5,
            on_call=self.calls.append,
            sleep=self.pauses.append,
        )

    def create(self, key: str = "command-1:1", **params: Any) -> Answer:
        return self.gateway.ask(Operation.CREATE_PRODUCT, params={"name": "Tea"} | params, key=key)


type Reply = Callable[[BaseHTTPRequestHandler], None]


class Stripe(ThreadingHTTPServer):
    """Answers as it is told to: one reply for each request, the last one for all that follow."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.replies: list[Reply] = []
        self.seen: list[tuple[str, str, Mapping[str, str], str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """Those who hung up are no error here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        server = self.server
        assert isinstance(server, Stripe)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        server.seen.append((self.command, self.path, dict(self.headers), body))
        reply = server.replies.pop(0) if len(server.replies) > 1 else server.replies[0]
        reply(self)

    do_GET = do_POST = _answer  # noqa: N815 - http.server's names

    def log_message(self, *_args: object) -> None:
        pass


def say(status: int, body: Any, **headers: str) -> Reply:
    """An answer; a body is JSON unless it is text."""
    text = body if isinstance(body, str) else json.dumps(body)

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(text.encode())))
        handler.end_headers()
        handler.wfile.write(text.encode())

    return reply


def error(status: int, code: str | None = None, kind: str = "invalid_request_error", **headers: str) -> Reply:
    """An error in Stripe's shape."""
    said = {"type": kind, "message": "for nora@nordlicht.example"} | ({"code": code} if code else {})
    return say(status, {"error": said}, **headers)


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """The connection is lost after the request arrived."""
    handler.close_connection = True


def cut_short(handler: BaseHTTPRequestHandler) -> None:
    """The connection is lost within the answer."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"id": "prod_1"')
    handler.close_connection = True


def sleep(seconds: float) -> Reply:
    """No answer for so long."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        handler.close_connection = True

    return reply


PRODUCT = {"id": "prod_1", "object": "product", "name": "Tea"}


@pytest.fixture
def stripe() -> Iterator[Stripe]:
    with Stripe() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def lab(stripe: Stripe) -> Lab:
    return Lab(stripe.url)


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(seed=7)


@pytest.fixture
def simulated(stripe: Stripe, simulator: Simulator) -> Lab:
    """A gateway to the Stripe simulator, over HTTP."""

    def carry(handler: BaseHTTPRequestHandler) -> None:
        method, path, headers, body = stripe.seen[-1]
        parts = urlsplit(path)
        sent = {name.lower(): value for name, value in headers.items()}
        answer = simulator.answer(Request(method, unquote(parts.path), sent, parts.query, body.encode()))
        own = {name.replace("-", "_"): value for name, value in answer.headers.items()}
        say(answer.status, answer.body.decode(), **own)(handler)

    stripe.replies = [carry]
    return Lab(stripe.url)


# What each answer means.


MEANINGS: dict[str, tuple[Reply, Answer, int]] = {
    "done": (say(200, PRODUCT), Done(PRODUCT), 1),
    "a refusal": (error(400, "parameter_missing"), Refusal("parameter_missing"), 1),
    "a refusal without a code": (error(400), Refusal("invalid_request_error"), 1),
    "nothing of that name": (error(404, "resource_missing"), Refusal("resource_missing"), 1),
    "a declined card": (error(402, "card_declined", "card_error"), Refusal("card_declined"), 1),
    "a refused state": (error(400, "charge_already_refunded"), Refusal("charge_already_refunded"), 1),
    "a key in use": (error(409, "idempotency_key_in_use", "idempotency_error"), UNKNOWN, 3),
    "too many requests": (error(429, "rate_limit"), UNKNOWN, 3),
    "too many, told the old way": (error(400, "rate_limit"), UNKNOWN, 1),
    "f24 a lock of another request": (error(429, "lock_timeout"), UNKNOWN, 3),
    "no such key": (error(401), UNKNOWN, 3),
    "a key without the right": (error(403, "more_permissions_required"), UNKNOWN, 1),
    "a party behind Stripe": (error(424, "external"), UNKNOWN, 1),
    "other parameters under the key": (error(400, kind="idempotency_error"), FAILED, 1),
    "Stripe's own failure": (error(500, kind="api_error"), FAILED, 1),
    "Stripe is not there": (say(503, "<html>unavailable</html>"), FAILED, 1),
    "Stripe's failure, to be tried again": (error(500, kind="api_error", Stripe_Should_Retry="true"), FAILED, 3),
    "too many, not to be tried again": (error(429, "rate_limit", Stripe_Should_Retry="false"), UNKNOWN, 1),
    "a page of somebody in between": (say(404, "<html>not found</html>"), UNKNOWN, 1),
    "an error of somebody in between": (say(400, {"message": "bad request"}), UNKNOWN, 1),
    "an answer that is no JSON": (say(200, "OK"), UNKNOWN, 1),
    "an answer that is no object": (say(200, [PRODUCT]), UNKNOWN, 1),
    "an answer of nothing": (say(200, "null"), UNKNOWN, 1),
    "a lost connection": (hang_up, UNKNOWN, 3),
    "an answer cut short": (cut_short, UNKNOWN, 1),
}


@pytest.mark.parametrize("case", MEANINGS)
def test_f14_an_answer_is_taken_for_what_it_says_and_no_more(lab: Lab, stripe: Stripe, case: str) -> None:
    reply, meaning, calls = MEANINGS[case]
    stripe.replies = [reply]
    assert lab.create() == meaning
    assert len(stripe.seen) == len(lab.calls) == calls


def test_v2_errors_are_told_apart_too(lab: Lab, stripe: Stripe) -> None:
    params = {"contact_email": "nora@nordlicht.example"}
    for reply, meaning in (
        (error(400, "account_rejected", "cannot_proceed"), Refusal("account_rejected")),
        (error(409, "idempotency_key_in_use", "idempotency_error"), UNKNOWN),
        (error(429, kind="rate_limit"), UNKNOWN),
        (error(500, kind="api_error"), FAILED),
    ):
        stripe.replies = [reply]
        assert lab.gateway.ask(Operation.CREATE_ACCOUNT, params=params, key="k") == meaning


@pytest.mark.parametrize("first", [hang_up, error(429, "rate_limit"), error(409, "idempotency_key_in_use")])
def test_f14_it_is_tried_again_under_the_same_key_after_a_pause(lab: Lab, stripe: Stripe, first: Reply) -> None:
    stripe.replies = [first, first, say(200, PRODUCT)]
    assert lab.create() == Done(PRODUCT)
    assert [headers["Idempotency-Key"] for _, _, headers, _ in stripe.seen] == 3 * ["command-1:1"]
    assert len({body for _, _, _, body in stripe.seen}) == 1
    pauses = [pause for pause in lab.pauses if pause]
    assert len(pauses) == 2
    assert all(earlier < later for earlier, later in pairwise(pauses))


def test_a_rotated_key_is_read_anew(lab: Lab, stripe: Stripe) -> None:
    lab.key.keys.append("sk_test_2")
    stripe.replies = [error(401), say(200, PRODUCT)]
    assert lab.create() == Done(PRODUCT)
    assert [headers["Authorization"] for _, _, headers, _ in stripe.seen] == ["Bearer sk_test_1", "Bearer sk_test_2"]


def test_without_a_readable_key_nothing_is_sent(lab: Lab, stripe: Stripe, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(_key: Key) -> str:
        raise Unavailable("the secret cannot be read")

    monkeypatch.setattr(Key, "value", unreadable)
    assert lab.create() == UNKNOWN
    assert stripe.seen == []


def test_reads_raise_what_writes_answer(lab: Lab, stripe: Stripe) -> None:
    stripe.replies = [error(404, "resource_missing")]
    with pytest.raises(StripeRefused, match="resource_missing"):
        lab.gateway.read(Operation.READ_CHECKOUT_SESSION, "cs_1")
    stripe.replies = [error(500, kind="api_error")]
    with pytest.raises(StripeUnavailable):
        lab.gateway.read(Operation.READ_CHECKOUT_SESSION, "cs_1")


# Time.


def test_f27_with_too_little_time_no_call_is_started(lab: Lab, stripe: Stripe) -> None:
    stripe.replies = [say(200, PRODUCT)]
    lab.seconds_left = KEPT_SECONDS + 0.9
    assert lab.create() == UNKNOWN
    with pytest.raises(StripeUnavailable):
        lab.gateway.read(Operation.READ_CHECKOUT_SESSION, "cs_1")
    with pytest.raises(StripeUnavailable):
        next(iter(lab.gateway.each(Operation.LIST_PRODUCTS)))
    assert stripe.seen == []
    assert lab.calls == []


def test_f27_a_call_is_given_up_while_there_is_time_to_write_its_outcome(lab: Lab, stripe: Stripe) -> None:
    stripe.replies = [sleep(5)]
    lab.seconds_left = KEPT_SECONDS + 1.2
    began = time.monotonic()
    gateway = lab.gateway
    times = iter([lab.seconds_left, lab.seconds_left])  # before the call; afterwards all of it is gone
    gateway._time_left_seconds = lambda: next(times, KEPT_SECONDS)
    assert gateway.ask(Operation.CREATE_PRODUCT, params={"name": "Tea"}, key="k") == UNKNOWN
    assert time.monotonic() - began < 2.5
    assert len(stripe.seen) == 1


def test_f27_the_time_that_is_left_bounds_every_call(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connecting and answering together never take longer than is left, nor than any call may."""
    allowed: list[tuple[float, float]] = []

    def send(session: stripe_gateway._Session, *_: object, **__: object) -> None:
        allowed.append(session._timeout)
        raise OSError("not sent")

    monkeypatch.setattr(stripe_gateway._Session, "send", send)
    for left in (KEPT_SECONDS + 1, KEPT_SECONDS + 3, KEPT_SECONDS + 8, 25.0, 900.0):
        lab.seconds_left = left
        lab.create()
        connect, answer = allowed[-1]
        assert 0 < connect <= CONNECT_SECONDS
        assert connect + answer <= min(left - KEPT_SECONDS, LONGEST_CALL_SECONDS)


def test_f27_no_pause_is_begun_that_leaves_no_time_for_the_call_after_it(lab: Lab, stripe: Stripe) -> None:
    stripe.replies = [error(429, "rate_limit")]
    lab.seconds_left = KEPT_SECONDS + 1.0
    assert lab.create() == UNKNOWN
    assert len(stripe.seen) == 1


def test_f27_when_reading_the_key_takes_what_was_left_nothing_is_sent(lab: Lab, stripe: Stripe) -> None:
    gateway = lab.gateway
    times = iter([25.0])
    gateway._time_left_seconds = lambda: next(times, KEPT_SECONDS + 0.5)
    assert gateway.ask(Operation.CREATE_PRODUCT, params={"name": "Tea"}, key="k") == UNKNOWN
    assert stripe.seen == []


# Lists.


def test_a_list_is_followed_over_its_pages(lab: Lab, stripe: Stripe) -> None:
    def page(ids: list[str], *, more: bool) -> Reply:
        data = [{"id": product, "object": "product"} for product in ids]
        return say(200, {"object": "list", "url": "/v1/products", "has_more": more, "data": data})

    stripe.replies = [page(["a", "b"], more=True), page(["c"], more=False)]
    found = [each["id"] for each in lab.gateway.each(Operation.LIST_PRODUCTS, params={"limit": 2})]
    assert found == ["a", "b", "c"]
    assert [path for _, path, _, _ in stripe.seen] == [
        "/v1/products?limit=2",
        "/v1/products?limit=2&starting_after=b",
    ]


def test_a_v2_list_is_followed_over_its_pages(lab: Lab, stripe: Stripe) -> None:
    def page(account: str, following: str | None) -> Reply:
        data = [{"id": account, "object": "v2.core.account"}]
        return say(200, {"data": data, "next_page_url": following, "previous_page_url": None})

    stripe.replies = [page("acct_1", "/v2/core/accounts?limit=1&page=p2"), page("acct_2", None)]
    found = [each["id"] for each in lab.gateway.each(Operation.LIST_ACCOUNTS, params={"limit": 1})]
    assert found == ["acct_1", "acct_2"]
    assert stripe.seen[-1][1] == "/v2/core/accounts?limit=1&page=p2"


def test_a_list_without_an_end_is_never_taken_for_one_in_which_nothing_was_found(
    lab: Lab, stripe: Stripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe_gateway, "MOST_PAGES", 3)
    stripe.replies = [say(200, {"object": "list", "has_more": True, "data": [PRODUCT]})]
    with pytest.raises(StripeUnavailable, match="pages"):
        list(lab.gateway.each(Operation.LIST_PRODUCTS))
    assert len(stripe.seen) == 3


def test_one_element_of_a_list_costs_one_call(simulated: Lab) -> None:
    for number in range(3):
        simulated.create(f"k{number}", name=f"Tea {number}")
    simulated.calls.clear()
    newest = next(iter(simulated.gateway.each(Operation.LIST_PRODUCTS, params={"limit": 1})))
    assert newest["name"] == "Tea 2"
    assert simulated.calls == [Operation.LIST_PRODUCTS]


# Against the simulator.


def test_what_stripe_made_comes_as_plain_json_data(simulated: Lab) -> None:
    made = simulated.create(metadata={"command_id": "command-1"})
    assert isinstance(made, Done)
    assert json.loads(json.dumps(made.object)) == made.object
    assert made.object["metadata"] == {"command_id": "command-1"}
    params = {"product": made.object["id"], "unit_amount": 1050, "currency": "usd"}
    price = simulated.gateway.ask(Operation.CREATE_PRICE, params=params, key="k")
    assert isinstance(price, Done)
    assert price.object["unit_amount"] == 1050
    assert Decimal(price.object["unit_amount_decimal"]) == 1050


def test_the_same_key_gives_the_same_object_and_other_parameters_under_it_are_no_refusal(simulated: Lab) -> None:
    first = simulated.create()
    assert simulated.create() == first
    assert simulated.create(name="Coffee") == FAILED
    assert simulated.create("command-1:2") != first
    assert simulated.calls == 4 * [Operation.CREATE_PRODUCT]


def test_a_list_of_the_simulator_is_followed_over_its_pages(simulated: Lab) -> None:
    names = [f"Tea {number}" for number in range(5)]
    for name in names:
        simulated.create(name, name=name)
    found = [each["name"] for each in simulated.gateway.each(Operation.LIST_PRODUCTS, params={"limit": 2})]
    assert found == names[::-1]


def test_accounts_of_v2_are_made_read_listed_and_linked(simulated: Lab) -> None:
    gateway = simulated.gateway
    recipient = {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}}
    params = {
        "contact_email": "nora@nordlicht.example", "display_name": "Nordlicht", "dashboard": "express",
        "identity": {"country": "us"}, "configuration": {"recipient": recipient}, "metadata": {"command_id": "c"},
        "defaults": {"responsibilities": {"fees_collector": "application", "losses_collector": "application"}},
        "include": ["configuration.recipient", "requirements"],
    }  # fmt: skip
    made = gateway.ask(Operation.CREATE_ACCOUNT, params=params, key="c:1")
    assert isinstance(made, Done), made
    assert gateway.ask(Operation.CREATE_ACCOUNT, params=params, key="c:1") == made
    read = gateway.read(Operation.READ_ACCOUNT, made.object["id"], params={"include": ["configuration.recipient"]})
    assert read["configuration"]["recipient"]["capabilities"]["stripe_balance"]["stripe_transfers"]["status"]
    assert [each["metadata"] for each in gateway.each(Operation.LIST_ACCOUNTS, params={"limit": 1})] == [
        {"command_id": "c"}
    ]
    onboarding = {"refresh_url": "https://api.example/r", "return_url": "https://shop.example/"}
    link = gateway.ask(
        Operation.CREATE_ACCOUNT_LINK,
        params={
            "account": made.object["id"],
            "use_case": {"type": "account_onboarding", "account_onboarding": onboarding},
        },
        key="l",
    )
    assert isinstance(link, Done), link
    assert link.object["url"].startswith("http")


def test_every_operation_is_a_method_of_the_sdk_and_a_path_that_stripe_has(lab: Lab, stripe: Stripe) -> None:
    stripe.replies = [say(200, {"object": "list", "data": []})]
    assert set(PATHS) == set(Operation)
    for operation, (method, path) in PATHS.items():
        ids = path.count("{}") * ("id_1",)
        if method == "POST":
            lab.gateway.ask(operation, *ids, params={}, key="k")
        else:
            lab.gateway.read(operation, *ids)
        assert stripe.seen[-1][:2] == (method, path.format(*ids))


def test_the_validators_refuse_what_the_pinned_version_refuses() -> None:
    """They judge every request of the handlers' tests, so they must be able to say no."""
    with pytest.raises(parameters.InvalidParameterError):
        parameters.check("POST", "/v1/checkout/sessions", {"mode": "payment", "payment_method_types": ["card"]})


def test_the_machine_s_facts_and_stripe_s_messages_stay_out(
    lab: Lab, stripe: Stripe, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    stripe.replies = [error(400, "parameter_missing")]
    lab.create()
    assert "nordlicht" not in caplog.text
    _, _, headers, _ = stripe.seen[-1]
    assert "platform" not in json.loads(headers["X-Stripe-Client-User-Agent"])
    assert "X-Stripe-Client-Telemetry" not in headers
    assert headers["Stripe-Version"] == "2026-10-28.endive"
