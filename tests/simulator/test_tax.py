"""Stripe Tax: what is calculated is what is recorded, and no more is given back than was collected."""

from typing import Any

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from local.stripe_simulator import Clock, Simulator
from local.stripe_simulator.in_process import InProcessClient

from .conftest import START
from .paying import refused

DAY = 24 * 3_600
BERLIN: dict[str, Any] = {"address": {"country": "DE"}, "address_source": "shipping"}
AUSTIN: dict[str, Any] = {"address": {"country": "US", "postal_code": "73301"}, "address_source": "billing"}


def collecting(client: stripe.StripeClient, *registrations: tuple[str, dict[str, Any]], office: str = "DE") -> None:
    """An account that has its head office in a country and collects tax as it is registered."""
    client.v1.tax.settings.update({"head_office": {"address": {"country": office, "postal_code": "94103"}}})
    for country, options in registrations:
        params: Any = {"country": country, "active_from": "now", "country_options": {country.lower(): options}}
        client.v1.tax.registrations.create(params)


def german(client: stripe.StripeClient) -> None:
    collecting(client, ("DE", {"type": "standard", "standard": {"place_of_supply_scheme": "standard"}}))


def calculated(client: stripe.StripeClient, *amounts: int, **more: Any) -> stripe.tax.Calculation:
    items = [{"amount": amount, "reference": f"L{at}"} for at, amount in enumerate(amounts)]
    params: Any = {"currency": "eur", "line_items": items, "customer_details": BERLIN, **more}
    return client.v1.tax.calculations.create(params)


def recorded(client: stripe.StripeClient, *amounts: int, reference: str = "order", **more: Any) -> Any:
    calculation = calculated(client, *amounts, **more).id
    assert calculation
    made: Any = {"calculation": calculation, "reference": reference, "expand": ["line_items"]}
    return client.v1.tax.transactions.create_from_calculation(made)


def reversed_(client: stripe.StripeClient, transaction: str, reference: str, **more: Any) -> Any:
    params: Any = {"original_transaction": transaction, "reference": reference, "mode": "partial"}
    params |= {**more, "expand": ["line_items"]}
    return client.v1.tax.transactions.create_reversal(params)


def amounts_of(transaction: Any) -> list[tuple[int, int]]:
    return [(line.amount, line.amount_tax) for line in transaction.line_items.data]


def test_a_calculation_adds_up_what_is_on_top_and_what_is_inside(client: stripe.StripeClient) -> None:
    german(client)
    items = [
        {"amount": 10_000, "reference": "tea"},
        {"amount": 1_190, "tax_behavior": "inclusive", "reference": "mug", "quantity": 2},
        {"amount": 2_000, "tax_code": "txcd_35010000", "reference": "book"},
    ]
    more: Any = {"line_items": items, "shipping_cost": {"amount": 500}, "expand": ["line_items"]}
    found = calculated(client, **more)
    assert found.tax_amount_exclusive == 1_900 + 140 + 95
    assert found.tax_amount_inclusive == 190
    assert found.amount_total == 10_000 + 1_190 + 2_000 + 500 + 1_900 + 140 + 95
    assert found.line_items
    assert [(line.reference, line.amount_tax) for line in found.line_items] == [
        ("tea", 1_900),
        ("mug", 190),
        ("book", 140),
    ]
    shown = [(each.amount, each.inclusive, each.taxable_amount, each.taxability_reason) for each in found.tax_breakdown]
    assert shown == [
        (1_900 + 95, False, 10_500, "standard_rated"),
        (190, True, 1_000, "standard_rated"),
        (140, False, 2_000, "reduced_rated"),
    ]
    assert [each.tax_rate_details.percentage_decimal for each in found.tax_breakdown] == ["19.0", "19.0", "7.0"]


