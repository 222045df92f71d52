"""Products, prices and customers through stripe-python, unchanged."""

from decimal import Decimal

import pytest
import stripe

from local.stripe_simulator import Simulator

from .conftest import START


def assert_whole(item: stripe.StripeObject, *, but: tuple[str, ...] = ()) -> None:
    """Every field that the SDK's class declares without Optional is there, but those that Stripe leaves out."""
    declared = type(item).__annotations__
    required = [name for name, kind in declared.items() if "Optional" not in str(kind) and name[0] != "_"]
    assert required
    missing = [name for name in required if name not in item and "ClassVar" not in str(declared[name])]
    assert missing == [*but]


def test_objects_have_every_field_that_the_sdk_requires(client: stripe.StripeClient) -> None:
    price = client.v1.prices.create(
        {"currency": "eur", "unit_amount": 100, "product_data": {"name": "Tea"}, "recurring": {"interval": "month"}}
    )
    assert_whole(price)
    assert_whole(client.v1.products.retrieve(str(price.product)))
    assert_whole(client.v1.customers.create())
    endpoint = client.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
    assert_whole(endpoint)
    client.v1.customers.create()
    assert_whole(client.v1.events.list().data[0])


def test_a_product_lives_and_dies(client: stripe.StripeClient) -> None:
    product = client.v1.products.create({"name": "Tea", "metadata": {"a": "1", "b": "2"}})
    changed = client.v1.products.update(product.id, {"name": "Oolong", "metadata": {"a": "", "c": "3"}})
    assert (changed.name, changed.metadata.to_dict()) == ("Oolong", {"b": "2", "c": "3"})
    assert client.v1.products.update(product.id, {"metadata": ""}).metadata.to_dict() == {}
    assert client.v1.products.delete(product.id).deleted
    with pytest.raises(stripe.InvalidRequestError) as missing:
        client.v1.products.retrieve(product.id)
    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
    assert client.v1.products.list().data == []


def test_a_product_with_a_price_cannot_be_deleted(client: stripe.StripeClient) -> None:
    product = client.v1.products.create(
        {
            "name": "Tea",
            "default_price_data": {"currency": "usd", "unit_amount": 500},
            "expand": ["default_price"],
        }
    )
    assert isinstance(product.default_price, stripe.Price)
    assert product.default_price.unit_amount == 500
    with pytest.raises(stripe.InvalidRequestError, match="cannot be deleted"):
        client.v1.products.delete(product.id)


def test_amounts_are_kept_as_they_were_given(client: stripe.StripeClient) -> None:
    whole = client.v1.prices.create({"currency": "USD", "unit_amount": 1050, "product_data": {"name": "a"}})
    assert (whole.currency, whole.unit_amount, whole.unit_amount_decimal) == ("usd", 1050, Decimal(1050))
    exact = client.v1.prices.create(
        {"currency": "usd", "unit_amount_decimal": Decimal("0.50"), "product_data": {"name": "b"}}
    )
    assert (exact.unit_amount, exact.unit_amount_decimal) == (None, Decimal("0.5"))


def test_a_tiered_price_shows_its_tiers_when_asked(client: stripe.StripeClient) -> None:
    price = client.v1.prices.create(
        {
            "currency": "usd",
            "billing_scheme": "tiered",
            "tiers_mode": "graduated",
            "tiers": [{"up_to": 10, "unit_amount": 5}, {"up_to": "inf", "unit_amount": 3}],
            "product_data": {"name": "a"},
            "recurring": {"interval": "month", "interval_count": 3},
        }
    )
    assert "tiers" not in price
    assert price.recurring
    assert price.recurring.interval_count == 3
    shown = client.v1.prices.retrieve(price.id, {"expand": ["tiers"]}).tiers
    assert shown
    assert [(tier.up_to, tier.unit_amount) for tier in shown] == [(10, 5), (None, 3)]


def test_a_lookup_key_moves_only_when_told(client: stripe.StripeClient) -> None:
    first = client.v1.prices.create(
        {"currency": "usd", "unit_amount": 1, "product_data": {"name": "a"}, "lookup_key": "gold"}
    )
    second = client.v1.prices.create(
        {
            "currency": "usd",
            "unit_amount": 2,
            "product": str(first.product),
            "lookup_key": "gold",
            "transfer_lookup_key": True,
        }
    )
    assert [price.id for price in client.v1.prices.list({"lookup_keys": ["gold"]}).data] == [second.id]
    assert client.v1.prices.retrieve(first.id).lookup_key is None


def test_a_customer_is_emptied_and_deleted_to_a_stub(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"email": "a@b.test", "address": {"city": "Oslo"}})
    emptied = client.v1.customers.update(customer.id, {"email": "", "address": ""})
    assert (emptied.email, emptied.address) == (None, None)
    client.v1.customers.delete(customer.id)
    assert client.v1.customers.retrieve(customer.id).deleted
    assert client.v1.customers.list().data == []
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        client.v1.customers.update(customer.id, {"email": "c@d.test"})


def test_lists_page_in_both_directions_and_lose_nothing(simulator: Simulator, client: stripe.StripeClient) -> None:
    made: list[str] = []
    for number in range(25):
        simulator.advance(number % 2)  # several share a second
        made.append(client.v1.customers.create({"email": "odd@b.test" if number % 2 else "even@b.test"}).id)
    newest_first = made[::-1]
    assert [item.id for item in client.v1.customers.list({"limit": 7}).auto_paging_iter()] == newest_first
    odd = client.v1.customers.list({"email": "odd@b.test", "limit": 3})
    assert [item.id for item in odd.auto_paging_iter()] == made[1::2][::-1]
    back = client.v1.customers.list({"limit": 3, "ending_before": newest_first[10]})
    assert ([item.id for item in back.data], back.has_more, back.url) == (newest_first[7:10], True, "/v1/customers")
    with pytest.raises(stripe.InvalidRequestError, match="less than or equal to 100"):
        client.v1.customers.list({"limit": 101})
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        client.v1.customers.list({"starting_after": "cus_nobody"})


def test_lists_filter_by_the_second_of_creation(simulator: Simulator, client: stripe.StripeClient) -> None:
    made = []
    for _ in range(5):
        made.append(client.v1.customers.create().id)
        simulator.advance(1)

    def listed(created: object) -> list[str]:
        data = simulator.request("GET", "/v1/customers", {"created": created}).json()["data"]
        return [item["id"] for item in data][::-1]

    assert listed(START + 2) == [made[2]]
    assert listed({"gt": START + 1, "lt": START + 4}) == made[2:4]
    assert listed({"gte": START + 1, "lte": START + 4}) == made[1:5]


def test_expansion_reaches_through_lists_and_refuses_what_is_no_reference(client: stripe.StripeClient) -> None:
    price = client.v1.prices.create({"currency": "usd", "unit_amount": 1, "product_data": {"name": "Tea"}})
    listed = client.v1.prices.list({"expand": ["data.product.default_price"]}).data[0].product
    assert isinstance(listed, stripe.Product)
    assert listed.name == "Tea"
    assert client.v1.prices.retrieve(price.id).product == listed.id
    for path in ("currency", "data.product", "nothing"):
        with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
            client.v1.prices.retrieve(price.id, {"expand": [path]})
