"""Whose is what of a sale, for any basket, fee policy, discount, funding and tax; and that refunds close at zero.

What is expected is computed here by fractions, from the prices on, and not by the functions that are tested.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.completed import CompletedLine, completed_line
from marketplace.domain.fees import FeePolicy
from marketplace.domain.money import smallest_payable
from marketplace.domain.portions import ALL_OF_IT, Portion, TaxLiability, Whose, returned
from marketplace.domain.splits import final_legs
from marketplace.domain.transactions import Leg, Payment, Transaction

from .samples import NOW, PLAN, PLANNED

COUPON = "coupon-1"
CURRENCIES = ("usd", "jpy", "kwd", "isk")
RATES = ("0", "5", "7", "8.875", "19", "25.5")


@dataclass(frozen=True)
class Sold:
    """A line as it was sold: in units of the currency's smallest payable amount, the rate in percent."""

    merchant: int
    units: int
    rate: str
    inclusive: bool


@dataclass(frozen=True)
class Sale:
    """A basket and its terms."""

    lines: tuple[Sold, ...]
    currency: str
    percent_off: int
    points: int
    policy: FeePolicy
    liability: TaxLiability

    @property
    def step(self) -> int:
        return smallest_payable(self.currency)

    @property
    def rounded(self) -> int:
        """How far a part may be from the exact one: odd units of a tax come back with the last refund."""
        return 1 if self.step == 1 else 2 * self.step


lines_sold = st.lists(
    st.builds(Sold, merchant=st.integers(0, 3), units=st.integers(1, 90_000), rate=st.sampled_from(RATES),
              inclusive=st.booleans()),
    min_size=1, max_size=6,
)  # fmt: skip
policies = st.builds(
    lambda percent, fixed: FeePolicy(percent=Decimal(percent) / 100, fixed={"usd": fixed}),
    st.integers(0, 10_000),
    st.integers(0, 200),
)
sales = st.builds(
    Sale,
    lines=lines_sold.map(tuple),
    currency=st.sampled_from(CURRENCIES),
    percent_off=st.integers(0, 100),
    points=st.integers(0, ALL_OF_IT),
    policy=policies,
    liability=st.sampled_from(TaxLiability),
)


def half_up(exact: Fraction, step: int) -> int:
    return floor(exact / step + Fraction(1, 2)) * step


def as_stripe_says(sale: Sale) -> list[dict[str, Any]]:
    """The completed line items: each line's discount, and its tax of what that leaves, rounded half up."""
    items = []
    for sold in sale.lines:
        amount = sold.units * sale.step
        off = half_up(Fraction(amount * sale.percent_off, 100), sale.step)
        left, rate = amount - off, Fraction(sold.rate)
        inside = half_up(left * rate / (100 + rate), 1)  # of a price that is payable, to the minor unit
        tax = inside if sold.inclusive else half_up(left * rate / 100, sale.step)
        items.append(
            {
                "metadata": {"merchant_id": f"merchant-{sold.merchant}"},
                "amount_subtotal": amount,
                "amount_discount": off,
                "amount_tax": tax,
                "amount_total": left + (0 if sold.inclusive else tax),
                "discounts": [{"amount": off, "discount": {"source": {"coupon": COUPON}}}] if off else [],
                "taxes": [{"amount": tax, "rate": rate_of(sold)}],
            }
        )
    return items


def rate_of(sold: Sold) -> dict[str, Any]:
    return {"country": "DE", "jurisdiction_level": "country", "tax_type": f"vat-{sold.rate}",
            "inclusive": sold.inclusive, "percentage": float(sold.rate)}  # fmt: skip


def planned(sale: Sale) -> Transaction:
    amounts: Counter[str] = Counter()
    for sold in sale.lines:
        amounts[f"merchant-{sold.merchant}"] += sold.units * sale.step
    legs = tuple(
        Leg(merchant_id=name, account_id="acct_1", amount=amount, fee=sale.policy.fee(amount, sale.currency),
            fee_policy=sale.policy.as_data(), tax_liability=sale.liability)
        for name, amount in amounts.items()
    )  # fmt: skip
    return replace(PLAN, legs=legs, currency=sale.currency, amount=sum(amounts.values()), automatic_tax=True)


