"""Domain objects for tests: realistic, and strategies of what Stripe may say of one payment."""

from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from marketplace.domain.books import Books
from marketplace.domain.refunds import Refund
from marketplace.domain.shares import Share
from marketplace.domain.transactions import ChargeType, Leg, LineItem, Payment, PaymentFacts, Transaction

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TRANSACTION_ID = "transaction-01kar0000000000000000000aa"
LEG = Leg(merchant_id="merchant-01kar0000000000000000000mm", account_id="acct_1", amount=10_000, fee=1_000)
PLAN = Transaction(
    id=TRANSACTION_ID,
    amount=10_000,
    currency="usd",
    charge_type=ChargeType.DESTINATION,
    legs=(LEG,),
    line_items=(LineItem(name="A vase", unit_amount=10_000, quantity=1),),
    customer_id="buyer-1",
    fee_policy={"percent": "10"},
    refund_application_fee=True,
    metadata={},
    created_at=NOW,
)
PLANNED = Payment(transaction_id=TRANSACTION_ID, amount=10_000, currency="usd", created_at=NOW, due_at=NOW)
SETTLED = PaymentFacts(
    checkout_session_id="cs_1",
    checkout_session_status="complete",
    payment_intent_id="pi_1",
    payment_intent_status="succeeded",
    charge_id="ch_1",
    captured=10_000,
    application_fee_amount=1_000,
    transfer_id="tr_1",
    application_fee_id="fee_1",
    balance_transaction_id="txn_1",
    processing_fee=320,
    processing_fee_currency="usd",
    paid_at=NOW + timedelta(seconds=30),
)

# What one payment's events can say, each about a part of it, and never two things of one id.
FACTS = st.builds(
    PaymentFacts,
    checkout_session_id=st.sampled_from([None, "cs_1"]),
    checkout_session_status=st.sampled_from([None, "open", "complete", "expired"]),
    async_payment_failed=st.booleans(),
    declined=st.booleans(),
    authentication_required=st.booleans(),
    payment_intent_id=st.sampled_from([None, "pi_1"]),
    payment_intent_status=st.sampled_from([None, "requires_payment_method", "processing", "canceled", "succeeded"]),
    charge_id=st.sampled_from([None, "ch_1"]),
    captured=st.sampled_from([None, 10_000]),
    application_fee_amount=st.sampled_from([None, 1_000]),
    transfer_id=st.sampled_from([None, "tr_1"]),
    application_fee_id=st.sampled_from([None, "fee_1"]),
    balance_transaction_id=st.sampled_from([None, "txn_1"]),
    processing_fee=st.sampled_from([None, 320]),
    processing_fee_currency=st.sampled_from([None, "usd"]),
    paid_at=st.sampled_from([None, SETTLED.paid_at]),
)


def settled_payment() -> Payment:
    """The payment with everything known."""
    return replace(PLANNED, **{field.name: getattr(SETTLED, field.name) for field in fields(PaymentFacts)})


def refund(number: int, amount: int, fee: int, **changes: object) -> Refund:
    """A refund of the sample sale."""
    made = Refund(
        id=f"refund-{number}",
        transaction_id=TRANSACTION_ID,
        command_id=f"command-{number}",
        amount=amount,
        currency="usd",
        fee=fee,
        returns_fee=True,
        reason=None,
        created_at=NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # the caller names fields of the refund


def books_of(leg: Leg, payment: Payment, refunds: Iterable[Refund] = (), shares: Iterable[Share] = ()) -> Books:
    """The books of a sale of one leg."""
    return Books(
        transaction=replace(PLAN, amount=leg.amount, legs=(leg,)),
        payment=payment,
        refunds={made.id: made for made in refunds},
        commands={},
        entries=(),
        idempotency={},
        shares={share.merchant_id: share for share in shares},
    )
