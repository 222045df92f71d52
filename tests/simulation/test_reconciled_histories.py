"""I12 in random histories: reconciled at any moment, dying anywhere, and in the end nothing but the top-up is open."""

from typing import override

from hypothesis import seed
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from marketplace.domain.reconciliation import LineStatus
from marketplace.services.audit import audit
from marketplace.services.ledger import close, trial_balance
from marketplace.services.reconciliation import reconcile

from .market import OPERATOR
from .test_histories import ALARM, RANDOM, Histories, chances
from .test_reconciliation import balance_transactions, counted, open_lines, to_the_end

HISTORIES = 100


class Reconciled(Histories):
    """The same, reconciled, closed and audited now and then."""

    @initialize(seed=chances)
    @override
    def open_shop(self, seed: int) -> None:
        super().open_shop(seed)
        reconcile(self.market.ports, has_time=lambda: True)

    @rule(dies_at=chances, minutes=chances)
    def watch(self, dies_at: int, minutes: int) -> None:
        self.market.advance(60 * (minutes % 90))
        ports = self.market.ports
        with self.dying(dies_at % 150):
            reconcile(ports, has_time=lambda: True, is_asked=True)
            close(ports, has_time=lambda: True)
            audit(ports, has_time=lambda: True)
        self.hear()

    @override
    def teardown(self) -> None:
        super().teardown()
        if not hasattr(self, "market"):
            return
        to_the_end(self.market)
        for _ in range(2):  # what the first run books is audited as far as the second one gets
            to_the_end(self.market)
        found = [(each.status, each.line.type, each.line.net) for each in open_lines(self.market)]
        assert found == [(LineStatus.UNEXPLAINED, "topup", self.topped_up)]
        counts = counted(self.market)
        assert set(counts) <= {LineStatus.MATCHED, LineStatus.MERCHANTS_OWN, LineStatus.UNEXPLAINED}
        assert (counts.total(), counts[LineStatus.UNEXPLAINED]) == (len(balance_transactions(self.market)), 1)
        self.is_audited()

    def is_audited(self) -> None:
        ports = self.market.ports
        close(ports, has_time=lambda: True)
        self.market.advance(3_600)
        audit(ports, has_time=lambda: True)
        findings = self.market.store.findings(cursor=None, limit=100).items
        assert [each for each in findings if each.invariant != ALARM] == []
        balances = trial_balance(ports, OPERATOR).balances
        assert sum(balances.values()) == 0
        at_stripe = self.market.stripe_balance().get("usd", 0) - self.topped_up
        assert balances.get(("stripe_balance", "usd"), 0) == at_stripe


def test_every_history_reconciles_to_nothing_unexplained() -> None:
    settings = hypothesis_settings(RANDOM, max_examples=HISTORIES)
    run_state_machine_as_test(seed(1)(Reconciled), settings=settings)
