"""Random histories of a marketplace: after every step the books hold, and once all is healed they say what Stripe says.

Each part plays ``PER_PART`` of them from a seed of its own, so that what fails here fails everywhere, and prints the
steps that lead to it. ``HISTORIES=20000 python -m pytest tests/simulation/test_histories.py`` plays more parts,
``FIRST_SEED`` begins with another.
"""

import os
import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture.providers import HypothesisProvider
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from local.stripe_simulator.funds.exactness import examine
from marketplace.domain.catalog import Interval, Price, Recurring, TaxBehavior
from marketplace.domain.disputes import DisputeStatus
from marketplace.domain.errors import Refused, Unavailable
from marketplace.domain.fees import FeePolicy
from marketplace.domain.invoices import Invoice, InvoiceLine
from marketplace.domain.merchants import Merchant
from marketplace.domain.policies import MoneyPolicy
from marketplace.domain.promotions import Coupon, Duration
from marketplace.domain.subscriptions import Subscription
from marketplace.domain.transactions import CaptureMethod, ChargeType, TransactionStatus
from marketplace.ports import Replace
from marketplace.services.captures import cancel, capture
from marketplace.services.invoice_acts import create_credit_note, finalize_invoice, pay_invoice
from marketplace.services.invoices import NewInvoice, create_invoice
from marketplace.services.releases import release
from marketplace.services.subscription_changes import (
    Proration,
    SubscriptionChange,
    change_subscription,
)
from marketplace.services.subscription_endings import (
    cancel_subscription,
)

from .crashes import ProcessDied
from .market import GERMANY, OPERATOR, Event, Market
from .subscribing import ANN, EXACT, customer, price_of, subscribe

HISTORIES = int(os.environ.get("HISTORIES", "2000"))
FIRST_SEED = int(os.environ.get("FIRST_SEED", "1"))
PER_PART = 100
STEPS = 25
SHOPS = 5
ALARM = "I13 waits are watched"  # days pass here without a sweep, of which this is the alarm
CARDS = ("4242424242424242", "4242424242424242", "4000000000005126", "4000000000000002")
"""Succeeds, twice as often; its refunds fail later; declined."""

fractions = st.sampled_from([1, 2, 3, 7])
FUNDINGS = (0, 3_333, 10_000)
"""What of a coupon the platform funds, in basis points."""

discounts = st.sampled_from([None, None, "10", "33.33", "100"])
taxes = st.sampled_from([None, None, "inclusive", "exclusive"])
chances = st.integers(0, 2**32 - 1)


@dataclass(frozen=True)
class Shop:
    """What every history begins with: three merchants, their prices and coupons, a buyer's card, money at Stripe."""

    market: Market
    merchants: Sequence[Merchant]
    coupons: Mapping[tuple[str, int], Coupon]
    prices: Sequence[Price]
    card: str
    topped_up: int


@cache  # opening takes a third of a history's time
def opened(seed: int) -> Shop:
    """A shop whose market is only ever forked."""
    market = Market(seed=seed, money=MoneyPolicy(hold_until_ready=True))
    merchants = [market.ready_merchant(name) for name in ("Clay", "Linen", "Oak")]
    for merchant in merchants:
        market.onboard(merchant)
    market.collect_tax()
    coupons = {
        (percent, points): market.coupon(
            f"{percent} {points}", percent_off=percent, platform_basis_points=points, duration=Duration.FOREVER
        )
        for percent in ("10", "33.33", "100")
        for points in FUNDINGS
    }
    market.order("/v1/topups", amount=5_000_000, currency="usd")  # losses are the platform's, and it has money
    market.advance(60)
    terms = ((EXACT, TaxBehavior.EXCLUSIVE), (None, TaxBehavior.INCLUSIVE))
    prices = [daily_price(market, merchant, *of_it) for merchant, of_it in zip(merchants, terms, strict=False)]
    ann = customer(market).stripe_customer_id
    market.order(f"/v1/customers/{ann}", address=GERMANY)
    saved = market.order("/v1/payment_methods/pm_card_visa/attach", customer=ann)
    market.take_in(*market.events())
    return Shop(market, merchants, coupons, prices, str(saved["id"]), market.stripe_balance().get("usd", 0))


