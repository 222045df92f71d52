"""Tax IDs: held by accounts and customers, verified by authorities, and what they and addresses say of tax."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator
from local.stripe_simulator.pricing.tax_id_formats import is_well_formed

from .paying import refused
from .shop import new_session

KNOWN, UNKNOWN, PENDING = "000000000", "111111111", "222222222"


def customer(client: stripe.StripeClient, **params: Any) -> str:
    made: Any = {"name": "Ann Ltd", **params}
    return client.v1.customers.create(made).id


def test_an_authority_answers_after_a_while_or_never(simulator: Simulator, client: stripe.StripeClient) -> None:
    ann = customer(client)
    numbers: list[tuple[Any, str]] = [
        *(("eu_vat", number) for number in (KNOWN, UNKNOWN, PENDING, "DE123456789")),
        ("us_ein", "12-3456789"),
    ]
    held = [client.v1.customers.tax_ids.create(ann, {"type": kind, "value": value}) for kind, value in numbers]

    def statuses() -> list[str]:
        shown = (client.v1.customers.tax_ids.retrieve(ann, each.id).verification for each in held)
        return [each.status for each in shown if each]

    assert statuses() == ["pending"] * 4 + ["unavailable"]
    simulator.advance(3)
    assert statuses() == ["verified", "unverified", "pending", "verified", "unavailable"]
    assert [each.country for each in held] == [None, None, None, "DE", "US"]
    first = client.v1.tax_ids.retrieve(held[0].id)
    assert first.verification
    assert first.verification.verified_name == "Ann Ltd"
    told = [event.type for event in client.v1.events.list({"type": "customer.tax_id.*", "limit": 100}).data]
    assert (told.count("customer.tax_id.created"), told.count("customer.tax_id.updated")) == (5, 3)


def test_tax_ids_belong_to_the_account_a_connected_one_or_a_customer(client: stripe.StripeClient) -> None:
    seller, ann = client.v1.accounts.create({"type": "express"}).id, customer(client)
    owners: list[Any] = [
        {"type": "self"},
        {"type": "account", "account": seller},
        {"type": "customer", "customer": ann},
    ]
    held = [client.v1.tax_ids.create({"type": "gb_vat", "value": "GB123456789", "owner": owner}).id for owner in owners]
    for owner, tax_id in zip(owners, held, strict=True):
        assert [each.id for each in client.v1.tax_ids.list({"owner": owner}).data] == [tax_id]
    assert [each.id for each in client.v1.tax_ids.list().data] == held[:1]
    assert client.v1.tax_ids.retrieve(held[2]).customer == ann
    with refused(match="No such tax id"):
        client.v1.customers.tax_ids.retrieve(ann, held[0])
    with refused(match="No such account"):
        wrong: Any = {"type": "account", "account": "acct_none"}
        client.v1.tax_ids.create({"type": "gb_vat", "value": "GB123456789", "owner": wrong})
    assert client.v1.customers.tax_ids.delete(ann, held[2]).deleted
    assert client.v1.tax_ids.delete(held[0]).deleted
    assert [each.type for each in client.v1.events.list({"type": "customer.tax_id.deleted"}).data] == [
        "customer.tax_id.deleted"
    ]
    with refused(match="No such tax id"):
        client.v1.tax_ids.retrieve(held[0])


def test_a_customer_comes_with_tax_ids_and_shows_them(client: stripe.StripeClient) -> None:
    ids = [{"type": "eu_vat", "value": "FRAB123456789"}, {"type": "gb_vat", "value": "GB999999999"}]
    ann = customer(client, tax_id_data=ids)
    shown = client.v1.customers.retrieve(ann, {"expand": ["tax_ids"]})
    assert shown.tax_ids
    assert [each.value for each in shown.tax_ids.data] == ["GB999999999", "FRAB123456789"]
    with pytest.raises(stripe.InvalidRequestError) as error:
        customer(client, tax_id_data=[{"type": "eu_vat", "value": "FR1"}])
    assert (error.value.code, error.value.param) == ("tax_id_invalid", "tax_id_data[0][value]")
    assert len(client.v1.customers.list().data) == 1


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("eu_vat", "ATU12345678", True),
        ("eu_vat", "NL123456789B12", True),
        ("eu_vat", "EL123456789", True),
        ("eu_vat", "GR123456789", False),  # Greece writes EL
        ("eu_vat", "DE12345678", False),
        ("ch_vat", "CHE-123.456.789 MWST", True),
        ("ch_vat", "CHE-123.456.789", False),
        ("gb_vat", "GB123456789", True),
        ("gb_vat", KNOWN, False),  # these values are for two types
        ("au_abn", PENDING, True),
        ("th_vat", "1234567891234", True),
        ("th_vat", " ", False),
    ],
)
def test_how_tax_ids_are_written(kind: str, value: str, expected: bool) -> None:
    assert is_well_formed(kind, value) is expected


def test_a_customer_says_whether_its_tax_can_be_known(client: stripe.StripeClient) -> None:
    client.v1.tax.settings.update({"head_office": {"address": {"country": "GB"}}})
    options: Any = {"gb": {"type": "standard", "standard": {"place_of_supply_scheme": "standard"}}}
    client.v1.tax.registrations.create({"country": "GB", "active_from": "now", "country_options": options})
    london, austin = {"country": "GB"}, {"country": "US", "postal_code": "73301"}
    expected: list[tuple[dict[str, Any], tuple[str, str | None, str | None]]] = [
        ({"address": london}, ("supported", "billing_address", None)),
        (
            {"address": london, "shipping": {"name": "A", "address": austin}},
            ("not_collecting", "shipping_destination", "TX"),
        ),
        ({"address": {"country": "US", "state": "TX"}}, ("unrecognized_location", None, None)),
        ({}, ("unrecognized_location", None, None)),
    ]
    for params, (status, source, state) in expected:
        shown = client.v1.customers.retrieve(customer(client, **params), {"expand": ["tax"]}).tax
        assert shown
        location = shown.location
        assert (shown.automatic_tax, location and location.source, location and location.state) == (
            status,
            source,
            state,
        )
    with pytest.raises(stripe.InvalidRequestError) as error:
        customer(client, tax={"validate_location": "immediately"})
    assert error.value.code == "customer_tax_location_invalid"
    assert customer(client, address=london, tax={"validate_location": "immediately"})


def test_a_business_abroad_is_known_at_checkout_by_the_tax_id_that_it_has(client: stripe.StripeClient) -> None:
    client.v1.tax.settings.update({"head_office": {"address": {"country": "IE"}}})
    options: Any = {"ie": {"type": "oss_union"}}
    client.v1.tax.registrations.create({"country": "IE", "active_from": "now", "country_options": options})
    address = {"country": "DE", "line1": "1 Weg", "postal_code": "10115", "city": "Berlin"}
    person = customer(client, address=address)
    firm = customer(client, address=address, tax_id_data=[{"type": "eu_vat", "value": "DE123456789"}])
    price = {"currency": "eur", "unit_amount": 1_000, "product_data": {"name": "Tea"}, "tax_behavior": "exclusive"}
    more: Any = {"automatic_tax": {"enabled": True}, "line_items": [{"price_data": price, "quantity": 1}]}
    totals = [new_session(client, **more, customer=each).amount_total for each in (person, firm)]
    assert totals == [1_190, 1_000]
