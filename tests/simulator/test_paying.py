"""The pay page and 3-D Secure: what each kind of card and account leads to, and what is told of it."""

from pathlib import Path
from typing import Any

import pytest
import stripe

from local.stripe_simulator import Clock, Simulator
from local.stripe_simulator.in_process import InProcessClient
from local.stripe_simulator.messages import Response

from .conftest import START
from .shop import CANCEL, line, new_session, pay, ready_seller, submit

CARD, DECLINED, SECURE = "4242424242424242", "4000000000000002", "4000002760003184"


def types(client: stripe.StripeClient) -> list[str]:
    """The types of all events, oldest first, without those of the catalog and of accounts."""
    told = [event.type for event in client.v1.events.list({"limit": 100}).data][::-1]
    return [each for each in told if each.split(".")[0] not in ("product", "price")]


def retrieve(client: stripe.StripeClient, session: str) -> Any:
    return client.v1.checkout.sessions.retrieve(
        session, {"expand": ["payment_intent.latest_charge.balance_transaction"]}
    )


def visit(simulator: Simulator, path: str, **fields: str) -> Response:
    return simulator.request("POST" if fields else "GET", path, fields)


def test_a_payment_to_a_seller_reaches_charge_transfer_and_fee(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    seller = ready_seller(simulator, client)
    data = {"transfer_data": {"destination": seller}, "application_fee_amount": 1_200, "metadata": {"order": "1"}}
    session = new_session(client, payment_intent_data={**data, "transfer_group": "order 1", "description": "Tea"})
    pay(simulator, session.id)
    paid = retrieve(client, session.id)
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert (paid.customer_details.email, paid.customer) == ("buyer@example.test", None)
    intent = paid.payment_intent
    assert (intent.amount, intent.metadata["order"], intent.transfer_group) == (10_000, "1", "order 1")
    assert intent.latest_charge.balance_transaction.net == 10_000 - 320  # 2.9 % and 30
    transfer = client.v1.transfers.retrieve(intent.latest_charge.transfer)
    assert (transfer.amount, transfer.destination) == (10_000, seller)
    (fee,) = client.v1.application_fees.list().data
    assert (fee.amount, fee.account) == (1_200, seller)


def test_events_of_a_payment_come_in_order(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = new_session(client)
    pay(simulator, session.id)
    assert types(client) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
        "charge.updated",
    ]
    (completed,) = client.v1.events.list({"type": "checkout.session.completed"}).data
    told = completed.data.object
    assert (told["payment_status"], told["payment_intent"][:3], told["customer_details"]["email"]) == (
        "paid",
        "pi_",
        "buyer@example.test",
    )
    assert completed.request
    assert completed.request.id is None


@pytest.mark.parametrize(
    ("card", "said"),
    [
        (DECLINED, "Your card was declined."),
        ("4000000000009995", "Your card has insufficient funds."),
        ("4000000000000069", "Your card has expired."),
        ("4000000000000127", "security code is incorrect"),
        ("4000000000000119", "error occurred while processing"),
        ("4242424242424241", "Your card number is incorrect."),
        ("4000000404000038", "does not implement"),
        ("", "Your card number is incorrect."),
    ],
)
def test_a_refused_card_is_a_sentence_on_the_page_and_can_be_followed_by_another(
    simulator: Simulator, client: stripe.StripeClient, card: str, said: str
) -> None:
    session = new_session(client)
    page = submit(simulator, session.id, card=card, email="ann@b.test")
    assert page.status in (402, 501)
    assert said in page.body.decode().split('role="alert">')[1].split("</p>")[0]
    assert retrieve(client, session.id).status == "open"
    pay(simulator, session.id)
    assert retrieve(client, session.id).payment_status == "paid"
    (intent,) = client.v1.payment_intents.list().data
    assert intent.amount_received == 10_000


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"expiry": "13/40"}, "expiration month is invalid"),
        ({"expiry": "12/20"}, "expiration year is invalid"),
        ({"expiry": "soon"}, "expiration date is incomplete"),
        ({"cvc": "1"}, "security code is invalid"),
        ({"email": "nobody"}, "email is invalid"),
        ({"method": "klarna"}, "not available"),
    ],
)
def test_a_form_that_makes_no_sense_is_refused_before_anything_is_made(
    simulator: Simulator, client: stripe.StripeClient, fields: dict[str, str], said: str
) -> None:
    session = new_session(client)
    page = submit(simulator, session.id, **{"card": CARD, **fields})
    assert page.status in (400, 402)
    assert said in page.body.decode()
    assert client.v1.payment_intents.list().data == []


