"""Previews of invoices: what is shown is what is billed then, and nothing of it stays."""

from typing import Any

import pytest
import stripe
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.stripe_simulator import Clock, Simulator
from local.stripe_simulator.in_process import InProcessClient

from .billing import DAY, customer, heard, invoices, listen, recurring, subscribe
from .conftest import START
from .paying import refused


def preview(client: stripe.StripeClient, **params: Any) -> stripe.Invoice:
    wanted: Any = params
    return client.v1.invoices.create_preview(wanted)


def said(invoice: stripe.Invoice) -> list[tuple[str | None, int, int, int]]:
    """What an invoice charges for, line by line."""
    return [(line.description, line.amount, line.period.start, line.period.end) for line in invoice.lines.data]


def test_the_next_invoice_is_shown_and_not_made(simulator: Simulator, client: stripe.StripeClient) -> None:
    buyer = customer(client)
    made = subscribe(client, buyer, recurring(client, 3_000))
    item: Any = {"customer": buyer, "amount": 700, "currency": "usd", "description": "Cap"}
    client.v1.invoice_items.create(item)
    listen(simulator)
    end = made["items"].data[0].current_period_end
    shown = preview(client, customer=buyer)
    assert said(preview(client, subscription=made.id)) == said(shown)
    assert (shown.status, shown.number, shown.total, shown.created) == ("draft", None, 3_700, end)
    assert str(shown.id).startswith("upcoming_in_")
    assert [line.amount for line in shown.lines.data] == [700, 3_000]
    assert heard(simulator) == []
    assert len(invoices(client, made.id)) == 1
    assert client.v1.subscriptions.retrieve(made.id)["items"].data[0].current_period_end == end
    simulator.move_clock_to(end)
    assert said(invoices(client, made.id)[-1]) == said(shown)


def test_a_new_subscription_is_shown_for_a_customer_and_for_nobody_yet(client: stripe.StripeClient) -> None:
    buyer, price = customer(client), recurring(client, 3_000)
    details: Any = {"items": [{"price": price, "quantity": 2}]}
    assert preview(client, customer=buyer, subscription_details=details).total == 6_000
    someone: Any = {"address": {"country": "US"}}
    assert preview(client, customer_details=someone, subscription_details=details).amount_due == 6_000
    assert client.v1.subscriptions.list().data == []
    assert len(client.v1.customers.list().data) == 1
    trial: Any = {**details, "trial_end": START + 7 * DAY}
    assert preview(client, customer=buyer, subscription_details=trial).total == 0


def test_single_items_are_shown_with_what_is_pending(client: stripe.StripeClient) -> None:
    buyer = customer(client)
    with refused(match="No upcoming invoices"):
        preview(client, customer=buyer)
    item: Any = {"customer": buyer, "amount": 700, "currency": "usd"}
    client.v1.invoice_items.create(item)
    more: Any = [{"amount": 300, "currency": "usd"}, {"amount": -100, "currency": "usd"}]
    assert preview(client, customer=buyer, invoice_items=more).total == 900
    assert [each.amount for each in client.v1.invoice_items.list({"customer": buyer}).data] == [700]


def test_a_coupon_is_not_used_up_by_looking(client: stripe.StripeClient) -> None:
    buyer, price = customer(client), recurring(client, 3_000)
    coupon = client.v1.coupons.create({"percent_off": 50, "duration": "once", "max_redemptions": 1})
    details: Any = {"items": [{"price": price}]}
    for _ in range(2):
        shown = preview(client, customer=buyer, subscription_details=details, discounts=[{"coupon": coupon.id}])
        assert shown.total == 1_500
    assert client.v1.coupons.retrieve(coupon.id).times_redeemed == 0
    made = subscribe(client, buyer, price, discounts=[{"coupon": coupon.id}])
    assert invoices(client, made.id)[0].total == 1_500


def test_what_ends_bills_nothing_more_unless_it_ends_now(client: stripe.StripeClient) -> None:
    buyer = customer(client)
    made = subscribe(client, buyer, recurring(client, 3_000))
    with refused(match="No upcoming invoices"):
        preview(client, subscription=made.id, subscription_details={"cancel_at_period_end": True})
    sooner: Any = {"cancel_at": made["items"].data[0].current_period_end - DAY}
    with refused(match="No upcoming invoices"):
        preview(client, subscription=made.id, subscription_details=sooner)
    now = preview(client, subscription=made.id, subscription_details={"cancel_now": True})
    assert now.total == -3_000  # nothing of the period is used yet
    assert client.v1.subscriptions.retrieve(made.id).status == "active"


changes = st.fixed_dictionaries(
    {},
    optional={
        "quantity": st.integers(1, 7),
        "price": st.sampled_from(["cheap", "dear", "yearly"]),
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    change=changes, days=st.integers(0, 29), seconds=st.integers(0, 86_399),
    behavior=st.sampled_from(["always_invoice", "create_prorations", "none"]), anew=st.booleans(),
)  # fmt: skip
def test_a_change_bills_what_was_shown(
    change: dict[str, Any],
    days: int,
    seconds: int,
    behavior: str,
    anew: bool,
) -> None:
    simulator = Simulator(clock=Clock.standing(START), seed=3)
    client = stripe.StripeClient("sk_test_1", http_client=InProcessClient(simulator))
    prices = {"cheap": recurring(client, 2_999), "dear": recurring(client, 9_999)}
    prices["yearly"] = recurring(client, 29_999, "year")
    made = subscribe(client, customer(client), prices["cheap"])
    simulator.advance(days * DAY + seconds)
    item = made["items"].data[0].id
    wanted = {"id": item, **change, **({"price": prices[change["price"]]} if "price" in change else {})}
    terms: Any = {"items": [wanted], "proration_behavior": behavior, "proration_date": simulator.clock.now()}
    anchor: Any = {"billing_cycle_anchor": {"type": "now"}} if anew else {}
    shown = preview(
        client, subscription=made.id,
        subscription_details={**terms, **(anchor)},
    )  # fmt: skip
    asked: Any = {**terms, **anchor}
    changed = client.v1.subscriptions.update(made.id, asked)
    if len(invoices(client, made.id)) == 1:
        simulator.move_clock_to(changed["items"].data[0].current_period_end)
    billed = invoices(client, made.id)[1]
    assert said(billed) == said(shown)
    assert (billed.total, billed.currency, billed.billing_reason) == (shown.total, shown.currency, shown.billing_reason)


@pytest.mark.parametrize("asked", [{"preview_mode": "recurring"}, {"schedule": "sub_sched_1"}])
def test_what_is_not_simulated_says_so(client: stripe.StripeClient, asked: Any) -> None:
    buyer = customer(client)
    subscribe(client, buyer, recurring(client, 3_000))
    with pytest.raises(stripe.APIError, match="does not implement"):
        preview(client, customer=buyer, **asked)
