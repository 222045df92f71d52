"""What every Store does, whatever it stands on: items one by one and in commits."""

from dataclasses import replace
from typing import Any

import pytest

from marketplace.domain.balance_transactions import BalanceTransaction
from marketplace.domain.books import EventMarker, IdempotencyRecord
from marketplace.domain.catalog import Price, Product
from marketplace.domain.catching_up import EventCheckpoint, EventStream
from marketplace.domain.closings import AccountBalance, Closing, name_of
from marketplace.domain.commands import Command
from marketplace.domain.customers import Customer
from marketplace.domain.debts import Debt
from marketplace.domain.disputes import Dispute
from marketplace.domain.holdings import Holding
from marketplace.domain.invoices import Invoice
from marketplace.domain.merchant_states import MerchantStatus
from marketplace.domain.merchants import Merchant, OnboardingLink
from marketplace.domain.payouts import Payout
from marketplace.domain.principals import SYSTEM
from marketplace.domain.promotions import CodeName, Coupon, PromotionCode, Redemption
from marketplace.domain.reconciliation import Discrepancy, PayoutReconciliation, Reconciliation, Walk
from marketplace.domain.refunds import Refund
from marketplace.domain.shares import Share
from marketplace.domain.subscriptions import Subscription
from marketplace.domain.transactions import Payment, Transaction
from marketplace.ports import Conflict, Create, Item, Ref, Replace, Store, one
from tests.contract.examples import Examples, create


def stored_of_each_kind(examples: Examples) -> dict[Ref[Any], Item]:
    merchant = examples.merchant()
    product = examples.product(merchant)
    price = examples.price(product)
    transaction = examples.transaction(merchant)
    payment = examples.full_payment(transaction)
    refund = examples.refund(transaction)
    share, dispute, debt = examples.share(transaction), examples.dispute(transaction), examples.debt(merchant)
    of_sale, of_merchant = examples.command(transaction.id), examples.command(merchant.id)
    customer = examples.customer()
    of_customer = examples.command(customer.subject)
    inside, outside = examples.idempotency(transaction), examples.idempotency(None)
    marker, link = examples.marker(), examples.link(merchant)
    coupon = examples.coupon()
    code, used = examples.code(coupon), examples.redemption(coupon)
    of_coupon, name = examples.command(coupon.id), CodeName(id="SUMMER", promotion_code_id=code.id)
    line, account = examples.balance_transaction(transaction), "acct_1"
    day, payout, open_line = examples.reconciliation(account), examples.payout(account), examples.discrepancy(account)
    paid_out = examples.merchant_payout(merchant)
    held = Holding(merchant_id=merchant.id, account_id="acct_1", country="de", held_since=examples.now)
    subscription = examples.subscription(price)
    invoice = examples.invoice(subscription)
    of_subscription, of_invoice = examples.command(subscription.id), examples.command(invoice.id)
    closing = Closing(at=examples.now, entries=3)
    row = AccountBalance(at=examples.now, account="losses", currency="usd", balance=-7)
    walk = Walk(account=account, since=examples.now, until=examples.now, cursor=line.id, due_at=examples.now)
    checkpoint = EventCheckpoint(stream=EventStream.PAYMENTS, since=examples.now)
    return {
        Ref(Coupon, coupon.id): coupon,
        Ref(PromotionCode, code.id): code,
        Ref(CodeName, "SUMMER"): name,
        Ref(Redemption, used.transaction_id, owner=coupon.id): used,
        Ref(Command, of_coupon.id, owner=coupon.id): of_coupon,
        Ref(EventCheckpoint, EventStream.PAYMENTS): checkpoint,
        Ref(BalanceTransaction, line.id, owner=transaction.id): line,
        Ref(Reconciliation, day.id, owner=account): day,
        Ref(PayoutReconciliation, payout.id, owner=account): payout,
        Ref(Discrepancy, open_line.id, owner=account): open_line,
        Ref(Walk, account): walk,
        Ref(Closing, name_of(examples.now)): closing,
        Ref(AccountBalance, "losses#usd", owner=name_of(examples.now)): row,
        Ref(Merchant, merchant.id): merchant,
        Ref(Customer, customer.id): customer,
        Ref(Subscription, subscription.id): subscription,
        Ref(Invoice, invoice.id): invoice,
        Ref(Command, of_subscription.id, owner=subscription.id): of_subscription,
        Ref(Command, of_invoice.id, owner=invoice.id): of_invoice,
        Ref(Command, of_customer.id, owner=customer.subject): of_customer,
        Ref(Product, product.id): product,
        Ref(Price, price.id): price,
        Ref(Transaction, transaction.id): transaction,
        Ref(Payment, transaction.id): payment,
        Ref(Refund, refund.id): refund,
        Ref(Share, share.merchant_id, owner=transaction.id): share,
        Ref(Dispute, dispute.id): dispute,
        Ref(Debt, debt.id): debt,
        Ref(Payout, paid_out.id): paid_out,
        Ref(Holding, merchant.id): held,
        Ref(Command, of_sale.id, owner=transaction.id): of_sale,
        Ref(Command, of_merchant.id, owner=merchant.id): of_merchant,
        Ref(IdempotencyRecord, inside.scope, owner=transaction.id): inside,
        Ref(IdempotencyRecord, outside.scope): outside,
        Ref(EventMarker, marker.event_id): marker,
        Ref(OnboardingLink, link.token_hash): link,
    }