def test_declines_are_recorded_as_attempts(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = new_session(client)
    submit(simulator, session.id, card=DECLINED)
    pay(simulator, session.id)
    assert types(client) == [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
        "charge.updated",
    ]


def test_3d_secure_passed_pays(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = new_session(client)
    challenge = submit(simulator, session.id, card=SECURE).headers["Location"]
    assert challenge.startswith("/3ds/pi_")
    assert b"100.00 USD" in visit(simulator, challenge).body
    assert retrieve(client, session.id).status == "open"
    done = visit(simulator, challenge, action="complete")
    assert (done.status, done.headers["Location"]) == (303, f"http://shop.test/paid?session={session.id}")
    assert retrieve(client, session.id).payment_status == "paid"
    again = visit(simulator, challenge, action="complete")
    assert again.headers["Location"] == done.headers["Location"]
    assert len(client.v1.charges.list().data) == 1


def test_3d_secure_failed_comes_back_to_the_page(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = new_session(client)
    challenge = submit(simulator, session.id, card=SECURE).headers["Location"]
    back = visit(simulator, challenge, action="fail").headers["Location"]
    assert "unable to authenticate" in visit(simulator, back).body.decode()
    assert retrieve(client, session.id).status == "open"
    pay(simulator, session.id)


def test_a_card_can_be_declined_after_3d_secure(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = new_session(client)
    challenge = submit(simulator, session.id, test_card="4000008260003178").headers["Location"]
    back = visit(simulator, challenge, action="complete").headers["Location"]
    assert "insufficient funds" in visit(simulator, back).body.decode()
    assert retrieve(client, session.id).payment_status == "unpaid"


def test_a_challenge_outlived_by_its_session_pays_nothing(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = new_session(client)
    challenge = submit(simulator, session.id, card=SECURE).headers["Location"]
    client.v1.checkout.sessions.expire(session.id)
    back = visit(simulator, challenge, action="complete").headers["Location"]
    assert b"expired" in visit(simulator, back).body
    assert client.v1.charges.list().data == []


@pytest.mark.parametrize(
    ("account", "outcome", "paid"),
    [
        ("000123456789", "async_payment_succeeded", "paid"),
        ("000222222227", "async_payment_failed", "unpaid"),
    ],
)
def test_a_bank_debit_completes_the_session_before_its_money_comes(
    simulator: Simulator, client: stripe.StripeClient, account: str, outcome: str, paid: str
) -> None:
    session = new_session(client)
    assert submit(simulator, session.id, method="us_bank_account", account=account).status == 303
    assert (retrieve(client, session.id).status, retrieve(client, session.id).payment_status) == ("complete", "unpaid")
    intent = retrieve(client, session.id).payment_intent.id
    assert types(client)[-1] == "checkout.session.completed"
    assert simulator.request("POST", f"/_simulator/payment_intents/{intent}/settle").status == 200
    assert retrieve(client, session.id).payment_status == paid
    ended = [each for each in types(client) if each.startswith("checkout.session.")]
    assert ended == ["checkout.session.completed", f"checkout.session.{outcome}"]
    simulator.advance(30 * 24 * 3_600)
    assert [each for each in types(client) if each.startswith("checkout.session.")] == ended


def test_an_authorization_completes_the_session_unpaid(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = new_session(client, payment_intent_data={"capture_method": "manual"})
    pay(simulator, session.id)
    held = retrieve(client, session.id)
    assert (held.status, held.payment_status, held.payment_intent.status) == ("complete", "unpaid", "requires_capture")
    client.v1.payment_intents.capture(held.payment_intent.id)
    assert retrieve(client, session.id).payment_status == "paid"


def test_a_free_order_needs_no_payment(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = new_session(client, line_items=[line(0)])
    assert session.payment_status == "no_payment_required"
    assert "Complete the order" in visit(simulator, f"/c/pay/{session.id}").body.decode()
    assert submit(simulator, session.id, email="ann@b.test").status == 303
    done = retrieve(client, session.id)
    assert (done.status, done.payment_status, done.payment_intent) == ("complete", "no_payment_required", None)


def test_a_customer_is_made_where_the_session_wants_one(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = new_session(client, customer_creation="always")
    submit(simulator, session.id, card=DECLINED, email="ann@b.test", name="Ann")
    assert submit(simulator, session.id, card=CARD, email="ann@b.test", name="Ann").status == 303
    (customer,) = client.v1.customers.list().data
    paid = retrieve(client, session.id)
    assert (customer.email, customer.name) == ("ann@b.test", "Ann")
    assert (paid.customer, paid.payment_intent.customer) == (customer.id, customer.id)


def test_a_customers_email_cannot_be_changed_on_the_page(simulator: Simulator, client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"email": "ann@b.test"})
    session = new_session(client, customer=customer.id)
    assert 'value="ann@b.test" autocomplete="email" readonly' in visit(simulator, f"/c/pay/{session.id}").body.decode()
    submit(simulator, session.id, card=CARD, email="mallory@b.test")
    assert retrieve(client, session.id).customer_details.email == "ann@b.test"


def test_a_session_is_paid_once(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = new_session(client)
    pay(simulator, session.id)
    again = submit(simulator, session.id, card=CARD)
    assert (again.status, b"completed before" in again.body) == (409, True)
    assert visit(simulator, f"/c/pay/{session.id}").status == 200
    assert len(client.v1.charges.list().data) == 1


def test_a_seller_who_is_not_ready_any_more_cannot_be_paid(simulator: Simulator, client: stripe.StripeClient) -> None:
    seller = ready_seller(simulator, client)
    session = new_session(client, payment_intent_data={"transfer_data": {"destination": seller}})
    simulator.request("POST", f"/_simulator/accounts/{seller}/capabilities", {"status": "restricted"})
    assert submit(simulator, session.id, card=CARD).status == 400
    assert retrieve(client, session.id).status == "open"
    assert client.v1.charges.list().data == []


def test_a_direct_charge_is_the_sellers(simulator: Simulator, client: stripe.StripeClient) -> None:
    seller: Any = {"stripe_account": ready_seller(simulator, client)}
    params: Any = {"mode": "payment", "success_url": "http://shop.test/ok", "line_items": [line(500)]}
    session = client.v1.checkout.sessions.create(params, seller)
    assert submit(simulator, session.id, card=CARD).headers["Location"] == "http://shop.test/ok"
    assert client.v1.checkout.sessions.retrieve(session.id, options=seller).payment_status == "paid"
    assert client.v1.charges.list().data == []
    assert len(client.v1.charges.list(options=seller).data) == 1


def test_the_page_works_without_scripts_and_shows_names_as_they_are(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    evil = '"><script>alert(1)</script>{total}'
    session = new_session(
        client, line_items=[line(1_250, quantity=2, name=evil)], customer_email='"><img src=x>@b.test'
    )
    html = visit(simulator, f"/c/pay/{session.id}").body.decode()
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{total}" in html
    assert ("25.00 USD" in html, f'href="{CANCEL}"' in html) == (True, True)
    for name in ("email", "card", "expiry", "cvc", "account"):
        assert f'<label for="{name}">' in html
        assert f'id="{name}" name="{name}"' in html
    unknown = visit(simulator, "/c/pay/<script>")
    assert (unknown.status, b"<script" in unknown.body) == (404, False)


def test_an_account_that_has_money_cannot_be_closed(simulator: Simulator, client: stripe.StripeClient) -> None:
    seller = ready_seller(simulator, client)
    pay(simulator, new_session(client, payment_intent_data={"transfer_data": {"destination": seller}}).id)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v2.core.accounts.close(seller, {"applied_configurations": ["recipient"]})
    assert refused.value.code == "cannot_delete_account_with_balance"
    with pytest.raises(stripe.InvalidRequestError, match="not zero"):
        client.v1.accounts.delete(seller)


def test_accounts_and_open_sessions_survive_in_a_file(tmp_path: Path) -> None:
    def start() -> tuple[Simulator, stripe.StripeClient]:
        simulator = Simulator(clock=Clock.standing(START), seed=7, database=tmp_path / "state.sqlite")
        return simulator, stripe.StripeClient("sk_test_1", http_client=InProcessClient(simulator))

    simulator, client = start()
    owner = {"given_name": "Ada", "surname": "Byron", "relationship": {"owner": True, "percent_ownership": "12.5"}}
    seller = ready_seller(
        simulator, client, identity={"country": "us", "entity_type": "individual", "individual": owner}
    )
    data = {"transfer_data": {"destination": seller}}
    paid, expired = (new_session(client, payment_intent_data=data).id for _ in range(2))
    simulator.close()
    simulator, client = start()
    pay(simulator, paid)
    simulator.advance(24 * 3_600)
    assert (retrieve(client, paid).status, retrieve(client, expired).status) == ("complete", "expired")
    simulator.close()
