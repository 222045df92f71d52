"""Items as a marketplace has them, with ids of the length that Stripe's have."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from marketplace.domain.account_facts import Due, Requirement
from marketplace.domain.balance_transactions import BalanceTransaction, Movement, MovementKind
from marketplace.domain.books import EventMarker, IdempotencyRecord
from marketplace.domain.catalog import Price, Product
from marketplace.domain.commands import Command, CommandKind, record
from marketplace.domain.customers import Customer, CustomerStatus
from marketplace.domain.debts import Debt
from marketplace.domain.disputes import Dispute, DisputeStatus
from marketplace.domain.fees import FeePolicy
from marketplace.domain.ids import RANDOM_BITS, make_id
from marketplace.domain.invoice_splits import SplitBy
from marketplace.domain.invoices import Invoice, InvoiceLine, InvoiceStatus
from marketplace.domain.ledger import JournalEntry
from marketplace.domain.merchant_states import MerchantStatus
from marketplace.domain.merchants import Merchant, OnboardingLink
from marketplace.domain.movements import MovementStatus, Reversal, Transfer
from marketplace.domain.payouts import Payout, PayoutMethod, PayoutStatus
from marketplace.domain.postings import payment_entries
from marketplace.domain.promotions import Coupon, PromotionCode, Redemption
from marketplace.domain.reconciliation import Discrepancy, LineStatus, PayoutReconciliation, Reconciliation, Tally
from marketplace.domain.refunds import Refund, RefundPart
from marketplace.domain.shares import DebtPart, Share
from marketplace.domain.subscriptions import Subscription, SubscriptionStatus, Terms
from marketplace.domain.transactions import ChargeType, Leg, LineItem, Payment, Transaction
from marketplace.ports import Create, Item, Store

START = datetime(2026, 11, 23, 8, 0, 0, 123456, tzinfo=UTC)
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def create(store: Store, items: Iterable[Item]) -> None:
    """Put items into a store, in one commit."""
    store.commit(*(Create(item) for item in items))


@dataclass
class StillClock:
    """A clock that moves when it is told to."""

    time: datetime = START

    def now(self) -> datetime:
        return self.time

    def advance(self, by: timedelta) -> None:
        self.time += by


class Examples:
    """Makes items. Each is a second younger than the one before, so that lists have one order."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self.now = START

    def id(self, noun: str, owner: str | None = None) -> str:
        self.now += timedelta(seconds=1)
        return make_id(noun, self.now, self._random.getrandbits(RANDOM_BITS), owner=owner)

    def stripe_id(self, prefix: str, length: int) -> str:
        """An id of ``length`` characters after its prefix, for example ``stripe_id("ch", 24)``."""
        return f"{prefix}_{''.join(self._random.choices(_LETTERS, k=length))}"

    def token(self) -> str:
        """A SHA-256 in hexadecimal digits, as scopes and hashes of tokens are."""
        return f"{self._random.getrandbits(256):064x}"

    def merchant(self, **fields: Any) -> Merchant:
        made = Merchant(
            id=self.id("merchant"), name="Café Nordlicht", country="de", currencies=("eur", "usd"),
            fee_policy=FeePolicy(percent=Decimal("12.50"), fixed={"eur": 30}), status=MerchantStatus.READY,
            account_id=self.stripe_id("acct", 16), requirements_due=("individual.address",),
            requirements=(self.requirement(),), created_at=self.now,
        )  # fmt: skip
        return replace(made, **fields)

    def requirement(self) -> Requirement:
        return Requirement(
            name="identity.individual.address", due=Due.CURRENTLY, deadline=self.now + timedelta(days=14),
            restricts=("stripe_balance.payouts", "stripe_balance.stripe_transfers"),
        )  # fmt: skip

    def customer(self, **fields: Any) -> Customer:
        made = Customer(
            id=f"auth0|{self.token()[:24]}", email="ann@example.com", name=None, status=CustomerStatus.READY,
            stripe_customer_id=self.stripe_id("cus", 14), created_at=self.now,
        )  # fmt: skip
        return replace(made, **fields)

    def subscription(self, price: Price, **fields: Any) -> Subscription:
        made = Subscription(
            id=self.id("subscription"), merchant_id=price.merchant_id, customer_id="auth0|ann",
            product_id=price.product_id, price_id=price.id, quantity=2, unit_amount=price.unit_amount,
            currency=price.currency, interval="month", fee_policy={"percent": "2.9", "fixed": {"usd": 30}},
            split=SplitBy.AMOUNT, metadata={"order": "7"}, status=SubscriptionStatus.ACTIVE,
            stripe_subscription_id=self.stripe_id("sub", 24), stripe_item_id=self.stripe_id("si", 14),
            started_at=self.now, current_period_end=self.now,
            terms_to_be=Terms(merchant_id=self.id("merchant"), fee_policy={"percent": "10"}, split=SplitBy.PERCENT),
            created_at=self.now,
        )  # fmt: skip
        return replace(made, **fields)

    def invoice(self, subscription: Subscription, **fields: Any) -> Invoice:
        made = Invoice(
            id=self.id("invoice"), merchant_id=subscription.merchant_id, customer_id=subscription.customer_id,
            currency="usd", fee_policy=subscription.fee_policy, split=SplitBy.AMOUNT, subscription_id=subscription.id,
            lines=(InvoiceLine(description="Tea", unit_amount=500, quantity=2, fee=70),), status=InvoiceStatus.OPEN,
            stripe_invoice_id=self.stripe_id("in", 24), number="A-0001", total=1_000, amount_due=1_000,
            split_amount=1_000, due_date=self.now, created_at=self.now,
        )  # fmt: skip
        return replace(made, **fields)

    def product(self, merchant: Merchant) -> Product:
        return Product(
            id=self.id("product", merchant.id), merchant_id=merchant.id, name="Coffee beans", description="",
            stripe_product_id=self.stripe_id("prod", 14), created_at=self.now,
        )  # fmt: skip

    def price(self, product: Product) -> Price:
        return Price(
            id=self.id("price", product.merchant_id), merchant_id=product.merchant_id, product_id=product.id,
            unit_amount=1050, currency="usd",
            stripe_price_id=self.stripe_id("price", 24), created_at=self.now,
        )  # fmt: skip

    def coupon(self, **fields: Any) -> Coupon:
        made = Coupon(
            id=self.id("coupon"), name="Summer", percent_off="12.5", platform_basis_points=5_000,
            max_redemptions=100, redeem_by=self.now + timedelta(days=30), created_at=self.now,
        )  # fmt: skip
        return replace(made, **fields)

    def code(self, coupon: Coupon, **fields: Any) -> PromotionCode:
        made = PromotionCode(
            id=self.id("code", coupon.id), coupon_id=coupon.id, code="SUMMER", minimum_amount=1000,
            minimum_amount_currency="usd", created_at=self.now,
        )  # fmt: skip
        return replace(made, **fields)

    def redemption(self, coupon: Coupon) -> Redemption:
        return Redemption(
            coupon_id=coupon.id, transaction_id=self.id("transaction"), currency="usd", discount=1000, platform=500,
            merchants={self.id("merchant"): 340, self.id("merchant"): 160}, redeemed_at=self.now,
        )  # fmt: skip

    def transaction(self, merchant: Merchant, **fields: Any) -> Transaction:
        leg = Leg(merchant_id=merchant.id, account_id=merchant.account_id or "", amount=10000, fee=1000)
        coffee = LineItem(name="Coffee", unit_amount=5000, quantity=2, stripe_price_id=self.stripe_id("price", 24))
        made = Transaction(
            id=self.id("transaction"), amount=10000, currency="usd", charge_type=ChargeType.DESTINATION, legs=(leg,),
            line_items=(coffee,), customer_id="auth0|7f3b2c", refund_application_fee=True,
            fee_policy={"percent": "10", "fixed": {"usd": 0}}, metadata={"order": "4711"}, created_at=self.now,
        )  # fmt: skip
        return replace(made, **fields)

    def new_payment(self, transaction: Transaction) -> Payment:
        """A payment of which nothing is known yet."""
        return Payment(
            transaction_id=transaction.id, amount=transaction.amount, currency=transaction.currency,
            created_at=transaction.created_at, due_at=self.now + timedelta(hours=1),
        )  # fmt: skip

    def full_payment(self, transaction: Transaction) -> Payment:
        """A payment of which every fact is known, and that is being refunded and looked at again besides."""
        return Payment(
            transaction_id=transaction.id, amount=99_999_999, currency="usd", refused=False, version=23,
            checkout_session_id=self.stripe_id("cs_test", 58), checkout_session_status="complete",
            async_payment_failed=False, payment_intent_id=self.stripe_id("pi", 24),
            payment_intent_status="requires_payment_method", charge_id=self.stripe_id("py", 24), captured=99_999_999,
            authorized=99_999_999, capture_before=self.now,
            application_fee_amount=9_999_999, transfer_id=self.stripe_id("tr", 24),
            application_fee_id=self.stripe_id("fee", 24), balance_transaction_id=self.stripe_id("txn", 24),
            processing_fee=2_930_001, processing_fee_currency="eur", paid_at=self.now, refund_reserved=99_999_999,
            refund_count=99, created_at=self.now, due_at=self.now,
        )  # fmt: skip

    def command(self, subject: str, **fields: Any) -> Command:
        made = record(
            command_id=self.id("command"), subject=subject, kind=CommandKind.CREATE_REFUND, result=subject,
            params={
                "amount": 500, "reverse_transfer": True, "reason": None, "expand": ["charge"],
                "metadata": {"transaction_id": subject},
            },
            now=self.now,
        )  # fmt: skip
        return replace(made, **fields)

    def refund(self, transaction: Transaction) -> Refund:
        return Refund(
            id=self.id("refund", transaction.id), transaction_id=transaction.id, command_id=self.id("command"),
            amount=500, currency="usd", fee=50, returns_fee=True, reason="requested_by_customer", created_at=self.now,
        )  # fmt: skip

    def share(self, transaction: Transaction, **fields: Any) -> Share:
        """A share that was sent, partly taken back, partly owed, partly kept for an older debt."""
        leg = transaction.legs[0]
        transfer = Transfer(
            id=self.id("transfer", transaction.id), command_id=self.id("command"), amount=8000,
            status=MovementStatus.SUCCEEDED, stripe_transfer_id=self.stripe_id("tr", 24),
            destination_payment_id=self.stripe_id("py", 24), created_at=self.now,
        )  # fmt: skip
        reversal = Reversal(
            id=self.id("reversal", transaction.id), transfer_id=transfer.id, command_id=self.id("command"), amount=500,
            cause=self.id("refund", transaction.id), status=MovementStatus.UNKNOWN, created_at=self.now,
        )  # fmt: skip
        parts = [DebtPart(debt_id=self.id("debt", leg.merchant_id), amount=100) for _ in range(2)]
        made = Share(
            transaction_id=transaction.id, merchant_id=leg.merchant_id, account_id=leg.account_id, amount=leg.amount,
            fee=leg.fee, currency="usd", is_settled=True, released=9000, transfers=(transfer,), reversals=(reversal,),
            debts=(parts[0],), netted=(parts[1],), created_at=self.now,
        )  # fmt: skip
        return replace(made, **fields)

    def debt(self, merchant: Merchant, **fields: Any) -> Debt:
        made = Debt(
            id=self.id("debt", merchant.id), merchant_id=merchant.id, transaction_id=self.id("transaction"),
            cause=self.id("refund", self.id("transaction")), amount=4500, currency="usd",
            transfer_id=self.id("transfer", self.id("transaction")), refusal="balance_insufficient",
            created_at=self.now,
        )  # fmt: skip
        return replace(made, **fields)

    def dispute(self, transaction: Transaction) -> Dispute:
        part = RefundPart(merchant_id=transaction.legs[0].merchant_id, amount=5000, fee=500)
        return Dispute(
            id=self.id("dispute", transaction.id), transaction_id=transaction.id,
            merchant_ids=(part.merchant_id,),
            stripe_dispute_id=self.stripe_id("du", 24), charge_id=self.stripe_id("ch", 24), amount=5000, currency="usd",
            reason="fraudulent", status=DisputeStatus.NEEDS_RESPONSE, withdrawn=5000, fee=1500, parts=(part,),
            dispute_fee_parts={part.merchant_id: 1500}, created_at=self.now,
        )  # fmt: skip

    def entries(self, transaction: Transaction, payment: Payment) -> tuple[JournalEntry, ...]:
        """The charge of a payment, Stripe's fee where it is known, and the settlement: seven lines, an entry's most."""
        return payment_entries(transaction.legs[0], self.new_payment(transaction), payment)

    def balance_transaction(self, transaction: Transaction | None, **fields: Any) -> BalanceTransaction:
        """A charge's, as it is kept with its sale; without a sale, as it is read."""
        charge_id = self.stripe_id("ch", 24)
        made = BalanceTransaction(
            id=self.stripe_id("txn", 24), account="platform", type="charge", category="charge", object_id=charge_id,
            amount=10_000, fee=320, currency="usd", created=self.now.replace(microsecond=0),
            movements=(Movement(object_id=charge_id, kind=MovementKind.CHARGE, amount=9_680),),
            transaction_id=None if transaction is None else transaction.id,
        )  # fmt: skip
        return replace(made, **fields)

    def reconciliation(self, account: str, **fields: Any) -> Reconciliation:
        tally = Tally(status=LineStatus.MATCHED, currency="usd", count=7, net=-1_250)
        return replace(
            Reconciliation(id=self.id("reconciliation"), account=account, day=START, tallies=(tally,)), **fields
        )

    def merchant_payout(self, merchant: Merchant, **fields: Any) -> Payout:
        made = Payout(
            id=self.id("payout", merchant.id), merchant_id=merchant.id, account_id=str(merchant.account_id),
            command_id=self.id("command"), amount=9_000, currency="usd", method=PayoutMethod.INSTANT,
            is_automatic=False, status=PayoutStatus.FAILED, stripe_payout_id=self.stripe_id("po", 24),
            arrives_at=self.now, failure="account_closed", created_at=self.now,
        )  # fmt: skip
        return replace(made, **fields)

    def payout(self, account: str, **fields: Any) -> PayoutReconciliation:
        made = PayoutReconciliation(
            id=self.id("reconciliation"), account=account, payout_id=self.stripe_id("po", 24), amount=9_000,
            currency="usd", created=self.now,
        )  # fmt: skip
        return replace(made, **fields)

    def discrepancy(self, account: str, **fields: Any) -> Discrepancy:
        line = self.balance_transaction(None, account=account, type="topup")
        made = Discrepancy(id=self.id("discrepancy"), line=line, status=LineStatus.UNEXPLAINED)
        return replace(made, **fields)

    def idempotency(self, transaction: Transaction | None, **fields: Any) -> IdempotencyRecord:
        made = IdempotencyRecord(
            scope=self.token(), subject=None if transaction is None else transaction.id, request=self.token(),
            command_id=self.id("command"), command_subject=self.id("transaction"),
            expires_at=self.now.replace(microsecond=0) + timedelta(days=1),
        )  # fmt: skip
        return replace(made, **fields)

    def marker(self, **fields: Any) -> EventMarker:
        made = EventMarker(
            event_id=self.stripe_id("evt", 24), event_type="checkout.session.async_payment_succeeded",
            outcome="applied", transaction_id=self.id("transaction"),
            expires_at=self.now.replace(microsecond=0) + timedelta(days=30),
        )  # fmt: skip
        return replace(made, **fields)

    def link(self, merchant: Merchant, **fields: Any) -> OnboardingLink:
        made = OnboardingLink(
            token_hash=self.token(), merchant_id=merchant.id, return_url="https://shop.example/back",
            expires_at=self.now.replace(microsecond=0) + timedelta(days=7),
        )  # fmt: skip
        return replace(made, **fields)
