"""A marketplace in one process: the use cases over the store in memory and the Stripe simulator, without a network."""

import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.stripe_keys import Group
from local.stripe_simulator.clock import Clock as SimulatorClock
from local.stripe_simulator.settings import Settings
from local.stripe_simulator.simulator import Simulator
from marketplace.adapters.stripe_gateway import StripeGateway
from marketplace.domain.balance_transactions import balance_transaction
from marketplace.domain.books import Books
from marketplace.domain.commands import Command
from marketplace.domain.debts import Debt
from marketplace.domain.fees import FeePolicy
from marketplace.domain.ids import RANDOM_BITS, make_id
from marketplace.domain.invariants import Violation, unsettled, violations
from marketplace.domain.ledger import PLATFORM, STRIPE_BALANCE, JournalEntry, balances
from marketplace.domain.merchants import Merchant
from marketplace.domain.payment_templates import PaymentTemplate
from marketplace.domain.policies import MoneyPolicy
from marketplace.domain.principals import SYSTEM, Principal, Role
from marketplace.domain.promotions import Coupon
from marketplace.domain.refunds import Refund
from marketplace.domain.responsibilities import AccountPolicy
from marketplace.domain.transactions import Payment, Transaction
from marketplace.operations import Operation
from marketplace.ports import Policy, Ports, Ref, one
from marketplace.services.accounts import NewMerchant
from marketplace.services.balance_lines import take_in as take_in_lines
from marketplace.services.baskets import Basket, InlineItem
from marketplace.services.checkout import CheckoutSession, create_checkout_session
from marketplace.services.coupons import NewCoupon, create_coupon
from marketplace.services.events import EventOutcome, take_in
from marketplace.services.idempotency import Once
from marketplace.services.merchants import create_merchant
from marketplace.services.refunds import RefundRequest, request_refund
from marketplace.services.replays import Replayed, replay
from marketplace.services.sweep import Sweep, sweep

from ..fakes.memory_store import MemoryStore
from .crashes import Fuse, FusedStripe
from .group_keys import GroupKeys
from .transport import InProcess

START = int(datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp())
OPERATOR = Principal(role=Role.OPERATOR, subject="operator-1")
SHOP = "http://localhost:3000"
USUAL = MoneyPolicy()
GERMANY = {"country": "DE", "line1": "Hauptstr. 1", "postal_code": "10115", "city": "Berlin"}
RECOMMENDED = AccountPolicy()
STRIPE_URL = "http://stripe.test"
ENDPOINT = "http://receiver.test/webhooks"

Event = dict[str, Any]

_FORK = "fork"
_MADE_ON_THE_WAY = re.compile(r"(command|transfer|reversal|debt)-[0-9a-z]{26}(-[0-9a-z]{26})?")


class TestKey:
    """A key that does not change."""

    __test__ = False

    def value(self) -> str:
        return "sk_test_market"

    def forget(self) -> None:
        pass


