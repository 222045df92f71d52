"""Statements of merchants against the balances that the simulator had at those moments, whatever happened."""

import csv
import io
import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import combinations, pairwise
from typing import override

import pytest
from hypothesis import seed
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from marketplace.domain.debts import DebtStatus
from marketplace.domain.errors import InvalidPeriod, NotFound, PayoutNotItemized, Unavailable
from marketplace.domain.merchants import Merchant
from marketplace.domain.statement_csv import statement_csv
from marketplace.domain.statements import Statement, StatementKind, StatementLine
from marketplace.operations import Operation
from marketplace.services import statements
from marketplace.services.payouts import list_payouts
from marketplace.services.reconciliation import reconcile
from marketplace.services.statements import payout_lines, statement

from .market import OPERATOR, Market
from .test_histories import RANDOM, Histories, chances
from .test_payouts import AT_ONCE, DAY, as_user, funded, pay_out

HISTORIES = 40
K = StatementKind
NO_MARGIN = timedelta()


def told(market: Market, merchant: Merchant, since: datetime, until: datetime | None = None) -> Statement:
    return statement(market.ports, as_user(merchant), merchant.id, since, until, settled_after=NO_MARGIN)


def opening(made: Statement) -> dict[str, int]:
    return {each.currency: each.opening for each in made.balances if each.opening}


def closing(made: Statement) -> dict[str, int]:
    return {each.currency: each.closing for each in made.balances if each.closing}


def movements(made: Statement) -> dict[StatementKind, int]:
    (only,) = made.balances
    return dict(only.movements)


def mark(market: Market, merchant: Merchant) -> tuple[datetime, dict[str, int]]:
    """A moment at which nothing else happened, and the merchant's balance then."""
    market.advance(1)
    at, balance = market.clock.now(), market.stripe_balance(merchant.account_id)
    market.advance(1)
    return at, balance


def test_a_statement_says_what_each_movement_is_and_adds_up() -> None:
    market = Market()
    merchant = market.ready_merchant()
    market.onboard(merchant)
    begin, _ = mark(market, merchant)
    session = market.sell(merchant, 10_000)
    market.pay(session, card=AT_ONCE)
    market.take_in(*market.events())
    market.advance(5)
    market.refund(session.transaction_id, 3_000, key="r")
    market.advance(5)
    payout = pay_out(market, 5_000)
    market.advance(3 * DAY)
    market.order(f"/_simulator/payouts/{payout.stripe_payout_id}/fail", failure_code="account_closed")
    market.take_in(*market.events())
    market.advance(5)
    made = told(market, merchant, begin)
    assert movements(made) == {K.SALE: 10_000, K.FEE: -700, K.REFUND: -3_000}
    assert [each.kind for each in made.lines if each.kind is K.PAYOUT] == [K.PAYOUT, K.PAYOUT]
    assert sum(each.net for each in made.lines if each.kind is K.PAYOUT) == 0
    assert (opening(made), closing(made)) == ({}, {"usd": 6_300})
    assert made.is_complete
    assert [each.created for each in made.lines] == sorted(each.created for each in made.lines)