def test_the_jurisdictions_of_a_state_are_one_tax_of_the_purchase_and_several_of_a_line(
    client: stripe.StripeClient,
) -> None:
    collecting(client, ("US", {"type": "state_sales_tax", "state": "TX"}), office="US")
    found = calculated(client, 999, currency="usd", customer_details=AUSTIN, expand=["line_items"])
    assert [each.amount for each in found.tax_breakdown] == [82]  # 8.25 percent are 82.4
    assert found.tax_breakdown[0].tax_rate_details.percentage_decimal == "8.25"
    assert found.line_items
    imposed = found.line_items.data[0].tax_breakdown or []
    assert [each.jurisdiction.level for each in imposed] == ["state", "city", "district"]
    assert sum(each.amount for each in imposed) == 82


def test_a_calculation_says_why_nothing_is_collected(client: stripe.StripeClient) -> None:
    german(client)
    reasons = {
        "reverse_charge": {**BERLIN, "taxability_override": "reverse_charge"},
        "customer_exempt": {**BERLIN, "taxability_override": "customer_exempt"},
        "not_collecting": AUSTIN,
        "standard_rated": {
            **BERLIN,
            "tax_ids": [{"type": "eu_vat", "value": "DE123456789"}],
        },  # at home
    }
    for reason, details in reasons.items():
        found = calculated(client, 1_000, customer_details=details, expand=["line_items"])
        assert {each.taxability_reason for each in found.tax_breakdown} == {reason}
        assert found.tax_amount_exclusive == (190 if reason == "standard_rated" else 0)
    nothing = calculated(client, line_items=[{"amount": 1_000, "tax_code": "txcd_00000000"}])
    assert nothing.tax_breakdown[0].taxability_reason == "not_subject_to_tax"


def test_one_collects_what_one_is_registered_for(client: stripe.StripeClient) -> None:
    collecting(
        client,
        ("CA", {"type": "standard"}),
        ("US", {"type": "local_lease_tax", "state": "IL", "local_lease_tax": {"jurisdiction": "14000"}}),
        ("IE", {"type": "oss_union"}),
        office="IE",
    )
    where = [
        ({"country": "CA", "postal_code": "V5K 0A1"}, [("gst", 50), ("pst", 0)]),
        ({"country": "US", "postal_code": "60601"}, [("sales_tax", 0)]),
        ({"country": "FR"}, [("vat", 200)]),
        ({"country": "IE"}, [("vat", 0)]),  # at home one is registered in the usual way, or not at all
    ]
    for address, expected in where:
        details = {"address": address, "address_source": "billing"}
        found = calculated(client, 1_000, customer_details=details)
        assert [(each.tax_rate_details.tax_type, each.amount) for each in found.tax_breakdown] == expected
    provincial: Any = {"province": "BC"}
    collecting(client, ("CA", {"type": "province_standard", "province_standard": provincial}), office="IE")
    details = {"address": {"country": "CA", "state": "BC"}, "address_source": "billing"}
    assert [each.amount for each in calculated(client, 1_000, customer_details=details).tax_breakdown] == [50, 70]


def test_what_cannot_be_calculated_is_refused(client: stripe.StripeClient) -> None:
    with refused(match="head office"):
        calculated(client, 1_000)
    german(client)
    unknown_place = {"address": {"country": "US", "state": "TX"}, "address_source": "billing"}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"line_items": []}, "line_items"),
        ({"line_items": [{"amount": -1}]}, "line_items[0][amount]"),
        ({"line_items": [{"amount": 5}], "currency": "kwd"}, "line_items[0][amount]"),
        ({"line_items": [{"amount": 1, "reference": "a"}, {"amount": 1, "reference": "a"}]}, "line_items[reference]"),
        ({"line_items": [{"amount": 1, "product": "prod_none"}]}, "line_items[0][product]"),
        ({"line_items": [{"amount": 1, "tax_code": "tea"}]}, "line_items[0][tax_code]"),
        ({"customer_details": {}}, "customer_details[address]"),
        ({"customer_details": {"address": {"country": "DE"}}}, "customer_details[address_source]"),
        ({"customer_details": unknown_place}, "customer_details[address]"),
        ({"tax_date": START - 32 * DAY}, "tax_date"),
        ({"shipping_cost": {"tax_behavior": "inclusive"}}, "shipping_cost[amount]"),
        ({"customer": "cus_none"}, "customer"),
    ]
    for more, param in wrong:
        with pytest.raises(stripe.InvalidRequestError) as error:
            calculated(client, 1_000, **more)
        assert error.value.param == param, more


