"""Disputes: whose money moves when, what evidence and the bank decide, and what a refund may no longer do."""

import io
from itertools import product
from typing import Any

import pytest
import stripe

from local.stripe_simulator import Settings, Simulator
from local.stripe_simulator.clock import Clock
from local.stripe_simulator.funds import disputes
from local.stripe_simulator.funds.disputes import DISPUTES
from local.stripe_simulator.in_process import InProcessClient

from .conftest import START
from .paying import assert_exact, balance, booked, charge_of, context_of, heard, listen, pay, pay_seller, refused
from .shop import ready_seller

FEE = 1_500
STRIPE_FEE = 320  # 2.9% of 100.00, and 0.30
DAY = 86_400


@pytest.fixture
def seller(simulator: Simulator, client: stripe.StripeClient) -> str:
    return ready_seller(simulator, client)


def dispute(simulator: Simulator, charge: str, **more: Any) -> dict[str, Any]:
    answer = simulator.request("POST", f"/_simulator/charges/{charge}/dispute", more)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json()
    return found


def decide(simulator: Simulator, dispute_id: str, outcome: str) -> int:
    return simulator.request("POST", f"/_simulator/disputes/{dispute_id}/decide", {"outcome": outcome}).status


def only(client: stripe.StripeClient, account: str | None = None) -> stripe.Dispute:
    options: Any = {"stripe_account": account} if account else {}
    (found,) = client.v1.disputes.list({}, options).data
    return found


def say(client: stripe.StripeClient, dispute_id: str, text: str) -> stripe.Dispute:
    return client.v1.disputes.update(dispute_id, {"evidence": {"uncategorized_text": text}})


