"""The simulator over HTTP, started as its users start it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue

import httpx
import pytest
import stripe

type Received = Queue[tuple[bytes, str]]


@pytest.fixture
def receiver() -> Iterator[tuple[str, Received]]:
    """A webhook receiver that refuses the first delivery."""
    received: Received = Queue()
    answers = iter([500])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.put((body, self.headers["Stripe-Signature"]))
            self.send_response(next(answers, 200))
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", received
    server.shutdown()
    thread.join()
    server.server_close()


def test_stripe_python_creates_and_webhooks_arrive_signed_until_they_are_taken(
    served: str, receiver: tuple[str, Received]
) -> None:
    url, received = receiver
    carrier = stripe.RequestsClient()
    client = stripe.StripeClient("sk_test_1", base_addresses={"api": served}, http_client=carrier)
    endpoint = client.v1.webhook_endpoints.create({"url": url, "enabled_events": ["product.created"]})
    product = client.v1.products.create({"name": "Tea"})
    for _attempt in ("refused", "accepted"):
        body, signature = received.get(timeout=10)
        event = stripe.Webhook.construct_event(body, signature, str(endpoint.secret))
        assert event.data.object["id"] == product.id
    client.v1.webhook_endpoints.delete(endpoint.id)
    carrier.close()  # type: ignore[no-untyped-call]  # untyped in the SDK


def test_the_clock_is_moved_over_http(served: str) -> None:
    now = httpx.get(f"{served}/_simulator/health").json()["now"]
    moved = httpx.post(f"{served}/_simulator/clock", json={"advance_seconds": 3600}).json()["now"]
    assert 3600 <= moved - now < 3610
    assert httpx.post(f"{served}/_simulator/clock", json={"now": 1}).status_code == 400
    assert httpx.post(f"{served}/_simulator/clock", json={}).status_code == 400


def test_deliveries_are_listed_and_ordered_again(served: str) -> None:
    assert httpx.get(f"{served}/_simulator/deliveries").json()["data"] == []
    assert httpx.post(f"{served}/_simulator/events/evt_none/redeliver").status_code == 404
    assert isinstance(httpx.get(f"{served}/_simulator/deliveries/log").json()["data"], list)


def test_errors_have_stripes_shape_over_http_too(served: str) -> None:
    assert httpx.get(f"{served}/v1/products").status_code == 401
    assert httpx.get(f"{served}/favicon.ico").status_code == 404
    headers = {"Authorization": "Bearer sk_test_1"}
    large = httpx.post(f"{served}/v1/products", headers=headers, content=b"a" * (3 * 1024 * 1024))
    assert large.status_code == 413
    wrong = httpx.post(f"{served}/v1/products", headers=headers, data={"nam": "x"})
    assert json.loads(wrong.text)["error"]["code"] == "parameter_unknown"