def test_a_customer_s_address_and_tax_ids_count(client: stripe.StripeClient) -> None:
    german(client)
    made: Any = {"address": {"country": "DE"}, "tax_exempt": "reverse", "name": "Ann"}
    customer = client.v1.customers.create(made).id
    items: Any = [{"amount": 1_000}]
    found = client.v1.tax.calculations.create({"currency": "eur", "customer": customer, "line_items": items})
    assert found.customer_details.address
    assert (found.customer, found.customer_details.address.country) == (customer, "DE")
    assert (found.customer_details.taxability_override, found.amount_total) == ("reverse_charge", 1_000)


def test_a_calculation_expires_and_a_reference_is_used_once(simulator: Simulator, client: stripe.StripeClient) -> None:
    german(client)
    calculation = calculated(client, 1_000)
    recorded(client, 1_000)
    with refused(match="already exists"):
        recorded(client, 500)
    simulator.advance(90 * DAY)
    assert calculation.id
    for read in (client.v1.tax.calculations.retrieve, client.v1.tax.calculations.line_items.list):
        with refused(match="No such tax"):
            read(calculation.id)
    with refused(match="No such tax"):
        client.v1.tax.transactions.create_from_calculation({"calculation": calculation.id, "reference": "late"})


def test_lines_are_reversed_in_parts_then_the_rest_and_then_nothing(client: stripe.StripeClient) -> None:
    german(client)
    sold = recorded(client, 1_000, 500, shipping_cost={"amount": 300})
    assert (amounts_of(sold), sold.shipping_cost.amount_tax) == ([(1_000, 190), (500, 95)], 57)
    line = {"original_line_item": sold.line_items.data[0].id, "amount": -400, "amount_tax": -76, "reference": "r"}
    back = reversed_(client, sold.id, "refund_1", line_items=[line])
    assert (back.type, amounts_of(back), back.shipping_cost) == ("reversal", [(-400, -76)], None)
    assert back.reversal.original_transaction == sold.id
    for wrong in ({"amount": -601}, {"amount_tax": -115}, {"amount": 1}, {"original_line_item": "tax_li_none"}):
        with pytest.raises(stripe.InvalidRequestError):
            reversed_(client, sold.id, "refund_2", line_items=[{**line, **wrong}])
    rest = reversed_(client, sold.id, "refund_2", mode="full")
    assert amounts_of(rest) == [(-600, -114), (-500, -95)]
    assert (rest.shipping_cost.amount, rest.shipping_cost.amount_tax) == (-300, -57)
    with refused(match="nothing left"):
        reversed_(client, sold.id, "refund_3", mode="full")


def test_a_reversal_that_is_reversed_can_be_made_again(client: stripe.StripeClient) -> None:
    german(client)
    sold = recorded(client, 1_000, shipping_cost={"amount": 100})
    back = reversed_(client, sold.id, "refund", flat_amount=-1_309)
    assert (amounts_of(back), back.shipping_cost.amount) == ([(-1_000, -190)], -100)
    undone = reversed_(client, back.id, "undo", mode="full")
    assert (amounts_of(undone), undone.shipping_cost.amount) == ([(1_000, 190)], 100)
    with refused(match="nothing left"):
        reversed_(client, back.id, "undo again", mode="full")
    assert amounts_of(reversed_(client, sold.id, "again", mode="full")) == [(-1_000, -190)]


