"""D2: evidence staged, documents, submission, acceptance: asked for once, whatever Stripe or the process does."""

import pytest

from marketplace.domain.disputes import DisputeStatus
from marketplace.domain.errors import DisputeNotAnswerable, InvalidFile, NotFound, OutcomeUnknown, StripeRefused
from marketplace.domain.evidence import FILES, LARGEST_FILE_BYTES, TEXTS
from marketplace.domain.merchants import Merchant
from marketplace.domain.principals import Principal, Role
from marketplace.operations import Operation
from marketplace.services import disputes

from .crashes import ProcessDied
from .market import OPERATOR, Market
from .test_carts import assert_proven
from .test_disputes import cart, decide, destination, dispute

PDF = b"%PDF-1.7 a receipt"


def disputed(market: Market, amount: int = 10_000, *, is_cart: bool = False, inquiry: bool = False) -> str:
    """Our id of a dispute."""
    market.transaction_id = cart(market) if is_cart else destination(market)
    dispute(market, market.transaction_id, amount, inquiry=inquiry)
    (known,) = market.books(market.transaction_id).disputes
    return known


def as_merchant(merchant: Merchant) -> Principal:
    return Principal(role=Role.MERCHANT, subject="seller", merchant_id=merchant.id)


def answer(market: Market, act: str, dispute_id: str, key: str = "a") -> DisputeStatus:
    once = market.once(f"{act} {dispute_id}", key, subject=market.transaction_id)
    use_case = {"submit": disputes.submit_evidence, "accept": disputes.accept_dispute}[act]
    return use_case(market.ports, OPERATOR, dispute_id, once).status


def test_evidence_is_staged_added_to_and_kept_at_stripe_alone() -> None:
    market = Market()
    found = disputed(market)
    receipt = disputes.upload_file(market.ports, OPERATOR, found, PDF)
    staged = {"customer_name": "Ann", "uncategorized_text": "It was delivered.", "receipt": receipt}
    assert disputes.stage_evidence(market.ports, OPERATOR, found, staged) == staged
    assert disputes.read_evidence(market.ports, OPERATOR, found) == staged
    (known,) = market.at_stripe("/v1/disputes")
    assert (known["status"], known["evidence_details"]["submission_count"]) == ("needs_response", 0)
    assert "Ann" not in repr(market.store.snapshot())
    assert disputes.stage_evidence(market.ports, OPERATOR, found, {"customer_name": "Ann B."}) == {
        **staged, "customer_name": "Ann B."
    }  # fmt: skip
    (file,) = market.at_stripe("/v1/files")
    assert (file["purpose"], file["filename"], file["size"]) == ("dispute_evidence", "evidence.pdf", len(PDF))


def test_our_names_of_evidence_are_stripe_s() -> None:
    market = Market()
    disputed(market)
    (known,) = market.at_stripe("/v1/disputes")
    assert set(known["evidence"]) == {*TEXTS, *FILES, "appeal", "enhanced_evidence"}


def test_what_is_staged_goes_to_the_bank_once_and_wins() -> None:
    market = Market()
    found = disputed(market)
    disputes.stage_evidence(market.ports, OPERATOR, found, {"uncategorized_text": "winning_evidence"})
    assert answer(market, "submit", found) is DisputeStatus.UNDER_REVIEW
    assert answer(market, "submit", found) is DisputeStatus.UNDER_REVIEW  # the same request again
    (known,) = market.at_stripe("/v1/disputes")
    assert known["evidence_details"]["submission_count"] == 1
    with pytest.raises(DisputeNotAnswerable):
        answer(market, "submit", found, key="b")
    with pytest.raises(DisputeNotAnswerable):
        answer(market, "accept", found, key="c")
    with pytest.raises(DisputeNotAnswerable):
        disputes.stage_evidence(market.ports, OPERATOR, found, {"customer_name": "Ann"})
    market.advance(10 * 24 * 3_600)
    market.take_in(*market.events())
    after = disputes.read_dispute(market.ports, OPERATOR, found)
    assert (after.status, after.submitted_at is not None) == (DisputeStatus.WON, True)
    market.come_to_rest()
    assert_proven(market, market.transaction_id)


