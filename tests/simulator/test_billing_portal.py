"""The billing portal: what it offers, who gets in, and that what customers do there is what the API would have done."""

from typing import Any
from urllib.parse import urlsplit

import pytest
import stripe

from local.stripe_simulator import Simulator

from .billing import assert_exact, billed, customer, heard, invoices, listen, recurring, subscribe
from .conftest import START
from .paying import refused

HOUR = 3_600


def portal(client: stripe.StripeClient, buyer: str, **more: Any) -> str:
    """The path of a session's page."""
    params: Any = {"customer": buyer, "return_url": "https://shop.test/account", **more}
    return urlsplit(client.v1.billing_portal.sessions.create(params).url).path


def configuration(client: stripe.StripeClient, **features: Any) -> str:
    params: Any = {"features": features or {"invoice_history": {"enabled": True}}}
    return client.v1.billing_portal.configurations.create(params).id


def offering(client: stripe.StripeClient, *prices: str, **more: Any) -> str:
    """A configuration that lets customers change between prices of one product."""
    product = str(client.v1.prices.retrieve(prices[0]).product)
    offer = {"enabled": True, "default_allowed_updates": ["price"], **more}
    return configuration(client, subscription_update={**offer, "products": [{"product": product, "prices": prices}]})


def cheaper_and_dearer(client: stripe.StripeClient, interval: str = "month") -> tuple[str, str]:
    cheap = recurring(client, 3_000)
    product = str(client.v1.prices.retrieve(cheap).product)
    dear: Any = {"product": product, "currency": "usd", "unit_amount": 9_000, "recurring": {"interval": interval}}
    return cheap, client.v1.prices.create(dear).id


def opened(simulator: Simulator, path: str) -> str:
    answer = simulator.request("GET", path)
    assert answer.status == 200
    return answer.body.decode()


def act(simulator: Simulator, path: str, action: str, **fields: str) -> Any:
    return simulator.request("POST", path, {"action": action, **fields})


def did(simulator: Simulator, path: str, action: str, **fields: str) -> str:
    """Where the page leads after it did what was asked."""
    answer = act(simulator, path, action, **fields)
    assert (answer.status, answer.body) == (303, b"")
    return str(dict(answer.headers)["Location"])


def said_no(simulator: Simulator, path: str, action: str, **fields: str) -> str:
    answer = act(simulator, path, action, **fields)
    assert answer.status in (400, 402, 404)
    return str(answer.body.decode())


def test_it_ends_with_the_period_and_can_be_kept(simulator: Simulator, client: stripe.StripeClient) -> None:
    buyer = customer(client)
    made = subscribe(client, buyer, recurring(client, 3_000))
    path = portal(client, buyer)
    assert "30.00 USD every month, active" in opened(simulator, path)
    listen(simulator)
    assert did(simulator, path, "cancel", subscription=made.id, feedback="unused") == path
    ending = client.v1.subscriptions.retrieve(made.id)
    assert (ending.cancel_at_period_end, ending.cancel_at) == (True, made["items"].data[0].current_period_end)
    assert ending.cancellation_details is not None
    assert ending.cancellation_details.feedback == "unused"
    assert "It ends on" in opened(simulator, path)
    did(simulator, path, "keep", subscription=made.id)
    assert heard(simulator) == ["customer.subscription.updated"] * 2
    kept = client.v1.subscriptions.retrieve(made.id)
    assert (kept.cancel_at_period_end, kept.cancel_at, kept.canceled_at) == (False, None, None)
    did(simulator, path, "cancel", subscription=made.id)
    simulator.advance(32 * 24 * HOUR)
    assert client.v1.subscriptions.retrieve(made.id).status == "canceled"
    assert len(invoices(client, made.id)) == 1


