"""Bank debits: confirmed now, paid or not some time later."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator

from .paying import assert_exact, balance, booked, charge_of, heard, listen, pay, pay_seller, refused
from .shop import ready_seller

DELAY = 3


def test_a_debit_is_processing_until_the_bank_has_paid(simulator: Simulator, client: stripe.StripeClient) -> None:
    seller = ready_seller(simulator, client)
    listen(simulator)
    intent = pay_seller(client, seller, payment_method="pm_usBankAccount_success")
    assert (intent.status, intent.amount_received) == ("processing", 0)
    charge = charge_of(client, intent)
    assert (charge.status, charge.paid, charge.balance_transaction) == ("pending", False, None)
    assert heard(simulator) == ["payment_intent.created", "charge.pending", "payment_intent.processing"]
    simulator.advance(DELAY - 1)
    assert booked(client) == []
    simulator.advance(1)
    assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"
    assert heard(simulator) == [
        *("charge.succeeded", "payment_intent.succeeded", "transfer.created"),
        *("seller: payment.created", "application_fee.created", "charge.updated"),
    ]
    assert [each[0] for each in booked(client)] == ["payment", "transfer", "application_fee"]
    assert balance(client, seller) == (0, 9_000)
    assert_exact(simulator)


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("pm_usBankAccount_accountClosed", "account_closed"),
        ("pm_usBankAccount_noAccount", "no_account"),
        ("pm_usBankAccount_insufficientFunds", "insufficient_funds"),
        ("pm_usBankAccount_debitNotAuthorized", "debit_not_authorized"),
    ],
)
def test_a_debit_that_fails_asks_for_another_payment_method(
    simulator: Simulator, client: stripe.StripeClient, method: str, code: str
) -> None:
    intent = pay(client, payment_method=method)
    listen(simulator)
    simulator.advance(DELAY)
    found = client.v1.payment_intents.retrieve(intent.id)
    assert found.last_payment_error
    assert (found.status, found.last_payment_error.code) == ("requires_payment_method", code)
    assert charge_of(client, intent).failure_code == code
    assert heard(simulator) == ["charge.failed", "payment_intent.payment_failed"]
    assert client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"}).status == "succeeded"
    simulator.advance(60)
    assert [each[0] for each in booked(client)] == ["charge"]
    assert_exact(simulator)


@pytest.mark.parametrize(
    ("iban", "waits", "status"),
    [
        ("AT61 1904 3002 3457 3201", DELAY, "succeeded"),
        ("AT321904300235473204", DELAY + 180, "succeeded"),
        ("AT861904300235473202", DELAY, "requires_payment_method"),
    ],
)
def test_european_accounts_are_debited_in_euro(
    simulator: Simulator, client: stripe.StripeClient, iban: str, waits: int, status: str
) -> None:
    data: Any = {
        "type": "sepa_debit",
        "sepa_debit": {"iban": iban},
        "billing_details": {"name": "A", "email": "a@b.test"},
    }
    params: Any = {"amount": 2_000, "currency": "eur", "confirm": True, "payment_method_data": data}
    intent = client.v1.payment_intents.create(params)
    simulator.advance(waits - 1)
    assert client.v1.payment_intents.retrieve(intent.id).status == "processing"
    simulator.advance(1)
    assert client.v1.payment_intents.retrieve(intent.id).status == status
    with refused(match="not allowed for this PaymentIntent"):
        pay(
            client,
            payment_method=client.v1.payment_methods.create({"type": "sepa_debit", "sepa_debit": {"iban": iban}}).id,
        )
    assert_exact(simulator)


@pytest.mark.parametrize(
    ("outcome", "status"), [("succeeded", "succeeded"), ("failed", "requires_payment_method"), (None, "succeeded")]
)
def test_the_laboratory_can_have_the_bank_answer_now(
    simulator: Simulator, client: stripe.StripeClient, outcome: str | None, status: str
) -> None:
    intent = pay(client, payment_method="pm_usBankAccount_success")
    answer = simulator.request(
        "POST", f"/_simulator/payment_intents/{intent.id}/settle", {"outcome": outcome} if outcome else {}
    )
    assert answer.json()["status"] == status
    simulator.advance(60)  # the bank does not answer twice
    assert client.v1.payment_intents.retrieve(intent.id).status == status
    assert_exact(simulator)


def test_a_debit_that_never_settles_can_be_canceled(simulator: Simulator, client: stripe.StripeClient) -> None:
    intent = pay(client, payment_method="pm_usBankAccount_processing")
    simulator.advance(30 * 24 * 3600)
    assert client.v1.payment_intents.cancel(intent.id).status == "canceled"
    assert charge_of(client, intent).status == "failed"
    assert_exact(simulator)


def test_a_debit_is_refunded_in_time(simulator: Simulator, client: stripe.StripeClient) -> None:
    intent = pay(client, payment_method="pm_usBankAccount_success")
    with refused(match="does not have a successful charge"):
        client.v1.refunds.create({"payment_intent": intent.id})
    simulator.advance(DELAY)
    refund = client.v1.refunds.create({"payment_intent": intent.id, "amount": 4_000})
    assert (refund.status, refund.pending_reason, refund.id[:4]) == ("pending", "processing", "pyr_")
    simulator.advance(DELAY)
    found = client.v1.refunds.retrieve(refund.id)
    assert (found.status, "pending_reason" in found) == ("succeeded", False)
    assert booked(client)[-1] == ("payment_refund", -4_000, 0, -4_000)
    assert_exact(simulator)
