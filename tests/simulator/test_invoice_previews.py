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
from .test_tax import collecting


def preview(client: stripe.StripeClient, **params: Any) -> stripe.Invoice:
    wanted: Any = params
    return client.v1.invoices.create_preview(wanted)


def said(invoice: stripe.Invoice) -> list[tuple[str | None, int, int, int]]:
    """What an invoice charges for, line by line."""
    return [(line.description, line.amount, line.period.start, line.period.end) for line in invoice.lines.data]


def taken(invoice: stripe.Invoice) -> list[tuple[list[int], list[int]]]:
    """What discounts and taxes make of it, line by line."""
    return [
        ([off.amount for off in line.discount_amounts or ()], [tax.amount for tax in line.taxes or ()])
        for line in invoice.lines.data
    ]


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


def test_a_preview_is_of_an_invoice_that_nobody_has_tried_to_collect(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    buyer = customer(client, "pm_card_chargeCustomerFail")
    client.v1.customers.balance_transactions.create(buyer, {"amount": -1_000, "currency": "usd"})
    price: Any = {"items": [{"price": recurring(client, 3_000)}]}
    shown = preview(client, customer=buyer, subscription_details=price)
    assert (shown.amount_due, shown.amount_remaining, shown.starting_balance) == (2_000, 2_000, -1_000)
    assert (shown.ending_balance, shown.attempt_count, shown.amount_paid) == (0, 0, 0)
    assert (shown.next_payment_attempt, shown.lines.url) == (START + 3_600, f"/v1/invoices/{shown.id}/lines")
    assert client.v1.customers.retrieve(buyer).balance == -1_000
    mailed = preview(client, customer=buyer, invoice_items=[{"amount": 400, "currency": "usd"}])
    assert (mailed.amount_due, mailed.ending_balance) == (0, -600)
    assert len(client.v1.customers.balance_transactions.list(buyer).data) == 1


def test_items_that_are_pending_are_shown_as_they_would_be(client: stripe.StripeClient) -> None:
    buyer, other = customer(client), customer(client)
    item: Any = {"customer": buyer, "amount": 700, "currency": "usd"}
    pending = client.v1.invoice_items.create(item).id
    changed = [{"invoiceitem": pending, "unit_amount": 250, "quantity": 3}]
    assert preview(client, customer=buyer, invoice_items=changed).total == 750
    assert client.v1.invoice_items.retrieve(pending).amount == 700
    with refused(match="pending invoice item of this customer"):
        preview(client, customer=other, invoice_items=changed)
    subscribe(client, buyer, recurring(client, 3_000))  # its first invoice takes what is pending
    with refused(match="pending invoice item of this customer"):
        preview(client, customer=buyer, invoice_items=changed)


def test_extra_items_are_shown_with_the_next_invoice_of_a_subscription(client: stripe.StripeClient) -> None:
    buyer = customer(client)
    subscribe(client, buyer, recurring(client, 3_000))
    assert preview(client, customer=buyer, invoice_items=[{"amount": 50, "currency": "usd"}]).total == 3_050


def test_taxes_are_those_of_the_place_that_is_asked_about(client: stripe.StripeClient) -> None:
    collecting(client, ("DE", {"type": "standard", "standard": {"place_of_supply_scheme": "standard"}}))
    buyer = customer(client, address={"country": "US", "postal_code": "94103", "state": "CA"})
    item: Any = [{"amount": 10_000, "currency": "usd", "tax_behavior": "exclusive"}]
    wanted: Any = {"customer": buyer, "invoice_items": item, "automatic_tax": {"enabled": True}}
    assert preview(client, **wanted).total == 10_000
    german: Any = {"address": {"country": "DE"}}
    assert preview(client, **wanted, customer_details=german).total == 11_900
    numbers = [{"type": "eu_vat", "value": "DE123456789"}]
    shown = preview(client, **wanted, customer_details={**german, "tax_ids": numbers})
    assert [(held.type, held.value) for held in shown.customer_tax_ids or ()] == [("eu_vat", "DE123456789")]
    assert client.v1.customers.tax_ids.list(buyer).data == []


def test_a_paused_subscription_is_shown_as_it_would_go_on(simulator: Simulator, client: stripe.StripeClient) -> None:
    buyer = customer(client, None)
    ending: Any = {"end_behavior": {"missing_payment_method": "pause"}}
    made = subscribe(client, buyer, recurring(client, 3_000), trial_period_days=7, trial_settings=ending)
    simulator.advance(8 * DAY)
    shown = preview(client, subscription=made.id, subscription_details={"resume_at": "now"})
    assert (shown.total, shown.period_start) == (3_000, START + 8 * DAY)
    assert client.v1.subscriptions.retrieve(made.id).status == "paused"
    client.v1.subscriptions.resume(made.id)
    assert said(invoices(client, made.id)[-1]) == said(shown)


def test_what_contradicts_itself_is_refused(client: stripe.StripeClient) -> None:
    buyer, other = customer(client), customer(client)
    made = subscribe(client, buyer, recurring(client, 3_000))
    for says, wrong in (
        ("another customer's", {"customer": other, "subscription": made.id}),
        ("billed in usd", {"subscription": made.id, "currency": "eur"}),
        ("must pass one of", {}),
        (
            "in usd, and so are its items",
            {"subscription": made.id, "invoice_items": [{"amount": 1, "currency": "eur"}]},
        ),
        ("belong to a subscription", {"customer": other, "subscription_details": {"proration_behavior": "none"}}),
    ):
        with refused(match=says):
            preview(client, **wrong)


def ask(simulator: Simulator, version: str, method: str, path: str, **params: Any) -> Any:
    return simulator.request(method, path, params, headers={"Stripe-Version": version}).json()


def test_older_versions_ask_in_their_own_words(simulator: Simulator, client: stripe.StripeClient) -> None:
    buyer = customer(client)
    made = subscribe(client, buyer, recurring(client, 3_000))
    simulator.advance(10 * DAY)
    item: Any = [{"id": made["items"].data[0].id, "quantity": 3}]
    terms: Any = {"items": item, "billing_cycle_anchor": {"type": "now"}}
    shown = preview(client, subscription=made.id, subscription_details=terms)
    word = {**terms, "billing_cycle_anchor": "now"}
    told = {"subscription": made.id, "subscription_details": word}
    dahlia = ask(simulator, "2026-05-27.dahlia", "POST", "/v1/invoices/create_preview", **told)
    flat = {"subscription": made.id, "subscription_items": item, "subscription_billing_cycle_anchor": "now"}
    acacia = ask(simulator, "2024-09-30.acacia", "GET", "/v1/invoices/upcoming", **flat)
    for old in (dahlia, acacia):
        assert [line["amount"] for line in old["lines"]["data"]] == [line.amount for line in shown.lines.data]
    assert (acacia["object"], acacia["paid"], acacia["subscription"]) == ("invoice", False, made.id)
    coupon = client.v1.coupons.create({"percent_off": 50, "duration": "once"}).id
    half = ask(simulator, "2022-08-01", "GET", "/v1/invoices/upcoming", customer=buyer, coupon=coupon)
    assert half["total"] == 1_500
    gone = ask(simulator, "2025-03-31.basil", "GET", "/v1/invoices/upcoming", customer=buyer)
    assert gone["error"]["type"] == "invalid_request_error"
    lines = ask(simulator, "2024-09-30.acacia", "GET", "/v1/invoices/upcoming/lines", customer=buyer)
    assert "does not implement GET /v1/invoices/upcoming/lines" in lines["error"]["message"]
    assert len(invoices(client, made.id)) == 1


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
    inclusive=st.booleans(),
)  # fmt: skip
def test_a_change_bills_what_was_shown(
    change: dict[str, Any],
    days: int,
    seconds: int,
    behavior: str,
    anew: bool,
    inclusive: bool,
) -> None:
    simulator = Simulator(clock=Clock.standing(START), seed=3)
    client = stripe.StripeClient("sk_test_1", http_client=InProcessClient(simulator))
    prices = {"cheap": recurring(client, 2_999), "dear": recurring(client, 9_999)}
    prices["yearly"] = recurring(client, 29_999, "year")
    tax: Any = {"display_name": "VAT", "percentage": 7.7, "inclusive": inclusive}
    coupon = client.v1.coupons.create({"percent_off": 13, "duration": "forever"}).id
    made = subscribe(
        client, customer(client), prices["cheap"],
        default_tax_rates=[client.v1.tax_rates.create(tax).id], discounts=[{"coupon": coupon}],
    )  # fmt: skip
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
    assert taken(billed) == taken(shown)
    assert (billed.total, billed.currency, billed.billing_reason) == (shown.total, shown.currency, shown.billing_reason)


@pytest.mark.parametrize(
    "asked",
    [
        {"preview_mode": "recurring"},
        {"schedule": "sub_sched_1"},
        {"subscription_details": {"start_date": START}},
        {"subscription_details": {"pause": {"type": "subscription"}}},
    ],
)
def test_what_is_not_simulated_says_so(client: stripe.StripeClient, asked: Any) -> None:
    buyer = customer(client)
    subscribe(client, buyer, recurring(client, 3_000))
    with pytest.raises(stripe.APIError, match="does not implement"):
        preview(client, customer=buyer, **asked)