@pytest.mark.parametrize("inquiry", [True, False])
def test_a_dispute_that_is_accepted_is_lost_and_an_inquiry_closed(inquiry: bool) -> None:
    market = Market()
    found = disputed(market, inquiry=inquiry)
    ended = answer(market, "accept", found)
    assert ended is (DisputeStatus.WARNING_CLOSED if inquiry else DisputeStatus.LOST)
    market.take_in(*market.events())
    market.come_to_rest()
    assert market.violations(market.transaction_id) == []
    assert market.ledger_balance() == market.stripe_balance()


def test_after_its_deadline_a_dispute_is_not_answered() -> None:
    market = Market()
    found = disputed(market)
    due_by = disputes.read_dispute(market.ports, OPERATOR, found).evidence_due_by
    assert due_by is not None
    market.advance(int((due_by - market.clock.now()).total_seconds()))
    calls = len(market.calls)
    with pytest.raises(DisputeNotAnswerable):
        answer(market, "submit", found)
    assert len(market.calls) == calls


@pytest.mark.parametrize("is_swept", [False, True], ids=["asked again", "swept"])
@pytest.mark.parametrize("act", ["submit", "accept"])
def test_f14_an_answer_is_given_once_wherever_its_process_died(act: str, is_swept: bool) -> None:
    for step in range(40):
        market = Market()
        found = disputed(market)
        market.fuse.set(step)
        try:
            answer(market, act, found)
        except ProcessDied:
            market.fuse.set(None)
        else:
            assert step > 6
            return
        market.advance(120)
        if is_swept:
            assert market.sweep().troubles == []
        answer(market, act, found)
        market.sweep()
        market.take_in(*market.events())
        (known,) = market.at_stripe("/v1/disputes")
        assert known["evidence_details"]["submission_count"] == (1 if act == "submit" else 0)
        assert known["status"] == disputes.read_dispute(market.ports, OPERATOR, found).status
        assert not [each for each in market.books(market.transaction_id).commands.values() if each.is_open], step
        assert market.violations(market.transaction_id) == []
    raise AssertionError("it never ran to its end")


@pytest.mark.parametrize("act", ["submit", "accept"])
def test_f13_after_a_failure_that_stripe_stored_the_dispute_is_looked_at_first(act: str) -> None:
    market = Market()
    found = disputed(market)
    path = "/v1/disputes/*" + ("/close" if act == "accept" else "")
    market.simulator.faults.order("server_error", method="POST", path=path, done=True)
    with pytest.raises(OutcomeUnknown):
        answer(market, act, found)
    asked = market.calls.count(Operation.UPDATE_DISPUTE) + market.calls.count(Operation.CLOSE_DISPUTE)
    market.advance(3_600)
    market.sweep()
    assert market.calls.count(Operation.READ_DISPUTE) == 1
    assert market.calls.count(Operation.UPDATE_DISPUTE) + market.calls.count(Operation.CLOSE_DISPUTE) == asked
    (known,) = market.at_stripe("/v1/disputes")
    assert disputes.read_dispute(market.ports, OPERATOR, found).status == known["status"]


def test_a_dispute_that_was_answered_in_the_dashboard_is_refused_by_stripe_in_one_clear_way() -> None:
    market = Market()
    found = disputed(market)
    (known,) = market.at_stripe("/v1/disputes")
    market.order(f"/v1/disputes/{known['id']}", evidence={"uncategorized_text": "sent by hand"})
    with pytest.raises(StripeRefused):
        answer(market, "submit", found)
    market.take_in(*market.events())
    assert disputes.read_dispute(market.ports, OPERATOR, found).status is DisputeStatus.UNDER_REVIEW


