"""Whose sale it is that a charge paid which names none: its invoice's, begun then if nobody has heard of it yet."""

from typing import Any

import pytest

from marketplace.domain.errors import Unavailable
from marketplace.domain.transactions import TransactionStatus
from marketplace.operations import Operation
from marketplace.services import invoice_following
from marketplace.services.invoice_following import sale_of_charge

from .market import Market
from .subscribing import stripe_customer
from .test_invoices import card_of, finalized, prepared
from .test_invoices import rest as come_to_rest


def charge_of(market: Market) -> dict[str, Any]:
    """The last charge, as Stripe shows it."""
    return dict(market.at_stripe("/v1/charges")[0])


def paid(market: Market) -> str:
    """The charge of an invoice that was paid at Stripe, of which nothing was heard since; its id."""
    _, buyer = prepared(market)
    made, card = finalized(market), card_of(market, buyer)
    market.order(f"/v1/invoices/{made.stripe_invoice_id}/pay", payment_method=card)
    assert market.all_transactions() == []
    return str(charge_of(market)["id"])


def test_a_refund_in_the_dashboard_that_is_heard_of_first_begins_the_sale_of_its_invoice(market: Market) -> None:
    charge_id = paid(market)
    market.order("/v1/refunds", charge=charge_id, amount=6_000)
    market.take_in(*(each for each in market.events() if each["type"] == "refund.created"))
    (books,) = market.all_transactions()
    assert (books.payment.status, books.payment.captured) == (TransactionStatus.PAID, 60_000)
    assert [each.amount for each in books.refunds.values()] == [6_000]
    come_to_rest(market)


def test_a_sale_that_is_known_by_its_charge_is_not_looked_for(market: Market) -> None:
    paid(market)
    come_to_rest(market)
    (books,) = market.all_transactions()
    charge = charge_of(market)
    market.calls.clear()
    assert sale_of_charge(market.ports, charge) == books.transaction.id
    assert market.calls == []


def test_a_charge_without_a_payment_intent_is_nobodys(market: Market) -> None:
    market.calls.clear()
    assert sale_of_charge(market.ports, {"id": "ch_other", "payment_intent": None}) is None
    assert market.calls == []


def test_a_payment_of_no_invoice_is_nobodys(market: Market) -> None:
    _, buyer = prepared(market)
    card = card_of(market, buyer)
    market.order(
        "/v1/payment_intents", amount=1_000, currency="usd", customer=buyer.stripe_customer_id, payment_method=card,
        confirm=True, off_session=True,
    )  # fmt: skip
    charge = charge_of(market)
    assert charge["amount"] == 1_000
    market.calls.clear()
    assert sale_of_charge(market.ports, charge) is None
    assert market.calls == [Operation.LIST_INVOICE_PAYMENTS]


def test_an_invoice_that_was_made_by_hand_at_stripe_is_nobodys(market: Market) -> None:
    _, buyer = prepared(market)
    card = card_of(market, buyer)
    made = market.order("/v1/invoices", customer=stripe_customer(market), currency="usd", auto_advance=False)
    market.order("/v1/invoiceitems", customer=stripe_customer(market), invoice=made["id"], amount=700, currency="usd")
    market.order(f"/v1/invoices/{made['id']}/finalize")
    market.order(f"/v1/invoices/{made['id']}/pay", payment_method=card)
    charge = charge_of(market)
    assert charge["amount"] == 700
    assert sale_of_charge(market.ports, charge) is None
    assert market.all_transactions() == []


def test_an_invoice_of_ours_that_is_not_known_to_be_paid_yet_is_asked_for_again(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid(market)
    charge = charge_of(market)
    monkeypatch.setattr(invoice_following, "follow_invoice", lambda *_: True)  # which read it a moment too early
    with pytest.raises(Unavailable):
        sale_of_charge(market.ports, charge)
    monkeypatch.undo()
    assert sale_of_charge(market.ports, charge) is not None
    come_to_rest(market)
