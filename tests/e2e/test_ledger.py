"""The ledger through HTTP, over the local cloud's DynamoDB: reconciled with Stripe, closed, audited, exported."""

import csv
import io
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest

from .shop import Json, Shop, done, until


@pytest.fixture(scope="module")
def sold(shop: Shop) -> Json:
    """A sale of which a part was refunded, taken in from Stripe's balance transactions."""
    merchant = shop.ready_merchant()
    sale = shop.paid_sale(merchant, 10_000)
    done(shop.refund(sale["id"], 4_000))
    shop.quiet()
    shop.invoke("ReconcileFunction", is_asked=True)
    return {**shop.record(sale["id"]), "account_id": merchant["account_id"]}


def test_the_platform_and_the_merchant_s_account_are_explained(shop: Shop, sold: Json) -> None:
    for account in ("platform", sold["account_id"]):
        until(lambda: shop.reconciled(sold["id"]), lambda _: _is_reconciled(shop, account))  # noqa: B023 - called at once
    payouts = done(shop.operator.get("/reconciliations/payouts"))
    assert payouts["data"] == []


def _is_reconciled(shop: Shop, account: str) -> bool:
    days = done(shop.operator.get("/reconciliations", account=account))["data"]
    ours = done(shop.operator.get("/reconciliations/discrepancies", limit="100"))["data"]
    return bool(days) and account not in {each["account"] for each in ours if each["status"] == "unmatched"}


def test_the_trial_balance_balances(shop: Shop, sold: Json) -> None:
    found = done(shop.operator.get("/ledger/trial-balance"))
    assert [total["debit"] - total["credit"] for total in found["totals"]] == [0]
    (row,) = (row for row in found["accounts"] if row["account"] == "stripe_balance")
    alone = done(shop.operator.get("/ledger/accounts/stripe_balance"))
    assert [each["balance"] for each in alone["balances"]] == [row["balance"]]
    payable = done(shop.operator.get(f"/ledger/accounts/merchant_payable:{sold['legs'][0]['merchant_id']}"))
    assert payable["balances"] == []  # at rest


def test_the_audit_finds_nothing_wrong_with_it(shop: Shop, sold: Json) -> None:
    shop.invoke("AuditFunction")
    assert sold["id"] not in {each["transaction_id"] for each in done(shop.operator.get("/audits/findings"))["data"]}


def test_the_export_adds_up(shop: Shop, sold: Json) -> None:
    since = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    answer = shop.operator.get("/exports/ledger", since=since)
    assert (answer.status_code, answer.headers["export-complete"]) == (200, "true")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    sums: dict[str, int] = defaultdict(int)
    closing: dict[str, int] = {}
    for row in rows:
        amount = int(row["debit_minor"] or 0) - int(row["credit_minor"] or 0)
        if row["description"] == "closing balance":
            closing[row["account"]] = amount
        else:
            sums[row["account"]] += amount
    assert {account: amount for account, amount in sums.items() if amount} == closing
    assert sold["id"] in {row["transaction_id"] for row in rows}
    sales = csv.DictReader(io.StringIO(shop.operator.get("/exports/transactions", since=since).text))
    (found,) = (row for row in sales if row["transaction_id"] == sold["id"])
    assert (found["amount"], found["refunded"], found["processing_fee"]) == ("100.00", "40.00", "3.20")