class SimulatedClock:
    """The backend's clock is the simulator's."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._simulator.clock.now(), UTC)


class SeededIds:
    """Ids that are the same in every run."""

    def __init__(self, clock: SimulatedClock, seed: int) -> None:
        self._clock = clock
        self._random = random.Random(seed)

    def new(self, noun: str, *, owner: str | None = None) -> str:
        return make_id(noun, self._clock.now(), self._random.getrandbits(RANDOM_BITS), owner=owner)

    def token(self) -> str:
        return f"token-{self._random.getrandbits(256):x}"

    def jitter(self) -> float:
        return self._random.random()

    def fork(self) -> "SeededIds":
        """The same ids from here on."""
        twin = SeededIds(self._clock, 0)
        twin._random.setstate(self._random.getstate())
        return twin


@dataclass
class Market:
    """The world of one test. ``fuse`` ends the backend's process at a step; ``calls`` are those made to Stripe."""

    seed: int = 1
    settings: Settings | None = None
    fee_percent: str = "10"
    money: MoneyPolicy = USUAL
    template: PaymentTemplate | None = None
    accounts: AccountPolicy = RECOMMENDED
    calls: list[Operation] = field(default_factory=list)
    transaction_id: str = ""  # the sale that a story is about
    waiting: list[Event] = field(default_factory=list)  # events that a story keeps for later

    def __post_init__(self) -> None:
        self.simulator = Simulator(
            clock=SimulatorClock.standing(START), seed=self.seed, settings=self.settings or Settings()
        )
        self.keys = GroupKeys(self.simulator)
        self.fuse = Fuse()
        self.clock = SimulatedClock(self.simulator)
        self.ids = SeededIds(self.clock, self.seed)
        self.store = MemoryStore(self.clock, before=self.fuse.around_store, after=self.fuse.around_store)
        gateway = StripeGateway(
            api_key=TestKey(),
            api_base=STRIPE_URL,
            time_left_seconds=lambda: 25.0,
            jitter=self.ids.jitter,
            on_call=self.calls.append,
            sleep=lambda _: None,
            transport=InProcess(self.simulator, key=self.keys.current),
        )
        self.ports = Ports(
            store=self.store,
            stripe=FusedStripe(gateway, self.fuse),
            clock=self.clock,
            ids=self.ids,
            policy=Policy(
                default_fee=FeePolicy.of({"percent": self.fee_percent}),
                return_origins=frozenset({SHOP}),
                livemode=False,
                money=self.money,
                template=self.template,
                accounts=self.accounts,
            ),
        )
        for connect in (False, True):
            self._stripe("POST", "/v1/webhook_endpoints", url=ENDPOINT, enabled_events=["*"], connect=connect)

    def hear_thin_events(self) -> None:
        """From now on the thin events of Accounts v2 are delivered too."""
        self._stripe(
            "POST", "/v2/core/event_destinations", name="thin", type="webhook_endpoint", event_payload="thin",
            events_from=["@accounts"], enabled_events=["*"], webhook_endpoint={"url": ENDPOINT},
        )  # fmt: skip

    def set_capability(self, merchant: Merchant, status: str) -> None:
        """Stripe changes its mind about a merchant."""
        self.order_capability(str(merchant.account_id), status)

    def onboard(self, merchant: Merchant) -> None:
        """The merchant tells Stripe all that it asks for, its bank account too."""
        self._stripe("POST", f"/_simulator/accounts/{merchant.account_id}/onboarding", action="complete")

    def order_capability(self, account_id: str, status: str) -> None:
        """Stripe changes its mind about an account."""
        self._stripe("POST", f"/_simulator/accounts/{account_id}/capabilities", status=status)

    def fork(self) -> "Market":
        """The same world with a store of its own that holds the same now: for trying out what else may happen.

        Stripe goes back to where it was at the first fork.
        """
        if any(each["name"] == _FORK for each in self.simulator.snapshots.saved()):
            self.simulator.snapshots.load(_FORK)
        else:
            self.simulator.snapshots.save(_FORK)
        twin = copy(self)
        twin.store = self.store.fork()
        twin.store.before = twin.store.after = self.fuse.around_store
        twin.ids = self.ids.fork()
        twin.ports = self.ports._replace(store=twin.store, ids=twin.ids)
        return twin

    def new_merchant(self, name: str = "Clay & Co") -> Merchant:
        """A merchant whose account is made, and of which Stripe requires everything."""
        wanted = NewMerchant(
            name=name,
            contact_email="clay@example.com",
            country="us",
            currencies=("usd", "jpy", "kwd"),
            responsibilities=self.accounts.responsibilities(),
            card_payments=self.accounts.card_payments,
        )
        with self.keys.of(Group.MERCHANTS):
            return create_merchant(self.ports, OPERATOR, wanted, self.once("merchant", name))

    def ready_merchant(self, name: str = "Clay & Co") -> Merchant:
        """A merchant that can be sold for; the events of its onboarding are taken in."""
        merchant = self.new_merchant(name)
        self.set_capability(merchant, "active")
        self.take_in(*self.events())
        found = self.merchant(merchant.id)
        assert found.is_ready
        return found

    def only_merchant(self) -> Merchant:
        """The one merchant there is."""
        (merchant,) = self.store.merchants(cursor=None, limit=2).items
        return merchant

    def all_transactions(self) -> list[Books]:
        """The books of every sale."""
        plans = [item for item in self.store.snapshot().values() if isinstance(item, Transaction)]
        return [self.books(plan.id) for plan in plans]

    def merchant(self, merchant_id: str) -> Merchant:
        """A merchant as it is stored."""
        found = one(self.store, Ref(Merchant, merchant_id))
        assert found is not None
        return found

    def sell(self, merchant: Merchant, amount: int, *, currency: str = "usd", key: str = "order-1") -> CheckoutSession:
        """A Checkout Session for one item."""
        item = InlineItem(name="Vase", unit_amount=amount, currency=currency, quantity=1)
        basket = Basket(
            items=(item,), success_url=f"{SHOP}/thanks", cancel_url=SHOP, merchant_id=merchant.id, metadata={}
        )
        with self.keys.of(Group.CHECKOUT):
            return create_checkout_session(self.ports, OPERATOR, basket, self.once("POST /checkout/sessions", key))

    def sell_cart(
        self, amounts: Mapping[Merchant, int], *, currency: str = "usd", key: str = "cart-1",
        tax_behavior: str | None = None, **terms: Any
    ) -> CheckoutSession:  # fmt: skip
        """A Checkout Session for an item of each merchant."""
        items = tuple(
            InlineItem(name=merchant.name, unit_amount=amount, currency=currency, quantity=1, merchant_id=merchant.id,
                       tax_behavior=tax_behavior)
            for merchant, amount in amounts.items()
        )  # fmt: skip
        basket = Basket(items=items, success_url=f"{SHOP}/thanks", cancel_url=SHOP, metadata={}, **terms)
        with self.keys.of(Group.CHECKOUT):
            return create_checkout_session(self.ports, OPERATOR, basket, self.once("POST /checkout/sessions", key))

    def collect_tax(self, merchant: Merchant | None = None) -> None:
        """The platform, or a merchant by itself, is registered for VAT in Germany."""
        office, defaults = {"address": GERMANY}, {"tax_code": "txcd_99999999"}
        options = {"de": {"type": "standard", "standard": {"place_of_supply_scheme": "standard"}}}
        registration = {"country": "DE", "active_from": "now", "country_options": options}
        for path, body in (
            ("/v1/tax/settings", {"head_office": office, "defaults": defaults}),
            ("/v1/tax/registrations", registration),
        ):
            if merchant is None:
                self.order(path, **body)
            else:
                self.as_merchant(merchant, "POST", path, **body)

    def coupon(self, key: str = "coupon", **terms: Any) -> Coupon:
        """A coupon that an operator made."""
        with self.keys.of(Group.CATALOG):
            return create_coupon(self.ports, OPERATOR, NewCoupon(name="Sale", **terms), self.once("coupons", key))

    def pay(self, session: CheckoutSession, card: str = "4242424242424242") -> None:
        """What the buyer does on Stripe's page."""
        self.submit(str(session.checkout_session_id), card=card)

    def pay_by_bank(self, session: CheckoutSession, *, succeeds: bool) -> None:
        """The same with a bank debit, whose outcome comes days later."""
        account = "000123456789" if succeeds else "000222222227"
        self.submit(str(session.checkout_session_id), method="us_bank_account", account=account)

    def submit(self, session_id: str, **form: str) -> None:
        """Stripe's page, filled in."""
        answer = self.simulator.request("POST", f"/c/pay/{session_id}", form)
        assert answer.status == 303, answer.body

    def refund(self, transaction_id: str, amount: int | None, *, key: str, **more: Any) -> Refund:
        """A refund asked for by the operator."""
        request = RefundRequest(transaction_id=transaction_id, amount=amount, **more)
        once = self.once(f"refund {transaction_id}", key, {"amount": amount, **more}, subject=transaction_id)
        with self.keys.of(Group.PAYMENTS):
            return request_refund(self.ports, OPERATOR, request, once)

    def once(self, route: str, key: str, body: dict[str, Any] | None = None, *, subject: str | None = None) -> Once:
        """An Idempotency-Key used by the operator."""
        return Once.of(OPERATOR, route, key, body or {}, subject=subject)

    def events(self) -> list[Event]:
        """The events that Stripe would deliver now."""
        return [json.loads(delivery.body) for delivery in self.simulator.take_deliveries()]

    def take_in(self, *events: Event) -> list[EventOutcome]:
        """Deliver events in this order."""
        with self.keys.of(Group.EVENTS):
            return [take_in(self.ports, event) for event in events]

    def sweep(self) -> Sweep:
        """One run of the sweep."""
        with self.keys.of(Group.RECOVERY):
            return sweep(self.ports, has_time=lambda: True)

    def replay(self, transaction_id: str) -> Replayed:
        """Read again from Stripe all that it has of a transaction."""
        with self.keys.of(Group.EVENTS):
            return replay(self.ports, transaction_id)

    def advance(self, seconds: int) -> None:
        """Let time pass for everybody."""
        self.simulator.advance(seconds)

    def books(self, transaction_id: str) -> Books:
        """Everything of a transaction."""
        books = self.store.books(transaction_id, visible_to=SYSTEM)
        assert books is not None
        return books

    def violations(self, transaction_id: str) -> list[Violation]:
        """What is wrong with its books now."""
        return violations(self.books(transaction_id), self.clock.now())

    def unsettled(self, transaction_id: str) -> list[str]:
        """What keeps its books from being at rest."""
        return unsettled(self.books(transaction_id))

    def state(self) -> Counter[str]:
        """All that is stored about money, without what only tells how often it was written, and our ids by chance."""
        kept = (item for item in self.store.snapshot().values() if not _is_bookkeeping(item))
        return Counter(_MADE_ON_THE_WAY.sub(r"\1", repr(_essence(item))) for item in kept)

    def order(self, path: str, **body: Any) -> Any:
        """Something that happens at Stripe because the laboratory says so."""
        return self._stripe("POST", path, **body)

    def debts(self) -> list[Debt]:
        """What every merchant owes or has owed."""
        return [item for item in self.store.snapshot().values() if isinstance(item, Debt)]

    def debts_open(self) -> int:
        """Minor units that are still owed."""
        return sum(debt.rest for debt in self.debts())

    def in_days(self, days: int) -> datetime:
        """A moment some days ahead."""
        return self.clock.now() + timedelta(days=days)

    def come_to_rest(self) -> None:
        """The days in which money becomes available, and what was refused for want of it is tried again."""
        for _ in range(3):
            self.advance(24 * 3_600)
            self.sweep()
            self.take_in(*self.events())

    def positions(self) -> dict[str, Any]:
        """Who ends with what: at Stripe, and in the journal."""
        merchants = self.store.merchants(cursor=None, limit=100).items
        journal: Counter[tuple[str, str]] = Counter()
        for books in self.all_transactions():
            journal.update(balances(books.entries))
        return {
            "platform": self.stripe_balance(),
            "merchants": {merchant.name: self.stripe_balance(merchant.account_id) for merchant in merchants},
            "journal": {account: amount for account, amount in journal.items() if amount},
        }

    def at_stripe(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """The objects of a list at Stripe."""
        found: list[dict[str, Any]] = self._stripe("GET", path, limit=100, **params)["data"]
        return found

    def accounts_at_stripe(self) -> list[dict[str, Any]]:
        """The connected accounts."""
        found: list[dict[str, Any]] = self._stripe("GET", "/v2/core/accounts")["data"]
        return found

    def stripe_balance(self, account: str | None = None) -> dict[str, int]:
        """Pending and available together, per currency, of the platform or a connected account."""
        headers = {"Stripe-Account": account} if account else {}
        balance = self.simulator.request("GET", "/v1/balance", {}, headers=headers).json()
        sums: dict[str, int] = {}
        for part in (*balance["available"], *balance["pending"]):
            sums[part["currency"]] = sums.get(part["currency"], 0) + part["amount"]
        return {currency: amount for currency, amount in sums.items() if amount}

    def ledger_balance(self) -> dict[str, int]:
        """What our journal says of the platform's balance at Stripe, per currency, once Stripe's fees are in it."""
        self.take_in_balance_transactions()
        sums: Counter[str] = Counter()
        entries = [item for item in self.store.snapshot().values() if isinstance(item, JournalEntry)]
        for (account, currency), amount in balances(entries).items():
            if account == STRIPE_BALANCE:
                sums[currency] += amount
        return {currency: amount for currency, amount in sums.items() if amount}

    def take_in_balance_transactions(self) -> None:
        """What Stripe booked on the platform's balance until now, page by page."""
        cursor: dict[str, str] = {}
        while True:
            page = self._stripe("GET", "/v1/balance_transactions", limit=100, expand=["data.source"], **cursor)
            take_in_lines(self.ports, [balance_transaction(line, PLATFORM) for line in page["data"]])
            if not page["has_more"]:
                return
            cursor = {"starting_after": page["data"][-1]["id"]}

    def as_merchant(self, merchant: Merchant, method: str, path: str, **params: Any) -> Any:
        """What a merchant does at Stripe by itself."""
        headers = {"Stripe-Account": str(merchant.account_id)}
        response = self.simulator.request(method, path, params, headers=headers)
        assert response.status == 200, response.json()
        return response.json()

    def _stripe(self, method: str, path: str, **params: Any) -> Any:
        response = self.simulator.request(method, path, params)
        assert response.status == 200, response.json()
        return response.json()


def ids_of(events: Iterable[Event]) -> list[str]:
    """The types, for messages of failed assertions."""
    return [event["type"] for event in events]


def _is_bookkeeping(item: object) -> bool:
    return type(item).__name__ in {"EventMarker", "IdempotencyRecord"}


def _essence(item: Any) -> Any:
    if isinstance(item, Command):
        return replace(item, version=0, tries=0, settled_at=None, attempt_began_at=item.created_at)
    if isinstance(item, Payment):
        return replace(item, version=0, due_at=None)
    return replace(item, version=0) if hasattr(item, "version") else item
