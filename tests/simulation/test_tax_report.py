"""The report of tax adds up with the ledger's accounts to the cent, whatever the period, and with Stripe's own sums."""

import csv
import io
from datetime import timedelta

import pytest

from marketplace.domain.errors import InvalidPeriod, NotAllowed
from marketplace.domain.principals import Principal, Role
from marketplace.domain.tax_reports import tax_csv
from marketplace.services import tax_reports
from marketplace.services.ledger import trial_balance
from marketplace.services.tax_reports import TaxReport, tax_report

from .market import OPERATOR, Market
from .test_taxed_and_discounted import mixed, pay, sell, taxed


def report(market: Market, *, days: int = 1) -> TaxReport:
    return tax_report(market.ports, OPERATOR, market.clock.now() - timedelta(days=days), None)


def test_what_was_collected_and_returned_is_what_stripe_says_of_both() -> None:
    market = taxed(Market())
    _, session, _ = mixed(market)
    (charge,) = market.at_stripe("/v1/charges")
    market.refund(session.transaction_id, 5_355, key="half")
    market.take_in(*market.events())
    other = sell(market, {market.ready_merchant("Linen"): 1_000}, automatic_tax=True, key="other")
    pay(market, other)
    market.advance(60)
    (row,) = report(market).rows
    sessions = [
        market.simulator.request("GET", f"/v1/checkout/sessions/{each.checkout_session_id}", {}).json()
        for each in (session, other)
    ]
    assert row.collected == sum(each["total_details"]["amount_tax"] for each in sessions) == 1_710 + 190
    assert (row.jurisdiction, row.currency, row.opening, row.returned) == ("de.country.vat", "usd", 0, 855)
    assert row.due == 1_045
    ledger = trial_balance(market.ports, OPERATOR, None, account="tax_payable:de.country.vat")
    assert ledger.balances == {("tax_payable:de.country.vat", "usd"): -row.due}
    dispute = market.order(f"/_simulator/charges/{charge['id']}/dispute", amount=5_355)
    market.take_in(*market.events())
    market.advance(60)
    assert report(market).rows[0].due == 190
    market.order(f"/_simulator/disputes/{dispute['id']}/decide", outcome="won")
    market.take_in(*market.events())
    market.advance(60)
    assert report(market).rows[0].due == 1_045


def test_the_next_period_begins_with_what_the_last_one_left_due() -> None:
    market = taxed(Market())
    mixed(market)
    market.advance(3_600)
    middle = market.clock.now()
    (sale,) = market.all_transactions()
    market.refund(sale.transaction.id, None, key="all")
    market.take_in(*market.events())
    market.advance(60)
    first = tax_report(market.ports, OPERATOR, middle - timedelta(days=1), middle).rows
    second = tax_report(market.ports, OPERATOR, middle, None).rows
    assert [(row.opening, row.collected, row.returned, row.due) for row in (*first, *second)] == [
        (0, 1_710, 0, 1_710),
        (1_710, 0, 1_710, 0),
    ]
    rows = list(csv.DictReader(io.StringIO(tax_csv(first))))
    assert [(row["jurisdiction"], row["due"], row["due_minor"]) for row in rows] == [
        ("de.country.vat", "17.10", "1710")
    ]


def test_a_report_that_one_answer_does_not_hold_says_where_the_next_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    market = taxed(Market())
    clay = market.ready_merchant()
    for number in range(4):
        pay(market, sell(market, {clay: 10_000}, automatic_tax=True, key=f"sale-{number}"))
        market.advance(60)
    whole = report(market)
    assert whole.is_complete
    monkeypatch.setattr(tax_reports, "MOST_ENTRIES", 5)
    since, collected = whole.since, 0
    for _ in range(10):
        part = tax_report(market.ports, OPERATOR, since, whole.until)
        collected += sum(row.collected for row in part.rows)
        since = part.until
        if part.is_complete:
            break
    assert collected == whole.rows[0].collected == 4 * 1_900


def test_only_operators_read_it_and_only_of_the_past() -> None:
    market = Market()
    with pytest.raises(NotAllowed):
        tax_report(market.ports, Principal(role=Role.MERCHANT, subject="m", merchant_id="m"), market.clock.now(), None)
    with pytest.raises(InvalidPeriod):
        tax_report(market.ports, OPERATOR, market.clock.now(), market.in_days(1))
