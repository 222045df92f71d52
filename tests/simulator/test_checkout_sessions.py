"""Checkout Sessions through stripe-python: what they say, what is refused, how they end."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator

from .conftest import START
from .shop import CANCEL, line, new_seller, new_session, pay, ready_seller, session_params, submit
from .test_catalog import assert_whole

HOUR = 3_600


def price(client: stripe.StripeClient, **more: Any) -> str:
    params: Any = {"currency": "usd", "unit_amount": 500, "product_data": {"name": "Tea"}, **more}
    return client.v1.prices.create(params).id


def status(client: stripe.StripeClient, session: str) -> tuple[str | None, str]:
    found = client.v1.checkout.sessions.retrieve(session)
    return found.status, found.payment_status


def test_a_session_is_whole_and_sums_its_items(client: stripe.StripeClient) -> None:
    items = [{"price": price(client), "quantity": 3}, line(1_234, name="Cup")]
    session = new_session(client, line_items=items, client_reference_id="order 1", metadata={"a": "1"})
    assert_whole(session, but=("redirect_on_completion",))  # of embedded pages
    assert (session.amount_subtotal, session.amount_total, session.currency) == (2_734, 2_734, "usd")
    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)
    assert (session.expires_at, session.client_reference_id) == (START + 24 * HOUR, "order 1")
    assert session.url
    assert session.url.endswith(f"/c/pay/{session.id}")
    assert "line_items" not in session
    listed = client.v1.checkout.sessions.line_items.list(session.id).data
    assert [(each.description, each.quantity, each.amount_total) for each in listed] == [
        ("Tea", 3, 1_500),
        ("Cup", 1, 1_234),
    ]
    expanded = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["line_items.data.price.product"]})
    assert expanded.line_items
    assert expanded.line_items.data[1].price
    assert expanded.line_items.data[1].price.product.name == "Cup"  # type: ignore[union-attr]  # expanded


def test_fractions_of_a_cent_are_rounded_once_for_the_line(client: stripe.StripeClient) -> None:
    item: dict[str, Any] = line(1, quantity=300)
    del item["price_data"]["unit_amount"]
    item["price_data"]["unit_amount_decimal"] = "0.335"
    params: Any = session_params(line_items=[item])
    assert client.v1.checkout.sessions.create(params).amount_total == 101  # 100.5


def test_a_session_takes_the_amounts_of_its_currency(client: stripe.StripeClient) -> None:
    both = price(client, currency_options={"eur": {"unit_amount": 450}})
    session = new_session(client, currency="eur", line_items=[{"price": both, "quantity": 2}])
    assert (session.currency, session.amount_total) == ("eur", 900)
    assert session.payment_method_types == ["card", "sepa_debit"]


def refused(client: stripe.StripeClient, **more: Any) -> stripe.StripeError:
    params: Any = session_params(**more)
    with pytest.raises(stripe.StripeError) as error:
        client.v1.checkout.sessions.create(params)
    assert client.v1.checkout.sessions.list().data == []
    return error.value


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"payment_method_types": ["card"]}, "unknown parameter: payment_method_types"),
        ({"line_items": [line(500) | {"dynamic_tax_rates": ["txr_1"]}]}, "unknown parameter"),
        ({"line_items": []}, "line_items"),
        ({"line_items": [line(49)]}, "at least 50"),
        ({"line_items": [line(500), line(500, currency="eur")]}, "one currency"),
        ({"line_items": [line(500, quantity=0)]}, "from 1 to"),
        ({"line_items": [{"price": "price_none", "quantity": 1}]}, "No such price"),
        ({"success_url": "shop.test"}, "valid URL"),
        ({"success_url": "javascript://shop.test/%0aalert(1)"}, "valid URL"),
        ({"expires_at": START + 30 * 60 - 1}, "at least 30 minutes"),
        ({"expires_at": START + 24 * HOUR + 1}, "less than 24 hours"),
        ({"customer": "cus_none"}, "No such customer"),
        ({"customer": "cus_none", "customer_email": "a@b.test"}, "only specify one"),
        ({"return_url": CANCEL}, "ui_mode"),
        ({"payment_intent_data": {"application_fee_amount": 100}}, "direct payment"),
        ({"payment_intent_data": {"transfer_data": {"destination": "acct_none"}}}, "No such destination"),
        ({"subscription_data": {"description": "x"}}, "payment` mode"),
    ],
)
def test_what_stripe_refuses_is_refused_at_creation(client: stripe.StripeClient, change: Any, said: str) -> None:
    error = refused(client, **change)
    assert (type(error), error.http_status) == (stripe.InvalidRequestError, 400)
    assert said in str(error)


@pytest.mark.parametrize(
    "change",
    [
        {"adaptive_pricing": {"enabled": True}},
        {"invoice_creation": {"enabled": True}, "shipping_options": [{"shipping_rate": "shr_1"}]},
        {"managed_payments": {"enabled": True}},
        {"payment_method_configuration": "pmc_1"},
        {"payment_method_options": {"card": {"installments": {"enabled": True}}}},
    ],
)
def test_what_the_simulator_cannot_do_it_says(client: stripe.StripeClient, change: Any) -> None:
    error = refused(client, **change)
    assert error.http_status == 501
    assert "does not implement" in str(error)


def test_inactive_and_recurring_prices_are_refused(client: stripe.StripeClient) -> None:
    inactive, of_inactive = price(client, active=False), price(client)
    product = str(client.v1.prices.retrieve(of_inactive).product)
    client.v1.products.update(product, {"active": False})
    monthly = price(client, recurring={"interval": "month"})
    for wrong, said in ((inactive, "inactive"), (of_inactive, "not active"), (monthly, "recurring")):
        assert said in str(refused(client, line_items=[{"price": wrong, "quantity": 1}]))


def test_fee_and_destination_are_checked_when_the_session_is_made(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    unready = new_seller(client)
    error = refused(client, payment_intent_data={"transfer_data": {"destination": unready}})
    assert error.code == "insufficient_capabilities_for_transfer"
    ready = ready_seller(simulator, client)
    data = {"transfer_data": {"destination": ready}, "application_fee_amount": 10_001}
    over = refused(client, payment_intent_data=data)
    assert isinstance(over, stripe.InvalidRequestError)
    assert over.param == "payment_intent_data[application_fee_amount]"
    whole: Any = {**data, "application_fee_amount": 10_000}
    assert new_session(client, payment_intent_data=whole).status == "open"


def test_an_account_whose_losses_stripe_bears_is_no_destination(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    responsibilities = {"fees_collector": "stripe", "losses_collector": "stripe"}
    account = ready_seller(
        simulator, client, dashboard="full", defaults={"currency": "usd", "responsibilities": responsibilities}
    )
    assert "losses" in str(refused(client, payment_intent_data={"transfer_data": {"destination": account}}))


def test_a_session_expires_in_its_time_and_says_so_once(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = new_session(client, expires_at=START + 30 * 60)
    simulator.advance(30 * 60 - 1)
    assert status(client, session.id) == ("open", "unpaid")
    simulator.advance(1)
    expired = client.v1.checkout.sessions.retrieve(session.id)
    assert (expired.status, expired.url) == ("expired", None)
    simulator.advance(25 * HOUR)
    assert len(client.v1.events.list({"type": "checkout.session.expired"}).data) == 1


def test_only_an_open_session_can_be_expired(simulator: Simulator, client: stripe.StripeClient) -> None:
    ended, paid = new_session(client), new_session(client)
    assert client.v1.checkout.sessions.expire(ended.id).status == "expired"
    pay(simulator, paid.id)
    for session in (ended, paid):
        with pytest.raises(stripe.InvalidRequestError, match=r"status in \[\"open\"\] can be expired"):
            client.v1.checkout.sessions.expire(session.id)
    assert status(client, paid.id) == ("complete", "paid")


def test_an_expired_session_cannot_be_paid(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = new_session(client)
    client.v1.checkout.sessions.expire(session.id)
    late = submit(simulator, session.id, card="4242424242424242")
    assert (late.status, b"expired" in late.body, CANCEL.encode() in late.body) == (410, True, True)
    assert client.v1.payment_intents.list().data == []


def test_expiry_ends_what_a_declined_buyer_had_begun(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = new_session(client)
    submit(simulator, session.id, card="4000000000000002")
    client.v1.checkout.sessions.expire(session.id)
    (intent,) = client.v1.payment_intents.list().data
    assert intent.status == "canceled"


def test_lists_filter(simulator: Simulator, client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"email": "ann@b.test"})
    own, paid, gone = new_session(client, customer=customer.id), new_session(client), new_session(client)
    pay(simulator, paid.id)
    client.v1.checkout.sessions.expire(gone.id)
    intent = str(client.v1.checkout.sessions.retrieve(paid.id).payment_intent)
    for params, found in (
        ({}, [gone.id, paid.id, own.id]),
        ({"status": "open"}, [own.id]),
        ({"status": "complete"}, [paid.id]),
        ({"customer": customer.id}, [own.id]),
        ({"payment_intent": intent}, [paid.id]),
        ({"customer_details": {"email": "buyer@example.test"}}, [paid.id]),
        ({"created": {"gt": START}}, []),
    ):
        filters: Any = params
        assert [each.id for each in client.v1.checkout.sessions.list(filters).data] == found


def test_metadata_can_be_changed_and_nothing_else(client: stripe.StripeClient) -> None:
    session = new_session(client, metadata={"a": "1", "b": "2"})
    changed = client.v1.checkout.sessions.update(session.id, {"metadata": {"a": "", "c": "3"}})
    assert changed.metadata
    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}
    wrong: Any = {"success_url": CANCEL}
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.update(session.id, wrong)