@settings(max_examples=40, deadline=None)
@given(
    lines=st.lists(st.tuples(st.integers(1, 50_000), st.booleans()), min_size=1, max_size=4),
    parts=st.lists(st.integers(1, 60_000), min_size=1, max_size=4),
    shipping=st.integers(0, 2_000),
)
def test_flat_reversals_give_back_what_they_say_and_close_at_nothing(
    lines: list[tuple[int, bool]], parts: list[int], shipping: int
) -> None:
    simulator = Simulator(clock=Clock.standing(START), seed=1)
    client = stripe.StripeClient("sk_test_1", http_client=InProcessClient(simulator))
    german(client)
    items = [{"amount": amount, "tax_behavior": "inclusive" if inside else "exclusive"} for amount, inside in lines]
    total = calculated(client, line_items=items, shipping_cost={"amount": shipping}).amount_total
    sold = recorded(client, line_items=items, shipping_cost={"amount": shipping})
    left = total
    for at, part in enumerate(parts):
        flat = min(part, left)
        if flat:
            back = reversed_(client, sold.id, f"refund {at}", flat_amount=-flat)
            given_back = [*amounts_and_ways(back)]
            assert sum(amount if inside else amount + tax for amount, tax, inside in given_back) == -flat
            assert all(amount <= 0 and tax <= 0 for amount, tax, _ in given_back)
            left -= flat
    with refused(match="more than is left"):
        reversed_(client, sold.id, "too much", flat_amount=-left - 1)
    if left:
        rest = [*amounts_and_ways(reversed_(client, sold.id, "rest", mode="full"))]
        assert sum(amount if inside else amount + tax for amount, tax, inside in rest) == -left


def amounts_and_ways(transaction: Any) -> list[tuple[int, int, bool]]:
    """Amount, tax and whether it is inside, of lines and shipping."""
    each = [*transaction.line_items.data, *([transaction.shipping_cost] if transaction.shipping_cost else [])]
    return [(part.amount, part.amount_tax, part.tax_behavior == "inclusive") for part in each]


def test_tax_codes_are_listed_in_pages(client: stripe.StripeClient) -> None:
    codes = [code.id for code in client.v1.tax_codes.list({"limit": 3}).auto_paging_iter()]
    assert codes == sorted(set(codes))
    assert "txcd_99999999" in codes
    before = client.v1.tax_codes.list({"limit": 2, "ending_before": codes[4]})
    assert ([code.id for code in before.data], before.has_more) == (codes[2:4], True)
    with refused(match="No such tax code"):
        client.v1.tax_codes.retrieve("txcd_12345678")


def test_registrations_are_changed_listed_and_refused(client: stripe.StripeClient) -> None:
    german(client)
    us: Any = {"us": {"type": "state_sales_tax", "state": "TX"}}
    later: Any = {"country": "US", "active_from": START + DAY, "country_options": us}
    texas = client.v1.tax.registrations.create(later).id

    def listed(status: Any) -> list[str]:
        return [each.country for each in client.v1.tax.registrations.list({"status": status}).data]

    assert (listed("active"), listed("scheduled"), listed("all")) == (["DE"], ["US"], ["US", "DE"])
    assert client.v1.tax.registrations.update(texas, {"active_from": "now"}).status == "active"
    assert client.v1.tax.registrations.update(texas, {"expires_at": "now"}).status == "expired"
    wrong: list[Any] = [
        {**later, "country": "FR"},
        {**later, "active_from": START - 1},
        {**later, "expires_at": START},
    ]
    for params in wrong:
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.tax.registrations.create(params)
    scheme = {"type": "standard", "standard": {"place_of_supply_scheme": "small_seller"}}
    small: Any = {"country": "DE", "active_from": "now", "country_options": {"de": scheme}}
    with refused(stripe.APIError, match="small_seller"):
        client.v1.tax.registrations.create(small)
