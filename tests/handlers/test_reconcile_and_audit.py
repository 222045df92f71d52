"""The hourly functions: they reconcile, close and audit, and count what is open for the alarms."""

import io
import json
from typing import Any

import pytest

from marketplace.domain.commands import Doubt
from marketplace.operations import Operation
from marketplace.ports import Done, NoAnswer

from .backend import OPERATOR, Backend, Context

AT = 1_795_000_000


def topup(amount: int) -> dict[str, Any]:
    """A balance transaction that nothing is known of, its source expanded."""
    return {
        "id": "txn_1", "object": "balance_transaction", "type": "topup", "reporting_category": "topup",
        "amount": amount, "fee": 0, "fee_details": [], "currency": "usd", "created": AT,
        "source": {"id": "tu_1", "object": "topup"},
    }  # fmt: skip


def counted(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def test_what_is_unexplained_is_counted_and_so_is_what_stays_open(
    backend: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    page = {"object": "list", "data": [topup(500)], "has_more": False}
    backend.stripe.answers[Operation.LIST_BALANCE_TRANSACTIONS] = [Done(page)]
    backend.modules["schedules.reconcile"].handler({}, Context(left_ms=500_000))
    first = counted(capsys)
    assert (first["pages"], first["unexplained"], first["matched"], first["troubles"]) == (1, 1, 0, 0)
    backend.modules["schedules.audit"].handler({}, Context(left_ms=500_000))
    second = counted(capsys)
    assert (second["discrepancies"], second["findings"]) == (1, 0)
    (asked,) = backend.stripe.asked
    assert asked.params["created"]["lt"] == int(backend.clock.now().timestamp()) - 120
    assert (asked.params["limit"], asked.params["expand"]) == (100, ["data.source"])


def test_an_account_that_stripe_does_not_answer_for_is_told_of_and_stays_due(
    backend: Backend, capsys: pytest.CaptureFixture[str], log: io.StringIO
) -> None:
    backend.stripe.answers[Operation.LIST_BALANCE_TRANSACTIONS] = [NoAnswer(Doubt.NO_ANSWER)]
    backend.modules["schedules.reconcile"].handler({}, Context(left_ms=500_000))
    assert counted(capsys)["troubles"] == 1
    told = json.loads(log.getvalue().splitlines()[-1])
    assert (told["message"], told["item_id"], told["error"]) == ("not reconciled", "platform", "StripeUnavailable")
    backend.modules["schedules.reconcile"].handler({}, Context(left_ms=500_000))
    assert counted(capsys)["pages"] == 1


def test_f27_with_too_little_time_no_page_is_begun(backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    backend.modules["schedules.reconcile"].handler({}, Context(left_ms=40_000))
    assert counted(capsys)["pages"] == 0
    assert backend.stripe.asked == []


def test_a_payout_of_which_stripe_does_not_list_all_is_looked_at_again_and_at_last_shown_as_it_is(
    backend: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    source = {"id": "po_1", "object": "payout", "automatic": True}
    payout = {**topup(-900), "type": "payout", "reporting_category": "payout", "source": source}
    own_line = Done({"object": "list", "data": [payout], "has_more": False})
    backend.stripe.answers[Operation.LIST_BALANCE_TRANSACTIONS] = [own_line, own_line]
    backend.modules["schedules.reconcile"].handler({}, Context(left_ms=500_000))
    assert counted(capsys)["pages"] == 2
    (waiting,) = backend.send(OPERATOR, "GET", "/reconciliations/payouts").json["data"]
    assert (waiting["payout_id"], waiting["amount"], waiting["is_done"]) == ("po_1", 900, False)
    backend.wait(8 * 86_400)
    empty = Done({"object": "list", "data": [], "has_more": False})
    is_of_payout = {"platform": empty, "po_1": own_line}
    backend.stripe.answers[Operation.LIST_BALANCE_TRANSACTIONS] = [is_of_payout["platform"], is_of_payout["po_1"]]
    backend.modules["schedules.reconcile"].handler({}, Context(left_ms=500_000))
    (shown,) = backend.send(OPERATOR, "GET", "/reconciliations/payouts").json["data"]
    assert (shown["is_done"], shown["difference"]) == (True, -900)
    assert backend.stripe.asked[-1].params["payout"] == "po_1"


def test_a_line_of_a_sale_is_kept_with_it(backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    sale = backend.paid_sale(backend.merchant())
    charge = {"id": "ch_1", "object": "charge", "metadata": {"transaction_id": sale}}
    line = {**topup(1_000), "type": "charge", "reporting_category": "charge", "source": charge}
    page = {"object": "list", "data": [line], "has_more": False}
    backend.stripe.answers[Operation.LIST_BALANCE_TRANSACTIONS] = [Done(page)]
    backend.modules["schedules.reconcile"].handler({}, Context(left_ms=500_000))
    assert counted(capsys)["unexplained"] == 0
    assert [each.id for each in backend.books(sale).balance_transactions] == ["txn_1"]