def split(sale: Sale, captured: int | None = None) -> tuple[list[CompletedLine], tuple[Leg, ...]]:
    lines = [completed_line(each, "") for each in as_stripe_says(sale)]
    total = sum(line.amount for line in lines)
    payment: Payment = replace(PLANNED, currency=sale.currency, captured=total if captured is None else captured)
    return lines, final_legs(planned(sale), payment, lines, {COUPON: sale.points})


def remits_itself(sale: Sale) -> bool:
    """Whether the tax is in what is the merchant's own."""
    return sale.liability is TaxLiability.MERCHANT


def assert_whole(sale: Sale, legs: Sequence[Portion]) -> None:
    """Nothing is lost, and no part is negative or cannot be paid."""
    for leg in legs:
        assert leg.amount + leg.promotion == leg.own + leg.fee + (0 if remits_itself(sale) else leg.tax)
        assert min(leg.own, leg.fee, *leg.taxes.values(), *leg.promotions.values()) >= 0
        assert leg.own % sale.step == 0


@given(sales)
def test_what_the_buyer_pays_is_shares_fees_and_tax_less_what_the_platform_adds(sale: Sale) -> None:
    items = as_stripe_says(sale)
    _, legs = split(sale)
    assert sum(leg.amount for leg in legs) == sum(item["amount_total"] for item in items)
    assert sum(leg.tax for leg in legs) == sum(item["amount_tax"] for item in items)
    assert sum(leg.discount for leg in legs) == sum(item["amount_discount"] for item in items)
    assert_whole(sale, legs)


@given(sales)
def test_each_merchant_s_part_is_of_its_own_lines_and_the_fee_of_what_is_shared(sale: Sale) -> None:
    items = as_stripe_says(sale)
    _, legs = split(sale)
    for leg in legs:
        own = [item for item in items if item["metadata"]["merchant_id"] == leg.merchant_id]
        assert leg.amount == sum(item["amount_total"] for item in own)
        assert leg.tax == sum(item["amount_tax"] for item in own)
        shared = leg.amount - leg.tax + leg.promotion
        assert leg.fee - sale.policy.fee(shared, sale.currency) in range(sale.step)


@given(sales)
def test_every_funder_bears_exactly_his_part_of_a_discount(sale: Sale) -> None:
    _, legs = split(sale)
    without_tax = Fraction(0)
    for item, sold in zip(as_stripe_says(sale), sale.lines, strict=True):
        left = item["amount_subtotal"] - item["amount_discount"]
        inclusive = Fraction(sold.rate) if sold.inclusive else Fraction(0)
        kept = Fraction(left - item["amount_tax"], left) if sold.inclusive and left else 100 / (100 + inclusive)
        without_tax += item["amount_discount"] * (kept if left else 100 / (100 + inclusive))
    added = sum(leg.promotion for leg in legs)
    rounded = Fraction(len(sale.lines), 2) + 1  # each line's discount without tax, and the platform's part once
    assert abs(added - without_tax * sale.points / ALL_OF_IT) <= rounded
    if sale.points == 0:
        assert added == 0


@given(sales)
def test_what_the_platform_funds_costs_the_merchants_nothing(sale: Sale) -> None:
    funded = replace(sale, points=ALL_OF_IT, lines=tuple(replace(each, inclusive=False) for each in sale.lines))
    _, discounted = split(funded)
    _, whole = split(replace(funded, percent_off=0))
    taxed = [[leg.tax if remits_itself(sale) else 0 for leg in legs] for legs in (discounted, whole)]
    own = [
        [leg.own - tax for leg, tax in zip(legs, taxes, strict=True)]
        for legs, taxes in zip((discounted, whole), taxed, strict=True)
    ]
    assert own[0] == own[1]
    assert [leg.fee for leg in discounted] == [leg.fee for leg in whole]


