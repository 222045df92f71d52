"""How an invoice is split: by percent only where that is exact, and never more than there is."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.errors import RegionNotSupported
from marketplace.domain.fees import FeePolicy
from marketplace.domain.invoice_splits import SplitBy, draft_terms, invoice_fee, split_by, standing_terms
from marketplace.domain.invoices import TRANSITIONS as OF_INVOICES
from marketplace.domain.invoices import InvoiceStatus
from marketplace.domain.money import smallest_payable
from marketplace.domain.regions import require_same_region
from marketplace.domain.subscriptions import ENDED, RUNNING, SubscriptionStatus
from marketplace.domain.subscriptions import TRANSITIONS as OF_SUBSCRIPTIONS

currencies = st.sampled_from(["usd", "jpy", "kwd", "isk"])
percents = st.integers(0, 1_000_000).map(lambda number: Decimal(number) / 10_000)
policies = st.builds(
    lambda percent, fixed, least: FeePolicy.of({"percent": str(percent), "fixed": fixed, "minimum": least}),
    percents,
    st.sampled_from([{}, {"usd": 30}, {"jpy": 30}]),
    st.sampled_from([{}, {"usd": 50}]),
)


@given(policy=policies, currency=currencies, units=st.integers(0, 10**7))
def test_a_percentage_is_told_stripe_only_where_it_takes_what_the_policy_does(
    policy: FeePolicy, currency: str, units: int
) -> None:
    amount = units * smallest_payable(currency)
    fee = invoice_fee(policy.as_data(), amount, amount, currency)
    assert 0 <= fee <= amount
    assert fee % smallest_payable(currency) == 0
    split = split_by(policy, currency, is_ready=True, is_usual=True)
    terms = standing_terms(split, policy, "acct_1")
    for is_ready, is_usual, other in ((False, True, SplitBy.AMOUNT), (True, False, SplitBy.TRANSFER)):
        assert split_by(policy, currency, is_ready=is_ready, is_usual=is_usual) is other
        assert standing_terms(other, policy, "acct_1") == {}
    if split is SplitBy.AMOUNT:
        assert terms == {}
        return
    told = Decimal(terms.get("application_fee_percent", "0"))
    assert -int(told.as_tuple().exponent) <= 2
    assert abs(amount * told / 100 - fee) <= Decimal("0.5")


@given(asked=st.integers(0, 10**6), total=st.integers(1, 10**6), part=st.fractions(0, 1))
def test_a_fee_that_was_asked_for_is_taken_of_the_whole_and_in_proportion_of_less(
    asked: int, total: int, part: object
) -> None:
    amount = int(total * part)  # type: ignore[operator]  # a Fraction
    fee = invoice_fee({"application_fee_amount": asked}, amount, total, "usd")
    assert 0 <= fee <= amount
    if amount == total:
        assert fee == min(asked, total)
    assert abs(fee * total - min(asked, total) * amount) <= total


def test_nobody_is_named_before_the_merchant_has_an_account() -> None:
    policy = FeePolicy.of({"percent": "12.5"})
    assert standing_terms(SplitBy.PERCENT, policy, None) == {}
    assert standing_terms(SplitBy.PERCENT, policy, "acct_1") == {
        "transfer_data": {"destination": "acct_1"},
        "application_fee_percent": "12.5",
    }
    assert draft_terms(0, "acct_1") == {"transfer_data": {"destination": "acct_1"}, "application_fee_amount": 0}


@pytest.mark.parametrize(("platform", "merchant"), [("us", "de"), ("de", "us"), ("gb", "ca"), ("jp", "sg")])
def test_a_settlement_merchant_is_of_the_platform_s_region(platform: str, merchant: str) -> None:
    with pytest.raises(RegionNotSupported):
        require_same_region(platform, merchant)
    for same in (("de", "fr"), ("gb", "ie"), ("us", "us"), (None, "us")):
        require_same_region(*same)


def test_what_has_ended_stays_so_and_what_runs_may_be_found_in_any_other_state() -> None:
    assert set(OF_SUBSCRIPTIONS) == set(SubscriptionStatus)
    for status in SubscriptionStatus:
        after = OF_SUBSCRIPTIONS[status]
        assert status not in after
        assert (after == frozenset()) is (status in ENDED)
        if status in RUNNING:
            assert after >= RUNNING - {status}
    assert set(OF_INVOICES) == set(InvoiceStatus)
    assert {status for status, after in OF_INVOICES.items() if not after} == {
        InvoiceStatus.REFUSED,
        InvoiceStatus.PAID,
        InvoiceStatus.VOID,
        InvoiceStatus.DELETED,
    }