@pytest.mark.parametrize("content", [b"", b"MZ\x90", b"<html>", b"%PDF-" + bytes(LARGEST_FILE_BYTES)])
def test_what_no_bank_reads_is_not_sent_to_stripe(content: bytes) -> None:
    market = Market()
    found = disputed(market)
    with pytest.raises(InvalidFile):
        disputes.upload_file(market.ports, OPERATOR, found, content)
    assert market.at_stripe("/v1/files") == []


def test_the_only_merchant_of_a_sale_gives_evidence_and_one_of_a_cart_does_not() -> None:
    market = Market()
    found = disputed(market)
    own = as_merchant(market.only_merchant())
    assert disputes.stage_evidence(market.ports, own, found, {"customer_name": "Ann"}) == {"customer_name": "Ann"}
    assert disputes.read_evidence(market.ports, own, found) == {"customer_name": "Ann"}
    other = Market()
    in_cart = disputed(other, is_cart=True)
    for merchant in other.store.merchants(cursor=None, limit=5).items:
        assert disputes.read_dispute(other.ports, as_merchant(merchant), in_cart).id == in_cart
        for ask in (
            lambda who: disputes.stage_evidence(other.ports, who, in_cart, {"customer_name": "Ann"}),
            lambda who: disputes.read_evidence(other.ports, who, in_cart),
            lambda who: disputes.upload_file(other.ports, who, in_cart, PDF),
        ):
            with pytest.raises(NotFound):
                ask(as_merchant(merchant))


def test_disputes_are_listed_to_operators_and_to_the_merchants_of_their_sales() -> None:
    market = Market()
    in_cart = disputed(market, is_cart=True)
    one, two = market.store.merchants(cursor=None, limit=5).items
    market.advance(60)
    session = market.sell(one, 3_000)
    market.pay(session)
    market.take_in(*market.events())
    alone = dispute(market, session.transaction_id, 3_000)
    decide(market, alone, "lost")
    (second,) = market.books(session.transaction_id).disputes

    def listed(caller: Principal, merchant_id: str | None = None) -> list[str]:
        page = disputes.list_disputes(market.ports, caller, merchant_id=merchant_id, cursor=None, limit=10)
        return [each.id for each in page.items]

    assert listed(OPERATOR) == [second, in_cart]
    assert listed(OPERATOR, two.id) == [in_cart]
    assert listed(as_merchant(one)) == [second, in_cart]
    assert listed(as_merchant(two), one.id) == [in_cart]
    first = disputes.list_disputes(market.ports, OPERATOR, merchant_id=one.id, cursor=None, limit=1)
    rest = disputes.list_disputes(market.ports, OPERATOR, merchant_id=one.id, cursor=first.cursor, limit=1)
    assert [each.id for each in (*first.items, *rest.items)] == [second, in_cart]


@pytest.mark.parametrize("act", ["submit", "accept"])
def test_what_was_withdrawn_is_recovered_when_its_event_comes_after_the_answer(act: str) -> None:
    market = Market()
    market.transaction_id = destination(market)
    merchant = market.only_merchant()
    charge = market.books(market.transaction_id).payment.charge_id
    market.order(f"/_simulator/charges/{charge}/dispute", amount=4_000, reason="fraudulent")
    (created,) = [each for each in market.events() if each["type"] == "charge.dispute.created"]
    withdrawn = [each for each in market.events() if each["type"] == "charge.dispute.funds_withdrawn"]
    without_money = {**created["data"]["object"], "balance_transactions": []}
    market.take_in({**created, "data": {"object": without_money}})
    (found,) = market.books(market.transaction_id).disputes
    answer(market, act, found)
    assert market.books(market.transaction_id).disputes[found].withdrawn == 0
    market.take_in(*withdrawn)
    market.come_to_rest()
    assert market.stripe_balance(merchant.account_id) == {"usd": 9_000 - 3_600 - 1_500}
    assert_proven(market, market.transaction_id)
