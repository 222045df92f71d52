"""Coupons, codes, tax rates and the sums of a purchase: exact, and never more off than there is."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from local.stripe_simulator import Simulator
from local.stripe_simulator.context import Context
from local.stripe_simulator.pricing import discounts
from local.stripe_simulator.pricing.sums import Line, Sums, sum_up, tax_amounts
from local.stripe_simulator.pricing.tax import TaxPlace
from local.stripe_simulator.state import State

from .conftest import START

CALIFORNIA = {"country": "US", "state": "CA", "postal_code": "94103"}
GERMANY = {"country": "DE"}


@contextmanager
def inside(simulator: Simulator) -> Iterator[Context]:
    """What a handler of the platform's request sees."""
    with simulator.store.transaction() as transaction:
        yield Context(simulator.world, State(transaction, simulator.platform), {}, "", "")


def summed(
    simulator: Simulator, lines: list[Line], *, coupons: tuple[str, ...] = (), currency: str = "usd", **more: Any
) -> Sums:
    with inside(simulator) as context:
        wanted = [{"coupon": coupon} for coupon in coupons]
        applied = discounts.resolve(context, wanted, customer=None, currency=currency, subtotal=0)
        return sum_up(context, lines, currency=currency, discounts=applied, **more)


def coupon(client: stripe.StripeClient, **params: Any) -> str:
    return client.v1.coupons.create(params).id  # type: ignore[arg-type]  # the tests name what they give


def registered(client: stripe.StripeClient, *states: str, europe: str | None = None) -> None:
    """An account that collects tax in some states, or in Europe from a country of it."""
    address: Any = CALIFORNIA if europe is None else {"country": europe}
    client.v1.tax.settings.update({"head_office": {"address": address}})
    for state in states:
        us: Any = {"state": state, "type": "state_sales_tax"}
        client.v1.tax.registrations.create({"country": "US", "active_from": "now", "country_options": {"us": us}})
    if europe:
        options: Any = {europe.lower(): {"type": "standard", "standard": {"place_of_supply_scheme": "standard"}}}
        client.v1.tax.registrations.create({"country": europe, "active_from": "now", "country_options": options})
        union: Any = {europe.lower(): {"type": "oss_union"}}
        client.v1.tax.registrations.create({"country": europe, "active_from": "now", "country_options": union})


