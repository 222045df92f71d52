"""Periods that begin with a change: each is billed once and at once, and of the old one the rest comes back or not."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator

from .billing import assert_exact, customer, invoices, recurring, subscribe
from .paying import refused

NOW: dict[str, Any] = {"billing_cycle_anchor": {"type": "now"}}
UNUSED, MONTH, DEARER, YEAR = -1_500, 3_000, 9_000, 30_000


@pytest.mark.parametrize(
    ("price", "terms", "lines"),
    [
        (DEARER, NOW, [UNUSED, DEARER]),
        (DEARER, {**NOW, "proration_behavior": "none"}, [DEARER]),
        (DEARER, {**NOW, "proration_behavior": "always_invoice"}, [UNUSED, DEARER]),
        (MONTH, NOW, [UNUSED, MONTH]),
        (YEAR, {}, [UNUSED, YEAR]),
        (YEAR, NOW, [UNUSED, YEAR]),
        (YEAR, {"proration_behavior": "none"}, [YEAR]),
        (DEARER, {"proration_behavior": "always_invoice"}, [UNUSED, DEARER // 2]),
        (DEARER, {"proration_behavior": "none"}, []),
    ],
)
def test_a_period_that_begins_is_billed_once(
    simulator: Simulator, client: stripe.StripeClient, price: int, terms: Any, lines: list[int]
) -> None:
    made = subscribe(client, customer(client), recurring(client, MONTH))
    item = made["items"].data[0]
    half = (item.current_period_start + item.current_period_end) // 2
    simulator.move_clock_to(half)
    other = recurring(client, price, "year" if price == YEAR else "month")
    changed: Any = {"items": [{"id": item.id, "price": other}], **terms}
    begun = client.v1.subscriptions.update(made.id, changed)["items"].data[0].current_period_start
    assert begun == (half if terms.get("billing_cycle_anchor") or price == YEAR else item.current_period_start)
    assert [line.amount for each in invoices(client, made.id)[1:] for line in each.lines.data] == lines
    assert client.v1.invoice_items.list({"pending": True}).data == []
    assert_exact(simulator)


def test_an_item_that_is_added_as_periods_begin_is_billed_for_its_period_alone(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    made = subscribe(client, customer(client), recurring(client, MONTH))
    item = made["items"].data[0]
    simulator.move_clock_to((item.current_period_start + item.current_period_end) // 2)
    added: Any = {"items": [{"price": recurring(client, 700)}], **NOW}
    client.v1.subscriptions.update(made.id, added)
    (_, reset) = invoices(client, made.id)
    assert sorted(line.amount for line in reset.lines.data) == [UNUSED, 700, MONTH]
    assert reset.total == 2_200


def test_what_is_not_in_the_period_cannot_prorate_it(simulator: Simulator, client: stripe.StripeClient) -> None:
    made = subscribe(client, customer(client), recurring(client, MONTH))
    item = made["items"].data[0]
    simulator.move_clock_to(item.current_period_start + 10)
    more: Any = {"items": [{"id": item.id, "quantity": 2}], "proration_behavior": "always_invoice"}
    for moment in (item.current_period_start - 1, item.current_period_end + 1):
        wrong: Any = {**more, "proration_date": moment}
        with refused(match="within the current subscription period"):
            client.v1.subscriptions.update(made.id, wrong)
        with refused(match="within the current subscription period"):
            client.v1.invoices.create_preview({"subscription": made.id, "subscription_details": wrong})
    right: Any = {**more, "proration_date": item.current_period_start}
    client.v1.subscriptions.update(made.id, right)
    assert [line.amount for line in invoices(client, made.id)[-1].lines.data] == [-MONTH, 2 * MONTH]