def daily_price(market: Market, merchant: Merchant, policy: FeePolicy | None, behavior: TaxBehavior) -> Price:
    """A price that is paid every day, with the fee by a policy of the merchant's or by the usual percent."""
    known = market.merchant(merchant.id)
    market.store.commit(Replace(known, replace(known, fee_policy=policy)))
    daily = Recurring(interval=Interval.DAY)
    return price_of(market, market.merchant(merchant.id), 4_000, daily, tax_behavior=behavior)


class Histories(RuleBasedStateMachine):
    """A marketplace of three merchants; buyers, banks, operators and the network do as they like."""

    @initialize(seed=chances)
    def open_shop(self, seed: int) -> None:
        shop = opened(seed % SHOPS)
        self.market = shop.market.fork()
        self.merchants, self.coupons, self.prices = shop.merchants, shop.coupons, shop.prices
        self.card, self.topped_up = shop.card, shop.topped_up
        self.sales: list[str] = []
        self.under_way: list[Event] = []
        self.keys = 0

    @rule(amounts=st.lists(st.integers(100, 50_000), min_size=1, max_size=3), card=st.sampled_from(CARDS),
          manual=st.booleans(), hold=st.booleans(), discount=st.tuples(discounts, st.sampled_from(FUNDINGS)),
          tax=taxes, dies_at=st.integers(0, 60))  # fmt: skip
    def sell(
        self, amounts: list[int], card: str, manual: bool, hold: bool, discount: tuple[str | None, int],
        tax: str | None, dies_at: int,
    ) -> None:  # fmt: skip
        off, points = discount
        terms: dict[str, Any] = {"hold": hold, "automatic_tax": tax is not None, "tax_behavior": tax}
        if manual:
            terms["capture_method"] = CaptureMethod.MANUAL
        if off is not None:
            terms["coupon_id"] = self.coupons[off, points].id
        if dies_at % 2 and len(amounts) == 1 and not hold:
            terms["charge_type"] = ChargeType.DESTINATION
        basket = dict(zip(self.merchants, amounts, strict=False))
        with self.dying(dies_at):
            session = self.market.sell_cart(basket, key=self.key(), **terms)
            self.sales.append(session.transaction_id)
            with suppress(AssertionError):  # declined: the page shows it again
                self.market.submit(str(session.checkout_session_id), card=card, **GERMANY)
        self.hear()

    @rule(pick=chances, part=fractions, of_merchant=st.booleans(), keeps_fee=st.booleans(), dies_at=st.integers(0, 40))
    def refund(self, pick: int, part: int, of_merchant: bool, keeps_fee: bool, dies_at: int) -> None:
        books = self.pick(pick)
        if books is None or not books.payment.refundable:
            return
        terms: dict[str, Any] = {"merchant_id": self.merchants[pick % 3].id} if of_merchant else {}
        terms["refund_application_fee"] = not keeps_fee
        with self.dying(dies_at):
            self.market.refund(books.transaction.id, max(1, books.payment.refundable // part), key=self.key(), **terms)
        self.hear()

    @rule(pick=chances, quantity=st.integers(1, 3), discount=st.tuples(discounts, st.sampled_from(FUNDINGS)),
          is_taxed=st.booleans(), dies_at=st.integers(0, 20))  # fmt: skip
    def subscribe(
        self, pick: int, quantity: int, discount: tuple[str | None, int], is_taxed: bool, dies_at: int
    ) -> None:
        price, address = self.prices[pick % len(self.prices)], GERMANY if is_taxed else {}
        with self.dying(dies_at):
            terms = self.terms_of(discount, is_taxed=is_taxed)
            session = subscribe(self.market, price, quantity=quantity, **terms)
            self.market.submit(str(session.checkout_session_id), card=CARDS[pick % 2], **address)
        self.hear()

    @rule(pick=chances, quantity=st.integers(1, 3), dies_at=st.integers(0, 20))
    def change_subscription(self, pick: int, quantity: int, dies_at: int) -> None:
        found = self.pick_of(Subscription, pick)
        if found is not None:
            wanted = SubscriptionChange(quantity=quantity, proration=list(Proration)[pick % 3])
            key = self.market.once("change", self.key())
            with self.dying(dies_at):
                change_subscription(self.market.ports, OPERATOR, found.id, wanted, key)
            self.hear()

    @rule(pick=chances, at_period_end=st.booleans(), prorates=st.booleans(), dies_at=st.integers(0, 40))
    def cancel_subscription(self, pick: int, at_period_end: bool, prorates: bool, dies_at: int) -> None:
        found = self.pick_of(Subscription, pick)
        if found is not None:
            key = self.market.once("cancel", self.key())
            with self.dying(dies_at):
                cancel_subscription(
                    self.market.ports, OPERATOR, found.id, at_period_end=at_period_end, prorates=prorates, once=key
                )
            self.hear()

    def terms_of(self, discount: tuple[str | None, int], *, is_taxed: bool) -> dict[str, Any]:
        """Tax and discount as an operator asks for them; neither where nothing is to be said."""
        off, points = discount
        coupon = {} if off is None else {"coupon_id": self.coupons[off, points].id}
        return {"automatic_tax": True, **coupon} if is_taxed else coupon

    @rule(pick=chances, amount=st.integers(100, 50_000), discount=st.tuples(discounts, st.sampled_from(FUNDINGS)),
          tax=taxes, dies_at=st.integers(0, 60))  # fmt: skip
    def send_invoice(
        self, pick: int, amount: int, discount: tuple[str | None, int], tax: str | None, dies_at: int
    ) -> None:
        """An invoice that is made, finalized and charged, as far as the process lives."""
        wanted = NewInvoice(
            merchant_id=self.merchants[pick % 3].id, customer_id=ANN.subject, currency="usd",
            lines=(InvoiceLine(description="Work", unit_amount=amount, tax_behavior=tax),),
            **self.terms_of(discount, is_taxed=tax is not None),
        )  # fmt: skip
        ports, keys = self.market.ports, [self.market.once("invoice", self.key()) for _ in range(3)]
        with self.dying(dies_at):
            made = create_invoice(ports, OPERATOR, wanted, keys[0])
            finalize_invoice(ports, OPERATOR, made.id, keys[1])
            pay_invoice(ports, OPERATOR, made.id, payment_method_id=self.card, paid_elsewhere=False, once=keys[2])
        self.hear()

    @rule(pick=chances, amount=st.sampled_from([-1_000, 700]))
    def change_draft_in_the_dashboard(self, pick: int, amount: int) -> None:
        """Whatever fee it was told is that of another amount now."""
        drafts = [each for each in self.market.at_stripe("/v1/invoices") if each["status"] == "draft"]
        if drafts:
            draft = drafts[pick % len(drafts)]
            self.at_stripe("/v1/invoiceitems", customer=draft["customer"], invoice=draft["id"], amount=amount,
                           currency="usd")  # fmt: skip

    @rule(pick=chances, part=fractions, dies_at=st.integers(0, 20))
    def credit(self, pick: int, part: int, dies_at: int) -> None:
        found = self.pick_of(Invoice, pick)
        if found is not None and found.amount_paid:
            key = self.market.once("credit", self.key())
            amount = max(1, found.amount_paid // part)
            with self.dying(dies_at):
                create_credit_note(self.market.ports, OPERATOR, found.id, amount=amount, memo=None, once=key)
            self.hear()

    @rule(pick=chances, part=fractions)
    def refund_in_the_dashboard(self, pick: int, part: int) -> None:
        books = self.pick(pick)
        if books is not None and books.payment.payment_intent_id and books.payment.refundable > 0:
            amount = max(1, books.payment.refundable // part)
            intent = books.payment.payment_intent_id
            self.at_stripe("/v1/refunds", payment_intent=intent, amount=amount)

    @rule(pick=chances, part=fractions)
    def dispute(self, pick: int, part: int) -> None:
        books = self.pick(pick)
        if books is not None and books.payment.charge_id:
            amount = max(1, (books.payment.captured or 1) // part)
            self.at_stripe(f"/_simulator/charges/{books.payment.charge_id}/dispute", amount=amount)

    @rule(pick=chances, outcome=st.sampled_from(["won", "lost"]))
    def decide(self, pick: int, outcome: str) -> None:
        open_ones = [each for each in self.market.at_stripe("/v1/disputes") if each["status"] == "needs_response"]
        if open_ones:
            found = open_ones[pick % len(open_ones)]["id"]
            self.at_stripe(f"/_simulator/disputes/{found}/decide", outcome=outcome)

    @rule(pick=chances, part=fractions, captures=st.booleans(), dies_at=st.integers(0, 20))
    def end_authorization(self, pick: int, part: int, captures: bool, dies_at: int) -> None:
        books = self.pick(pick)
        if books is None or books.payment.status is not TransactionStatus.AUTHORIZED:
            return
        sale, key = books.transaction.id, self.key()
        once = self.market.once("end", key, {}, subject=sale)
        amount = max(100, (books.payment.authorized or 1) // part)
        with self.dying(dies_at):
            if captures:
                capture(self.market.ports, OPERATOR, sale, amount, once)
            else:
                cancel(self.market.ports, OPERATOR, sale, once)
        self.hear()

    @rule(pick=chances, part=fractions, dies_at=st.integers(0, 30))
    def let_go(self, pick: int, part: int, dies_at: int) -> None:
        books = self.pick(pick)
        held = [share for share in books.shares.values() if share.own > share.released] if books else []
        if books is None or not held:
            return
        share = held[pick % len(held)]
        once = self.market.once("release", self.key(), {}, subject=books.transaction.id)
        with self.dying(dies_at):
            release(
                self.market.ports, OPERATOR, books.transaction.id, once,
                merchant_id=share.merchant_id, amount=max(1, (share.own - share.released) // part),
            )  # fmt: skip
        self.hear()

    @rule(pick=chances)
    def pay_out(self, pick: int) -> None:
        merchant: Merchant = self.merchants[pick % 3]
        headers = {"Stripe-Account": str(merchant.account_id)}
        held = self.market.simulator.request("GET", "/v1/balance", {}, headers=headers).json()["available"]
        amount = sum(each["amount"] for each in held if each["currency"] == "usd")
        if amount > 0:
            with suppress(AssertionError):  # Stripe refuses while the account is restricted
                self.market.as_merchant(merchant, "POST", "/v1/payouts", amount=amount, currency="usd")
        self.hear()

    @rule(pick=chances, part=fractions)
    def send_back(self, pick: int, part: int) -> None:
        """A merchant refunds one of its own payments: the platform has the money again."""
        headers = {"Stripe-Account": str(self.merchants[pick % 3].account_id)}
        payments = self.market.simulator.request("GET", "/v1/charges", {}, headers=headers).json()["data"]
        if payments:
            payment = payments[pick % len(payments)]
            left = payment["amount"] - payment["amount_refunded"]
            body = {"charge": payment["id"], "amount": max(1, left // part)}
            self.market.simulator.request("POST", "/v1/refunds", body, headers=headers)
        self.hear()

    @rule(pick=chances, status=st.sampled_from(["active", "active", "restricted"]))
    def change_merchant(self, pick: int, status: str) -> None:
        self.market.set_capability(self.merchants[pick % 3], status)
        self.hear()

    @rule(days=st.integers(0, 4), dies_at=st.integers(0, 60))
    def time_passes(self, days: int, dies_at: int) -> None:
        self.market.advance(days * 24 * 3_600 + 60)
        with self.dying(dies_at):
            self.market.sweep()
        self.hear()

    @rule(pick=chances, dies_at=st.integers(0, 120))
    def deliver(self, pick: int, dies_at: int) -> None:
        """Some of the events under way, in any order, some of them twice; the others come later."""
        chance = random.Random(pick)
        arriving = [event for event in self.under_way if chance.random() < 0.7]
        arriving += chance.sample(arriving, len(arriving) // 3)
        chance.shuffle(arriving)
        with self.dying(dies_at):
            for event in arriving:
                self.market.take_in(event)
                if chance.random() < 0.9 and event in self.under_way:  # else its answer is lost, and it comes again
                    self.under_way.remove(event)
        self.hear()

    @invariant()
    def the_books_hold(self) -> None:
        for books in self.market.all_transactions() if hasattr(self, "market") else ():
            wrong = self.market.violations(books.transaction.id)
            assert [each for each in wrong if each.invariant != ALARM] == []

    def teardown(self) -> None:
        """Heal: everything is delivered, time passes, and everybody has what he should."""
        if not hasattr(self, "market"):
            return
        self.market.fuse.set(None)
        for merchant in self.merchants:
            self.market.set_capability(merchant, "active")
        for running in self.market.at_stripe("/v1/subscriptions"):  # else they would go on being paid
            self.market.simulator.request("DELETE", f"/v1/subscriptions/{running['id']}", {})
        for _ in range(12):
            self.hear()
            arriving, self.under_way = self.under_way, []
            for event in arriving:
                self.deliver_again(event)
            self.market.advance(24 * 3_600)
            assert self.market.sweep().troubles == []
        assert self.under_way == []
        self.the_books_hold()
        for books in self.market.all_transactions():
            assert [each.id for each in books.commands.values() if each.is_open] == []
            for at_stripe in self.market.at_stripe("/v1/disputes"):
                known = [each.status for each in books.disputes.values() if each.stripe_dispute_id == at_stripe["id"]]
                assert known in ([], [DisputeStatus(at_stripe["status"])])
        self.billing_is_as_at_stripe()
        assert examine(self.market.simulator.store).errors == []
        ledger, stripe = self.market.ledger_balance(), self.market.stripe_balance()
        assert ledger.get("usd", 0) == stripe.get("usd", 0) - self.topped_up

    def billing_is_as_at_stripe(self) -> None:
        known = {each.stripe_subscription_id: each.status.value for each in self.all_of(Subscription)}
        known |= {each.stripe_invoice_id: each.status.value for each in self.all_of(Invoice)}
        for stripe_id, status in known.items():
            if stripe_id is not None:
                path = "subscriptions" if stripe_id.startswith("sub_") else "invoices"
                found = self.market.simulator.request("GET", f"/v1/{path}/{stripe_id}", {}).json()
                assert status == found["status"]

    def deliver_again(self, event: Event) -> None:
        """As Stripe does, until it is taken in: what it is about may not be on record yet."""
        try:
            self.market.take_in(event)
        except Unavailable:
            self.under_way.append(event)

    def pick(self, number: int) -> Any:
        """One of the sales, those that were invoices among them, or none."""
        paid = [invoice.transaction_id for invoice in self.all_of(Invoice) if invoice.transaction_id]
        sales = [*self.sales, *paid]
        return self.market.books(sales[number % len(sales)]) if sales else None

    def pick_of[T: (Subscription, Invoice)](self, kind: type[T], number: int) -> T | None:
        """One of the subscriptions or invoices, or none."""
        found = self.all_of(kind)
        return found[number % len(found)] if found else None

    def all_of[T: (Subscription, Invoice)](self, kind: type[T]) -> list[T]:
        found = [item for item in self.market.store.snapshot().values() if isinstance(item, kind)]
        return sorted(found, key=lambda item: item.id)

    def key(self) -> str:
        self.keys += 1
        return f"key-{self.keys}"

    def hear(self) -> None:
        """What Stripe has to tell is under way."""
        self.under_way += self.market.events()

    def at_stripe(self, path: str, **body: Any) -> None:
        """Somebody does something at Stripe, which may refuse it."""
        self.market.simulator.request("POST", path, body)
        self.hear()

    def dying(self, at: int) -> "Dying":
        return Dying(self.market, at)


class Dying:
    """A process that may die at a step, and may be refused; either way the world goes on."""

    def __init__(self, market: Market, at: int) -> None:
        self._market = market
        self._at = at

    def __enter__(self) -> None:
        self._market.fuse.set(self._at)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        self._market.fuse.set(None)
        return kind is not None and issubclass(kind, ProcessDied | Refused | Unavailable)


@pytest.fixture(autouse=True)
def _nothing_but_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hypothesis also tries the constants of all modules that happen to be loaded: a seed would not say all."""
    monkeypatch.setattr(HypothesisProvider, "_maybe_draw_constant", lambda *_args, **_named: None)


@pytest.mark.timeout(900)  # a failure is shrunk, in up to five minutes
@pytest.mark.parametrize("part", range(FIRST_SEED, FIRST_SEED + max(1, HISTORIES // PER_PART)))
def test_the_books_hold_in_every_history(part: int) -> None:
    of_part = type(f"Histories{part}", (Histories,), {})
    run_state_machine_as_test(seed(part)(of_part), settings=RANDOM)


RANDOM = settings(
    max_examples=PER_PART,
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
