"""What goes together is one table, which the page is written from and every other combination is refused by."""

from itertools import product

import pytest

from local.combinations_page import PAGE, text
from marketplace.domain.combinations import POSSIBLE, Discount, TaxMode, Way, require_combination
from marketplace.domain.errors import CombinationRefused
from marketplace.domain.transactions import ChargeType


def test_the_page_is_the_tables() -> None:
    assert PAGE.read_text() == text(), "make openapi"


def test_every_combination_is_a_row_or_refused() -> None:
    rows = {row[:4] for row in POSSIBLE}
    for terms in product(Way, ChargeType, TaxMode, Discount):
        if terms in rows:
            assert require_combination(*terms)[:4] == terms
        else:
            with pytest.raises(CombinationRefused):
                require_combination(*terms)


def test_nothing_is_taxed_or_discounted_off_session() -> None:
    usual = {(TaxMode.NONE, Discount.NONE)}
    assert {row[2:4] for row in POSSIBLE if row.way is Way.OFF_SESSION} == usual
