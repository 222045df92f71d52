"""Whose is what of a paid invoice, for any lines, taxes, coupons, fee policies and customer balances.

What is expected is computed here by fractions, from the lines on, and not by the functions that are tested.
"""

from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from marketplace.domain.completed import CompletedLine
from marketplace.domain.fees import FeePolicy
from marketplace.domain.invoice_sales import completed_lines, free_facts, is_sale, plan, rates_of
from marketplace.domain.invoice_splits import SplitBy, invoice_fee
from marketplace.domain.invoices import Invoice, is_usual
from marketplace.domain.money import smallest_payable
from marketplace.domain.portions import ALL_OF_IT, Portion, TaxLiability, returned
from marketplace.domain.promotions import Coupon, redemptions
from marketplace.domain.shares import moves
from marketplace.domain.splits import ASKED_FEE, final_legs
from marketplace.domain.transactions import ChargeType, Leg, Payment, Transaction, join
from marketplace.domain.transfers import share_of_destination

from .samples import NOW
from .test_portions import half_up

SECOND = int(NOW.timestamp())
COUPONS = ("coupon-a", "coupon-b")
CURRENCIES = ("usd", "jpy", "kwd", "isk")
RATES: dict[str, dict[str, Any]] = {
    "txr_vat": {"country": "DE", "jurisdiction_level": "country", "tax_type": "vat", "percentage": 19},
    "txr_low": {"country": "FR", "jurisdiction_level": "country", "tax_type": "vat", "percentage": 5.5},
    "txr_none": {"country": "IT", "jurisdiction_level": "country", "tax_type": "vat", "percentage": 0},
}
JURISDICTIONS = {"txr_vat": "de.country.vat", "txr_low": "fr.country.vat", "txr_none": "it.country.vat"}


@dataclass(frozen=True)
class Billed:
    """A line: units of the smallest payable amount, below zero a credit; what is off it in percent, by coupon."""

    units: int
    rate: str | None
    inclusive: bool
    off: tuple[int, int]


@dataclass(frozen=True)
class Bill:
    """An invoice, how its charge came about, and the policy that it was made under."""

    lines: tuple[Billed, ...]
    currency: str
    policy: dict[str, Any]
    points: tuple[int, int]
    shipping: int
    balance_percent: int  # of the total that the customer's balance pays
    is_destination: bool
    taken_percent: int  # of what is charged that Stripe took as its application fee

    @property
    def step(self) -> int:
        return smallest_payable(self.currency)


lines_billed = st.builds(
    Billed,
    units=st.one_of(st.integers(1, 90_000), st.integers(1, 90_000), st.integers(-60_000, -1)),
    rate=st.sampled_from([None, *RATES]),
    inclusive=st.booleans(),
    off=st.tuples(st.sampled_from([0, 0, 10, 33, 100]), st.sampled_from([0, 0, 15])),
)
policies = st.one_of(
    st.builds(
        lambda percent, fixed: FeePolicy(percent=Decimal(percent) / 100, fixed={"usd": fixed}).as_data(),
        st.integers(0, 10_000),
        st.integers(0, 200),
    ),
    st.integers(0, 90_000).map(lambda units: {ASKED_FEE: units * 100}),
)
points = st.one_of(st.sampled_from([0, ALL_OF_IT]), st.integers(0, ALL_OF_IT))
billed = st.builds(
    Bill,
    lines=st.lists(lines_billed, min_size=1, max_size=6).map(tuple),
    currency=st.sampled_from(CURRENCIES),
    policy=policies,
    points=st.tuples(points, points),
    shipping=st.sampled_from([0, 0, 7]),
    balance_percent=st.sampled_from([0, 0, 0, 30, 99]),
    is_destination=st.booleans(),
    taken_percent=st.integers(0, 100),
)


def stripes_line(line: Billed, step: int) -> dict[str, Any]:
    """A line as Stripe has it: each coupon off what the one before left, tax of what that leaves, rounded half up."""
    amount, off = line.units * step, []
    left = amount
    for coupon, percent in zip(COUPONS, line.off, strict=True):
        taken = half_up(Fraction(left * percent, 100), step)
        left -= taken
        if taken:
            off.append({"amount": taken, "discount": {"source": {"coupon": coupon}}})
    taxes = []
    if line.rate is not None:
        rate = Fraction(str(RATES[line.rate]["percentage"]))
        whole = 100 + rate if line.inclusive else Fraction(100)
        tax = half_up(left * rate / whole, step)
        behavior = "inclusive" if line.inclusive else "exclusive"
        taxes.append({"amount": tax, "tax_behavior": behavior, "tax_rate_details": {"tax_rate": line.rate}})
    return {"amount": amount, "subtotal": amount, "quantity": 1, "description": "A", "discount_amounts": off,
            "taxes": taxes}  # fmt: skip