amounts = st.lists(st.integers(0, 1_000_000), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(lines=amounts, percents=st.lists(st.integers(1, 10_000), min_size=1, max_size=3))
def test_percentages_come_off_the_whole_and_no_line_gives_more_than_it_has(
    lines: list[int], percents: list[int]
) -> None:
    simulator = Simulator(seed=1)
    made = [simulator.request("POST", "/v1/coupons", {"percent_off": each / 100}).json()["id"] for each in percents]
    sums = summed(simulator, [Line(amount) for amount in lines], coupons=tuple(made))
    left = sum(lines)
    for percent in percents:
        left -= (left * percent * 2 + 10_000) // 20_000
    assert sums.total == left
    assert all(0 <= each.total <= each.line.amount for each in sums.lines)
    assert sums.discount == sum(amount for each in sums.lines for amount, _ in each.discount_amounts)


@settings(max_examples=60, deadline=None)
@given(lines=amounts, off=st.integers(1, 900_000), currency=st.sampled_from(["usd", "jpy", "kwd", "isk"]))
def test_an_amount_comes_off_in_the_steps_of_the_currency_down_to_nothing(
    lines: list[int], off: int, currency: str
) -> None:
    step = {"kwd": 10, "isk": 100}.get(currency, 1)
    simulator = Simulator(seed=1)
    params = {"amount_off": off * step, "currency": currency}
    made = simulator.request("POST", "/v1/coupons", params).json()["id"]
    sums = summed(simulator, [Line(each * step) for each in lines], coupons=(made,), currency=currency)
    assert sums.total == max(0, sum(lines) - off) * step
    assert all(each.total >= 0 and each.total % step == 0 for each in sums.lines)


@settings(max_examples=100, deadline=None)
@given(base=st.integers(0, 10_000_000), rates=st.lists(st.integers(0, 300_000), min_size=1, max_size=4))
def test_inclusive_tax_is_in_the_amount_and_exclusive_tax_on_top_of_the_same_net_is_the_same(
    base: int, rates: list[int]
) -> None:
    percents = [Decimal(rate) / 10_000 for rate in rates]
    inclusive = tax_amounts(base, [(percent, True) for percent in percents], "usd")
    tax = sum(amount for amount, _ in inclusive)
    assert 0 <= tax <= base
    assert {taxable for _, taxable in inclusive} == {base - tax}
    exclusive = tax_amounts(base - tax, [(percent, False) for percent in percents], "usd")
    assert abs(sum(amount for amount, _ in exclusive) - tax) <= len(rates)  # a cent of rounding for each rate


def test_a_coupon_of_all_of_it_leaves_nothing_to_pay_and_nothing_to_tax(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    registered(client, "CA")
    whole = coupon(client, percent_off=100)
    place = TaxPlace(CALIFORNIA, simulator.platform)
    sums = summed(simulator, [Line(3_333), Line(1)], coupons=(whole,), automatic_tax=place)
    assert (sums.subtotal, sums.discount, sums.tax, sums.total) == (3_334, 3_334, 0, 0)


def test_a_coupon_for_some_products_leaves_the_others_alone(simulator: Simulator, client: stripe.StripeClient) -> None:
    tea, mug = (client.v1.products.create({"name": name}).id for name in ("Tea", "Mug"))
    half = coupon(client, percent_off=50, applies_to={"products": [tea]})
    sums = summed(simulator, [Line(1_000, product=tea), Line(1_000, product=mug)], coupons=(half,))
    assert [each.total for each in sums.lines] == [500, 1_000]
    assert "applies_to" not in client.v1.coupons.retrieve(half).to_dict()
    shown = client.v1.coupons.retrieve(half, {"expand": ["applies_to"]})
    assert shown.applies_to
    assert shown.applies_to.products == [tea]


def test_tax_is_taken_of_what_the_discount_leaves(simulator: Simulator, client: stripe.StripeClient) -> None:
    registered(client, "CA")
    tenth = coupon(client, percent_off=10)
    place = TaxPlace(CALIFORNIA, simulator.platform)
    sums = summed(simulator, [Line(10_000)], coupons=(tenth,), automatic_tax=place, shipping=Line(500))
    assert [tax.amount for tax in sums.lines[0].taxes] == [540, 22, 214]  # 776.25 in all: 6, 0.25 and 2.375 percent
    assert sums.total == 9_000 + 776 + 500 + sums.shipping.tax  # type: ignore[union-attr]
    assert sums.automatic_tax_status == "complete"


def place_of(simulator: Simulator, address: dict[str, str], **more: Any) -> TaxPlace:
    return TaxPlace(address, simulator.platform, **more)


@pytest.mark.parametrize(
    ("address", "more", "code", "expected"),
    [
        ({"country": "US", "postal_code": "73301"}, {}, None, ("not_collecting", 0)),
        ({"country": "US", "state": "OR", "postal_code": "97035"}, {}, None, ("not_subject_to_tax", 0)),
        (CALIFORNIA, {}, "txcd_10103001", ("product_exempt", 0)),
        (CALIFORNIA, {"tax_exempt": "exempt"}, None, ("customer_exempt", 0)),
        ({"country": "US", "postal_code": "94103"}, {}, None, ("standard_rated", 863)),
        ({"country": "BR"}, {}, None, ("not_supported", 0)),
    ],
)
def test_why_a_tax_is_what_it_is(
    simulator: Simulator,
    client: stripe.StripeClient,
    address: dict[str, str],
    more: dict[str, Any],
    code: str | None,
    expected: tuple[str, int],
) -> None:
    registered(client, "CA", "OR")
    place = place_of(simulator, address, **more)
    sums = summed(simulator, [Line(10_000, tax_code=code)], automatic_tax=place)
    taxes = sums.lines[0].taxes
    assert ({tax.taxability_reason for tax in taxes}, sums.tax) == ({expected[0]}, expected[1])


def test_value_added_tax_is_in_the_price_by_default_and_firms_abroad_owe_it_themselves(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    registered(client, europe="IE")
    german = place_of(simulator, GERMANY)
    sums = summed(
        simulator, [Line(11_900), Line(10_700, tax_code="txcd_35010000")], currency="eur", automatic_tax=german
    )
    assert [each.tax_inclusive for each in sums.lines] == [1_900, 700]
    assert [each.taxes[0].taxability_reason for each in sums.lines] == ["standard_rated", "reduced_rated"]
    assert (sums.total, sums.total_excluding_tax) == (22_600, 20_000)
    firm = place_of(simulator, GERMANY, tax_ids=[("eu_vat", "DE123456789")])
    assert summed(simulator, [Line(11_900)], currency="eur", automatic_tax=firm).tax == 0
    irish = place_of(simulator, {"country": "IE"}, tax_ids=[("eu_vat", "IE1234567FA")])
    assert summed(simulator, [Line(12_300)], currency="eur", automatic_tax=irish).tax == 2_300


def test_an_address_that_does_not_say_enough_leaves_tax_open(simulator: Simulator, client: stripe.StripeClient) -> None:
    registered(client, "CA")
    sums = summed(simulator, [Line(10_000)], automatic_tax=place_of(simulator, {"country": "US"}))
    assert (sums.automatic_tax_status, sums.tax) == ("requires_location_inputs", 0)


def test_a_registration_begins_and_ends_in_its_time(simulator: Simulator, client: stripe.StripeClient) -> None:
    client.v1.tax.settings.update({"head_office": {"address": {"country": "US"}}})
    us: Any = {"us": {"state": "CA", "type": "state_sales_tax"}}
    params: Any = {"country": "US", "country_options": us, "active_from": START + 100, "expires_at": START + 200}
    made = client.v1.tax.registrations.create(params)
    seen = [made.status]
    for _ in range(2):
        simulator.advance(100)
        seen.append(client.v1.tax.registrations.retrieve(made.id).status)
    assert seen == ["scheduled", "active", "expired"]


def test_what_coupons_cannot_be(client: stripe.StripeClient) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "percent_off"),
        ({"percent_off": 10, "amount_off": 10, "currency": "usd"}, "percent_off"),
        ({"percent_off": 100.01}, "percent_off"),
        ({"percent_off": 10.005}, "percent_off"),
        ({"amount_off": 500}, "currency"),
        ({"amount_off": 5, "currency": "kwd"}, "amount_off"),
        ({"percent_off": 10, "duration": "repeating"}, "duration_in_months"),
        ({"percent_off": 10, "duration": "once", "duration_in_months": 2}, "duration_in_months"),
        ({"percent_off": 10, "redeem_by": START}, "redeem_by"),
        ({"percent_off": 10, "redeem_by": START + 6 * 366 * 86_400}, "redeem_by"),
        ({"percent_off": 10, "currency_options": {"eur": {"amount_off": 1}}}, "currency_options[eur]"),
        ({"percent_off": 10, "max_redemptions": 0}, "max_redemptions"),
    ]
    for params, param in wrong:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            coupon(client, **params)
        assert refused.value.param == param, params
    coupon(client, id="SUMMER", percent_off=10)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        coupon(client, id="SUMMER", percent_off=20)
    assert refused.value.code == "resource_already_exists"


def code_of(client: stripe.StripeClient, coupon_id: str, **params: Any) -> stripe.PromotionCode:
    made: Any = {"promotion": {"type": "coupon", "coupon": coupon_id}, **params}
    return client.v1.promotion_codes.create(made)


def redeem(simulator: Simulator, code: str, *, subtotal: int = 10_000, customer: Any = None) -> None:
    with inside(simulator) as context:
        wanted = [{"promotion_code": code}]
        applied = discounts.resolve(context, wanted, customer=customer, currency="usd", subtotal=subtotal)
        discounts.keep(context, applied, customer="cus_1")


def test_a_code_is_used_as_often_as_it_may_and_then_no_more(simulator: Simulator, client: stripe.StripeClient) -> None:
    tenth = coupon(client, percent_off=10, max_redemptions=3)
    code = code_of(client, tenth, code="Spring", max_redemptions=2)
    for _ in range(2):
        redeem(simulator, code.id)
    with pytest.raises(Exception, match="not active"):
        redeem(simulator, code.id)
    assert (client.v1.promotion_codes.retrieve(code.id).active, client.v1.coupons.retrieve(tenth).valid) == (
        False,
        True,
    )
    redeem(simulator, code_of(client, tenth, code="Autumn").id)
    assert client.v1.coupons.retrieve(tenth).valid is False
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.promotion_codes.update(code.id, {"active": True})


def test_a_code_is_refused_below_its_minimum_after_its_time_and_to_strangers(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    tenth = coupon(client, percent_off=10)
    minimum: Any = {"minimum_amount": 5_000, "minimum_amount_currency": "usd"}
    redeem(simulator, code_of(client, tenth, code="LARGE", restrictions=minimum).id, subtotal=5_000)
    with pytest.raises(Exception, match="minimum"):
        redeem(simulator, code_of(client, tenth, code="LARGER", restrictions=minimum).id, subtotal=4_999)
    soon = code_of(client, tenth, code="SOON", expires_at=START + 10)
    mine = client.v1.customers.create({"name": "A"})
    own = code_of(client, tenth, code="OWN", customer=mine.id)
    redeem(simulator, own.id, customer={"id": mine.id})
    with pytest.raises(Exception, match="this customer"):
        redeem(simulator, own.id)
    simulator.advance(10)
    with pytest.raises(Exception, match="not active"):
        redeem(simulator, soon.id)
    with pytest.raises(stripe.InvalidRequestError):
        code_of(client, tenth, code="large")  # the case does not matter


def test_a_deleted_coupon_is_used_no_more_and_who_has_its_discount_keeps_it(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    tenth = coupon(client, percent_off=10)
    code = code_of(client, tenth, code="GONE")
    with inside(simulator) as context:
        applied = discounts.resolve(context, [{"coupon": tenth}], customer=None, currency="usd", subtotal=0)
    assert client.v1.coupons.delete(tenth).deleted
    assert client.v1.promotion_codes.retrieve(code.id).active is False
    with inside(simulator) as context:
        assert sum_up(context, [Line(1_000)], currency="usd", discounts=applied).total == 900
    with pytest.raises(Exception, match="No such coupon"):
        summed(simulator, [Line(1_000)], coupons=(tenth,))
