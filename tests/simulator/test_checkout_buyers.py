"""What the page asks of buyers: contact, addresses, custom fields, consent; what becomes of it, and what is kept."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator

from .conftest import START
from .paying import refused
from .shop import new_session, submit

CARD = {"card": "4242424242424242"}
SIZES = [{"label": "Small", "value": "s"}, {"label": "Large", "value": "l"}]


def field(key: str, kind: str, label: str = "Label", *, optional: bool = False, **details: Any) -> dict[str, Any]:
    return {
        "key": key,
        "type": kind,
        "label": {"custom": label, "type": "custom"},
        "optional": optional,
        **({kind: details} if details else {}),
    }


def latest(client: stripe.StripeClient, session: str) -> dict[str, Any]:
    found: dict[str, Any] = client.v1.checkout.sessions.retrieve(session).to_dict()
    return found


def test_custom_fields_are_filled_in_as_they_ask(simulator: Simulator, client: stripe.StripeClient) -> None:
    fields: Any = [
        field("engraving", "text", "Engraving", maximum_length=5),
        field("age", "numeric", "Age", optional=True, minimum_length=2),
        field("size", "dropdown", "Size", options=SIZES, default_value="s"),
    ]
    session = new_session(client, custom_fields=fields)
    page = simulator.request("GET", f"/c/pay/{session.id}").body.decode()
    assert all(label in page for label in ("Engraving", "Age, if you like", "Large"))
    for wrong, said in (
        ({"custom_engraving": ""}, "Engraving is incomplete"),
        ({"custom_engraving": "too long"}, "Engraving is invalid"),
        ({"custom_engraving": "Ann", "custom_age": "x1"}, "Age is invalid"),
        ({"custom_engraving": "Ann", "custom_age": "9"}, "Age is invalid"),
        ({"custom_engraving": "Ann", "custom_age": "", "custom_size": "m"}, "Size is invalid"),
    ):
        answer = submit(simulator, session.id, **CARD, **wrong)
        assert (answer.status, said in answer.body.decode()) == (400, True)
    assert submit(simulator, session.id, **CARD, custom_engraving="Ann", custom_size="l").status == 303
    done = latest(client, session.id)["custom_fields"]
    assert [each[each["type"]]["value"] for each in done] == ["Ann", None, "l"]
    assert done[0]["text"] == {"default_value": None, "maximum_length": 5, "minimum_length": None, "value": "Ann"}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ([field(f"key{each}", "text") for each in range(4)], "up to 3"),
        ([field("a", "text"), field("a", "numeric")], "unique"),
        ([field("a b", "text")], "alphanumeric"),
        ([field("a", "text", "x" * 51)], "50 characters"),
        ([field("a", "dropdown")], "options"),
        ([field("a", "dropdown", options=SIZES, default_value="m")], "default value"),
        ([field("a", "text", minimum_length=0)], "from 1 to"),
    ],
)
def test_custom_fields_are_checked(client: stripe.StripeClient, fields: Any, said: str) -> None:
    with refused(match=said):
        new_session(client, custom_fields=fields)


def test_terms_must_be_accepted_and_news_may_be(simulator: Simulator, client: stripe.StripeClient) -> None:
    consent: Any = {"terms_of_service": "required", "promotions": "auto"}
    text: Any = {"terms_of_service_acceptance": {"message": "I like it"}, "after_submit": {"message": "Goodbye"}}
    session = new_session(client, consent_collection=consent, custom_text=text)
    page = simulator.request("GET", f"/c/pay/{session.id}").body
    assert b"I like it" in page
    assert b"Goodbye" in page
    assert b"must accept the terms" in submit(simulator, session.id, **CARD).body
    assert submit(simulator, session.id, **CARD, terms_of_service="yes").status == 303
    assert latest(client, session.id)["consent"] == {"promotions": "opt_out", "terms_of_service": "accepted"}


def test_a_new_customer_has_all_that_was_collected(simulator: Simulator, client: stripe.StripeClient) -> None:
    more: Any = {
        "customer_creation": "always",
        "billing_address_collection": "required",
        "phone_number_collection": {"enabled": True},
        "name_collection": {"business": {"enabled": True}, "individual": {"enabled": True, "optional": True}},
    }
    session = new_session(client, **more)
    assert b"name is incomplete" in submit(simulator, session.id, **CARD).body
    assert b"phone number" in submit(simulator, session.id, **CARD, phone="").body
    entered = {"email": "ann@b.test", "business_name": "Tea Ltd", "line1": "2 Low St", "country": "gb", "city": "Bath"}
    assert submit(simulator, session.id, **CARD, **entered, phone="+12015550123", individual_name="").status == 303
    done = latest(client, session.id)
    details = done["customer_details"]
    assert (details["email"], details["name"], details["business_name"]) == ("ann@b.test", "Tea Ltd", "Tea Ltd")
    assert (details["address"]["line1"], details["address"]["country"]) == ("2 Low St", "GB")
    assert done["collected_information"]["business_name"] == "Tea Ltd"
    customer = client.v1.customers.retrieve(done["customer"])
    assert (customer.name, customer.phone) == ("Tea Ltd", "+12015550123")
    assert customer.address
    assert customer.address.city == "Bath"
    intent = client.v1.payment_intents.retrieve(done["payment_intent"], {"expand": ["payment_method"]})
    assert isinstance(intent.payment_method, stripe.PaymentMethod)
    assert intent.payment_method.billing_details.address
    assert intent.payment_method.billing_details.address.line1 == "2 Low St"


def test_a_customer_is_updated_only_as_allowed(simulator: Simulator, client: stripe.StripeClient) -> None:
    known = client.v1.customers.create({"name": "Old"}).id
    asked: Any = {"billing_address_collection": "required", "customer": known}
    entered = {"name": "New", "email": "ann@b.test", "line1": "2 Low St", "country": "US"}
    submit(simulator, new_session(client, **asked).id, **CARD, **entered)
    customer = client.v1.customers.retrieve(known)
    assert (customer.name, customer.email, customer.address) == ("Old", "ann@b.test", None)  # an e-mail it had none of
    allowed: Any = {"customer_update": {"name": "auto", "address": "auto"}}
    second = new_session(client, **asked, **allowed)
    assert b"readonly" in simulator.request("GET", f"/c/pay/{second.id}").body
    submit(simulator, second.id, **CARD, **{**entered, "email": "other@b.test"})
    customer = client.v1.customers.retrieve(known)
    assert (customer.name, customer.email) == ("New", "ann@b.test")
    assert customer.address
    assert customer.address.line1 == "2 Low St"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"customer_update": {"name": "auto"}}, "with `customer`"),
        ({"customer": "KNOWN", "customer_update": {"shipping": "auto"}}, "shipping_address_collection"),
        ({"customer": "KNOWN", "tax_id_collection": {"enabled": True}}, "customer_update"),
        ({"customer": "KNOWN", "customer_creation": "always"}, "only specify one"),
        ({"saved_payment_method_options": {"payment_method_save": "enabled"}}, "needs a customer"),
        ({"custom_text": {"submit": {"message": "x" * 1_201}}}, "1200 characters"),
    ],
)
def test_what_needs_a_customer_says_so(client: stripe.StripeClient, change: dict[str, Any], said: str) -> None:
    known = client.v1.customers.create({}).id
    more = {name: known if value == "KNOWN" else value for name, value in change.items()}
    with refused(match=said):
        new_session(client, **more)


def test_a_saved_card_is_offered_again_and_can_be_removed(simulator: Simulator, client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"email": "ann@b.test"}).id
    options: Any = {"payment_method_save": "enabled", "payment_method_remove": "enabled"}
    more: Any = {"customer": customer, "saved_payment_method_options": options}
    submit(simulator, new_session(client, **more).id, **CARD)
    assert client.v1.customers.payment_methods.list(customer).data == []
    submit(simulator, new_session(client, **more).id, **CARD, save="yes")
    (saved,) = client.v1.customers.payment_methods.list(customer).data
    assert saved.allow_redisplay == "always"
    third = new_session(client, **more)
    assert b"visa ending in 4242" in simulator.request("GET", f"/c/pay/{third.id}").body
    assert submit(simulator, third.id, saved=saved.id).status == 303
    fourth = new_session(client, **more)
    hidden = client.v1.payment_methods.attach("pm_card_mastercard", {"customer": customer}).id
    assert submit(simulator, fourth.id, saved=hidden).status == 400
    assert submit(simulator, fourth.id, remove=saved.id).status == 200
    assert [each.id for each in client.v1.customers.payment_methods.list(customer).data] == [hidden]
    client.v1.payment_methods.update(hidden, {"allow_redisplay": "always"})
    assert submit(simulator, new_session(client, customer=customer).id, remove=hidden).status == 400


def test_a_method_saved_by_the_shop_is_shown_again_as_it_says(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    customer = client.v1.customers.create({"email": "ann@b.test"}).id
    data: Any = {"setup_future_usage": "off_session"}
    for told, expected in (({}, "limited"), ({"payment_method_data": {"allow_redisplay": "always"}}, "always")):
        submit(simulator, new_session(client, customer=customer, payment_intent_data=data, **told).id, **CARD)
        assert client.v1.customers.payment_methods.list(customer).data[0].allow_redisplay == expected


def test_options_of_a_kind_of_method_count_for_it_alone(simulator: Simulator, client: stripe.StripeClient) -> None:
    options: Any = {"card": {"capture_method": "manual", "setup_future_usage": "on_session"}}
    by_card, by_bank = (new_session(client, payment_method_options=options, customer_creation="always") for _ in "ab")
    submit(simulator, by_card.id, **CARD)
    submit(simulator, by_bank.id, test_account="000123456789")
    captured, debited = (
        client.v1.payment_intents.retrieve(latest(client, each.id)["payment_intent"]) for each in (by_card, by_bank)
    )
    assert (captured.status, debited.status) == ("requires_capture", "processing")
    kept = [
        client.v1.customers.payment_methods.list(latest(client, each.id)["customer"]).data
        for each in (by_card, by_bank)
    ]
    assert [len(each) for each in kept] == [1, 0]
    client.v1.payment_intents.capture(captured.id)
    simulator.advance(3)
    assert [latest(client, each.id)["payment_status"] for each in (by_card, by_bank)] == ["paid", "paid"]
    told = client.v1.events.list({"type": "checkout.session.async_payment_succeeded"}).data
    assert [each.data.object["id"] for each in told] == [by_bank.id]


def test_a_session_may_ask_every_card_to_authenticate(simulator: Simulator, client: stripe.StripeClient) -> None:
    options: Any = {"card": {"request_three_d_secure": "any"}}
    paying = new_session(client, payment_method_options=options)
    params: Any = {
        "mode": "setup",
        "currency": "usd",
        "success_url": "http://shop.test/",
        "payment_method_options": options,
    }
    saving = client.v1.checkout.sessions.create(params)
    for session in (paying, saving):
        assert submit(simulator, session.id, **CARD).headers["Location"].startswith("/3ds/")


def test_an_expired_session_is_recovered(simulator: Simulator, client: stripe.StripeClient) -> None:
    recovery: Any = {"recovery": {"enabled": True}}
    more: Any = {"after_expiration": recovery, "expires_at": START + 3_600, "metadata": {"a": "1"}}
    session = new_session(client, **more)
    assert latest(client, session.id)["after_expiration"]["recovery"]["url"] is None
    submit(simulator, session.id, action="update", email="ann@b.test")
    simulator.advance(3_600)
    expired = latest(client, session.id)
    shown = expired["after_expiration"]["recovery"]
    assert shown["expires_at"] == START + 3_600 + 30 * 24 * 3_600
    assert expired["customer_details"]["email"] == "ann@b.test"
    path = shown["url"].removeprefix(simulator.world.settings.base_url)
    again = simulator.request("GET", path).headers["Location"].removeprefix("/c/pay/")
    recovered = latest(client, again)
    assert (recovered["recovered_from"], recovered["metadata"]) == (session.id, {"a": "1"})
    assert (recovered["amount_total"], recovered["status"]) == (10_000, "open")
    submit(simulator, again, **CARD)
    assert latest(client, again)["status"] == "complete"
    simulator.advance(30 * 24 * 3_600)
    assert simulator.request("GET", path).status == 410
    assert simulator.request("GET", f"/c/recover/{again}").status == 410
