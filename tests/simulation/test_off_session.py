"""Payments with saved details: paid, declined, confirmed by the buyer, unknown; once whatever crashes, in any order."""

from itertools import permutations
from typing import Any

import pytest

from marketplace.domain.commands import Command, CommandKind
from marketplace.domain.errors import NotAllowed, NotFound
from marketplace.domain.merchants import Merchant
from marketplace.domain.principals import Principal, Role
from marketplace.domain.transactions import CaptureMethod, TransactionStatus
from marketplace.operations import Operation
from marketplace.services.baskets import Basket, InlineItem
from marketplace.services.captures import capture
from marketplace.services.off_session import OffSessionPayment, charge_saved, read_payment

from .market import OPERATOR, Market
from .test_carts import assert_proven
from .test_crashes import each_step
from .test_customers import ANN, BEN, new_customer, save_card

CHARGE = CommandKind.CREATE_PAYMENT_INTENT
PAYS, DECLINED, ASKS = "pm_card_visa", "pm_card_chargeCustomerFail", "pm_card_authenticationRequired"


class Shop:
    """A marketplace with a customer, who has saved one card."""

    def __init__(self, market: Market, card: str = PAYS, *, merchants: int = 1) -> None:
        self.market = market
        self.merchants = [market.ready_merchant(f"Merchant {number}") for number in range(merchants)]
        self.customer = new_customer(market)
        self.card = save_card(market, self.customer, card)
        market.take_in(*market.events())


def charge(
    shop: Shop, *amounts: int, key: str = "p", card: str | None = None, caller: Principal = OPERATOR, **terms: Any
) -> OffSessionPayment:
    items = tuple(
        InlineItem(name=merchant.name, unit_amount=amount, currency="usd", quantity=1, merchant_id=merchant.id)
        for merchant, amount in zip(shop.merchants, amounts or (10_000,), strict=True)
    )
    basket = Basket(items=items, customer_id=shop.customer.id, metadata={}, **terms)
    once = shop.market.once("POST /payments", key, {"card": card})
    made = charge_saved(shop.market.ports, caller, basket, card or shop.card, once)
    shop.market.transaction_id = made.transaction_id
    return made


def have(market: Market, merchants: list[Merchant]) -> list[int]:
    return [market.stripe_balance(merchant.account_id).get("usd", 0) for merchant in merchants]


def confirm(market: Market, secret: str, card: str, *, action: str = "complete") -> None:
    """What Stripe.js does in the buyer's browser, and the buyer at his bank."""
    intent_id = secret.partition("_secret_")[0]
    asked = market.order(f"/v1/payment_intents/{intent_id}/confirm", payment_method=card)
    if asked["status"] == "requires_action":
        assert market.simulator.request("POST", f"/3ds/{intent_id}", {"action": action}).status in {200, 303}


def seen_by_buyer(market: Market) -> OffSessionPayment:
    return read_payment(market.ports, ANN, market.transaction_id)


