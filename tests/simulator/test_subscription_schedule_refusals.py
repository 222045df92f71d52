"""What makes no subscription schedule, what only the schedule may change, and what is not simulated."""

from typing import Any

import pytest
import stripe

from .billing import customer, recurring
from .test_subscription_schedules import MONTH, phase, plan, refused, subscription_of

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no phase": ({"phases": []}, "phases"),
    "no item": ({"phases": [{"items": [], "duration": MONTH}]}, "phases[0][items]"),
    "no end": ({"phases": [{"items": [{"price": "PRICE"}]}]}, "phases[0][end_date]"),
    "two ends": ({"phases": [phase("PRICE", end_date=2_000_000_000)]}, "phases[0][end_date]"),
    "an end before its begin": ({"phases": [{"items": [{"price": "PRICE"}], "end_date": 5}]}, "phases[0][end_date]"),
    "a gap": ({"phases": [phase("PRICE"), phase("PRICE", start_date=2_000_000_000)]}, "phases[1][start_date]"),
    "too many": ({"phases": [phase("PRICE") for _ in range(11)]}, "phases"),
    "too long": ({"phases": [phase("PRICE", 70)]}, "phases"),
    "two currencies": ({"phases": [phase("PRICE"), phase("EURO")]}, "phases"),
    "a price that is not": ({"phases": [phase("price_1")]}, "phases[0][items][0][price]"),
    "a trial twice": ({"phases": [phase("PRICE", trial=True, trial_end=2_000_000_000)]}, "phases[0][trial]"),
    "a trial beyond it": ({"phases": [phase("PRICE", trial_end=2_000_000_000)]}, "phases[0][trial_end]"),
    "nobody": ({"customer": "cus_1", "phases": [phase("PRICE")]}, "customer"),
    "no days": ({"phases": [phase("PRICE", collection_method="send_invoice")]},
                "phases[0][invoice_settings][days_until_due]"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_schedule_is_refused(client: stripe.StripeClient, case: str) -> None:
    given, param = REFUSED[case]
    euro = recurring(client, 1_000, currency="eur")
    known = {"PRICE": recurring(client, 1_000), "EURO": euro}
    phases = [
        {**each, "items": [{**item, "price": known.get(item["price"], item["price"])} for item in each["items"]]}
        for each in given["phases"]
    ]
    wanted: Any = {"customer": customer(client), "start_date": "now", **given, "phases": phases}
    error = refused(lambda: client.v1.subscription_schedules.create(wanted))
    assert (error.http_status, error.param) == (400, param)
    assert client.v1.subscription_schedules.list().data == []
    assert client.v1.subscriptions.list({"status": "all"}).data == []


UNSUPPORTED: dict[str, dict[str, Any]] = {
    "add_invoice_items": {"phases": [{"add_invoice_items": [{"price": "price_1"}]}]},
    "discounts": {"phases": [{"discounts": [{"coupon": "ten"}]}]},
    "phase_start": {"phases": [{"billing_cycle_anchor": "phase_start"}]},
    "a trial after": {"phases": [{}, {"trial": True}]},
    "backdated": {"start_date": 1},
    "renew": {"end_behavior": "renew"},
}


@pytest.mark.parametrize("case", UNSUPPORTED)
def test_what_is_not_simulated_answers_501(client: stripe.StripeClient, case: str) -> None:
    given = UNSUPPORTED[case]
    price = recurring(client, 1_000)
    phases = [{**phase(price), **each} for each in given.get("phases", [{}])]
    params: Any = {"customer": customer(client), "start_date": "now", **given, "phases": phases}
    assert refused(lambda: client.v1.subscription_schedules.create(params)).http_status == 501


def test_what_a_schedule_manages_is_changed_through_it(client: stripe.StripeClient) -> None:
    price = recurring(client, 1_000)
    made = plan(client, customer(client), phase(price, 2))
    subscription = subscription_of(client, made)
    error = refused(lambda: client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True}))
    assert "managed by the subscription schedule" in str(error)
    item = subscription["items"].data[0].id
    assert refused(lambda: client.v1.subscription_items.update(item, {"quantity": 2})).http_status == 501
    changed = client.v1.subscriptions.update(subscription.id, {"metadata": {"a": "b"}})
    assert changed.metadata.to_dict() == {"a": "b"}
    client.v1.subscription_schedules.release(made.id)
    assert client.v1.subscription_items.update(item, {"quantity": 2}).quantity == 2
