"""Of several at once exactly one wins."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from marketplace.domain.merchants import Merchant
from marketplace.domain.principals import SYSTEM
from marketplace.ports import Conflict, Create, Ref, Replace, Store, one
from tests.contract.examples import Examples

THREADS = 8
ROUNDS = 20


def race(*runs: Callable[[], None]) -> int:
    """Run all at once; how many came through without a Conflict."""
    start = threading.Barrier(len(runs))

    def try_it(run: Callable[[], None]) -> bool:
        start.wait(timeout=30)
        try:
            run()
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(len(runs)) as pool:
        return sum(pool.map(try_it, runs))


def test_of_eight_replacements_at_once_exactly_one_wins(racing_store: Store, examples: Examples) -> None:
    merchant = examples.merchant()
    racing_store.commit(Create(merchant))
    for number in range(ROUNDS):
        same = replace(merchant, name=f"Round {number}")  # equal contents: the winner is still one
        winners = race(*[lambda: racing_store.commit(Replace(merchant, same))] * THREADS)  # noqa: B023 - run at once
        assert winners == 1
        stands = one(racing_store, Ref(Merchant, merchant.id))
        assert stands == replace(same, version=merchant.version + 1)
        merchant = stands


def test_of_eight_commits_at_once_exactly_one_wins_and_leaves_all_of_it(
    racing_store: Store, examples: Examples
) -> None:
    sale = examples.transaction(examples.merchant())
    payment = examples.new_payment(sale)
    racing_store.commit(Create(sale), Create(payment))
    for number in range(1, ROUNDS + 1):
        reserved = replace(payment, refund_count=number)
        refunds = [examples.refund(sale) for _ in range(THREADS)]
        runs = [lambda r=refund: racing_store.commit(Create(r), Replace(payment, reserved)) for refund in refunds]  # noqa: B023 - run at once
        assert race(*runs) == 1
        books = racing_store.books(sale.id, visible_to=SYSTEM)
        assert books is not None
        assert len(books.refunds) == books.payment.refund_count == number
        payment = books.payment


def test_of_eight_creations_at_once_exactly_one_wins(racing_store: Store, examples: Examples) -> None:
    for _ in range(ROUNDS):
        marker = examples.marker()
        assert race(*[lambda: racing_store.commit(Create(marker))] * THREADS) == 1  # noqa: B023 - run at once
