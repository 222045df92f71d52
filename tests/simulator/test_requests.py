"""What is refused, and what a refusal leaves behind."""

import pytest
import stripe

from local.stripe_simulator import Simulator, check
from local.stripe_simulator.catalog import PRODUCTS
from local.stripe_simulator.errors import InvalidParameterError, UnrecognizedUrlError
from local.stripe_simulator.form import read_form
from local.stripe_simulator.messages import Request, Response
from local.stripe_simulator.parameters import reader
from local.stripe_simulator.sdk import operations

FORM = {"authorization": "Bearer sk_test_1", "content-type": "application/x-www-form-urlencoded"}


def post(simulator: Simulator, path: str, body: str, **headers: str) -> Response:
    return simulator.answer(Request("POST", path, FORM | headers, body=body.encode()))


REFUSED = [
    ("/v1/products", "", "parameter_missing", "name"),
    ("/v1/products", "name=", "parameter_invalid_empty", "name"),
    ("/v1/products", "name=Tea&colour=green", "parameter_unknown", "colour"),
    ("/v1/products", "name=Tea&active=yes", None, "active"),
    ("/v1/products", "name=Tea&type=thing", None, "type"),
    ("/v1/products", "name=Tea&images=one", None, "images"),
    ("/v1/prices", "currency=usd&unit_amount=1.5&product=p", "parameter_invalid_integer", "unit_amount"),
    ("/v1/prices", "currency=usd&unit_amount=1e2&product=p", "parameter_invalid_integer", "unit_amount"),
    ("/v1/prices", "currency=usd&unit_amount=-1&product_data[name]=x", "parameter_invalid_integer", "unit_amount"),
    ("/v1/prices", "currency=xxx&unit_amount=1&product_data[name]=x", None, "currency"),
    ("/v1/prices", "currency=isk&unit_amount=150&product_data[name]=x", "parameter_invalid_integer", "unit_amount"),
    ("/v1/prices", "currency=usd&unit_amount=1&product_data[nam]=x", "parameter_unknown", "product_data[nam]"),
    ("/v1/prices", "currency=usd&unit_amount=1&product=nope", "resource_missing", "product"),
    ("/v1/prices", "currency=usd&product_data[name]=x", "parameter_missing", "unit_amount"),
    (
        "/v1/prices",
        "currency=usd&unit_amount=1&product_data[name]=x&recurring[interval]=eon",
        None,
        "recurring[interval]",
    ),
    (
        "/v1/webhook_endpoints",
        "url=http://x.test&enabled_events[0]=charge.succeeded&enabled_events[1]=charge.exploded",
        None,
        "enabled_events[1]",
    ),
    ("/v1/webhook_endpoints", "url=nowhere&enabled_events[]=*", "url_invalid", "url"),
]


@pytest.mark.parametrize(("path", "body", "code", "param"), REFUSED)
def test_a_bad_parameter_is_refused_by_name_and_changes_nothing(
    simulator: Simulator, path: str, body: str, code: str | None, param: str
) -> None:
    answer = post(simulator, path, body)
    assert answer.status == 400
    error = answer.json()["error"]
    assert (error["type"], error.get("code"), error["param"]) == ("invalid_request_error", code, param)
    for resource in ("products", "prices", "webhook_endpoints", "events"):
        assert simulator.request("GET", f"/v1/{resource}").json()["data"] == []


def test_a_price_that_fails_after_its_product_was_made_leaves_neither_product_nor_event_nor_delivery(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    client.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
    taken = client.v1.prices.create(
        {"currency": "usd", "unit_amount": 1, "product_data": {"name": "a"}, "lookup_key": "k"}
    )
    before = (simulator.deliveries(), client.v1.events.list().data, client.v1.products.list().data)
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        client.v1.prices.create({"currency": "usd", "unit_amount": 1, "product_data": {"name": "b"}, "lookup_key": "k"})
    assert (simulator.deliveries(), client.v1.events.list().data, client.v1.products.list().data) == before
    assert [price.id for price in client.v1.prices.list({"lookup_keys": ["k"]}).data] == [taken.id]


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        ("", "did not provide an API key"),
        ("Bearer sk_live_1", "Never send it a live key"),
        ("Bearer pk_test_1", "publishable"),
        ("Bearer whatever", "Invalid API Key"),
        ("Basic !", "Invalid API Key"),
    ],
)
def test_only_secret_test_keys_open_the_api(simulator: Simulator, authorization: str, message: str) -> None:
    answer = simulator.request("GET", "/v1/products", headers={"Authorization": authorization})
    assert answer.status == 401
    assert message in answer.json()["error"]["message"]


def test_a_key_may_come_as_basic_authorization(simulator: Simulator) -> None:
    basic = "Basic c2tfdGVzdF8xOg=="  # sk_test_1:
    assert simulator.request("GET", "/v1/products", headers={"Authorization": basic}).status == 200


