"""What a payout becomes of what Stripe says of it, in every order; and what can be no payout."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations, product

import pytest

from marketplace.domain.errors import InvalidAmount, UnknownCurrency
from marketplace.domain.payouts import (
    AT_STRIPE,
    TRANSITIONS,
    Payout,
    PayoutFacts,
    PayoutMethod,
    PayoutStatus,
    doubted,
    join,
    payout_facts,
    refused,
    require_payout_amount,
)
from marketplace.domain.states import ImpossibleTransition

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
S = PayoutStatus
ENDS = [
    [S.PENDING, S.IN_TRANSIT, S.PAID, S.FAILED],
    [S.PENDING, S.PAID, S.FAILED],
    [S.PENDING, S.IN_TRANSIT, S.FAILED],
    [S.PENDING, S.CANCELED],
    [S.IN_TRANSIT, S.PAID],
]


def asked(**fields: object) -> Payout:
    payout = Payout(
        id="payout-1", merchant_id="merchant-1", account_id="acct_1", command_id="command-1", amount=9_000,
        currency="usd", method=PayoutMethod.STANDARD, is_automatic=False, created_at=NOW,
    )  # fmt: skip
    return replace(payout, **fields)  # type: ignore[arg-type]  # of several types


def said(status: PayoutStatus, **fields: object) -> PayoutFacts:
    facts = PayoutFacts(
        stripe_payout_id="po_1", payout_id="payout-1", status=status, amount=9_000, currency="usd",
        method=PayoutMethod.STANDARD, is_automatic=False, arrives_at=NOW + timedelta(days=2),
        failure="account_closed" if status is S.FAILED else None, created=NOW,
    )  # fmt: skip
    return replace(facts, **fields)  # type: ignore[arg-type]  # of several types


@pytest.mark.parametrize("history", ENDS, ids=lambda history: history[-1])
def test_a_payout_ends_as_its_history_does_whatever_the_order_in_which_it_is_heard(history: list[PayoutStatus]) -> None:
    in_order = asked()
    for status in history:
        in_order = join(in_order, said(status))
    assert in_order.status is history[-1]
    for begun in (asked(), doubted(asked())):
        for order in permutations([*history, history[0]]):
            heard = begun
            for status in order:
                heard = join(heard, said(status))
            assert heard == in_order


@pytest.mark.parametrize(("before", "after"), list(product(S, S)))
def test_a_payout_moves_as_the_table_says_and_no_other_way(before: PayoutStatus, after: PayoutStatus) -> None:
    payout, allowed = asked(status=before), after in TRANSITIONS[before]
    if after in AT_STRIPE:
        assert join(payout, said(after)).status is (after if allowed else before)
    if after is S.REFUSED and not allowed:
        with pytest.raises(ImpossibleTransition):
            refused(payout, "balance_insufficient")
    if after is S.UNKNOWN:
        assert doubted(payout).status is (S.UNKNOWN if before is S.REQUESTED else before)


@pytest.mark.parametrize("amount", [0, -1, 10**12])
def test_what_is_not_positive_or_huge_is_no_payout(amount: int) -> None:
    with pytest.raises(InvalidAmount):
        require_payout_amount(amount, "usd")


@pytest.mark.parametrize(("currency", "step"), [("huf", 100), ("twd", 100), ("isk", 100), ("kwd", 10), ("jpy", 1)])
def test_a_payout_is_of_whole_units_where_the_currency_is_paid_out_in_them(currency: str, step: int) -> None:
    require_payout_amount(7 * step, currency)
    for amount in range(7 * step + 1, 8 * step):
        with pytest.raises(InvalidAmount, match=f"multiple of {step}"):
            require_payout_amount(amount, currency)
    with pytest.raises(UnknownCurrency):
        require_payout_amount(7 * step, currency.upper())


def test_a_status_that_is_new_at_stripe_says_that_the_money_has_left() -> None:
    made = {
        "id": "po_1", "status": "thinking", "amount": 1, "currency": "usd", "method": "slow", "automatic": True,
        "arrival_date": 1, "created": 1, "metadata": None,
    }  # fmt: skip
    assert (payout_facts(made).status, payout_facts(made).method) == (S.PENDING, PayoutMethod.STANDARD)


@pytest.mark.parametrize(
    ("account", "changed"),
    [
        ("acct_2", {}),
        ("acct_1", {"amount": 8_999}),
        ("acct_1", {"currency": "eur"}),
        ("acct_1", {"stripe_payout_id": "po_2"}),
    ],
)
def test_metadata_that_somebody_wrote_do_not_make_another_payout_ours(account: str, changed: dict[str, object]) -> None:
    known = join(asked(), said(S.PENDING))
    assert known.is_at_stripe("acct_1", said(S.PAID))
    assert not known.is_at_stripe(account, said(S.PAID, **changed))
