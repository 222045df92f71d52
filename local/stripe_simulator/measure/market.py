"""A marketplace's requests, in the form in which clients send them, in process and over HTTP."""

import http.client
import json
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlencode

import stripe

from ..messages import Request
from ..simulator import Simulator
from ..values import Json

type Send = Callable[[str, str, Mapping[str, str]], Json]
"""Method, path and the fields of a form; gives the JSON of the answer, or None when it is none."""

_JSON_BODY: Final = ""  # the name of a field that is the whole body, for API v2
_SELLER: Final = {
    "contact_email": "seller@example.test",
    "dashboard": "express",
    "identity": {"country": "us"},
    "defaults": {"responsibilities": {"fees_collector": "application", "losses_collector": "application"}},
    "configuration": {"recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}}},
}


def in_process(simulator: Simulator) -> Send:
    """Send without a network, each request under a key of its own as stripe-python does."""
    sent = 0

    def send(method: str, path: str, fields: Mapping[str, str]) -> Json:
        nonlocal sent
        sent += 1
        query, body, headers = _written(method, path, fields)
        answer = simulator.answer(Request(method, path, {**headers, "idempotency-key": f"key-{sent}"}, query, body))
        return _read(path, answer.status, answer.body)

    return send


def over_http(host: str, port: int) -> Send:
    """Send on one connection that is kept."""
    connection = http.client.HTTPConnection(host, port)

    def send(method: str, path: str, fields: Mapping[str, str]) -> Json:
        query, body, headers = _written(method, path, fields)
        connection.request(method, f"{path}?{query}" if query else path, body or None, headers)
        answer = connection.getresponse()
        return _read(path, answer.status, answer.read())

    return send


def open_shop(send: Send, hook: str) -> str:
    """The id of a seller who can be paid; an endpoint hears of everything."""
    seller: str = send("POST", "/v2/core/accounts", {_JSON_BODY: json.dumps(_SELLER)})["id"]
    send("POST", f"/_simulator/accounts/{seller}/onboarding", {})
    for connect in ("false", "true"):
        send("POST", "/v1/webhook_endpoints", {"url": hook, "enabled_events[]": "*", "connect": connect})
    return seller


def pay(send: Send, seller: str, order: int) -> None:
    """A destination payment: the session, and the buyer's card on its page."""
    session = send(
        "POST",
        "/v1/checkout/sessions",
        {
            "mode": "payment",
            "success_url": "http://shop.test/",
            "line_items[0][price_data][currency]": "usd",
            "line_items[0][price_data][unit_amount]": str(1_000 + order % 97),
            "line_items[0][price_data][product_data][name]": "Tea",
            "line_items[0][quantity]": "1",
            "payment_intent_data[application_fee_amount]": "100",
            "payment_intent_data[transfer_data][destination]": seller,
            "payment_intent_data[metadata][order]": str(order),
        },
    )
    send("POST", f"/c/pay/{session['id']}", {"card": "4242424242424242"})


def _written(method: str, path: str, fields: Mapping[str, str]) -> tuple[str, bytes, dict[str, str]]:
    kind = "application/json" if path.startswith("/v2/") else "application/x-www-form-urlencoded"
    headers = {"authorization": "Bearer sk_test_1", "stripe-version": stripe.api_version, "content-type": kind}
    form = fields.get(_JSON_BODY) or urlencode(fields)
    return (form, b"", headers) if method == "GET" else ("", form.encode(), headers)


def _read(path: str, status: int, body: bytes) -> Json:
    if status >= http.client.BAD_REQUEST:
        raise RuntimeError(f"{path} answered {status}: {body[:300]!r}")
    return json.loads(body) if body.startswith(b"{") else None