def test_a_dispute_a_debt_and_a_reversal_by_hand_are_told_apart_by_the_books() -> None:
    market = Market()
    clay, linen = market.ready_merchant("Clay"), market.ready_merchant("Linen")
    market.onboard(clay)
    begin, _ = mark(market, clay)
    sales = []
    for key in ("a", "b"):
        sales.append(market.sell_cart({clay: 6_000, linen: 4_000}, key=key))
        market.pay(sales[-1], card=AT_ONCE)
        market.take_in(*market.events())
    charge = str(market.books(sales[0].transaction_id).payment.charge_id)
    market.order(f"/_simulator/charges/{charge}/dispute", amount=5_000, reason="fraudulent")
    market.take_in(*market.events())
    left = market.stripe_balance(clay.account_id)["usd"]
    market.as_merchant(clay, "POST", "/v1/payouts", amount=left, currency="usd")
    market.refund(sales[1].transaction_id, None, key="all")
    market.take_in(*market.events())
    (debt,) = [each for each in market.debts() if each.merchant_id == clay.id]
    owed, _ = mark(market, clay)
    between = told(market, clay, begin, owed)
    assert movements(between)[K.DISPUTE] == -(2_700 + 900)
    assert K.DEBT not in movements(between)
    (usd,) = between.debts
    assert (usd.opening, usd.booked, usd.netted, usd.collected, usd.closing) == (0, debt.amount, 0, 0, debt.amount)
    market.pay(market.sell_cart({clay: 4_000, linen: 1_000}, key="c"), card=AT_ONCE)
    market.take_in(*market.events())
    market.come_to_rest()
    after = told(market, clay, owed)
    (usd,) = after.debts
    assert usd.opening == debt.amount
    assert usd.closing == sum(each.rest + each.collecting for each in market.debts() if each.merchant_id == clay.id)
    assert usd.opening - usd.netted - usd.collected == usd.closing
    assert usd.netted == 3_600
    whole = told(market, clay, begin)
    assert (whole.debts[0].opening, whole.debts[0].booked, whole.debts[0].closing) == (0, debt.amount, usd.closing)


def test_what_is_collected_of_a_debt_is_a_movement_of_the_balance_and_of_the_debt() -> None:
    market = Market()
    merchant = funded(market)
    (first,) = market.all_transactions()
    session = market.sell(merchant, 10_000, key="second")
    market.pay(session, card=AT_ONCE)
    market.take_in(*market.events())
    pay_out(market, 18_000)
    market.refund(first.transaction.id, None, key="all")
    market.take_in(*market.events())
    begin, _ = mark(market, merchant)
    owed = market.debts_open()
    assert owed or market.stripe_balance(merchant.account_id)["usd"] < 0
    third = market.sell(merchant, 30_000, key="third")
    market.pay(third, card=AT_ONCE)
    market.take_in(*market.events())
    market.come_to_rest()
    made = told(market, merchant, begin)
    collected = sum(each.collected for each in made.debts)
    assert collected == -movements(made).get(K.DEBT, 0)
    assert sum(each.closing for each in made.debts) == market.debts_open()


def test_yen_and_dinars_are_statements_of_their_own() -> None:
    market = Market()
    merchant = market.ready_merchant()
    begin, _ = mark(market, merchant)
    for currency, amount in (("jpy", 10_001), ("kwd", 33_330)):
        market.pay(market.sell(merchant, amount, currency=currency, key=currency))
        market.take_in(*market.events())
    _, balance = mark(market, merchant)
    made = told(market, merchant, begin)
    assert closing(made) == balance
    assert [each.currency for each in made.balances] == ["jpy", "kwd"]
    rows = list(csv.DictReader(io.StringIO(statement_csv(made))))
    assert [row["balance"] for row in rows if row["kind"] == "closing balance"] == [
        "9001",
        "30.000",
    ]  # of fees in tens of fils


def test_the_file_adds_up_row_by_row() -> None:
    market = Market()
    merchant = funded(market)
    begin, balance = mark(market, merchant)
    (sale,) = market.all_transactions()
    market.refund(sale.transaction.id, 2_000, key="r")
    pay_out(market, 1_000)
    market.advance(5)
    rows = list(csv.DictReader(io.StringIO(statement_csv(told(market, merchant, begin)))))
    running = int(rows[0]["balance_minor"])
    assert (rows[0]["kind"], running, rows[0]["balance"]) == ("opening balance", balance["usd"], "90.00")
    for row in rows[1:-1]:
        running += int(row["net_minor"])
        assert int(row["balance_minor"]) == running
    assert (rows[-1]["kind"], int(rows[-1]["balance_minor"])) == ("closing balance", running)
    assert running == market.stripe_balance(merchant.account_id)["usd"]


