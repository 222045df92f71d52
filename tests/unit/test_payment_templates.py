"""Templates of what merchants see: checked when a function starts, cut to what Stripe takes, nothing of the buyer."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.payment_templates import LONGEST_DESCRIPTION, PLACEHOLDERS, PaymentTemplate
from marketplace.domain.transactions import LineItem
from marketplace.edge.settings import InvalidEnvironment, Part, Settings

from .samples import PLAN


@pytest.mark.parametrize(
    "given",
    [
        {"title": "x"}, {"description": ""}, {"description": 7}, {"description": "{email}"}, {"description": "{"},
        {"description": "{0}"}, {"description": "{}"}, {"description": "{order_id.__class__}"},
        {"description": "{products!r}"}, {"description": "{quantity:>9999}"}, {"description": 501 * "x"},
        {"metadata": []}, {"metadata": {"a[b]": "x"}}, {"metadata": {"": "x"}}, {"metadata": {41 * "k": "x"}},
        {"metadata": {"k": 1}}, {"metadata": {f"k{number}": "x" for number in range(21)}},
    ],
)  # fmt: skip
def test_what_is_no_template_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        PaymentTemplate.of(given)


def test_a_wrong_template_lets_no_function_start_and_none_is_none() -> None:
    environment = {"MONEY_POLICY": "{}", "PAYMENT_TEMPLATE": '{"description": "For {customer}"}'}
    with pytest.raises(InvalidEnvironment, match=r"PAYMENT_TEMPLATE: \{customer\}"):
        Settings.of(environment, Part.MONEY)
    assert Settings.of({**environment, "PAYMENT_TEMPLATE": "{}"}, Part.MONEY).payment_template is None


def test_nothing_of_the_buyer_can_be_named() -> None:
    sale = replace(PLAN, customer_id="ann@example.com", metadata={"name": "Ann", "order_id": "A-1"})
    everything = PaymentTemplate.of({"description": " ".join(f"{{{name}}}" for name in sorted(PLACEHOLDERS))})
    said = everything.of_payment(sale, sale.legs[0].merchant_id)["description"]
    assert "A-1" in said
    assert "nn" not in said


@given(names=st.lists(st.text(min_size=1, max_size=250), min_size=1, max_size=78))
def test_whatever_is_sold_fits_what_stripe_takes(names: list[str]) -> None:
    lines = tuple(LineItem(name=name, unit_amount=1, quantity=2) for name in names)
    sale = replace(PLAN, line_items=lines)
    template = PaymentTemplate.of({"description": "{products}", "metadata": {"what": "{products}", "n": "{quantity}"}})
    said = template.of_payment(sale, sale.legs[0].merchant_id)
    assert len(said["description"]) <= LONGEST_DESCRIPTION
    assert len(said["metadata"]["what"]) <= 500
    assert said["metadata"]["n"] == str(2 * len(names))