@pytest.mark.parametrize(("amounts", "hold"), [((10_000,), False), ((6_000, 4_000), False), ((10_000,), True)])
def test_saved_details_pay_like_a_session_would(amounts: tuple[int, ...], hold: bool) -> None:
    shop = Shop(market := Market(), merchants=len(amounts))
    made = charge(shop, *amounts, hold=hold)
    assert (made.status, made.decline, made.client_secret) == (TransactionStatus.PAID, None, None)
    assert charge(shop, *amounts, hold=hold) == made
    market.take_in(*market.events())
    assert have(market, shop.merchants) == ([0] if hold else [amount * 9 // 10 for amount in amounts])
    assert len(market.at_stripe("/v1/charges")) == 1
    assert market.violations(made.transaction_id) == []
    if not hold:
        assert_proven(market, made.transaction_id)


def test_every_order_of_its_events_and_any_number_of_each_ends_alike() -> None:
    shop = Shop(market := Market())
    charge(shop)
    heard = market.events()
    assert 4 <= len(heard) <= 8, [event["type"] for event in heard]
    told = [event for event in heard if event["type"].startswith(("payment_intent.s", "charge."))]
    states = []
    for order in permutations(told):
        twin = market.fork()
        twin.take_in(*order, *order)
        assert twin.violations(market.transaction_id) == []
        states.append(twin.state())
    assert states
    assert all(state == states[0] for state in states)


def test_a_decline_is_final_and_said_in_words_and_another_card_is_another_sale() -> None:
    shop = Shop(market := Market(), DECLINED)
    declined = charge(shop)
    assert (declined.status, declined.decline) == (TransactionStatus.FAILED, "generic_decline")
    assert declined.words is not None
    assert "declined" in declined.words.what
    market.take_in(*market.events())
    assert seen_by_buyer(market).client_secret is None
    (intent,) = market.at_stripe("/v1/payment_intents")
    assert intent["status"] == "canceled"  # nothing can come of it any more
    assert market.unsettled(declined.transaction_id) == []
    other = save_card(market, shop.customer)
    paid = charge(shop, key="again", card=other)
    assert paid.status is TransactionStatus.PAID
    assert paid.transaction_id != declined.transaction_id
    market.take_in(*market.events())
    assert_proven(market, paid.transaction_id)
    assert have(market, shop.merchants) == [9_000]


def test_a_payment_that_the_bank_wants_confirmed_is_finished_by_the_buyer_alone(market: Market) -> None:
    shop = Shop(market, ASKS)
    asked = charge(shop)
    assert (asked.status, asked.decline) == (TransactionStatus.REQUIRES_ACTION, "authentication_required")
    assert asked.client_secret is None  # an operator has no use for it
    secret = seen_by_buyer(market).client_secret
    assert secret is not None
    for item in market.store.snapshot().values():
        assert secret not in repr(item)
    with pytest.raises(NotFound):
        read_payment(market.ports, BEN, market.transaction_id)
    confirm(market, secret, shop.card)
    heard = market.events()
    market.take_in(*reversed(heard), *heard)
    assert seen_by_buyer(market).status is TransactionStatus.PAID
    assert seen_by_buyer(market).client_secret is None
    assert have(market, shop.merchants) == [9_000]
    assert_proven(market, market.transaction_id)


def test_a_payment_confirmed_with_another_card_ends_alike_in_every_order(market: Market) -> None:
    shop = Shop(market, ASKS)
    charge(shop)
    secret = str(seen_by_buyer(market).client_secret)
    intent_id = secret.partition("_secret_")[0]
    refused = market.simulator.request(
        "POST", f"/v1/payment_intents/{intent_id}/confirm", {"payment_method": "pm_card_chargeDeclined"}
    )
    assert refused.status == 402
    confirm(market, secret, "pm_card_visa")
    told = [e for e in market.events() if e["type"].startswith(("payment_intent.p", "payment_intent.s", "charge."))]
    assert 5 <= len(told) <= 7
    states = []
    for order in (told, told[::-1], told[1:] + told[:1], told[2:] + told[:2], told[3:] + told[:3]):
        twin = market.fork()
        twin.take_in(*order, *order)
        assert twin.books(market.transaction_id).payment.status is TransactionStatus.PAID
        states.append(twin.state())
    assert all(state == states[0] for state in states)


def test_a_payment_that_the_bank_sends_back_days_later_has_failed_whoever_says_so() -> None:
    for by_event in (True, False):
        shop = Shop(market := Market(), "pm_usBankAccount_insufficientFunds")
        asked = charge(shop)
        assert asked.status is TransactionStatus.PROCESSING
        for _ in range(8):
            market.advance(24 * 3_600)
            heard = market.events()
            market.take_in(*(heard + heard[::-1] if by_event else ()))
            market.sweep()
        assert seen_by_buyer(market).status is TransactionStatus.FAILED, by_event
        assert have(market, shop.merchants) == [0]
        assert market.unsettled(market.transaction_id) == []
        assert market.violations(market.transaction_id) == []


def test_what_was_paid_with_saved_details_is_refunded_to_the_cent(market: Market) -> None:
    shop = Shop(market, merchants=2)
    charge(shop, 6_001, 3_999)
    market.take_in(*market.events())
    for number, amount in enumerate((3_333, 6_667)):
        market.refund(market.transaction_id, amount, key=f"r{number}")
    market.take_in(*market.events())
    assert have(market, shop.merchants) == [0, 0]
    assert_proven(market, market.transaction_id)


def test_saved_details_can_be_authorized_and_captured_in_part(market: Market) -> None:
    shop = Shop(market)
    assert charge(shop, capture_method=CaptureMethod.MANUAL).status is TransactionStatus.AUTHORIZED
    market.take_in(*market.events())
    once = market.once("capture", "c", subject=market.transaction_id)
    capture(market.ports, OPERATOR, market.transaction_id, 5_000, once)
    market.take_in(*market.events())
    assert have(market, shop.merchants) == [4_500]
    assert_proven(market, market.transaction_id)


def test_a_payment_that_nobody_confirms_ends(market: Market) -> None:
    shop = Shop(market, ASKS)
    charge(shop)
    for _ in range(30):
        market.advance(3_600)
        market.sweep()
    market.take_in(*market.events())
    assert seen_by_buyer(market).status is TransactionStatus.EXPIRED
    (intent,) = market.at_stripe("/v1/payment_intents")
    assert intent["status"] == "canceled"
    assert market.unsettled(market.transaction_id) == []
    assert market.violations(market.transaction_id) == []


@pytest.mark.parametrize("later", [60, 25 * 3_600])
@pytest.mark.parametrize(
    ("card", "status"),
    [(PAYS, TransactionStatus.PAID), (DECLINED, TransactionStatus.FAILED)],
)
def test_a_payment_that_dies_anywhere_is_made_once_also_when_its_key_is_gone(
    card: str, status: TransactionStatus, later: int
) -> None:
    shops: dict[int, Shop] = {}

    def prepare(market: Market) -> None:
        shops[id(market)] = Shop(market, card)

    def act(market: Market) -> None:
        charge(shops[id(market)])

    for step, market in each_step(prepare, act):
        market.advance(later)
        market.sweep()
        market.sweep()
        shop = shops[id(market)]
        made = charge(shop)
        market.take_in(*market.events())
        assert len(market.at_stripe("/v1/payment_intents")) == 1, step
        assert read_payment(market.ports, OPERATOR, made.transaction_id).status is status, step
        assert have(market, shop.merchants) == [9_000 if status is TransactionStatus.PAID else 0], step
        assert_proven(market, made.transaction_id)


@pytest.mark.parametrize("card", [PAYS, DECLINED])
def test_a_cart_that_dies_anywhere_is_charged_once_and_every_merchant_paid_once(card: str) -> None:
    shops: dict[int, Shop] = {}

    def prepare(market: Market) -> None:
        shops[id(market)] = Shop(market, card, merchants=2)

    def act(market: Market) -> None:
        charge(shops[id(market)], 6_000, 4_000)
        market.take_in(*market.events())

    for step, market in each_step(prepare, act):
        market.advance(60)
        market.sweep()
        shop = shops[id(market)]
        made = charge(shop, 6_000, 4_000)
        market.advance(2 * 3_600)
        market.sweep()
        market.take_in(*market.events())
        market.sweep()
        assert len(market.at_stripe("/v1/payment_intents")) == 1, step
        assert have(market, shop.merchants) == ([5_400, 3_600] if card == PAYS else [0, 0]), step
        assert market.violations(made.transaction_id) == [], step
        if card == PAYS:
            assert_proven(market, made.transaction_id)
        else:
            assert market.books(made.transaction_id).payment.status is TransactionStatus.FAILED, step


def test_a_payment_intent_that_stripe_made_and_never_confirmed_ends() -> None:
    """A stored 500 may hide it; the look-up finds it, and nobody else will ever finish it."""
    shops: dict[int, Shop] = {}

    def prepare(market: Market) -> None:
        shops[id(market)] = Shop(market)

    ended = 0
    for _, market in each_step(prepare, lambda market: charge(shops[id(market)])):
        recorded = [
            each for each in market.store.snapshot().values() if isinstance(each, Command) and each.kind is CHARGE
        ]
        if not recorded or market.at_stripe("/v1/payment_intents"):
            continue
        (command,) = recorded
        asked = {name: command.params[name] for name in ("amount", "currency", "customer", "metadata")}
        market.order("/v1/payment_intents", **asked)
        market.advance(25 * 3_600)
        for _ in range(3):
            market.sweep()
        assert read_payment(market.ports, OPERATOR, command.result).status is TransactionStatus.EXPIRED
        assert [each["status"] for each in market.at_stripe("/v1/payment_intents")] == ["canceled"]
        assert market.unsettled(command.result) == []
        ended += 1
    assert ended > 0


def test_without_any_event_the_watch_finds_what_became_of_it(market: Market) -> None:
    shop = Shop(market)
    charge(shop)
    market.events()  # lost
    market.advance(2 * 3_600)
    market.sweep()
    market.sweep()
    assert have(market, shop.merchants) == [9_000]
    assert_proven(market, market.transaction_id)


def test_another_s_details_are_not_found_and_nothing_is_planned(market: Market) -> None:
    shop = Shop(market)
    ben = new_customer(market, BEN)
    his = save_card(market, ben)
    before = market.store.snapshot()
    for card in (his, "pm_nothing"):
        with pytest.raises(NotFound, match="payment method"):
            charge(shop, card=card)
    with pytest.raises(NotAllowed):
        charge(shop, caller=Principal(role=Role.BUYER, subject="auth0|ann"))  # amounts are not a browser's
    assert market.store.snapshot() == before
    assert Operation.CREATE_PAYMENT_INTENT not in market.calls
