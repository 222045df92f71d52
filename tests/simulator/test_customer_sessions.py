"""Customer sessions through stripe-python."""

from typing import Any

import stripe

from .conftest import START
from .paying import refused
from .test_catalog import assert_whole


def test_a_session_has_what_was_asked_for_and_defaults_for_the_rest(client: stripe.StripeClient) -> None:
    owner = client.v1.customers.create({"email": "ann@b.test"}).id
    features: Any = {"payment_method_save": "enabled", "payment_method_save_usage": "off_session"}
    components: Any = {"payment_element": {"enabled": True, "features": features}}
    made = client.v1.customer_sessions.create({"customer": owner, "components": components, "expand": ["customer"]})
    assert_whole(made)
    assert made.expires_at == START + 30 * 60
    assert isinstance(made.customer, stripe.Customer)
    shown = made.to_dict()["components"]
    assert shown["buy_button"] == {"enabled": False}
    assert shown["customer_sheet"] == {"enabled": False, "features": None}
    assert shown["payment_element"]["features"] == {
        "payment_method_allow_redisplay_filters": ["always"],
        "payment_method_redisplay": "disabled",
        "payment_method_redisplay_limit": 3,
        "payment_method_remove": "disabled",
        "payment_method_save": "enabled",
        "payment_method_save_usage": "off_session",
    }


def test_a_session_is_for_a_customer_and_of_sense(client: stripe.StripeClient) -> None:
    owner = client.v1.customers.create({}).id
    usage: Any = {"enabled": True, "features": {"payment_method_save_usage": "on_session"}}
    with refused(match="payment_method_save"):
        client.v1.customer_sessions.create({"customer": owner, "components": {"payment_element": usage}})
    with refused(match="No such customer"):
        client.v1.customer_sessions.create({"customer": "cus_none", "components": {"buy_button": {"enabled": True}}})
    with refused(match="customer"):
        client.v1.customer_sessions.create({"components": {"buy_button": {"enabled": True}}})