@pytest.mark.parametrize(("behavior", "credited"), [("none", 0), ("create_prorations", 1), ("always_invoice", 1)])
def test_it_ends_at_once_where_that_is_the_offer(
    simulator: Simulator, client: stripe.StripeClient, behavior: str, credited: int
) -> None:
    buyer = customer(client)
    made = subscribe(client, buyer, recurring(client, 3_000))
    terms: Any = {"enabled": True, "mode": "immediately", "proration_behavior": behavior}
    path = portal(client, buyer, configuration=configuration(client, subscription_cancel=terms))
    did(simulator, path, "cancel", subscription=made.id)
    assert client.v1.subscriptions.retrieve(made.id).status == "canceled"
    items = client.v1.invoice_items.list({"customer": buyer}).data
    assert [item.amount for item in items] == [-3_000] * credited  # nothing of the period is used yet
    assert len(invoices(client, made.id)) == 1 + (behavior == "always_invoice")
    assert_exact(simulator)


@pytest.mark.parametrize(("interval", "due"), [("month", 3_000), ("year", 7_500)])
def test_a_change_costs_what_was_shown(
    simulator: Simulator, client: stripe.StripeClient, interval: str, due: int
) -> None:
    buyer, (cheap, dear) = customer(client), cheaper_and_dearer(client, interval)
    made = subscribe(client, buyer, cheap)
    period = made["items"].data[0]
    simulator.move_clock_to((period.current_period_start + period.current_period_end) // 2)
    path = portal(client, buyer, configuration=offering(client, cheap, dear, proration_behavior="always_invoice"))
    assert f"Change to 90.00 USD every {interval}" in opened(simulator, path)
    shown = act(simulator, path, "preview", subscription=made.id, price=dear)
    assert f"<strong>{due / 100:.2f} USD</strong>, now" in shown.body.decode()
    assert len(invoices(client, made.id)) == 1
    did(simulator, path, "change", subscription=made.id, price=dear)
    assert billed(client, made.id)[1:] == [("subscription_update", "paid", due)]
    assert client.v1.subscriptions.retrieve(made.id)["items"].data[0].price.id == dear
    assert_exact(simulator)


@pytest.mark.parametrize(("behavior", "due"), [("create_prorations", 7_500), ("none", 9_000)])
def test_a_period_that_begins_with_a_change_is_billed_at_once(
    simulator: Simulator, client: stripe.StripeClient, behavior: str, due: int
) -> None:
    buyer, (cheap, dear) = customer(client), cheaper_and_dearer(client, "year")
    made = subscribe(client, buyer, cheap)
    period = made["items"].data[0]
    simulator.move_clock_to((period.current_period_start + period.current_period_end) // 2)
    path = portal(client, buyer, configuration=offering(client, cheap, dear, proration_behavior=behavior))
    shown = act(simulator, path, "preview", subscription=made.id, price=dear).body.decode()
    assert f"<strong>{due / 100:.2f} USD</strong>, now" in shown
    did(simulator, path, "change", subscription=made.id, price=dear)
    assert billed(client, made.id)[1:] == [("subscription_update", "paid", due)]


def test_a_change_costs_what_was_shown_with_discount_and_tax(simulator: Simulator, client: stripe.StripeClient) -> None:
    buyer, (cheap, dear) = customer(client), cheaper_and_dearer(client, "month")
    coupon = client.v1.coupons.create({"percent_off": 10, "duration": "forever"}).id
    rate = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 20, "inclusive": False}).id
    made = subscribe(client, buyer, cheap, discounts=[{"coupon": coupon}], default_tax_rates=[rate])
    period = made["items"].data[0]
    simulator.move_clock_to((period.current_period_start + period.current_period_end) // 2)
    path = portal(client, buyer, configuration=offering(client, cheap, dear, proration_behavior="always_invoice"))
    shown = act(simulator, path, "preview", subscription=made.id, price=dear).body.decode()
    assert "<strong>32.40 USD</strong>, now" in shown, "half of 60.00, less 10%, and 20% on top"
    assert len(client.v1.invoices.list().data) == 1
    did(simulator, path, "change", subscription=made.id, price=dear)
    assert billed(client, made.id)[1:] == [("subscription_update", "paid", 3_240)]


def test_a_new_card_is_charged_from_then(simulator: Simulator, client: stripe.StripeClient) -> None:
    buyer = customer(client)
    made = subscribe(client, buyer, recurring(client, 3_000))
    path = portal(client, buyer)
    assert "Visa ending in 4242" in opened(simulator, path)
    did(simulator, path, "card", card="5555 5555 5555 4444")
    assert "Mastercard ending in 4444" in opened(simulator, path)
    assert "number" in said_no(simulator, path, "card", card="4242 4242 4242 4241").lower()
    simulator.move_clock_to(made["items"].data[0].current_period_end + HOUR)
    (last, _) = client.v1.charges.list().data
    assert last.payment_method_details is not None
    assert last.payment_method_details.card is not None
    assert (last.amount, last.payment_method_details.card.last4) == (3_000, "4444")


def test_details_change_as_far_as_they_may(simulator: Simulator, client: stripe.StripeClient) -> None:
    buyer = customer(client)
    terms: Any = {"enabled": True, "allowed_updates": ["name", "phone"]}
    path = portal(client, buyer, configuration=configuration(client, customer_update=terms))
    did(simulator, path, "details", name="Ada", phone="+15550100")
    changed = client.v1.customers.retrieve(buyer)
    assert (changed.name, changed.phone, changed.email) == ("Ada", "+15550100", "buyer@example.test")
    assert "does not let you change" in said_no(simulator, path, "details", email="other@example.test")
    assert client.v1.customers.retrieve(buyer).email == "buyer@example.test"
    assert 'id="email"' not in opened(simulator, path)


def test_invoices_can_be_opened_from_it(simulator: Simulator, client: stripe.StripeClient) -> None:
    buyer = customer(client)
    made = subscribe(client, buyer, recurring(client, 3_000))
    (invoice,) = invoices(client, made.id)
    text = opened(simulator, portal(client, buyer))
    for link in (f"/i/{invoice.id}", f"/i/{invoice.id}/pdf"):
        assert f'href="{link}"' in text
        assert simulator.request("GET", link).status == 200


def test_nobody_reaches_what_is_anothers_or_not_offered(simulator: Simulator, client: stripe.StripeClient) -> None:
    buyer, other = customer(client), customer(client)
    cheap, dear = cheaper_and_dearer(client)
    mine, others = subscribe(client, buyer, cheap), subscribe(client, other, cheap)
    path = portal(client, buyer, configuration=offering(client, cheap))
    assert "not offered" in said_no(simulator, path, "change", subscription=mine.id, price=dear)
    assert "no subscription of yours" in said_no(simulator, path, "change", subscription=others.id, price=cheap)
    for action in ("cancel", "keep", "card", "details", "anything"):
        assert "does not offer" in said_no(simulator, path, action, subscription=mine.id, card="4242424242424242")
    usual = portal(client, buyer)
    assert "no subscription of yours" in said_no(simulator, usual, "cancel", subscription=others.id)
    assert client.v1.subscriptions.retrieve(others.id).cancel_at is None


def test_a_session_lasts_an_hour(simulator: Simulator, client: stripe.StripeClient) -> None:
    buyer = customer(client)
    made = subscribe(client, buyer, recurring(client, 3_000))
    path = portal(client, buyer)
    simulator.advance(HOUR - 1)
    opened(simulator, path)
    simulator.advance(1)
    assert simulator.request("GET", path).status == 410
    assert act(simulator, path, "cancel", subscription=made.id).status == 410
    assert client.v1.subscriptions.retrieve(made.id).cancel_at is None


@pytest.mark.parametrize(
    ("after", "leads_to"),
    [
        ({"type": "redirect", "redirect": {"return_url": "https://shop.test/done"}}, "https://shop.test/done"),
        ({"type": "portal_homepage"}, "/p/session/"),
    ],
)
def test_a_session_for_one_step_shows_that_step_and_then_leads_on(
    simulator: Simulator, client: stripe.StripeClient, after: Any, leads_to: str
) -> None:
    buyer = customer(client)
    made = subscribe(client, buyer, recurring(client, 3_000))
    flow = {"type": "subscription_cancel", "subscription_cancel": {"subscription": made.id}, "after_completion": after}
    path = portal(client, buyer, flow_data=flow)
    text = opened(simulator, path)
    assert ("Cancel at the end" in text, "Payment method" in text, "Your details" in text) == (True, False, False)
    assert did(simulator, path, "cancel", subscription=made.id).startswith(leads_to)
    assert "Payment method" in opened(simulator, path)


def test_a_change_to_confirm_is_said_and_thanked_for(simulator: Simulator, client: stripe.StripeClient) -> None:
    buyer, (cheap, dear) = customer(client), cheaper_and_dearer(client)
    made = subscribe(client, buyer, cheap)
    item = made["items"].data[0].id
    flow: Any = {
        "type": "subscription_update_confirm",
        "subscription_update_confirm": {"subscription": made.id, "items": [{"id": item, "price": dear}]},
        "after_completion": {"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": "Enjoy!"}},
    }
    path = portal(client, buyer, configuration=offering(client, cheap, dear), flow_data=flow)
    assert "From now on you pay 90.00 USD every month" in opened(simulator, path)
    thanked = act(simulator, path, "change", subscription=made.id, price=dear)
    assert (thanked.status, "Enjoy!" in thanked.body.decode()) == (200, True)
    flow["subscription_update_confirm"]["items"][0]["price"] = recurring(client, 1)
    with refused(match="not offered"):
        portal(client, buyer, configuration=offering(client, cheap, dear), flow_data=flow)


