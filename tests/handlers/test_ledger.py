"""The ledger's routes: what an operator reads, and that nobody else does."""

import csv
import io
from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from marketplace.domain.ledger import EntryKind, JournalEntry, lines_of
from marketplace.ports import Create
from marketplace.services.ledger import close

from .backend import BUYER, OPERATOR, Backend, merchant_user

ROUTES = (
    "/ledger/trial-balance", "/ledger/accounts", "/ledger/accounts/losses", "/reconciliations",
    "/reconciliations/discrepancies", "/reconciliations/payouts", "/audits", "/audits/findings",
    "/exports/ledger", "/exports/transactions",
)  # fmt: skip
SINCE = "2026-11-01T00:00:00Z"


def get(backend: Backend, path: str, **query: str) -> Any:
    answer = backend.send(OPERATOR, "GET", path, query=query)
    assert answer.status == 200, answer.text
    return answer.json


def export(backend: Backend, what: str, **query: str) -> tuple[list[dict[str, str]], dict[str, str]]:
    answer = backend.send(OPERATOR, "GET", f"/exports/{what}", query=query)
    assert answer.status == 200, answer.text
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.text.count("\n") == answer.text.count("\r\n")
    return list(csv.DictReader(io.StringIO(answer.text, newline=""))), dict(answer.headers)


def amount_of(row: dict[str, str]) -> Decimal:
    return Decimal(row["debit"] or 0) - Decimal(row["credit"] or 0)


def test_the_trial_balance_balances_and_so_does_each_account(backend: Backend) -> None:
    backend.paid_sale(backend.merchant())
    backend.wait(1)
    found = get(backend, "/ledger/trial-balance")
    assert [(row["account"], row["balance"], row["debit"], row["credit"]) for row in found["accounts"]] == [
        ("charge_clearing", -1000, 0, 1000),
        ("stripe_balance", 1000, 1000, 0),
    ]
    assert found["totals"] == [{"currency": "usd", "debit": 1000, "credit": 1000}]
    assert datetime.fromisoformat(found["at"]) == backend.clock.now()
    one = get(backend, "/ledger/accounts/stripe_balance")
    assert [row["balance"] for row in one["balances"]] == [1000]
    assert get(backend, "/ledger/accounts/nothing")["balances"] == []


def test_accounts_are_listed_page_by_page(backend: Backend) -> None:
    backend.paid_sale(backend.merchant())
    backend.wait(1)
    first = get(backend, "/ledger/accounts", limit="1")
    second = get(backend, "/ledger/accounts", limit="1", cursor=first["cursor"])
    assert [row["account"] for row in first["data"] + second["data"]] == ["charge_clearing", "stripe_balance"]
    assert second["cursor"] is None


def test_an_earlier_moment_has_what_was_booked_before_it(backend: Backend) -> None:
    merchant_id = backend.merchant()
    before = backend.clock.now().isoformat().replace("+00:00", "Z")
    backend.paid_sale(merchant_id)
    backend.wait(7_200)
    assert close(backend.ports_of("ledger.app"), has_time=lambda: True) == 1
    assert get(backend, "/ledger/trial-balance", at=before)["accounts"] == []
    assert len(get(backend, "/ledger/trial-balance")["accounts"]) == 2


@pytest.mark.parametrize("at", ["2027-01-01T00:00:00Z", "yesterday", "2026-11-01T00:00:00"])
def test_a_moment_that_is_none_or_ahead_is_one_problem(backend: Backend, at: str) -> None:
    answer = backend.send(OPERATOR, "GET", "/ledger/trial-balance", query={"at": at})
    assert answer.problem == ("invalid-period" if at.startswith("2027") else "invalid-request")


def test_each_line_of_a_sale_s_ledger_has_the_balance_after_it(backend: Backend) -> None:
    transaction_id = backend.paid_sale(backend.merchant())
    (entry,) = get(backend, f"/transactions/{transaction_id}/ledger")["data"]
    assert [(line["account"], line["balance"]) for line in entry["lines"]] == [
        ("stripe_balance", 1000),
        ("charge_clearing", -1000),
    ]


@pytest.mark.parametrize("path", ROUTES)
def test_the_ledger_is_the_operator_s_alone(backend: Backend, path: str) -> None:
    for user in (BUYER, merchant_user("merchant-" + 26 * "0")):
        assert backend.send(user, "GET", path, query={"since": SINCE}).problem == "not-allowed"


@pytest.mark.parametrize("path", ["/reconciliations", "/reconciliations/discrepancies", "/audits", "/audits/findings"])
def test_a_cursor_that_no_list_gave_out_is_refused(backend: Backend, path: str) -> None:
    assert backend.send(OPERATOR, "GET", path, query={"cursor": "made-up"}).problem == "invalid-cursor"


def booked(backend: Backend, number: int, currency: str, amount: int, transaction_id: str) -> None:
    lines = lines_of(
        currency, ("stripe_balance", amount, f"ch_{number}"), ("=HYPERLINK(1)", -amount, None)
    )  # an account of that name would be somebody's attack
    entry = JournalEntry(
        transaction_id=transaction_id, object_id=f"ch_{number}", kind=EntryKind.CHARGE,
        occurred_at=backend.clock.now(), lines=lines,
    )  # fmt: skip
    backend.store.commit(Create(entry))
    backend.wait(1)


