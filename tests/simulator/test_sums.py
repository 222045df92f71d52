"""What lines, discounts, taxes and shipping add up to, whatever they are."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from local.stripe_simulator import Simulator
from local.stripe_simulator.pricing import discounts
from local.stripe_simulator.pricing.sums import Line, Sums, spread, sum_up
from local.stripe_simulator.pricing.tax import TaxPlace

from .test_pricing import CALIFORNIA, inside

STEPS = {"usd": 1, "jpy": 1, "kwd": 10, "isk": 100}
amounts = st.integers(-200_000, 900_000)
coupons = st.one_of(
    st.fixed_dictionaries({"percent_off": st.decimals("0.01", 100, places=2)}),
    st.fixed_dictionaries({"amount_off": st.integers(1, 500_000)}),
)
rates = st.tuples(st.decimals(0, 40, places=4), st.booleans())
baskets = st.fixed_dictionaries(
    {
        "lines": st.lists(amounts, min_size=1, max_size=6),
        "own": st.lists(coupons, max_size=1),
        "whole": st.lists(coupons, max_size=2),
        "rates": st.lists(rates, max_size=3),
        "shipping": st.one_of(st.none(), st.integers(0, 5_000)),
        "currency": st.sampled_from(sorted(STEPS)),
    }
)


def made(simulator: Simulator, path: str, params: dict[str, Any]) -> dict[str, Any]:
    answer = simulator.request("POST", path, params)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json()
    return found


def summed(basket: dict[str, Any], order: list[int] | None = None) -> Sums:
    """The sums of a basket; the first line has the discounts of its own."""
    simulator, currency = Simulator(seed=1), basket["currency"]
    step = STEPS[currency]

    def applied(context: Any, wanted: list[dict[str, Any]]) -> list[Any]:
        ids = [{"coupon": coupon_of(simulator, each, currency)} for each in wanted]
        return discounts.resolve(context, ids, customer=None, currency=currency, subtotal=0)

    taxed = [
        made(simulator, "/v1/tax_rates", {"display_name": "Tax", "inclusive": inside_it, "percentage": str(percentage)})
        for percentage, inside_it in basket["rates"]
    ]
    with inside(simulator) as context:
        own, whole = applied(context, basket["own"]), applied(context, basket["whole"])
        lines = [
            Line(amount * step, discounts=own if at == 0 else (), tax_rates=taxed)
            for at, amount in enumerate(basket["lines"])
        ]
        shipping = None if basket["shipping"] is None else Line(basket["shipping"] * step, discountable=False)
        lines = [lines[at] for at in order] if order else lines
        return sum_up(context, lines, currency=currency, discounts=whole, shipping=shipping)


def coupon_of(simulator: Simulator, params: dict[str, Any], currency: str) -> str:
    if "amount_off" in params:
        params = {"amount_off": params["amount_off"] * STEPS[currency], "currency": currency}
    else:
        params = {"percent_off": str(params["percent_off"])}
    return str(made(simulator, "/v1/coupons", params)["id"])


@settings(max_examples=80, deadline=None)
@given(basket=baskets)
def test_the_whole_is_the_sum_of_its_parts_in_steps_of_the_currency(basket: dict[str, Any]) -> None:
    sums, step = summed(basket), STEPS[basket["currency"]]
    shipping = sums.shipping.subtotal if sums.shipping else 0
    exclusive = sum(tax.amount for each in sums.all_lines for tax in each.taxes if not tax.inclusive)
    assert sums.total == sums.subtotal - sums.discount + exclusive + shipping
    assert sums.subtotal == sum(basket["lines"]) * step
    for each in sums.all_lines:
        left = each.subtotal - each.discount
        assert min(0, each.subtotal) <= left <= max(0, each.subtotal)  # nothing gives more than it has
        assert abs(each.tax_inclusive) <= abs(left)
        assert all(tax.taxable_amount == left - each.tax_inclusive for tax in each.taxes)
        parts = [each.total, *(amount for amount, _ in each.discount_amounts), *(tax.amount for tax in each.taxes)]
        assert all(part % step == 0 for part in parts)


@settings(max_examples=60, deadline=None)
@given(basket=baskets, data=st.data())
def test_the_order_of_lines_does_not_change_what_comes_off(basket: dict[str, Any], data: st.DataObject) -> None:
    basket = {**basket, "rates": [], "whole": basket["whole"][:1], "lines": [abs(each) for each in basket["lines"]]}
    order = data.draw(st.permutations(range(len(basket["lines"]))))
    one, other = summed(basket), summed(basket, list(order))
    assert (one.subtotal, one.discount, one.total) == (other.subtotal, other.discount, other.total)


@settings(max_examples=200, deadline=None)
@given(
    total=st.integers(0, 10**9),
    weights=st.lists(st.decimals(0, 10**6, places=4), min_size=1, max_size=9).filter(any),
    step=st.sampled_from([1, 10, 100]),
)
def test_what_is_spread_loses_nothing_and_is_fair(total: int, weights: list[Decimal], step: int) -> None:
    parts = spread(total * step, weights, step)
    assert sum(parts) == total * step
    whole = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(Decimal(part) - Decimal(total * step) * weight / whole) < step


def test_a_line_s_own_discount_comes_before_that_of_the_whole() -> None:
    basket: dict[str, Any] = {
        "lines": [10_000, 10_000],
        "own": [{"amount_off": 4_000}],
        "whole": [{"percent_off": 50}],
        "rates": [(Decimal("20"), False)],
        "shipping": 500,
        "currency": "usd",
    }
    sums = summed(basket)
    assert [each.discount for each in sums.lines] == [4_000 + 3_000, 5_000]
    assert sums.total == 3_000 + 600 + 5_000 + 1_000 + 500


def test_a_line_that_cannot_be_discounted_is_not() -> None:
    simulator = Simulator(seed=1)
    half = {"coupon": coupon_of(simulator, {"percent_off": 50}, "usd")}
    with inside(simulator) as context:
        applied = discounts.resolve(context, [half], customer=None, currency="usd", subtotal=0)
        lines = [Line(1_000), Line(1_000, discountable=False, discounts=applied)]
        sums = sum_up(context, lines, currency="usd", discounts=applied)
    assert [each.total for each in sums.lines] == [500, 1_000]


def test_the_account_that_is_liable_collects_by_its_own_registrations() -> None:
    simulator = Simulator(seed=1)
    seller = made(simulator, "/v1/accounts", {"type": "express"})["id"]
    headers = {"Stripe-Account": seller}
    options = {"us": {"state": "CA", "type": "state_sales_tax"}}
    registration = {"country": "US", "active_from": "now", "country_options": options}
    assert simulator.request("POST", "/v1/tax/registrations", registration, headers=headers).status == 200
    with inside(simulator) as context:
        collected = [
            sum_up(context, [Line(10_000)], currency="usd", automatic_tax=TaxPlace(CALIFORNIA, liable)).tax
            for liable in (simulator.platform, seller)
        ]
    assert collected == [0, 863]
