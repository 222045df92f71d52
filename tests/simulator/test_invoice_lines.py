"""The lines of drafts: changed, added and removed one by one or together, with the items that they are of."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator

from .billing import DAY, assert_exact, customer, heard, invoices, listen, recurring, subscribe
from .paying import refused


def draft_of(client: stripe.StripeClient, buyer: str, *amounts: int) -> Any:
    made = client.v1.invoices.create({"customer": buyer})
    lines: Any = [{"amount": amount, "description": f"No. {at}"} for at, amount in enumerate(amounts)]
    return client.v1.invoices.add_lines(str(made.id), {"lines": lines})


def shown(invoice: Any) -> list[tuple[str, str | None, int]]:
    return [(line.id, line.description, line.amount) for line in invoice.lines.data]


def test_lines_that_are_added_are_items_of_their_own_or_pending_ones(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    buyer = customer(client)
    made = draft_of(client, buyer, 1_000)
    product = client.v1.products.create({"name": "Tea"}).id
    price = client.v1.prices.create({"product": product, "currency": "usd", "unit_amount": 300}).id
    item: Any = {"customer": buyer, "amount": 50, "currency": "usd", "description": "Pending"}
    pending = client.v1.invoice_items.create(item).id
    coupon = client.v1.coupons.create({"percent_off": 10}).id
    lines: Any = [
        {"invoice_item": pending},
        {"pricing": {"price": price}, "quantity": 2, "discounts": [{"coupon": coupon}]},
        {"price_data": {"currency": "usd", "product": product, "unit_amount": 7}, "quantity": 3},
    ]
    listen(simulator)
    after = client.v1.invoices.add_lines(made.id, {"lines": lines, "invoice_metadata": {"order": "7"}})
    assert [line.amount for line in after.lines.data] == [1_000, 50, 600, 21]
    assert (after.total, after.metadata and after.metadata["order"]) == (1_671 - 60, "7")
    told = [each for each in heard(simulator) if each.startswith("invoice")]
    assert told == ["invoiceitem.created", "invoiceitem.created", "invoice.updated"]
    assert after.lines.data[0].id == made.lines.data[0].id
    assert client.v1.invoice_items.retrieve(pending).invoice == made.id
    assert len(client.v1.invoice_items.list({"invoice": made.id}).data) == 4
    with refused(match="No such pending invoice item"):
        client.v1.invoices.add_lines(made.id, {"lines": [{"invoice_item": pending}]})


def test_a_line_describes_what_it_sells_and_how_that_is_taxed_on_the_spot(client: stripe.StripeClient) -> None:
    rate = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 19, "inclusive": True}).id
    coupon = client.v1.coupons.create({"percent_off": 10, "id": "ten"}).id
    made = client.v1.invoices.create({"customer": customer(client), "discounts": [{"coupon": coupon}]})
    sold: Any = {"currency": "usd", "unit_amount": 500, "tax_behavior": "inclusive", "product_data": {"name": "Table"}}
    lines: Any = [{"price_data": sold, "quantity": 2, "tax_rates": [rate]}]
    after = client.v1.invoices.add_lines(str(made.id), {"lines": lines})
    (line,) = after.lines.data
    assert (line.amount, line.description, after.total) == (1_000, "Table", 900)
    assert line.pricing
    assert line.pricing.price_details
    product = client.v1.products.retrieve(str(line.pricing.price_details.product))
    assert (product.name, product.active) == ("Table", False)
    both: Any = [{"price_data": {**sold, "product": product.id}}]
    with refused(match="either `product` or `product_data`"):
        client.v1.invoices.add_lines(str(made.id), {"lines": both})


def test_what_was_taken_off_a_line_names_its_coupon_where_it_is_expanded(client: stripe.StripeClient) -> None:
    coupon = client.v1.coupons.create({"percent_off": 10, "id": "ten"}).id
    made = client.v1.invoices.create({"customer": customer(client), "discounts": [{"coupon": coupon}]})
    lines: Any = [{"amount": 100 + at, "description": "A"} for at in range(12)]
    client.v1.invoices.add_lines(str(made.id), {"lines": lines})
    path = "discount_amounts.discount"
    found = client.v1.invoices.retrieve(str(made.id), {"expand": [f"lines.data.{path}", f"total_{path}"]})
    assert (len(found.lines.data), found.lines.has_more) == (10, True)
    listed = client.v1.invoices.line_items.list(str(made.id), {"limit": 100, "expand": [f"data.{path}"]})
    for line in (*found.lines.data, *listed.data):
        assert line.discount_amounts
        assert [each.discount["source"]["coupon"] for each in line.discount_amounts] == ["ten"]  # type: ignore[index]  # expanded
    assert found.total_discount_amounts
    assert found.total_discount_amounts[0].discount["source"]["coupon"] == "ten"  # type: ignore[index]  # expanded


def test_a_line_and_its_item_change_together_and_keep_their_ids(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    made = draft_of(client, customer(client), 1_000, 500, 250)
    first, second, third = (line.id for line in made.lines.data)
    listen(simulator)
    line = client.v1.invoices.line_items.update(made.id, second, {"amount": 700, "description": "More"})
    assert (line.id, line.amount, line.description) == (second, 700, "More")
    changes: Any = [{"id": third, "amount": 300}, {"id": first, "metadata": {"a": "b"}}]
    after = client.v1.invoices.update_lines(made.id, {"lines": changes})
    assert shown(after) == [(first, "No. 0", 1_000), (second, "More", 700), (third, "No. 2", 300)]
    assert heard(simulator).count("invoice.updated") == 2
    assert sorted(each.amount for each in client.v1.invoice_items.list({"invoice": made.id}).data) == [300, 700, 1_000]
    client.v1.invoices.finalize_invoice(made.id)
    with refused(match="can't be updated"):
        client.v1.invoices.line_items.update(made.id, second, {"amount": 1})


def test_lines_that_are_removed_leave_nothing_or_a_pending_item(client: stripe.StripeClient) -> None:
    buyer = customer(client)
    made, other = draft_of(client, buyer, 1_000, 500, 250), draft_of(client, buyer, 60)
    first, second, third = (line.id for line in made.lines.data)
    gone: Any = [{"id": first, "behavior": "delete"}, {"id": third, "behavior": "unassign"}]
    after = client.v1.invoices.remove_lines(made.id, {"lines": gone})
    assert shown(after) == [(second, "No. 1", 500)]
    assert [each.amount for each in client.v1.invoice_items.list({"pending": True}).data] == [250]
    with refused(match="No such line item"):
        client.v1.invoices.remove_lines(made.id, {"lines": [{"id": other.lines.data[0].id, "behavior": "delete"}]})


def test_what_a_subscription_charges_is_there_once_whatever_changes_beside_it(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    buyer = customer(client)
    club = subscribe(client, buyer, recurring(client, 3_000))
    simulator.advance(10 * DAY)
    items: Any = [{"id": club["items"].data[0].id, "quantity": 2}]
    client.v1.subscriptions.update(club.id, {"items": items, "proration_behavior": "create_prorations"})
    extra: Any = {"customer": buyer, "amount": 70, "currency": "usd", "description": "Cap"}
    client.v1.invoice_items.create(extra)
    simulator.move_clock_to(club["items"].data[0].current_period_end)
    renewed = invoices(client, club.id)[-1]
    before = shown(renewed)
    assert (renewed.status, len(before)) == ("draft", 4)
    cap = next(line for line in renewed.lines.data if line.description == "Cap")
    client.v1.invoices.line_items.update(str(renewed.id), cap.id, {"amount": 90})
    after = client.v1.invoices.retrieve(str(renewed.id))
    assert shown(after) == [(each, said, 90 if said == "Cap" else amount) for each, said, amount in before]
    assert after.total == renewed.total + 20
    with pytest.raises(stripe.APIError, match="of no invoice item"):
        client.v1.invoices.line_items.update(str(renewed.id), before[-1][0], {"amount": 1})
    with refused(match="proration cannot be changed"):
        client.v1.invoices.line_items.update(str(renewed.id), before[0][0], {"amount": 1})
    simulator.advance(DAY)
    assert_exact(simulator)