def test_a_dispute_takes_the_amount_and_the_fee_from_the_platform_and_nothing_from_the_seller(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    listen(simulator)
    intent = pay_seller(client, seller, payment_method="pm_card_createDispute")
    told = heard(simulator)
    assert told[-3:] == ["charge.updated", "charge.dispute.created", "charge.dispute.funds_withdrawn"]
    found = only(client)
    charge = client.v1.payment_intents.retrieve(intent.id).latest_charge
    assert (found.status, found.reason, found.amount) == ("needs_response", "fraudulent", 10_000)
    assert (found.charge, found.payment_intent) == (charge, intent.id)
    assert booked(client)[-1] == ("adjustment", -10_000, FEE, -11_500)
    (moved,) = found.balance_transactions
    assert (moved.reporting_category, moved.source, moved.status) == ("dispute", found.id, "pending")
    assert balance(client) == (0, 1_000 - STRIPE_FEE - 11_500)
    assert balance(client, seller) == (0, 9_000)
    assert client.v1.charges.retrieve(str(found.charge)).disputed
    assert_exact(simulator)
    simulator.advance(3 * DAY)
    assert [each.status for each in client.v1.disputes.retrieve(found.id).balance_transactions] == ["available"]
    assert_exact(simulator)


def test_a_direct_charge_is_disputed_on_the_connected_account(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    merchant: Any = {"merchant": {"capabilities": {"card_payments": {"requested": True}}}}
    account = ready_seller(simulator, client, configuration=merchant)
    params: Any = {"amount": 10_000, "currency": "usd", "confirm": True, "payment_method": "pm_card_createDispute"}
    params["application_fee_amount"] = 1_000
    client.v1.payment_intents.create(params, {"stripe_account": account})
    simulator.run_due()
    assert client.v1.disputes.list().data == []
    assert only(client, account).amount == 10_000
    owed = 11_500 - (10_000 - STRIPE_FEE - 1_000)
    assert balance(client, account) == (0, -owed)
    assert balance(client) == (-owed, 1_000)  # kept for the account, whose losses are the platform's
    assert_exact(simulator)


@pytest.mark.parametrize("returns_fee", [False, True])
def test_winning_evidence_brings_the_money_back(returns_fee: bool) -> None:
    settings = Settings(won_dispute_returns_fee=returns_fee)
    simulator = Simulator(clock=Clock.standing(START), seed=7, settings=settings)
    client = stripe.StripeClient("sk_test_1", http_client=InProcessClient(simulator))
    pay(client, payment_method="pm_card_createDispute")
    found = only(client)
    listen(simulator)
    answered = say(client, found.id, "winning_evidence")
    assert (answered.status, answered.evidence_details.submission_count) == ("under_review", 1)
    simulator.advance(3)
    assert heard(simulator) == ["charge.dispute.updated", "charge.dispute.closed", "charge.dispute.funds_reinstated"]
    won = client.v1.disputes.retrieve(found.id)
    assert (won.status, [each.net for each in won.balance_transactions]) == (
        "won",
        [-11_500, 11_500 if returns_fee else 10_000],
    )
    assert balance(client) == (0, 10_000 - STRIPE_FEE - (0 if returns_fee else FEE))
    assert client.v1.refunds.create({"charge": str(won.charge)}).status == "succeeded"
    assert_exact(simulator)


def test_losing_evidence_and_accepting_and_silence_all_lose(simulator: Simulator, client: stripe.StripeClient) -> None:
    ids = []
    for _ in range(3):
        pay(client, payment_method="pm_card_createDisputeProductNotReceived")
        ids.append(client.v1.disputes.list().data[0].id)
    say(client, ids[0], "losing_evidence")
    client.v1.disputes.close(ids[1])
    simulator.advance(8 * DAY)
    found = [client.v1.disputes.retrieve(each) for each in ids]
    assert [each.status for each in found] == ["lost", "lost", "needs_response"]
    simulator.advance(2 * DAY)
    silent = client.v1.disputes.retrieve(ids[2])
    assert (silent.status, silent.evidence_details.past_due, silent.reason) == ("lost", True, "product_not_received")
    assert balance(client) == (3 * (-STRIPE_FEE - FEE), 0)
    with refused(match="already closed"):
        say(client, ids[2], "winning_evidence")
    with refused(match="already closed"):
        client.v1.disputes.close(ids[1])
    with refused(match="charged back") as failure:
        client.v1.refunds.create({"charge": str(silent.charge)})
    assert failure.value.code == "charge_disputed"
    assert_exact(simulator)


def test_evidence_waits_until_it_is_submitted_and_is_submitted_once(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    pay(client, payment_method="pm_card_createDispute")
    found = only(client)
    file = client.v1.files.create({"purpose": "dispute_evidence", "file": io.BytesIO(b"\x00\r\n--x\r\n\xff")})
    assert client.v1.files.retrieve(file.id).size == 9
    staged = client.v1.disputes.update(
        found.id, {"evidence": {"customer_name": "Ann", "receipt": file.id}, "submit": False, "metadata": {"a": "1"}}
    )
    assert (staged.status, staged.evidence.receipt, staged.evidence_details.has_evidence) == (
        *("needs_response", file.id),
        True,
    )
    with refused(match="No such file"):
        client.v1.disputes.update(found.id, {"evidence": {"receipt": "file_none"}})
    sent = client.v1.disputes.update(found.id, {"submit": True})
    assert (sent.status, sent.evidence.customer_name) == ("under_review", "Ann")
    with refused(match="already been submitted"):
        say(client, found.id, "winning_evidence")
    assert client.v1.disputes.update(found.id, {"metadata": {"a": ""}}).status == "under_review"
    simulator.advance(30 * DAY)
    assert client.v1.disputes.retrieve(found.id).status == "under_review"
    assert decide(simulator, found.id, "won") == 200
    assert decide(simulator, found.id, "lost") == 400
    assert_exact(simulator)


def test_an_inquiry_moves_no_money_until_it_is_escalated(simulator: Simulator, client: stripe.StripeClient) -> None:
    listen(simulator)
    pay(client, payment_method="pm_card_createDisputeInquiry")
    assert heard(simulator)[-1] == "charge.dispute.created"
    found = only(client)
    assert (found.status, found.is_charge_refundable, found.balance_transactions) == (
        "warning_needs_response",
        True,
        [],
    )
    assert balance(client) == (0, 10_000 - STRIPE_FEE)
    assert say(client, found.id, "escalate_inquiry_evidence").status == "warning_under_review"
    heard(simulator)
    simulator.advance(3)
    assert heard(simulator) == ["charge.dispute.updated", "charge.dispute.funds_withdrawn"]
    escalated = client.v1.disputes.retrieve(found.id)
    details: Any = escalated.payment_method_details
    assert (escalated.status, details.card.case_type) == ("needs_response", "chargeback")
    assert balance(client) == (0, 10_000 - STRIPE_FEE - 11_500)
    assert_exact(simulator)


def test_a_whole_refund_or_time_closes_an_inquiry(simulator: Simulator, client: stripe.StripeClient) -> None:
    for _ in range(2):
        pay(client, payment_method="pm_card_createDisputeInquiry")
    newest, oldest = client.v1.disputes.list().data
    client.v1.refunds.create({"charge": str(newest.charge), "amount": 4_000})
    assert client.v1.disputes.retrieve(newest.id).status == "warning_needs_response"
    client.v1.refunds.create({"charge": str(newest.charge)})
    assert client.v1.disputes.retrieve(newest.id).status == "warning_closed"
    simulator.advance(121 * DAY)
    assert client.v1.disputes.retrieve(oldest.id).status == "warning_closed"
    assert_exact(simulator)


def test_parts_of_a_charge_are_disputed_one_by_one(simulator: Simulator, client: stripe.StripeClient) -> None:
    """60.00 and 30.00 of 100.00: one is lost, one won; 40.00 are left to refund."""
    charge = charge_of(client, pay(client)).id
    simulator.run_due()
    first, second = dispute(simulator, charge, amount=6_000), dispute(simulator, charge, amount=3_000, reason="general")
    too_much = simulator.request("POST", f"/_simulator/charges/{charge}/dispute", {"amount": 1_001})
    assert (too_much.status, too_much.json()["error"]["param"]) == (400, "amount")
    with refused() as failure:
        client.v1.refunds.create({"charge": charge, "amount": 100})
    assert failure.value.code == "charge_disputed"
    assert (decide(simulator, first["id"], "lost"), decide(simulator, second["id"], "won")) == (200, 200)
    with refused(match="greater than unrefunded amount"):
        client.v1.refunds.create({"charge": charge, "amount": 4_001})
    assert client.v1.refunds.create({"charge": charge}).amount == 4_000
    with refused() as failure:
        client.v1.refunds.create({"charge": charge})
    assert failure.value.code == "charge_disputed"
    assert balance(client) == (0, -STRIPE_FEE - 2 * FEE)
    assert_exact(simulator)


def test_the_card_of_several_disputes_opens_them_all(simulator: Simulator, client: stripe.StripeClient) -> None:
    pay(client, 9_999, payment_method="pm_card_createMultipleDisputes")
    assert [each.amount for each in client.v1.disputes.list().data] == [5_000, 4_999]
    assert_exact(simulator)


@pytest.mark.parametrize("order", [{"amount": 0}, {"amount": "5"}, {"reason": "because"}, {"inquiry": "yes"}])
def test_an_order_that_makes_no_sense_is_refused(
    simulator: Simulator, client: stripe.StripeClient, order: dict[str, Any]
) -> None:
    charge = charge_of(client, pay(client)).id
    simulator.run_due()
    assert simulator.request("POST", f"/_simulator/charges/{charge}/dispute", order).status == 400


def test_what_is_not_followed_answers_501_by_name(client: stripe.StripeClient) -> None:
    pay(client, payment_method="pm_card_createDispute")
    found = only(client)
    for params, name in (
        ({"intended_submission_method": "smart_disputes"}, "intended_submission_method"),
        (
            {"evidence": {"enhanced_evidence": {"mastercard_compliance": {"fee_acknowledged": True}}}},
            "enhanced_evidence",
        ),
        ({"evidence": {"appeal": {"card": {"reason_for_filing": "a"}}}}, "appeal"),
    ):
        asked: Any = params
        with refused(stripe.APIError, match=name) as failure:
            client.v1.disputes.update(found.id, asked)
        assert failure.value.http_status == 501
    assert (
        client.v1.disputes.update(found.id, {"intended_submission_method": "manual"}).intended_submission_method
        == "manual"
    )


@pytest.mark.parametrize(("before", "after"), list(product(disputes.TRANSITIONS, repeat=2)))
def test_a_status_changes_only_as_the_table_says(
    simulator: Simulator, client: stripe.StripeClient, before: str, after: str
) -> None:
    pay(client, payment_method="pm_card_createDispute")
    simulator.run_due()
    with simulator.store.transaction() as transaction:
        context = context_of(simulator, transaction)
        (found,) = context.state.select(DISPUTES)
        found = context.state.update(DISPUTES, found, {"status": before})
        if after in disputes.TRANSITIONS[before]:
            assert disputes.decide(context, found, after)["status"] == after
        else:
            with pytest.raises(Exception, match=f"cannot go from {before} to {after}"):
                disputes.decide(context, found, after)