def test_an_account_that_is_not_connected_is_refused(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.PermissionError) as refused:
        client.v1.products.list(options={"stripe_account": "acct_nobody"})
    assert refused.value.error
    assert refused.value.error.code == "account_invalid"


def test_what_stripe_has_and_the_simulator_has_not_is_named(simulator: Simulator) -> None:
    answer = simulator.request("GET", "/v1/climate/suppliers")
    assert answer.status == 501
    assert "GET /v1/climate/suppliers" in answer.json()["error"]["message"]
    assert simulator.request("POST", "/v1/customers", {"source": "tok_visa"}).status == 501


def test_what_stripe_has_not_is_not_recognized(simulator: Simulator) -> None:
    answer = simulator.request("GET", "/v1/nothing")
    assert answer.status == 404
    assert answer.json()["error"]["message"].startswith("Unrecognized request URL (GET: /v1/nothing)")


def test_answers_name_the_request_and_the_version(simulator: Simulator) -> None:
    answer = simulator.request("GET", "/v1/products", headers={"Stripe-Version": "2024-06-20"})
    assert answer.headers["Stripe-Version"] == "2024-06-20"
    assert answer.headers["Request-Id"].startswith("req_")
    assert simulator.request("GET", "/v1/products", headers={"Stripe-Version": "new"}).status == 400


def test_every_operation_of_the_sdk_can_be_validated() -> None:
    compiled = [reader(operation) for operation in operations()]
    assert len(compiled) > 600
    assert sum(len(each.fields) for each in compiled) > 3_000


def test_the_checker_of_outgoing_requests_converts_nothing() -> None:
    good = {"amount": 100, "currency": "usd", "destination": "acct_1", "metadata": {"a": "b"}}
    check("post", "/v1/transfers", good)
    refused: list[dict[str, object]] = [
        {"amount": "100"},
        {"amount": True},
        {"amount": 1.0},
        {"transfer_data": {}},
        {"metadata": {"a": 1}},
    ]
    for bad in refused:
        with pytest.raises(InvalidParameterError):
            check("post", "/v1/transfers", good | bad)
    with pytest.raises(InvalidParameterError, match="payment_method_types"):
        check("post", "/v1/payment_intents", {"amount": 1, "currency": "usd", "payment_method_types": ["card"]})
    with pytest.raises(UnrecognizedUrlError):
        check("post", "/v1/nothing")


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("a[b][0][c]=1&a[b][1][c]=2", {"a": {"b": {"0": {"c": "1"}, "1": {"c": "2"}}}}),
        ("expand[]=x&expand[]=y", {"expand": ["x", "y"]}),
        ("i[][a]=1&i[][b]=2&i[][a]=3", {"i": [{"a": "1", "b": "2"}, {"a": "3"}]}),
        ("name=%C3%A9+%26&empty=", {"name": "é &", "empty": ""}),
    ],
)
def test_forms_are_read_with_their_brackets(text: str, params: object) -> None:
    assert read_form(text) == params


@pytest.mark.parametrize("text", ["a=1&a[b]=2", "a[b]=2&a[b][c]=1", "[a]=1", "a[b=1", "a=%FF", "a" + "[b]" * 40 + "=1"])
def test_forms_that_contradict_themselves_are_refused(simulator: Simulator, text: str) -> None:
    assert post(simulator, "/v1/products", "name=x&" + text).status == 400


def test_a_body_that_is_no_json_object_is_refused(simulator: Simulator) -> None:
    headers = FORM | {"content-type": "application/json"}
    for body in (b"{", b"[]", b"\xff"):
        assert simulator.answer(Request("POST", "/v2/core/event_destinations", headers, body=body)).status == 400


def test_a_fault_of_the_simulator_answers_as_stripes_own_and_leaves_nothing(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.stripe_simulator.context.events.record", lambda *_args, **_named: 1 / 0)
    answer = simulator.request("POST", "/v1/products", {"name": "x", "id": "tea"})
    assert (answer.status, answer.json()["error"]["type"]) == (500, "api_error")
    assert simulator.store.peek(simulator.platform, PRODUCTS.name, "tea") is None


@pytest.mark.parametrize(("text", "value"), [("true", True), ("True", True), ("false", False), ("False", False)])
def test_booleans_are_taken_as_clients_of_all_ages_write_them(simulator: Simulator, text: str, value: bool) -> None:
    """stripe-python wrote Python's words up to version 10, and the others JSON's."""
    assert post(simulator, "/v1/products", f"name=Tea&active={text}").json()["active"] is value


@pytest.mark.parametrize("name", ["pm_card_chargeDeclined", "pm_card_visa_chargeDeclined"])
def test_the_declined_card_has_its_former_name_too(client: stripe.StripeClient, name: str) -> None:
    with pytest.raises(stripe.CardError) as declined:
        client.v1.payment_intents.create({"amount": 1_000, "currency": "usd", "confirm": True, "payment_method": name})
    assert declined.value.code == "card_declined"