def months(market: Market, merchant: Merchant, days: int) -> list[tuple[datetime, dict[str, int]]]:
    """Some sales a day, reconciled every day but the last few."""
    marks = [mark(market, merchant)]
    for day in range(days):
        for number in range(1 + day % 3):
            market.pay(market.sell(merchant, 1_000 + 7 * day, key=f"{day}.{number}"), card=AT_ONCE)
            market.take_in(*market.events())
            market.advance(600)
        marks.append(mark(market, merchant))
        market.advance(DAY // 2 + 7)
        if day < days - 3:
            reconcile(market.ports, has_time=lambda: True, is_asked=True)
        market.advance(DAY // 2)
    return marks


def parts(market: Market, merchant: Merchant, since: datetime, until: datetime) -> Iterator[Statement]:
    while True:
        made = told(market, merchant, since, until)
        yield made
        if made.is_complete:
            return
        assert made.until > since
        since = made.until


def test_an_old_statement_is_as_exact_as_a_new_one_and_reads_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    market = Market()
    merchant = market.ready_merchant()
    marks = months(market, merchant, 20)
    for (since, before), (until, after) in combinations(marks[::3], 2):
        made = told(market, merchant, since, until)
        assert (opening(made), closing(made), made.is_complete) == (before, after, True)
    calls = []
    for since, until in ((marks[3][0], marks[4][0]), (marks[-2][0], marks[-1][0])):
        market.calls.clear()
        told(market, merchant, since, until)
        calls.append(Counter(market.calls))
    assert calls[0][Operation.READ_BALANCE] == calls[1][Operation.READ_BALANCE] == 1
    assert calls[0][Operation.LIST_BALANCE_TRANSACTIONS] <= 5  # its lines, the rest of its day, the days since the walk
    monkeypatch.setattr(statements, "MOST_LINES", 4)
    made_of = list(parts(market, merchant, marks[0][0], marks[-1][0]))
    assert len(made_of) > 5
    assert all(opening(later) == closing(earlier) for earlier, later in pairwise(made_of))
    assert opening(made_of[0]) == marks[0][1]
    assert closing(made_of[-1]) == marks[-1][1]
    ids = [line.id for made in made_of for line in made.lines]
    monkeypatch.undo()
    assert ids == [line.id for line in told(market, merchant, marks[0][0], marks[-1][0]).lines]


def test_the_last_seconds_are_left_to_the_next_statement() -> None:
    market = Market()
    merchant = funded(market)
    begin = market.clock.now() - timedelta(hours=1)
    market.advance(90)
    made = statement(market.ports, OPERATOR, merchant.id, begin, None)
    assert (made.is_complete, made.lines, made.until) == (False, [], market.clock.now() - timedelta(minutes=2))
    market.advance(60)
    assert statement(market.ports, OPERATOR, merchant.id, begin, None).lines


def test_a_balance_that_moves_while_it_is_read_is_read_again_and_never_told_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    market = Market()
    merchant = funded(market)
    since = market.clock.now() - timedelta(hours=1)
    market.advance(1)
    balance, read, times = market.stripe_balance(merchant.account_id), statements._balance, [1]

    def moving(ports: object, account: str) -> Counter[str]:
        if times[0]:
            times[0] -= 1
            market.as_merchant(merchant, "POST", "/v1/payouts", amount=100, currency="usd")
        return read(ports, account)  # type: ignore[arg-type]  # Ports

    monkeypatch.setattr(statements, "_balance", moving)
    assert closing(told(market, merchant, since)) == balance
    times[0] = 99
    with pytest.raises(Unavailable):
        told(market, merchant, since)


def test_periods_that_cannot_be_and_merchants_that_are_not_one_s_own() -> None:
    market = Market()
    merchant = funded(market)
    now = market.clock.now()
    for since, until in ((now, None), (now, now), (now + timedelta(1), None), (now, now + timedelta(1))):
        with pytest.raises(InvalidPeriod):
            told(market, merchant, since, until)
    market.calls.clear()
    with pytest.raises(NotFound):
        statement(market.ports, as_user(market.ready_merchant("Linen")), merchant.id, now - timedelta(1), None)
    assert Operation.READ_BALANCE not in market.calls


def test_an_automatic_payout_is_made_of_its_transactions_and_one_that_was_asked_for_of_none() -> None:
    market = Market()
    merchant = funded(market)
    asked = pay_out(market, 1_000)
    market.as_merchant(
        merchant, "POST", "/v1/balance_settings", payments={"payouts": {"schedule": {"interval": "daily"}}}
    )
    market.pay(market.sell(merchant, 20_000, key="second"), card=AT_ONCE)
    market.advance(2 * DAY)
    market.take_in(*market.events())
    automatic = [
        each
        for each in list_payouts(market.ports, OPERATOR, merchant.id, cursor=None, limit=10).items
        if each.is_automatic
    ]
    assert automatic
    for payout in automatic:
        found: list[StatementLine] = []
        cursor: str | None = None
        while True:
            page = payout_lines(market.ports, as_user(merchant), merchant.id, payout.id, cursor=cursor, limit=1)
            found += page.items
            cursor = page.cursor
            if cursor is None:
                break
        assert len(found) > 1
        assert sum(line.net for line in found) == 0
        assert payout.stripe_payout_id in {line.stripe_id for line in found}
    with pytest.raises(PayoutNotItemized):
        payout_lines(market.ports, OPERATOR, merchant.id, asked.id, cursor=None, limit=10)


class Stated(Histories):
    """The same, with payouts that fail, and the merchants' balances noted now and then."""

    @initialize(seed=chances)
    @override
    def open_shop(self, seed: int) -> None:
        super().open_shop(seed)
        self.chance = random.Random(seed)
        self.noted: list[tuple[datetime, list[dict[str, int]]]] = []
        self.note()

    @rule()
    def note(self) -> None:
        self.market.advance(1)
        balances = [self.market.stripe_balance(each.account_id) for each in self.merchants]
        self.noted.append((self.market.clock.now(), balances))
        self.market.advance(1)
        self.hear()

    @rule(pick=chances, part=chances)
    def pay_out_and_back(self, pick: int, part: int) -> None:
        merchant = self.merchants[pick % 3]
        has = self.market.stripe_balance(merchant.account_id).get("usd", 0)
        if has <= 0:
            return
        headers = {"Stripe-Account": str(merchant.account_id)}
        params = {"amount": 1 + part % has, "currency": "usd"}
        made = self.market.simulator.request("POST", "/v1/payouts", params, headers=headers)
        if made.status == 200 and pick % 2:
            self.at_stripe(f"/_simulator/payouts/{made.json()['id']}/fail", failure_code="account_closed")
        self.hear()

    @rule(hours=chances, is_counted=chances)
    def time_passes(self, hours: int, is_counted: int) -> None:
        self.market.advance(3_600 * (hours % 40))
        if is_counted % 2:
            reconcile(self.market.ports, has_time=lambda: True, is_asked=True)
        self.hear()

    @override
    def teardown(self) -> None:
        super().teardown()
        if not hasattr(self, "market"):
            return
        self.note()
        for number, merchant in enumerate(self.merchants):
            for (since, before), (until, after) in self.some_periods():
                made = told(self.market, merchant, since, until)
                assert (opening(made), closing(made)) == (before[number], after[number])
                assert made.is_complete
                for each in made.balances:
                    assert each.opening + sum(each.movements.values()) == each.closing
                    of = [line.net for line in made.lines if line.currency == each.currency]
                    assert each.opening + sum(of) == each.closing
                for debt in made.debts:
                    paid = debt.netted + debt.collected + debt.written_off
                    assert debt.opening + debt.booked - paid == debt.closing
                assert K.OTHER not in {line.kind for line in made.lines}
            whole = told(self.market, merchant, self.noted[0][0])
            open_ones = [
                each
                for each in self.market.debts()
                if each.merchant_id == merchant.id and each.status is DebtStatus.OPEN
            ]
            assert sum(each.closing for each in whole.debts) == sum(each.rest + each.collecting for each in open_ones)
            assert sum(each.collected for each in whole.debts) == -sum(
                line.amount for line in whole.lines if line.kind is K.DEBT
            )

    def some_periods(self) -> list[tuple[tuple[datetime, list[dict[str, int]]], ...]]:
        pairs = list(combinations(self.noted, 2))
        return self.chance.sample(pairs, min(6, len(pairs)))


def test_every_history_is_a_statement_whose_opening_and_movements_are_its_closing() -> None:
    settings = hypothesis_settings(RANDOM, max_examples=HISTORIES)
    run_state_machine_as_test(seed(1)(Stated), settings=settings)