def on_top(taxes: list[dict[str, Any]]) -> int:
    return sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "exclusive")


def stripes_invoice(bill: Bill) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The invoice as Stripe has it, and its lines; shipping is taxed too, and of no line."""
    lines = [stripes_line(line, bill.step) for line in bill.lines]
    shipping: dict[str, Any] = {"amount": bill.shipping * bill.step, "tax_behavior": "exclusive",
                "tax_rate_details": {"tax_rate": "txr_vat"}}  # fmt: skip
    taxes = [tax for line in lines for tax in line["taxes"]] + ([shipping] if bill.shipping else [])
    off = [each for line in lines for each in line["discount_amounts"]]
    subtotal = sum(line["subtotal"] for line in lines)
    total = subtotal - sum(each["amount"] for each in off) + on_top(taxes) + 3 * shipping["amount"]
    found = {
        "id": "in_1", "created": SECOND, "currency": bill.currency, "number": "A-1", "metadata": {}, "total": total,
        "subtotal": subtotal, "total_taxes": taxes, "total_discount_amounts": off,
        "lines": {"data": lines[:10], "has_more": len(lines) > 10}, "status_transitions": {"paid_at": SECOND + 60},
    }  # fmt: skip
    return found, lines


def charged_of(bill: Bill, found: dict[str, Any]) -> int:
    """What the customer's balance leaves to be charged, in payable units."""
    return int(found["total"] * (100 - bill.balance_percent) // 100 // bill.step * bill.step)


def as_sale(bill: Bill) -> Bill:
    """The bill, if it comes to a sale; else one of the same lines without credits and discounts."""
    found, _ = stripes_invoice(bill)
    if charged_of(bill, found) > 0 or (found["total"] == 0 and found["total_discount_amounts"]):
        return bill
    lines = tuple(replace(each, units=abs(each.units), off=(0, 0)) for each in bill.lines)
    return replace(bill, lines=lines, balance_percent=0)


def invoice_of(bill: Bill) -> Invoice:
    return Invoice(id="invoice-1", merchant_id="merchant-1", customer_id="c", currency=bill.currency, created_at=NOW,
                   fee_policy=bill.policy, split=SplitBy.AMOUNT)  # fmt: skip


def intent_of(bill: Bill, captured: int) -> dict[str, Any]:
    split = {}
    if bill.is_destination:
        taken = captured * bill.taken_percent // 100 // bill.step * bill.step
        split = {"transfer_data": {"destination": "acct_1"}, "application_fee_amount": taken}
    return {"id": "pi_1", "amount_received": captured, **split}


bills = billed.map(as_sale)


@dataclass(frozen=True)
class Paid:
    """A paid invoice, split."""

    found: dict[str, Any]
    transaction: Transaction
    payment: Payment
    leg: Leg
    lines: list[CompletedLine]


def paid(bill: Bill) -> Paid:
    found, lines = stripes_invoice(bill)
    charged = charged_of(bill, found)
    intent = intent_of(bill, charged) if charged > 0 else None
    transaction = plan(invoice_of(bill), found, intent)
    payment = Payment(transaction_id=transaction.id, amount=charged, currency=bill.currency, captured=max(0, charged),
                      charge_type=transaction.charge_type, created_at=NOW, paid_at=NOW)  # fmt: skip
    if intent is not None and bill.is_destination:
        payment = replace(payment, application_fee_amount=intent["application_fee_amount"], transfer_id="tr_1")
    known = {rate: RATES[rate] for rate in rates_of(found, lines)}
    completed = completed_lines(found, lines, known, "merchant-1") if transaction.is_split_when_completed else []
    funding = dict(zip(COUPONS, bill.points, strict=True))
    (leg,) = final_legs(transaction, payment, completed, funding)
    return Paid(found, transaction, payment, leg, completed)


def exact(bill: Bill, whole: Paid) -> Fraction:
    """Which part of the total was charged; none of one that is below zero or nothing."""
    total = whole.found["total"]
    captured = whole.payment.captured or 0
    return Fraction(captured, total) if 0 < captured < total else Fraction(1)


@given(bills)
def test_what_the_buyer_pays_is_merchant_fee_and_tax_less_what_the_platform_adds(bill: Bill) -> None:
    whole = paid(bill)
    leg = whole.leg
    assert leg.amount == whole.payment.captured
    assert leg.amount + leg.promotion == leg.own + leg.fee + leg.tax
    assert leg.own >= 0
    assert leg.own % bill.step == 0


@given(bills)
def test_each_jurisdiction_is_owed_what_stripe_collected_for_it(bill: Bill) -> None:
    whole = paid(bill)
    expected: Counter[str] = Counter()
    for tax in whole.found["total_taxes"]:
        expected[JURISDICTIONS[tax["tax_rate_details"]["tax_rate"]]] += tax["amount"]
    part = exact(bill, whole)
    for name in {*expected, *whole.leg.taxes}:
        differs = abs(whole.leg.taxes.get(name, 0) - expected[name] * part)
        assert differs == 0 if part == 1 else differs <= 2 * bill.step


@given(bills)
def test_every_funder_bears_exactly_his_part_of_every_coupon(bill: Bill) -> None:
    whole = paid(bill)
    part = exact(bill, whole)
    for coupon, basis in zip(COUPONS, bill.points, strict=True):
        without_tax = Fraction(0)
        for line, sold in zip(whole.found["lines"]["data"], bill.lines, strict=True):
            taken = sum(each["amount"] for each in line["discount_amounts"]
                        if each["discount"]["source"]["coupon"] == coupon)  # fmt: skip
            rate = Fraction(str(RATES[sold.rate]["percentage"])) if sold.rate and sold.inclusive else Fraction(0)
            without_tax += taken * 100 / (100 + rate)
        added = whole.leg.promotions.get(coupon, 0)
        # a tax is rounded in the currency's steps, and so is what of a discount is its
        rounded = (len(bill.lines) + 1) * Fraction(3, 2) * max(bill.step, 1) * 3 + 1
        assert abs(added - without_tax * basis / ALL_OF_IT * part) <= rounded
        if basis == 0:
            assert added == 0
        if basis == ALL_OF_IT and part == 1:
            assert added == sum(line.discounts.get(coupon, 0) for line in whole.lines)


@given(bills)
def test_the_fee_is_the_policy_s_of_what_is_shared_and_never_more_than_that(bill: Bill) -> None:
    whole = paid(bill)
    leg, net = whole.leg, whole.leg.net
    if net <= 0:
        assert (leg.own, leg.fee) == (0, net)
    elif ASKED_FEE not in bill.policy:
        assert leg.fee - FeePolicy.of(bill.policy).fee(net, bill.currency) in range(bill.step)
    elif whole.found["subtotal"] > 0 and not is_usual(whole.found):
        asked = Fraction(min(bill.policy[ASKED_FEE], whole.found["subtotal"]), whole.found["subtotal"])
        assert abs(leg.fee - asked * net) <= 2 * bill.step
    assert leg.fee <= max(net, 0)


@given(bills)
def test_the_merchant_ends_with_its_own_whatever_stripe_did(bill: Bill) -> None:
    """It has what Stripe transferred, less the application fee; the rest is one move, none where Stripe was right."""
    whole = paid(bill)
    if not bill.is_destination or whole.payment.transfer_id is None:
        assert whole.transaction.charge_type is ChargeType.SEPARATE
        return
    share = replace(
        share_of_destination(whole.transaction, whole.payment, whole.leg, "", NOW),
        taxes=whole.leg.taxes, promotions=whole.leg.promotions,
    )  # fmt: skip
    has = (whole.payment.captured or 0) - (whole.payment.application_fee_amount or 0)
    needed = moves(share, given_back=0)
    assert has + needed.send - sum(amount for _, amount in needed.take) - needed.owe == whole.leg.own
    fee = invoice_fee(bill.policy, whole.payment.captured or 0, whole.found["total"], bill.currency)
    is_right = is_usual(whole.found) and whole.payment.application_fee_amount == fee
    assert whole.transaction.is_split_when_completed is not is_right


@given(bills, st.data())
def test_refunds_close_at_zero_for_everybody(bill: Bill, data: st.DataObject) -> None:
    leg = paid(bill).leg
    parts: list[Portion] = []
    left = leg.amount
    while left:
        units = data.draw(st.integers(1, left // bill.step)) if len(parts) < 4 else left // bill.step
        part = returned(leg, units * bill.step, earlier=parts, fee_with=parts, step=bill.step, returns_fee=True)
        assert part.own >= 0
        parts.append(part)
        left -= part.amount
        assert sum(each.own for each in parts) <= leg.own
    if parts:
        assert (sum(each.own for each in parts), sum(each.fee for each in parts)) == (leg.own, leg.fee)
        for name in leg.taxes:
            assert sum(each.taxes.get(name, 0) for each in parts) == leg.taxes[name]
        for name in leg.promotions:
            assert sum(each.promotions.get(name, 0) for each in parts) == leg.promotions[name]


@given(bills, st.lists(st.booleans(), min_size=3, max_size=3))
def test_a_refund_that_keeps_the_fee_owes_the_merchant_nothing(bill: Bill, keeps: list[bool]) -> None:
    leg = paid(bill).leg
    third = leg.amount // bill.step // 3 * bill.step
    parts: list[Portion] = []
    with_fee: list[Portion] = []
    for amount, keep in zip((third, third, leg.amount - 2 * third), keeps, strict=True):
        if amount:
            part = returned(leg, amount, earlier=parts, fee_with=with_fee, step=bill.step, returns_fee=not keep)
            parts.append(part)
            with_fee += [] if keep else [part]
            assert part.own >= 0


@given(bills)
def test_what_each_coupon_cost_whom_is_what_it_took_off(bill: Bill) -> None:
    whole = paid(bill)
    assume(exact(bill, whole) == 1)
    used = {name for line in whole.lines for name in line.discounts}
    coupons = [Coupon(id=name, name="A", created_at=NOW) for name in sorted(used)]
    for each in redemptions(whole.transaction, whole.payment, coupons, whole.lines, [whole.leg]):
        taken = sum(line.discounts.get(each.coupon_id, 0) for line in whole.lines)
        assert each.platform + sum(each.merchants.values()) == taken
        assert each.discount == sum(line.seen.get(each.coupon_id, 0) for line in whole.lines)


def line(amount: int, **more: Any) -> dict[str, Any]:
    return {"amount": amount, "subtotal": amount, "discount_amounts": [], "taxes": [], **more}


def invoice(total: int, **more: Any) -> dict[str, Any]:
    lines = {"data": [line(total)], "has_more": False}
    return {"id": "in_1", "created": SECOND, "currency": "usd", "total": total, "subtotal": total, "total_taxes": [],
            "total_discount_amounts": [], "lines": lines, **more}  # fmt: skip


USUAL = Bill((), "usd", {"percent": "10"}, (0, 0), 0, 0, is_destination=True, taken_percent=0)


@pytest.mark.parametrize(
    ("split", "taken", "stands"),
    [(SplitBy.AMOUNT, 300, True), (SplitBy.AMOUNT, 301, False), (SplitBy.PERCENT, 301, True),
     (SplitBy.PERCENT, 302, False), (SplitBy.TRANSFER, 0, False)],
)  # fmt: skip
def test_stripe_s_split_stands_where_its_fee_is_the_policy_s_and_is_evened_out_elsewhere(
    split: SplitBy, taken: int, stands: bool
) -> None:
    intent = {"id": "pi_1", "amount_received": 3_000, "application_fee_amount": taken,
              "transfer_data": {"destination": "acct_1"}}  # fmt: skip
    made = plan(replace(invoice_of(USUAL), split=split), invoice(3_000), intent)
    assert made.is_split_when_completed is not stands
    assert made.fee == (taken if stands else 300)


def test_what_is_a_sale() -> None:
    off = {"total_discount_amounts": [{"amount": 3_000, "discount": "di_1"}]}
    assert is_sale(invoice(3_000), "pi_1")
    assert is_sale(invoice(0, **off), None)
    assert not is_sale(invoice(0), None)  # a trial
    assert not is_sale(invoice(3_000, **off), None)  # the customer's balance paid it, or somebody elsewhere
    assert not is_sale(invoice(-500, **off), None)  # credited
    facts = free_facts(invoice(0, status_transitions={"paid_at": SECOND + 60}, **off))
    free = plan(invoice_of(USUAL), invoice(0, **off), None)
    begun = Payment(transaction_id=free.id, amount=0, currency="usd", created_at=NOW)
    assert join(begun, facts).is_settled


def test_tax_that_somebody_made_the_merchant_s_is_its_own() -> None:
    automatic = {"enabled": True, "liability": {"type": "account", "account": "acct_1"}}
    made = plan(invoice_of(USUAL), invoice(3_000, automatic_tax=automatic), {"id": "pi_1", "amount_received": 3_000})
    assert made.legs[0].tax_liability is TaxLiability.MERCHANT
    assert made.automatic_tax


def test_a_rate_that_is_not_known_is_nobody_s_tax_in_particular() -> None:
    tax = {"amount": 300, "tax_behavior": "exclusive", "tax_rate_details": None}
    found = invoice(3_300, subtotal=3_000, total_taxes=[tax])
    (told,) = completed_lines(found, [line(3_000, taxes=[tax])], {}, "merchant-1")
    assert (told.amount, told.taxes) == (3_300, {"unknown": 300})