def test_what_was_created_is_found_as_it_was(store: Store, examples: Examples) -> None:
    items = stored_of_each_kind(examples)
    create(store, items.values())
    found = store.get(*items)
    assert {ref: found(ref) for ref in items} == items


def test_what_is_not_there_is_none(store: Store, examples: Examples) -> None:
    refs = stored_of_each_kind(examples)
    found = store.get(*refs)
    assert all(found(ref) is None for ref in refs)


def test_an_id_of_the_wrong_shape_is_as_good_as_absent(store: Store, sale: Transaction) -> None:
    refs: list[Ref[Any]] = [
        Ref(Transaction, ""),
        Ref(Refund, "re_123"),
        Ref(Price, "price-1"),
        Ref(EventMarker, "x" * 5000),
    ]
    found = store.get(*refs)
    assert all(found(ref) is None for ref in refs)
    assert store.books(sale.id.upper(), visible_to=SYSTEM) is None
    assert store.books("", visible_to=SYSTEM) is None
    assert store.books(sale.legs[0].merchant_id, visible_to=SYSTEM) is None


def test_an_item_is_created_once(store: Store, examples: Examples, merchant: Merchant) -> None:
    store.commit(Create(merchant))
    again = Create(replace(merchant, name="Another"))
    with pytest.raises(Conflict) as conflict:
        store.commit(again)
    assert conflict.value.changes == (again,)
    assert one(store, Ref(Merchant, merchant.id)) == merchant


def test_a_replacement_counts_the_version_on(store: Store, merchant: Merchant) -> None:
    store.commit(Create(merchant))
    change = Replace(merchant, replace(merchant, status=MerchantStatus.RESTRICTED))
    store.commit(change)
    stands = one(store, Ref(Merchant, merchant.id))
    assert stands == change.stored
    assert stands is not None
    assert stands.version == merchant.version + 1


def test_an_item_is_replaced_only_as_it_was_read(store: Store, merchant: Merchant) -> None:
    store.commit(Create(merchant))
    first = Replace(merchant, replace(merchant, name="First"))
    late = Replace(merchant, replace(merchant, name="Late"))
    store.commit(first)
    with pytest.raises(Conflict) as conflict:
        store.commit(late)
    assert conflict.value.changes == (late,)
    assert one(store, Ref(Merchant, merchant.id)) == first.stored


def test_what_is_absent_cannot_be_replaced(store: Store, merchant: Merchant) -> None:
    with pytest.raises(Conflict):
        store.commit(Replace(merchant, replace(merchant, name="Anything")))
    assert one(store, Ref(Merchant, merchant.id)) is None


def test_a_commit_is_all_or_nothing_and_names_exactly_what_did_not_fit(
    store: Store, examples: Examples, sale: Transaction, merchant: Merchant
) -> None:
    before = store.books(sale.id, visible_to=SYSTEM)
    assert before is not None
    moved = Replace(before.payment, replace(before.payment, refund_count=1))
    store.commit(moved)
    stale = Replace(before.payment, replace(before.payment, refund_count=7))
    marker, taken = examples.marker(), Create(sale)
    with pytest.raises(Conflict) as conflict:
        store.commit(Create(examples.refund(sale)), stale, Create(marker), taken)
    assert conflict.value.changes == (stale, taken)
    after = store.books(sale.id, visible_to=SYSTEM)
    assert after == replace(before, payment=moved.stored)
    assert one(store, Ref(EventMarker, marker.event_id)) is None


def test_a_commit_of_nothing_writes_nothing(store: Store, merchant: Merchant) -> None:
    store.commit(Create(merchant))
    store.commit()
    assert one(store, Ref(Merchant, merchant.id)) == merchant


def test_two_changes_of_one_item_are_a_mistake_and_write_nothing(store: Store, merchant: Merchant) -> None:
    with pytest.raises(ValueError, match="another item"):
        store.commit(Create(merchant), Create(replace(merchant, name="Twice")))
    assert one(store, Ref(Merchant, merchant.id)) is None


def test_a_replacement_by_another_item_is_a_mistake(store: Store, examples: Examples, merchant: Merchant) -> None:
    store.commit(Create(merchant))
    with pytest.raises(ValueError, match="cannot be replaced by"):
        store.commit(Replace(merchant, examples.merchant()))


def test_an_item_with_an_id_of_the_wrong_shape_is_a_mistake(store: Store, merchant: Merchant) -> None:
    with pytest.raises(ValueError, match="shape"):
        store.commit(Create(replace(merchant, id="merchant-1")))


def test_a_hundred_items_are_written_and_read_at_once(store: Store, examples: Examples, merchant: Merchant) -> None:
    product = examples.product(merchant)
    prices = [examples.price(product) for _ in range(100)]
    create(store, prices)
    refs = {price.id: Ref(Price, price.id) for price in prices}
    found = store.get(*refs.values(), *refs.values())
    assert [found(refs[price.id]) for price in prices] == prices


def test_more_than_a_hundred_are_refused(store: Store, examples: Examples, merchant: Merchant) -> None:
    markers = [examples.marker() for _ in range(101)]
    with pytest.raises(ValueError, match="100"):
        create(store, markers)
    with pytest.raises(ValueError, match="100"):
        store.get(*(Ref(EventMarker, marker.event_id) for marker in markers))