def test_in_an_export_opening_balance_and_lines_are_the_closing_balance(backend: Backend) -> None:
    sale = backend.paid_sale(backend.merchant())
    for number, (currency, amount) in enumerate((("usd", 1050), ("jpy", 1050), ("kwd", 1050), ("usd", -70)), start=2):
        booked(backend, number, currency, amount, sale)
    middle = backend.clock.now()
    for number, (currency, amount) in enumerate((("usd", 5), ("kwd", -2000)), start=9):
        booked(backend, number, currency, amount, sale)
    since = middle.isoformat().replace("+00:00", "Z")
    closing: dict[tuple[str, str], Decimal] = {}
    for query, lines in (({"since": SINCE}, 14), ({"since": since}, 4)):
        rows, headers = export(backend, "ledger", **query)
        assert headers["Export-Complete"] == "true"
        sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        closing = {}
        for row in rows:
            key = row["account"], row["currency"]
            if row["description"] == "closing balance":
                closing[key] = amount_of(row)
            else:
                sums[key] += amount_of(row)
        assert {key: amount for key, amount in sums.items() if amount} == closing
        assert len([row for row in rows if "balance" not in row["description"]]) == lines
    assert closing["stripe_balance", "kwd"] == Decimal("-0.950")
    assert closing["stripe_balance", "jpy"] == 1050


def test_in_an_export_amounts_have_their_currency_s_decimals_and_no_cell_is_a_formula(backend: Backend) -> None:
    sale = backend.paid_sale(backend.merchant())
    booked(backend, 7, "kwd", 1050, sale)
    booked(backend, 8, "jpy", 1050, sale)
    rows, headers = export(backend, "ledger", since=SINCE)
    found = {(row["stripe_id"], row["debit"], row["debit_minor"]) for row in rows if row["debit"] and row["stripe_id"]}
    assert found == {("ch_1", "10.00", "1000"), ("ch_7", "1.050", "1050"), ("ch_8", "1050", "1050")}
    assert {row["account"][0] for row in rows} == {"s", "c", "'"}
    assert headers["Content-Disposition"].startswith('attachment; filename="ledger-2026-11-01-')


def test_a_file_that_would_be_too_long_says_where_the_next_one_begins(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    from marketplace.services import exports  # noqa: PLC0415 - beside what is patched

    monkeypatch.setattr(exports, "MOST_LINES", 5)
    sale = backend.paid_sale(backend.merchant())
    for number in range(2, 9):
        booked(backend, number, "usd", number, sale)
    since, ids, files = SINCE, [], 0
    while True:
        rows, headers = export(backend, "ledger", since=since.replace("+00:00", "Z"))
        ids += [row["stripe_id"] for row in rows if row["stripe_id"] and row["account"] == "stripe_balance"]
        files += 1
        if headers["Export-Complete"] == "true":
            break
        since = headers["Export-Until"]
    assert ids == [f"ch_{number}" for number in range(1, 9)]
    assert files == 4


def test_transactions_that_were_paid_in_a_period_are_exported(backend: Backend) -> None:
    transaction_id = backend.paid_sale(backend.merchant())
    backend.wait(1)
    (row,), _ = export(backend, "transactions", since=SINCE)
    assert (row["transaction_id"], row["status"], row["amount"], row["platform_fee"], row["currency"]) == (
        transaction_id, "paid", "10.00", "1.00", "usd",
    )  # fmt: skip
    since = backend.clock.now().isoformat().replace("+00:00", "Z")
    backend.wait(1)
    assert export(backend, "transactions", since=since)[0] == []


def test_a_period_that_ends_before_it_begins_is_refused(backend: Backend) -> None:
    query = {"since": "2026-11-02T00:00:00Z", "until": "2026-11-01T00:00:00Z"}
    assert backend.send(OPERATOR, "GET", "/exports/ledger", query=query).problem == "invalid-period"
    assert backend.send(OPERATOR, "GET", "/exports/ledger").problem == "invalid-request"


def test_a_period_is_read_a_month_at_a_time_and_none_before_there_was_a_ledger(backend: Backend) -> None:
    asked: list[str] = []
    backend.store.before = lambda call, _: asked.append(call)
    for path in ("ledger", "transactions"):
        _, headers = export(backend, path, since="2025-11-01T00:00:00Z")
        assert (headers["Export-Complete"], headers["Export-Until"]) == ("false", "2025-12-02T00:00:00+00:00")
    assert asked.count("journal") == 3  # and the opening balance of one of them
    for query in ({"since": "2019-12-31T23:59:59Z"}, {"since": "0001-01-01T00:00:00Z"}):
        assert backend.send(OPERATOR, "GET", "/exports/ledger", query=query).problem == "invalid-period"
        assert backend.send(OPERATOR, "GET", "/exports/transactions", query=query).problem == "invalid-period"
        at = {"at": query["since"]}
        assert backend.send(OPERATOR, "GET", "/ledger/trial-balance", query=at).problem == "invalid-period"