@given(sales, st.integers(1, 100))
def test_what_is_captured_in_part_has_its_part_of_everything(sale: Sale, percent: int) -> None:
    _, whole = split(sale)
    total = sum(leg.amount for leg in whole)
    captured = total * percent // 100 // sale.step * sale.step
    _, legs = split(sale, captured)
    assert sum(leg.amount for leg in legs) == captured
    assert_whole(sale, legs)
    for leg, full in zip(legs, whole, strict=True):
        if full.amount:
            assert abs(leg.tax - Fraction(full.tax * leg.amount, full.amount)) <= sale.rounded
            assert abs(leg.promotion - Fraction(full.promotion * leg.amount, full.amount)) <= sale.rounded


@given(sales, st.data())
def test_refunds_close_at_zero_on_every_leg_tax_and_funder(sale: Sale, data: st.DataObject) -> None:
    for leg in split(sale)[1]:
        parts: list[Portion] = []
        left = leg.amount
        while left:
            units = data.draw(st.integers(1, left // sale.step)) if len(parts) < 5 else left // sale.step
            amount = units * sale.step
            part = returned(leg, amount, earlier=parts, fee_with=parts, step=sale.step, returns_fee=True)
            parts.append(part)
            left -= amount
            so_far = leg.amount - left
            assert abs(sum(each.tax for each in parts) - Fraction(leg.tax * so_far, leg.amount)) <= sale.rounded
            assert sum(each.own for each in parts) in range(leg.own + 1)
            assert part.own >= 0
            assert part.own % sale.step == 0
        if parts:
            assert (sum(each.own for each in parts), sum(each.fee for each in parts)) == (leg.own, leg.fee)
            for name, amount in {**leg.taxes, **leg.promotions}.items():
                assert sum({**each.taxes, **each.promotions}.get(name, 0) for each in parts) == amount


@given(sales, st.data())
def test_whatever_lines_and_amounts_are_refunded_nobody_gives_what_he_has_not_and_all_closes(
    sale: Sale, data: st.DataObject
) -> None:
    """What lines want of tax and promotions may be anything up to all of it."""
    for leg in split(sale)[1]:
        by_amount: list[Portion] = []
        of_lines: list[Portion] = []
        left = leg.amount
        while left:
            rounds = len(by_amount) + len(of_lines)
            amount = data.draw(st.integers(1, left // sale.step)) * sale.step if rounds < 5 else left
            wanted = data.draw(st.none() | st.integers(0, 100))
            whose = None if wanted is None else Whose(some(leg.taxes, wanted), some(leg.promotions, wanted))
            parts = [*by_amount, *of_lines]
            part = returned(leg, amount, earlier=by_amount, fee_with=parts, step=sale.step, returns_fee=True,
                            of_lines=of_lines, wanted=whose)  # fmt: skip
            (by_amount if whose is None else of_lines).append(part)
            left -= amount
            assert min(part.own, part.fee, *part.taxes.values(), *part.promotions.values()) >= 0
            assert part.own % sale.step == 0
            for name, whole in {**leg.taxes, **leg.promotions}.items():
                gone = sum({**each.taxes, **each.promotions}.get(name, 0) for each in (*parts, part))
                assert gone <= whole
                assert left or gone == whole
        parts = [*by_amount, *of_lines]
        if parts:
            assert (sum(each.own for each in parts), sum(each.fee for each in parts)) == (leg.own, leg.fee)


def some(whole: Mapping[str, int], percent: int) -> dict[str, int]:
    return {name: amount * percent // 100 for name, amount in whole.items()}


def test_odd_units_that_are_with_the_fee_are_returned_once() -> None:
    """A line without tax has all that is shared returned early, when a promotion's odd unit is still to come."""
    whole = Portion(amount=2_100, fee=1, taxes={"vat": 171}, promotions={COUPON: 1},
                    tax_liability=TaxLiability.MERCHANT)  # fmt: skip
    terms: dict[str, Any] = {"step": 10, "returns_fee": True}
    first = returned(whole, 40, earlier=[], fee_with=[], **terms)
    line = returned(whole, 1_890, earlier=[first], fee_with=[first], wanted=Whose({}, {}), **terms)
    parts = [first, line]
    parts.append(returned(whole, 170, earlier=[first], fee_with=parts, of_lines=[line], **terms))
    assert [(part.own, part.fee) for part in parts] == [(40, 0), (1_890, 0), (170, 1)]


@given(sales, st.lists(st.booleans(), min_size=3, max_size=3))
def test_a_refund_that_keeps_the_fee_costs_the_merchant_its_part_of_it_and_no_tax(
    sale: Sale, keeps: list[bool]
) -> None:
    for leg in split(sale)[1]:
        third = leg.amount // sale.step // 3 * sale.step
        amounts = [amount for amount in (third, third, leg.amount - 2 * third) if amount]
        parts: list[Portion] = []
        with_fee: list[Portion] = []
        for amount, keep in zip(amounts, keeps, strict=False):
            part = returned(leg, amount, earlier=parts, fee_with=with_fee, step=sale.step, returns_fee=not keep)
            parts.append(part)
            with_fee += [] if keep else [part]
            assert part.fee < sale.step or not keep
            assert part.own % sale.step == 0
        assert sum(each.tax for each in parts) == (leg.tax if amounts else 0)


def test_where_the_steps_are_wide_the_fee_gives_way_and_never_the_merchant() -> None:
    """In ISK the smallest is 100: 3,700 and 600 of 4,300 would have taken 300 of the merchant's 200, and owed 100."""
    whole = Portion(amount=4_300, fee=3_895, taxes={"is": 205})
    first = returned(whole, 3_700, earlier=[], fee_with=[], step=100, returns_fee=True)
    rest = returned(whole, 600, earlier=[first], fee_with=[first], step=100, returns_fee=True)
    assert [(part.own, part.fee, part.tax) for part in (first, rest)] == [(200, 3_300, 200), (0, 595, 5)]


@given(sales, st.data())
def test_what_is_refunded_is_the_same_whoever_is_liable_for_the_tax_in_it(sale: Sale, data: st.DataObject) -> None:
    """Tax, promotion and fee go back alike; the merchant gives the tax that it had, else the platform does."""
    cents = replace(sale, currency="usd")
    for one, other in zip(*(split(replace(cents, liability=each))[1] for each in TaxLiability), strict=True):
        if one.amount:
            amount = data.draw(st.integers(1, one.amount))
            parts = [returned(leg, amount, earlier=[], fee_with=[], step=1, returns_fee=True) for leg in (one, other)]
            assert [each.fee for each in parts] == [parts[0].fee] * 2
            assert [each.taxes for each in parts] == [parts[0].taxes] * 2
            assert parts[1].own - parts[0].own == parts[0].tax


def test_where_an_invoice_left_nothing_or_less_to_share_the_platform_bears_it_to_the_end() -> None:
    """Time that was paid is credited: 6.00 come in, of which 6.52 are tax, and 0.52 or nothing is all there is."""
    for taxes, promotions in (({"de": 652, "fr": -101}, {"coupon-1": -49}), ({"de": 652}, {})):
        whole = Portion(amount=600, fee=0, taxes=taxes, promotions=promotions)
        whole = replace(whole, fee=whole.net)
        parts: list[Portion] = []
        for amount, returns_fee in ((7, True), (293, False), (300, True)):
            fee_with = [each for each in parts if each.amount != 293]
            parts.append(returned(whole, amount, earlier=parts, fee_with=fee_with, step=1, returns_fee=returns_fee))
        assert min(each.own for each in parts) >= 0
        for name in whole.taxes:
            assert sum(each.taxes.get(name, 0) for each in parts) == whole.taxes[name]


@pytest.mark.parametrize(("tax", "expected"), [(19, [6, 7, 6]), (0, [0, 0, 0])])
def test_tax_is_rounded_on_the_running_total(tax: int, expected: list[int]) -> None:
    whole = Portion(amount=119, fee=10, taxes={"de": tax} if tax else {})
    parts: list[Portion] = []
    for amount in (40, 40, 39):
        parts.append(returned(whole, amount, earlier=parts, fee_with=parts, step=1, returns_fee=True))
    assert [each.tax for each in parts] == expected


def test_the_plan_holds_where_there_was_no_session() -> None:
    payment = replace(PLANNED, captured=PLAN.amount, created_at=NOW)
    assert final_legs(PLAN, payment, (), {}) == PLAN.legs
