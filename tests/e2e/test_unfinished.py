"""What a request leaves that dies at the worst moment, and how the running cloud finishes it (F09, F10; I6)."""

import base64
import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from marketplace.adapters.dynamodb_store import DynamoDBStore
from marketplace.adapters.stripe_gateway import StripeGateway
from marketplace.adapters.system import SystemIds
from marketplace.domain.principals import Principal, Role
from marketplace.ports import Policy, Ports
from marketplace.services.baskets import Basket, InlineItem
from marketplace.services.checkout import create_checkout_session
from marketplace.services.idempotency import Once
from marketplace.services.refunds import RefundRequest, request_refund
from tests.e2e.shop import Json, Shop, done
from tests.simulation.crashes import Fuse, FusedStripe, ProcessDied

BEFORE_STRIPE_HEARS, BEFORE_THE_ANSWER_IS_KEPT = 0, 1  # steps of the fuse
EARLIER = timedelta(minutes=2)  # longer than a request's lease on its command


class Past:
    """The clock of a request that died a while ago."""

    def now(self) -> datetime:
        return datetime.now(UTC) - EARLIER


class Key:
    """The simulator's key."""

    def __init__(self, key: str) -> None:
        self._key = key

    def value(self) -> str:
        return self._key

    def forget(self) -> None:
        """It is never another."""


def doomed(shop: Shop, dies_at: int) -> Ports:
    """The functions' own adapters on the running cloud, in a process that dies at its call to Stripe."""
    clock, fuse = Past(), Fuse()
    ids = SystemIds(clock)
    fuse.set(dies_at)
    gateway = StripeGateway(
        api_key=Key(shop.stack.stripe_key),
        api_base=shop.stack.stripe,
        time_left_seconds=lambda: 25.0,
        jitter=ids.jitter,
    )
    return Ports(
        store=DynamoDBStore(shop.stack.client("dynamodb"), shop.stack.table, clock=clock, ids=ids),
        stripe=FusedStripe(gateway, fuse),
        clock=clock,
        ids=ids,
        policy=Policy(default_fee=None, return_origins=frozenset({shop.stack.return_origin}), livemode=False),
    )


def operator_of(shop: Shop) -> Principal:
    """The operator whose token the tests use."""
    claims = shop.stack.tokens["operator"].split(".")[1]
    subject = json.loads(base64.urlsafe_b64decode(claims + "=="))["sub"]
    return Principal(role=Role.OPERATOR, subject=subject)


def die_refunding(shop: Shop, sale: Json, key: str, dies_at: int) -> None:
    """A request for a refund of 40.00 that ends in the middle."""
    operator, route = operator_of(shop), f"POST /transactions/{sale['id']}/refunds"
    once = Once.of(operator, route, key, {"amount": 4_000}, subject=sale["id"])
    with pytest.raises(ProcessDied):
        request_refund(doomed(shop, dies_at), operator, RefundRequest(transaction_id=sale["id"], amount=4_000), once)
    assert shop.record(sale["id"])["refund"]["amount"] == 4_000, "reserved, so that nobody else has it"
    assert len(shop.refunds_at_stripe(sale)) == dies_at


def assert_refunded_once(shop: Shop, sale: Json) -> None:
    (refund,) = shop.record(sale["id"])["refunds"]
    (at_stripe,) = shop.refunds_at_stripe(sale)
    assert (refund["status"], refund["stripe_refund_id"]) == ("succeeded", at_stripe.id)
    assert shop.ledger(sale["id"]) == {"stripe_balance": 600 - 320, "platform_revenue": -600, "processor_fees": 320}
    commands = [row for row in shop.rows(f"TRANSACTION#{sale['id']}") if row["sk"]["S"].startswith("COMMAND#")]
    assert commands
    assert not [row for row in commands if "gsi_due" in row]


@pytest.mark.parametrize("dies_at", [BEFORE_STRIPE_HEARS, BEFORE_THE_ANSWER_IS_KEPT])
def test_f10_the_sweep_finishes_a_refund_whose_request_died(shop: Shop, seller: Json, dies_at: int) -> None:
    sale = shop.paid_sale(seller, 10_000)
    die_refunding(shop, sale, uuid.uuid4().hex, dies_at)
    shop.sweep()
    shop.quiet()
    shop.sweep()  # what Stripe's rounding kept of the fee, if it did
    shop.quiet()
    assert_refunded_once(shop, sale)


@pytest.mark.parametrize("dies_at", [BEFORE_STRIPE_HEARS, BEFORE_THE_ANSWER_IS_KEPT])
def test_medusa_16681_a_client_that_repeats_its_request_finishes_it(shop: Shop, seller: Json, dies_at: int) -> None:
    sale, key = shop.paid_sale(seller, 10_000), uuid.uuid4().hex
    die_refunding(shop, sale, key, dies_at)
    answers = [done(shop.refund(sale["id"], 4_000, key=key)) for _ in range(2)]
    assert {(answer["id"], answer["status"]) for answer in answers} == {(answers[0]["id"], "succeeded")}
    shop.quiet()
    assert_refunded_once(shop, sale)


@pytest.mark.parametrize("dies_at", [BEFORE_STRIPE_HEARS, BEFORE_THE_ANSWER_IS_KEPT])
def test_f09_the_sweep_finishes_a_checkout_whose_request_died(shop: Shop, dies_at: int) -> None:
    merchant, origin, operator = shop.ready_merchant(), shop.stack.return_origin, operator_of(shop)
    item = InlineItem(name="Vase", unit_amount=8_100, currency="usd", quantity=1)
    basket = Basket(items=(item,), success_url=origin, cancel_url=origin, merchant_id=merchant["id"], metadata={})
    once = Once.of(operator, "POST /checkout/sessions", uuid.uuid4().hex, {})
    with pytest.raises(ProcessDied):
        create_checkout_session(doomed(shop, dies_at), operator, basket, once)
    shop.sweep()
    (sale,) = done(shop.operator.get("/transactions", merchant_id=merchant["id"]))["data"]
    session = done(shop.operator.get(f"/checkout/sessions/{sale['id']}"))
    assert session["status"] == "open"
    at_stripe = shop.stripe.v1.checkout.sessions.list({"limit": 100}).data
    assert [each.id for each in at_stripe if each.client_reference_id == sale["id"]] == [session["checkout_session_id"]]
    assert shop.pay(session).is_redirect
    assert shop.settled(session)["status"] == "paid"
