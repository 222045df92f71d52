"""Shipping rates through stripe-python."""

from typing import Any

import stripe

from .paying import refused
from .test_catalog import assert_whole


def rate(client: stripe.StripeClient, amount: int = 500, **more: Any) -> stripe.ShippingRate:
    fixed = {"amount": amount, "currency": "usd", "currency_options": {"eur": {"amount": 450}}}
    params: Any = {"display_name": "Ground", "fixed_amount": fixed, **more}
    return client.v1.shipping_rates.create(params)


def test_a_rate_is_whole_and_shows_its_currencies_when_asked(client: stripe.StripeClient) -> None:
    estimate = {"minimum": {"unit": "business_day", "value": 5}}
    made = rate(client, delivery_estimate=estimate, metadata={"a": "1"})
    assert_whole(made)
    assert made.fixed_amount
    assert (made.active, made.tax_behavior, made.fixed_amount.amount) == (True, "unspecified", 500)
    assert "currency_options" not in made.fixed_amount
    seen = client.v1.shipping_rates.retrieve(made.id, {"expand": ["fixed_amount.currency_options"]}).to_dict()
    assert {code: each["amount"] for code, each in seen["fixed_amount"]["currency_options"].items()} == {
        "usd": 500,
        "eur": 450,
    }
    assert seen["delivery_estimate"] == {"minimum": {"unit": "business_day", "value": 5}, "maximum": None}


def test_a_rate_is_archived_and_its_tax_behavior_set_once(client: stripe.StripeClient) -> None:
    made, other = rate(client), rate(client, tax_behavior="inclusive")
    changed = client.v1.shipping_rates.update(
        made.id, {"active": False, "tax_behavior": "exclusive", "metadata": {"b": "2"}}
    )
    assert (changed.active, changed.tax_behavior, changed.metadata.to_dict()) == (False, "exclusive", {"b": "2"})
    with refused(match="tax_behavior"):
        client.v1.shipping_rates.update(made.id, {"tax_behavior": "inclusive"})
    for params, found in (({"active": True}, [other.id]), ({"currency": "eur"}, []), ({}, [other.id, made.id])):
        filters: Any = params
        assert [each.id for each in client.v1.shipping_rates.list(filters).data] == found


def test_what_stripe_refuses_is_refused(client: stripe.StripeClient) -> None:
    for change, said in (
        ({"fixed_amount": {"amount": -1, "currency": "usd"}}, "greater than or equal"),
        ({"fixed_amount": {"amount": 1, "currency": "xxx"}}, "Invalid currency"),
        ({"delivery_estimate": {"maximum": {"unit": "day", "value": 0}}}, "greater than or equal"),
    ):
        with refused(match=said):
            rate(client, **change)
    nothing: Any = {"display_name": "Ground"}
    with refused(match="fixed_amount"):
        client.v1.shipping_rates.create(nothing)
