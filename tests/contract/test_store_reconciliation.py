"""What every Store knows of Stripe's balances: whose an object is, what is to be walked, and the lists of results."""

from dataclasses import replace
from datetime import timedelta

from marketplace.domain.audits import Audit, Finding
from marketplace.domain.ledger import PLATFORM
from marketplace.domain.merchants import Merchant
from marketplace.domain.principals import SYSTEM
from marketplace.domain.reconciliation import Walk
from marketplace.domain.transactions import Transaction
from marketplace.ports import Replace, Store
from tests.contract.examples import Examples, create


def test_a_sale_is_found_by_what_moved_money_for_it(store: Store, examples: Examples, sale: Transaction) -> None:
    payment = examples.full_payment(sale)
    create(store, examples.entries(sale, payment))
    assert store.transaction_of(str(payment.charge_id)) == sale.id
    assert store.transaction_of(str(payment.transfer_id)) == sale.id
    assert store.transaction_of("ch_unknown") is None
    assert store.transaction_of("") is None


def test_a_merchant_is_no_sale_and_a_sale_no_merchant(store: Store, examples: Examples, sale: Transaction) -> None:
    merchant, payment = examples.merchant(), examples.full_payment(sale)
    create(store, [merchant, *examples.entries(sale, payment)])
    assert store.transaction_of(str(merchant.account_id)) is None
    assert store.merchant_of_account(str(merchant.account_id)) == merchant.id
    assert store.merchant_of_account(str(payment.charge_id)) is None


def test_the_books_hold_the_balance_transactions_of_the_sale(
    store: Store, examples: Examples, sale: Transaction, merchant: Merchant
) -> None:
    other = examples.transaction(merchant)
    lines = [examples.balance_transaction(sale) for _ in range(2)]
    create(store, [*lines, examples.balance_transaction(other)])
    books = store.books(sale.id, visible_to=SYSTEM)
    assert books is not None
    assert sorted(books.balance_transactions, key=repr) == sorted(lines, key=repr)


def test_walks_and_payouts_that_are_due_are_found_the_longest_overdue_first(store: Store, examples: Examples) -> None:
    now = examples.now
    walks = [
        Walk(account=account, since=now, due_at=now + timedelta(hours=hours))
        for account, hours in ((PLATFORM, -1), ("acct_1", -3), ("acct_2", 1))
    ]
    done = examples.payout("acct_1", is_done=True)
    payout = examples.payout("acct_2", due_at=now - timedelta(hours=2))
    create(store, [*walks, done, payout])
    assert store.due_walks(now=now, limit=10) == [walks[1], payout, walks[0]]
    assert store.due_walks(now=now, limit=1) == [walks[1]]
    assert store.due(0, now=now, limit=10) == []
    store.commit(Replace(walks[1], replace(walks[1], due_at=now + timedelta(days=1))))
    assert store.due_walks(now=now, limit=10) == [payout, walks[0]]


def test_results_are_listed_newest_first_of_one_account_or_of_all(store: Store, examples: Examples) -> None:
    days = [examples.reconciliation(account) for account in (PLATFORM, "acct_1", PLATFORM)]
    payouts = [examples.payout("acct_1") for _ in range(3)]
    create(store, [*days, *payouts])
    assert list(store.reconciliations(None, cursor=None, limit=10).items) == days[::-1]
    assert list(store.reconciliations(PLATFORM, cursor=None, limit=10).items) == [days[2], days[0]]
    assert store.reconciliations("nothing", cursor=None, limit=10).items == ()
    first = store.reconciliations(PLATFORM, cursor=None, limit=1)
    assert list(store.reconciliations(PLATFORM, cursor=first.cursor, limit=1).items) == [days[0]]
    page = store.payout_reconciliations(cursor=None, limit=2)
    rest = store.payout_reconciliations(cursor=page.cursor, limit=2)
    assert [*page.items, *rest.items] == payouts[::-1]


def test_a_discrepancy_is_listed_until_it_is_resolved(store: Store, examples: Examples) -> None:
    found = [examples.discrepancy(account) for account in (PLATFORM, "acct_1")]
    create(store, found)
    assert list(store.discrepancies(cursor=None, limit=10).items) == found[::-1]
    store.commit(Replace(found[1], replace(found[1], resolved_at=examples.now)))
    assert list(store.discrepancies(cursor=None, limit=10).items) == [found[0]]


def test_audits_are_listed_newest_first_and_findings_until_they_are_resolved(store: Store, examples: Examples) -> None:
    runs = [Audit(id=examples.id("audit"), since=examples.now, until=examples.now) for _ in range(3)]
    findings = [
        Finding(id=examples.id("finding"), transaction_id="t", invariant="I1", what=what, found_at=examples.now)
        for what in ("one", "other")
    ]
    create(store, [*runs, *findings])
    first = store.audits(cursor=None, limit=2)
    assert [*first.items, *store.audits(cursor=first.cursor, limit=2).items] == runs[::-1]
    assert list(store.findings(cursor=None, limit=10).items) == findings[::-1]
    store.commit(Replace(findings[1], replace(findings[1], resolved_at=examples.now)))
    assert list(store.findings(cursor=None, limit=10).items) == [findings[0]]