def test_steps_that_are_not_for_this_customer_are_refused(client: stripe.StripeClient) -> None:
    buyer = customer(client)
    others = subscribe(client, customer(client), recurring(client, 3_000))
    flow = {"type": "subscription_cancel", "subscription_cancel": {"subscription": others.id}}
    with refused(match="none of the customer's"):
        portal(client, buyer, flow_data=flow)
    with refused(match="not enabled"):
        portal(client, buyer, configuration=configuration(client), flow_data={"type": "payment_method_update"})
    with refused(match="No such customer"):
        portal(client, "cus_none")


def test_the_default_configuration_is_there_once_and_stays(simulator: Simulator, client: stripe.StripeClient) -> None:
    buyer = customer(client)
    listen(simulator)
    portal(client, buyer)
    portal(client, buyer)
    assert heard(simulator) == ["billing_portal.configuration.created", *["billing_portal.session.created"] * 2]
    (default,) = client.v1.billing_portal.configurations.list({"is_default": True}).data
    assert (default.active, default.created, default.features.invoice_history.enabled) == (True, START, True)
    with refused(match="cannot be deactivated"):
        client.v1.billing_portal.configurations.update(default.id, {"active": False})


def test_a_configuration_changes_member_by_member(simulator: Simulator, client: stripe.StripeClient) -> None:
    configurations = client.v1.billing_portal.configurations
    made = configuration(client, subscription_cancel={"enabled": True, "mode": "immediately"})
    changed = configurations.update(
        made, {"name": "Plain", "features": {"subscription_cancel": {"proration_behavior": "create_prorations"}}}
    )
    cancel = changed.features.subscription_cancel
    assert (cancel.enabled, cancel.mode, cancel.proration_behavior) == (True, "immediately", "create_prorations")
    assert (changed.name, configurations.retrieve(made).name) == ("Plain", "Plain")
    configurations.update(made, {"active": False})
    with refused(match="not active"):
        portal(client, customer(client), configuration=made)
    with refused(match="required when updates"):
        configuration(client, subscription_update={"enabled": True, "default_allowed_updates": ["price"]})
