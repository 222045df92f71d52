"""Disputes of bank debits, disputes about Visa's rules, what it costs to answer, and who pays for it."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Clock, Settings, Simulator
from local.stripe_simulator.in_process import InProcessClient

from .conftest import START
from .paying import assert_exact, balance, booked, heard, listen, pay, pay_seller, refused
from .shop import ready_seller

FEE, NETWORK_FEE = 1_500, 50_000


def only(client: stripe.StripeClient) -> stripe.Dispute:
    (found,) = client.v1.disputes.list().data
    return found


def say(client: stripe.StripeClient, dispute: str, text: str, **evidence: Any) -> stripe.Dispute:
    params: Any = {"evidence": {"uncategorized_text": text, **evidence}}
    return client.v1.disputes.update(dispute, params)


@pytest.mark.parametrize(
    ("method", "currency", "reason"),
    [
        ("pm_usBankAccount_dispute", "usd", "debit_not_authorized"),
        ("pm_sepaDebit_disputed_at", "eur", "customer_initiated"),
    ],
)
def test_a_disputed_bank_debit_is_lost_at_once(
    simulator: Simulator, client: stripe.StripeClient, method: str, currency: str, reason: str
) -> None:
    listen(simulator)
    pay_seller(client, ready_seller(simulator, client), payment_method=method, currency=currency)
    simulator.advance(10)
    found: Any = only(client)
    assert (found.status, found.reason, found.amount, found.currency) == ("lost", reason, 10_000, currency)
    assert (found.evidence_details.due_by, "payment_method_details" in found) == (0, False)
    assert booked(client)[-1] == ("adjustment", -10_000, FEE, -11_500)
    told = [each for each in heard(simulator) if "dispute" in each]
    assert told == ["charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.closed"]
    with refused(match="charged back"):
        client.v1.refunds.create({"charge": found.charge})
    with refused(match="already"):
        client.v1.disputes.close(found.id)
    assert_exact(simulator)


def test_part_of_a_bank_debit_can_be_disputed_and_the_rest_refunded(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    charge = pay(client, payment_method="pm_usBankAccount_success").latest_charge
    simulator.advance(10)
    where = f"/_simulator/charges/{charge}/dispute"
    assert simulator.request("POST", where, {"inquiry": True}).status == 400
    assert simulator.request("POST", where, {"compliance": True}).status == 400
    assert simulator.request("POST", where, {"amount": 4_000}).status == 200
    with refused(match="greater than"):
        client.v1.refunds.create({"charge": str(charge), "amount": 6_001})
    client.v1.refunds.create({"charge": str(charge), "amount": 6_000})
    assert_exact(simulator)


@pytest.mark.parametrize(("text", "returned"), [("winning_evidence", True), ("losing_evidence", False)])
def test_an_answer_costs_what_the_settings_say_and_a_winner_has_it_back(text: str, returned: bool) -> None:
    simulator = Simulator(clock=Clock.standing(START), seed=7, settings=Settings(dispute_countering_fee=FEE))
    client = stripe.StripeClient("sk_test_1", http_client=InProcessClient(simulator))
    pay(client, payment_method="pm_card_createDispute")
    simulator.run_due()
    before = sum(balance(client))
    dispute = only(client)
    say(client, dispute.id, text)
    assert sum(balance(client)) == before - FEE
    assert booked(client)[-1] == ("stripe_fee", -FEE, 0, -FEE)
    assert len(client.v1.disputes.retrieve(dispute.id).balance_transactions) == 1
    assert_exact(simulator)
    simulator.advance(10)
    assert sum(balance(client)) == before - FEE + (FEE + 10_000 if returned else 0)
    assert_exact(simulator)


def test_to_accept_a_dispute_costs_nothing_more() -> None:
    simulator = Simulator(clock=Clock.standing(START), seed=7, settings=Settings(dispute_countering_fee=FEE))
    client = stripe.StripeClient("sk_test_1", http_client=InProcessClient(simulator))
    pay(client, payment_method="pm_card_createDispute")
    simulator.run_due()
    before = sum(balance(client))
    client.v1.disputes.close(only(client).id)
    assert sum(balance(client)) == before
    assert_exact(simulator)


def test_a_dispute_about_visas_rules_is_answered_by_whoever_accepts_the_networks_fee(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    pay(client, payment_method="pm_card_createComplianceDispute")
    simulator.run_due()
    found: Any = only(client)
    assert (found.reason, found.payment_method_details.card.case_type) == ("noncompliant", "compliance")
    assert found.enhanced_eligibility_types == ["visa_compliance"]
    eligibility = found.evidence_details.enhanced_eligibility.visa_compliance
    assert eligibility.status == "requires_fee_acknowledgement"
    with refused(match="Acknowledge the network's fee"):
        say(client, found.id, "winning_evidence")
    before = sum(balance(client))
    acknowledged = {"visa_compliance": {"fee_acknowledged": True}}
    answered: Any = say(client, found.id, "winning_evidence", enhanced_evidence=acknowledged)
    assert answered.evidence_details.enhanced_eligibility.visa_compliance.status == "fee_acknowledged"
    assert sum(balance(client)) == before - NETWORK_FEE
    simulator.advance(10)
    assert sum(balance(client)) == before + 10_000
    assert_exact(simulator)


def test_only_disputes_about_visas_rules_know_their_fee(simulator: Simulator, client: stripe.StripeClient) -> None:
    pay(client, payment_method="pm_card_createDispute")
    simulator.run_due()
    with refused(match="not eligible"):
        say(client, only(client).id, "a", enhanced_evidence={"visa_compliance": {"fee_acknowledged": True}})
    master = pay(client, payment_method="pm_card_mastercard").latest_charge
    assert simulator.request("POST", f"/_simulator/charges/{master}/dispute", {"compliance": True}).status == 400
