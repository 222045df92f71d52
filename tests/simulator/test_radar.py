"""What issuers and Radar warn of: warnings that move no money, and reviews that people close."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Clock, Settings, Simulator
from local.stripe_simulator.in_process import InProcessClient

from .conftest import START
from .paying import assert_exact, balance, charge_of, heard, listen, pay, refused


def test_an_issuer_warns_of_a_payment_until_it_is_refunded(simulator: Simulator, client: stripe.StripeClient) -> None:
    listen(simulator)
    intent = pay(client, payment_method="pm_card_createIssuerFraudRecord")
    simulator.run_due()
    before = balance(client)
    (warning,) = client.v1.radar.early_fraud_warnings.list({"payment_intent": intent.id}).data
    assert (warning.actionable, warning.charge, warning.fraud_type) == (True, intent.latest_charge, "misc")
    assert client.v1.radar.early_fraud_warnings.list({"charge": "ch_none"}).data == []
    assert "radar.early_fraud_warning.created" in heard(simulator)
    client.v1.refunds.create({"payment_intent": intent.id, "amount": 1})
    assert client.v1.radar.early_fraud_warnings.retrieve(warning.id).actionable
    client.v1.refunds.create({"payment_intent": intent.id, "reason": "fraudulent"})
    assert not client.v1.radar.early_fraud_warnings.retrieve(warning.id).actionable
    assert "radar.early_fraud_warning.updated" in heard(simulator)
    assert sum(balance(client)) == sum(before) - 10_000
    expand: Any = {"expand": ["charge"]}
    shown: Any = client.v1.radar.early_fraud_warnings.retrieve(warning.id, expand)
    assert shown.charge.id == intent.latest_charge


def test_a_dispute_follows_a_warning_on_order(simulator: Simulator, client: stripe.StripeClient) -> None:
    charge = pay(client).latest_charge
    simulator.run_due()
    order = f"/_simulator/charges/{charge}/early_fraud_warning"
    assert simulator.request("POST", order, {"fraud_type": "nothing"}).status == 400
    assert simulator.request("POST", order, {"fraud_type": "made_with_lost_card"}).status == 200
    assert simulator.request("POST", f"/_simulator/charges/{charge}/dispute", {}).status == 200
    (warning,) = client.v1.radar.early_fraud_warnings.list().data
    assert (warning.actionable, warning.fraud_type) == (False, "made_with_lost_card")
    assert_exact(simulator)


def review_of(simulator: Simulator, client: stripe.StripeClient) -> tuple[stripe.PaymentIntent, str]:
    intent = pay(client, payment_method="pm_card_riskLevelElevated")
    simulator.run_due()
    charge: Any = charge_of(client, intent)
    assert (charge.outcome.type, charge.outcome.risk_level) == ("manual_review", "elevated")
    assert charge.review == intent.review
    return intent, str(charge.review)


def test_a_risky_payment_is_reviewed_and_approved(simulator: Simulator, client: stripe.StripeClient) -> None:
    listen(simulator)
    intent, review = review_of(simulator, client)
    (found,) = client.v1.reviews.list().data
    assert (found.id, found.open, found.reason, found.payment_intent) == (review, True, "rule", intent.id)
    approved = client.v1.reviews.approve(review)
    assert (approved.open, approved.closed_reason, approved.reason) == (False, "approved", "approved")
    assert client.v1.reviews.list().data == []
    assert charge_of(client, intent).review is None
    with refused(match="already closed"):
        client.v1.reviews.approve(review)
    told = heard(simulator)
    assert [each for each in told if "review" in each] == ["review.opened", "review.closed"]


@pytest.mark.parametrize(("reason", "closed"), [(None, "refunded"), ("fraudulent", "refunded_as_fraud")])
def test_a_refund_closes_a_review(
    simulator: Simulator, client: stripe.StripeClient, reason: str | None, closed: str
) -> None:
    intent, review = review_of(simulator, client)
    params: Any = {"payment_intent": intent.id, **({"reason": reason} if reason else {})}
    client.v1.refunds.create(params)
    assert client.v1.reviews.retrieve(review).closed_reason == closed


def test_a_dispute_closes_a_review(simulator: Simulator, client: stripe.StripeClient) -> None:
    intent, review = review_of(simulator, client)
    simulator.request("POST", f"/_simulator/charges/{intent.latest_charge}/dispute", {})
    assert client.v1.reviews.retrieve(review).closed_reason == "disputed"


def test_without_radars_rule_nothing_is_reviewed() -> None:
    simulator = Simulator(clock=Clock.standing(START), seed=7, settings=Settings(elevated_risk_is_reviewed=False))
    client = stripe.StripeClient("sk_test_1", http_client=InProcessClient(simulator))
    intent = pay(client, payment_method="pm_card_riskLevelElevated")
    assert (intent.review, charge_of(client, intent).review, client.v1.reviews.list().data) == (None, None, [])


def test_the_highest_risk_is_blocked(client: stripe.StripeClient) -> None:
    with refused(stripe.CardError) as failure:
        pay(client, payment_method="pm_card_riskLevelHighest")
    assert failure.value.code == "card_declined"
    (charge,) = client.v1.charges.list().data
    assert (charge.outcome and charge.outcome.type) == "blocked"
