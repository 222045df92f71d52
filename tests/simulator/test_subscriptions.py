"""Subscriptions through their life: begun, renewed, changed, late, paused, canceled."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Clock, Settings, Simulator
from local.stripe_simulator.in_process import InProcessClient

from .billing import DAY, assert_exact, billed, customer, heard, invoices, listen, recurring, subscribe
from .conftest import START
from .shop import ready_seller


def first_item(subscription: stripe.Subscription) -> Any:
    return subscription["items"].data[0]


def read(client: stripe.StripeClient, subscription: stripe.Subscription) -> stripe.Subscription:
    return client.v1.subscriptions.retrieve(subscription.id)


def test_it_is_paid_when_it_begins_and_every_month_from_then(simulator: Simulator, client: stripe.StripeClient) -> None:
    buyer, price = customer(client), recurring(client, 3_000)
    listen(simulator)
    made = subscribe(client, buyer, price)
    assert (made.status, made.billing_mode.type, first_item(made).current_period_start) == ("active", "flexible", START)
    assert heard(simulator) == [
        *("customer.subscription.created", "invoice.created", "payment_intent.created", "invoice.finalized"),
        *("charge.succeeded", "payment_intent.succeeded", "invoice.updated", "invoice.paid"),
        *("invoice.payment_succeeded", "customer.subscription.updated", "invoice_payment.paid", "charge.updated"),
    ]
    simulator.advance(366 * DAY)
    assert billed(client, made.id) == [
        ("subscription_create", "paid", 3_000),
        *[("subscription_cycle", "paid", 3_000)] * 12,
    ]
    assert_exact(simulator)


def test_a_renewal_is_a_draft_for_an_hour_whose_fee_can_be_set(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    seller = ready_seller(simulator, client)
    buyer, price = customer(client), recurring(client, 10_000)
    made = subscribe(client, buyer, price, transfer_data={"destination": seller}, application_fee_percent=10)
    end = first_item(made).current_period_end
    simulator.move_clock_to(end)
    draft = invoices(client, made.id)[-1]
    assert draft.status == "draft"
    assert draft.parent is not None
    client.v1.invoices.update(str(draft.id), {"application_fee_amount": 1_234})
    simulator.move_clock_to(end + 3_600)
    assert invoices(client, made.id)[-1].status == "paid"
    fees = [fee.amount for fee in client.v1.application_fees.list().data]
    assert sorted(fees) == [1_000, 1_234]
    assert_exact(simulator)


def test_a_renewal_whose_seller_takes_no_transfers_stays_a_draft_until_somebody_finalizes_it(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    seller = ready_seller(simulator, client)
    buyer, price = customer(client), recurring(client, 10_000)
    made = subscribe(client, buyer, price, transfer_data={"destination": seller}, application_fee_percent=10)
    set_transfers(simulator, seller, "restricted")
    simulator.move_clock_to(first_item(made).current_period_end + 7_200)
    draft = invoices(client, made.id)[-1]
    assert draft.status == "draft"
    assert draft.last_finalization_error is not None
    assert draft.last_finalization_error.code == "insufficient_capabilities_for_transfer"
    told = client.v1.events.list({"type": "invoice.finalization_failed"}).data
    assert [event.data.object["id"] for event in told] == [draft.id]
    set_transfers(simulator, seller, "active")
    opened = client.v1.invoices.finalize_invoice(str(draft.id))
    assert (opened.status, opened.last_finalization_error) == ("open", None)
    assert_exact(simulator)


def set_transfers(simulator: Simulator, account: str, status: str) -> None:
    path = f"/_simulator/accounts/{account}/capabilities"
    assert simulator.request("POST", path, {"capability": "transfers", "status": status}).status < 300


@pytest.mark.parametrize(("percent", "sent"), [(12.5, 1_250), (33.33, 3_333), (100, 10_000)])
def test_a_percentage_of_every_payment_goes_to_the_seller(
    simulator: Simulator, client: stripe.StripeClient, percent: float, sent: int
) -> None:
    seller = ready_seller(simulator, client)
    subscribe(
        client, customer(client), recurring(client, 10_000),
        transfer_data={"destination": seller, "amount_percent": percent},
    )  # fmt: skip
    simulator.advance(1)
    (transfer,) = client.v1.transfers.list().data
    assert transfer.amount == sent


def test_a_first_payment_that_fails_leaves_it_incomplete_until_it_is_paid_or_a_day_is_over(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    buyer, price = customer(client, "pm_card_chargeCustomerFail"), recurring(client, 3_000)
    late, saved = (subscribe(client, buyer, price, expand=["latest_invoice"]) for _ in range(2))
    assert (late.status, saved.status) == ("incomplete", "incomplete")
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": buyer})
    invoice: Any = saved.latest_invoice
    client.v1.invoices.pay(invoice.id, {"payment_method": method.id})
    simulator.advance(23 * 3_600)
    assert (read(client, late).status, read(client, saved).status) == ("incomplete_expired", "active")
    abandoned: Any = late.latest_invoice
    assert client.v1.invoices.retrieve(abandoned.id).status == "void"
    with pytest.raises(stripe.CardError):
        subscribe(client, buyer, price, payment_behavior="error_if_incomplete")
    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source"):
        subscribe(client, customer(client, None), price)


def test_the_buyer_pays_the_first_invoice_where_he_is_asked_to(client: stripe.StripeClient) -> None:
    made = subscribe(
        client, customer(client, None), recurring(client, 3_000), payment_behavior="default_incomplete",
        payment_settings={"save_default_payment_method": "on_subscription"},
        expand=["latest_invoice.confirmation_secret", "latest_invoice.payments"],
    )  # fmt: skip
    assert made.status == "incomplete"
    invoice: Any = made.latest_invoice
    intent = invoice.payments.data[0].payment.payment_intent
    assert invoice.confirmation_secret.client_secret.startswith(intent)
    client.v1.payment_intents.confirm(intent, {"payment_method": "pm_card_visa"})
    paid = read(client, made)
    assert (paid.status, bool(paid.default_payment_method)) == ("active", True)


def fail_next(client: stripe.StripeClient, buyer: str) -> None:
    method = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": buyer})
    client.v1.customers.update(buyer, {"invoice_settings": {"default_payment_method": method.id}})


def test_a_renewal_that_fails_is_past_due_and_recovers_when_the_card_does(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    buyer = customer(client)
    made = subscribe(client, buyer, recurring(client, 3_000))
    fail_next(client, buyer)
    simulator.move_clock_to(first_item(made).current_period_end + 3_600)
    assert read(client, made).status == "past_due"
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": buyer})
    client.v1.customers.update(buyer, {"invoice_settings": {"default_payment_method": method.id}})
    simulator.advance(3 * DAY)
    assert read(client, made).status == "active"
    assert_exact(simulator)


@pytest.mark.parametrize("end", ["canceled", "unpaid", "past_due"])
def test_one_that_is_never_paid_ends_as_it_is_set(end: str) -> None:
    simulator = Simulator(clock=Clock.standing(START), seed=7, settings=Settings(subscription_ends_as=end))
    client = stripe.StripeClient("sk_test_1", http_client=InProcessClient(simulator))
    buyer = customer(client)
    made = subscribe(client, buyer, recurring(client, 3_000))
    fail_next(client, buyer)
    simulator.move_clock_to(first_item(made).current_period_end + 20 * DAY)
    ended = read(client, made)
    assert ended.status == end
    if end == "canceled":
        assert ended.cancellation_details is not None
        assert ended.cancellation_details.reason == "payment_failed"


def test_a_trial_is_free_is_warned_of_and_is_followed_by_a_paid_period(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    listen(simulator)
    made = subscribe(client, customer(client), recurring(client, 3_000), trial_period_days=14)
    assert (made.status, made.trial_end, billed(client, made.id)) == (
        "trialing", START + 14 * DAY, [("subscription_create", "paid", 0)],
    )  # fmt: skip
    simulator.advance(11 * DAY)
    assert "customer.subscription.trial_will_end" in heard(simulator)
    simulator.advance(3 * DAY + 3_600)
    assert read(client, made).status == "active"
    assert billed(client, made.id)[1] == ("subscription_cycle", "paid", 3_000)
    assert first_item(read(client, made)).current_period_start == START + 14 * DAY


@pytest.mark.parametrize(
    ("end", "status"), [("cancel", "canceled"), ("pause", "paused"), ("create_invoice", "past_due")]
)
def test_a_trial_that_nobody_will_pay_ends_as_it_was_asked(
    simulator: Simulator, client: stripe.StripeClient, end: str, status: str
) -> None:
    buyer = customer(client, None)
    settings = {"end_behavior": {"missing_payment_method": end}}
    made = subscribe(client, buyer, recurring(client, 3_000), trial_period_days=7, trial_settings=settings)
    simulator.advance(7 * DAY + 3_600)
    assert read(client, made).status == status
    if end == "pause":
        method = client.v1.payment_methods.attach("pm_card_visa", {"customer": buyer})
        client.v1.customers.update(buyer, {"invoice_settings": {"default_payment_method": method.id}})
        assert client.v1.subscriptions.resume(made.id).status == "active"
        assert billed(client, made.id)[-1][1:] == ("paid", 3_000)


def change(client: stripe.StripeClient, made: stripe.Subscription, **more: Any) -> stripe.Subscription:
    item = {"id": first_item(made).id, **more.pop("item")}
    params: Any = {"items": [item], **more}
    return client.v1.subscriptions.update(made.id, params)


def test_a_change_in_the_middle_credits_what_was_not_used_and_charges_the_rest(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    made = subscribe(client, customer(client), recurring(client, 3_000))
    begin, end = first_item(made).current_period_start, first_item(made).current_period_end
    simulator.move_clock_to(begin + (end - begin) // 3)
    dearer = recurring(client, 6_000)
    change(client, made, item={"price": dearer}, proration_behavior="always_invoice")
    update = invoices(client, made.id)[-1]
    assert (update.billing_reason, update.status, update.total) == ("subscription_update", "paid", 2_000)
    assert [line.amount for line in update.lines.data] == [-2_000, 4_000]
    change(client, made, item={"quantity": 2})
    simulator.move_clock_to(end + 3_600)
    renewal = invoices(client, made.id)[-1]
    assert renewal.total == 12_000 + 4_000
    change(client, made, item={"quantity": 1}, proration_behavior="none")
    simulator.advance(32 * DAY)
    assert billed(client, made.id)[-1] == ("subscription_cycle", "paid", 6_000)
    assert_exact(simulator)


def test_another_interval_begins_a_new_period_at_once(simulator: Simulator, client: stripe.StripeClient) -> None:
    made = subscribe(client, customer(client), recurring(client, 3_000))
    begin, end = first_item(made).current_period_start, first_item(made).current_period_end
    half = begin + (end - begin) // 2
    simulator.move_clock_to(half)
    changed = change(client, made, item={"price": recurring(client, 30_000, "year")})
    assert first_item(changed).current_period_start == half
    assert [line.amount for line in invoices(client, made.id)[-1].lines.data] == [-1_500, 30_000]


def test_items_come_and_go_and_one_must_stay(client: stripe.StripeClient) -> None:
    made = subscribe(client, customer(client), recurring(client, 3_000))
    added: Any = {"items": [{"price": recurring(client, 500), "quantity": 3}]}
    changed = client.v1.subscriptions.update(made.id, added)
    assert [each.quantity for each in changed["items"].data] == [1, 3]
    gone: Any = {"items": [{"id": first_item(made).id, "deleted": True}], "proration_behavior": "none"}
    changed = client.v1.subscriptions.update(made.id, gone)
    assert [each.quantity for each in changed["items"].data] == [3]
    last: Any = {"items": [{"id": first_item(changed).id, "deleted": True}]}
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.subscriptions.update(made.id, last)


def test_it_is_canceled_at_once_or_at_the_end_and_can_be_kept(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    buyer, price = customer(client), recurring(client, 3_000)
    now, later, kept = (subscribe(client, buyer, price) for _ in range(3))
    listen(simulator)
    ended = client.v1.subscriptions.cancel(now.id, {"cancellation_details": {"feedback": "unused"}})
    assert (ended.status, ended.ended_at) == ("canceled", START)
    assert heard(simulator) == ["customer.subscription.deleted"]
    for each in (later, kept):
        client.v1.subscriptions.update(each.id, {"cancel_at_period_end": True})
    client.v1.subscriptions.update(kept.id, {"cancel_at_period_end": False})
    simulator.advance(32 * DAY)
    assert (read(client, later).status, read(client, kept).status) == ("canceled", "active")
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.subscriptions.update(later.id, {"metadata": {"a": "b"}})
    assert {each.id for each in client.v1.subscriptions.list({"customer": buyer}).data} == {kept.id}
    assert len(client.v1.subscriptions.list({"customer": buyer, "status": "all"}).data) == 3


def test_a_cancellation_may_give_back_what_was_not_used(simulator: Simulator, client: stripe.StripeClient) -> None:
    buyer = customer(client)
    made = subscribe(client, buyer, recurring(client, 3_000))
    begin, end = first_item(made).current_period_start, first_item(made).current_period_end
    simulator.move_clock_to(begin + (end - begin) // 3)
    client.v1.subscriptions.cancel(made.id, {"prorate": True, "invoice_now": True})
    assert billed(client, made.id)[-1][1:] == ("paid", -2_000)
    assert client.v1.customers.retrieve(buyer).balance == -2_000


def test_a_coupon_is_for_once_for_months_or_for_ever(simulator: Simulator, client: stripe.StripeClient) -> None:
    totals = {}
    for duration, months in (("once", None), ("repeating", 2), ("forever", None)):
        params: Any = {"percent_off": 50, "duration": duration} | ({"duration_in_months": months} if months else {})
        coupon = client.v1.coupons.create(params)
        made = subscribe(client, customer(client), recurring(client, 3_000), discounts=[{"coupon": coupon.id}])
        totals[duration] = made.id
    simulator.advance(100 * DAY)
    found = {duration: [total for *_, total in billed(client, made)] for duration, made in totals.items()}
    assert found == {
        "once": [1_500, 3_000, 3_000, 3_000],
        "repeating": [1_500, 1_500, 3_000, 3_000],
        "forever": [1_500, 1_500, 1_500, 1_500],
    }


@pytest.mark.parametrize(
    ("behavior", "status"), [("void", "void"), ("mark_uncollectible", "uncollectible"), ("keep_as_draft", "draft")]
)
def test_collection_can_be_paused(
    simulator: Simulator, client: stripe.StripeClient, behavior: str, status: str
) -> None:
    made = subscribe(client, customer(client), recurring(client, 3_000))
    paused: Any = {"pause_collection": {"behavior": behavior}}
    client.v1.subscriptions.update(made.id, paused)
    simulator.advance(32 * DAY)
    assert billed(client, made.id)[-1][1] == status
    assert read(client, made).status == "active"


def test_tiers_are_counted_one_by_one_or_all_at_the_last(client: stripe.StripeClient) -> None:
    product = client.v1.products.create({"name": "Seats"}).id
    tiers = [{"up_to": 5, "unit_amount": 1_000}, {"up_to": "inf", "unit_amount": 800, "flat_amount": 500}]
    totals = []
    for mode in ("graduated", "volume"):
        params: Any = {
            "product": product, "currency": "usd", "billing_scheme": "tiered", "tiers_mode": mode, "tiers": tiers,
            "recurring": {"interval": "month"},
        }  # fmt: skip
        price = client.v1.prices.create(params).id
        made = client.v1.subscriptions.create(
            {"customer": customer(client), "items": [{"price": price, "quantity": 7}]}
        )
        totals.append(billed(client, made.id)[0][2])
    assert totals == [5 * 1_000 + 2 * 800 + 500, 7 * 800 + 500]


def test_a_test_clock_moves_the_billing_of_its_customers_only(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    clock = client.v1.test_helpers.test_clocks.create({"frozen_time": START})
    price = recurring(client, 3_000)
    on_clock = subscribe(client, customer(client, test_clock=clock.id), price)
    off_clock = subscribe(client, customer(client), price)
    moving = client.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": START + 100 * DAY})
    assert moving.status == "advancing"
    simulator.run_due()
    assert client.v1.test_helpers.test_clocks.retrieve(clock.id).status == "ready"
    assert [total for *_, total in billed(client, on_clock.id)] == [3_000] * 4
    assert len(billed(client, off_clock.id)) == 1
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": START})


def test_lists_leave_out_what_is_on_a_test_clock_unless_it_is_asked_for(client: stripe.StripeClient) -> None:
    clock = client.v1.test_helpers.test_clocks.create({"frozen_time": START})
    price = recurring(client, 3_000)
    on_clock, off_clock = customer(client, test_clock=clock.id), customer(client)
    on, off = subscribe(client, on_clock, price).id, subscribe(client, off_clock, price).id
    customers, subscriptions = client.v1.customers, client.v1.subscriptions
    assert [each.id for each in customers.list({}).data] == [off_clock]
    assert [each.id for each in customers.list({"test_clock": clock.id}).data] == [on_clock]
    assert [each.id for each in subscriptions.list({}).data] == [off]
    assert [each.id for each in subscriptions.list({"customer": on_clock}).data] == [on]
    assert [each.id for each in subscriptions.list({"test_clock": clock.id}).data] == [on]
