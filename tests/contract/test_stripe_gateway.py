"""The gateway: what each of Stripe's answers means, what is tried again, and that nothing outlives the invocation."""

import time
from itertools import pairwise

import pytest

from marketplace.adapters import stripe_gateway
from marketplace.adapters.stripe_gateway import CONNECT_SECONDS, KEPT_SECONDS, LONGEST_CALL_SECONDS
from marketplace.domain.errors import StripeRefused, Unavailable
from marketplace.operations import Operation
from marketplace.ports import Answer, Done, Refusal, StripeUnavailable

from .stripe_server import FAILED, PRODUCT, UNKNOWN, Key, Lab, Reply, Stripe, cut_short, error, hang_up, say, sleep

# What each answer means.


MEANINGS: dict[str, tuple[Reply, Answer, int]] = {
    "done": (say(200, PRODUCT), Done(PRODUCT), 1),
    "a refusal": (error(400, "parameter_missing"), Refusal("parameter_missing"), 1),
    "a refusal without a code": (error(400), Refusal("invalid_request_error"), 1),
    "nothing of that name": (error(404, "resource_missing"), Refusal("resource_missing"), 1),
    "a declined card": (error(402, "card_declined", "card_error"), Refusal("card_declined"), 1),
    "a refused state": (error(400, "charge_already_refunded"), Refusal("charge_already_refunded"), 1),
    "a key in use": (error(409, "idempotency_key_in_use", "idempotency_error"), UNKNOWN, 3),
    "too many requests": (error(429, "rate_limit"), UNKNOWN, 3),
    "too many, told the old way": (error(400, "rate_limit"), UNKNOWN, 1),
    "f24 a lock of another request": (error(429, "lock_timeout"), UNKNOWN, 3),
    "no such key": (error(401), UNKNOWN, 3),
    "a key without the right": (error(403, "more_permissions_required"), UNKNOWN, 1),
    "a party behind Stripe": (error(424, "external"), UNKNOWN, 1),
    "other parameters under the key": (error(400, kind="idempotency_error"), FAILED, 1),
    "Stripe's own failure": (error(500, kind="api_error"), FAILED, 1),
    "Stripe is not there": (say(503, "<html>unavailable</html>"), FAILED, 1),
    "Stripe's failure, to be tried again": (error(500, kind="api_error", Stripe_Should_Retry="true"), FAILED, 3),
    "too many, not to be tried again": (error(429, "rate_limit", Stripe_Should_Retry="false"), UNKNOWN, 1),
    "a page of somebody in between": (say(404, "<html>not found</html>"), UNKNOWN, 1),
    "an error of somebody in between": (say(400, {"message": "bad request"}), UNKNOWN, 1),
    "an answer that is no JSON": (say(200, "OK"), UNKNOWN, 1),
    "an answer that is no object": (say(200, [PRODUCT]), UNKNOWN, 1),
    "an answer of nothing": (say(200, "null"), UNKNOWN, 1),
    "a lost connection": (hang_up, UNKNOWN, 3),
    "an answer cut short": (cut_short, UNKNOWN, 1),
}


@pytest.mark.parametrize("case", MEANINGS)
def test_f14_an_answer_is_taken_for_what_it_says_and_no_more(lab: Lab, stripe: Stripe, case: str) -> None:
    reply, meaning, calls = MEANINGS[case]
    stripe.replies = [reply]
    assert lab.create() == meaning
    assert len(stripe.seen) == len(lab.calls) == calls
    outcome = {"Done": "done", "Refusal": "refused"}.get(type(meaning).__name__, getattr(meaning, "doubt", None))
    assert [(each.tries, each.outcome) for each in lab.told] == [(n + 1, outcome) for n in range(calls)]
    assert all(each.refusal == getattr(meaning, "code", None) for each in lab.told)


def test_of_each_request_it_is_told_which_it_was_and_how_it_ended_and_nothing_of_what_was_said(
    lab: Lab, stripe: Stripe
) -> None:
    stripe.replies = [error(500, kind="api_error", Stripe_Should_Retry="true"), say(200, PRODUCT, Request_Id="req_2")]
    lab.create("command-1:2", metadata={"transaction_id": "transaction-1", "order": "Ann's"})
    first, second = lab.told
    assert (first.tries, first.status, first.outcome, first.request_id) == (1, 500, "stripe_failed", None)
    assert second == first._replace(
        tries=2, status=200, outcome="done", request_id="req_2", milliseconds=second.milliseconds
    )
    assert (second.operation, second.key, second.transaction_id, second.refusal) == (
        Operation.CREATE_PRODUCT, "command-1:2", "transaction-1", None
    )  # fmt: skip
    assert 0 <= second.milliseconds < 5_000


def test_a_payment_intent_whose_payment_is_declined_is_made_all_the_same(lab: Lab, stripe: Stripe) -> None:
    made = {"id": "pi_1", "object": "payment_intent", "status": "requires_payment_method"}
    declined = {"type": "card_error", "code": "card_declined", "decline_code": "lost_card", "payment_intent": made}
    for operation, ids, meaning in (
        (Operation.CREATE_PAYMENT_INTENT, (), Done(made)),
        (Operation.CAPTURE_PAYMENT_INTENT, ("pi_1",), Refusal("card_declined")),
    ):
        stripe.replies = [say(402, {"error": declined})]
        assert lab.gateway.ask(operation, *ids, params={}, key="k") == meaning
    stripe.replies = [say(400, {"error": {**declined, "code": "parameter_missing"}})]
    assert lab.gateway.ask(Operation.CREATE_PAYMENT_INTENT, params={}, key="k") == Refusal("parameter_missing")


def test_v2_errors_are_told_apart_too(lab: Lab, stripe: Stripe) -> None:
    params = {"contact_email": "nora@nordlicht.example"}
    for reply, meaning in (
        (error(400, "account_rejected", "cannot_proceed"), Refusal("account_rejected")),
        (error(409, "idempotency_key_in_use", "idempotency_error"), UNKNOWN),
        (error(429, kind="rate_limit"), UNKNOWN),
        (error(500, kind="api_error"), FAILED),
    ):
        stripe.replies = [reply]
        assert lab.gateway.ask(Operation.CREATE_ACCOUNT, params=params, key="k") == meaning


@pytest.mark.parametrize("first", [hang_up, error(429, "rate_limit"), error(409, "idempotency_key_in_use")])
def test_f14_it_is_tried_again_under_the_same_key_after_a_pause(lab: Lab, stripe: Stripe, first: Reply) -> None:
    stripe.replies = [first, first, say(200, PRODUCT)]
    assert lab.create() == Done(PRODUCT)
    assert [headers["Idempotency-Key"] for _, _, headers, _ in stripe.seen] == 3 * ["command-1:1"]
    assert len({body for _, _, _, body in stripe.seen}) == 1
    pauses = [pause for pause in lab.pauses if pause]
    assert len(pauses) == 2
    assert all(earlier < later for earlier, later in pairwise(pauses))


def test_a_rotated_key_is_read_anew(lab: Lab, stripe: Stripe) -> None:
    lab.key.keys.append("sk_test_2")
    stripe.replies = [error(401), say(200, PRODUCT)]
    assert lab.create() == Done(PRODUCT)
    assert [headers["Authorization"] for _, _, headers, _ in stripe.seen] == ["Bearer sk_test_1", "Bearer sk_test_2"]


def test_without_a_readable_key_nothing_is_sent(lab: Lab, stripe: Stripe, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(_key: Key) -> str:
        raise Unavailable("the secret cannot be read")

    monkeypatch.setattr(Key, "value", unreadable)
    assert lab.create() == UNKNOWN
    assert stripe.seen == []


def test_reads_raise_what_writes_answer(lab: Lab, stripe: Stripe) -> None:
    stripe.replies = [error(404, "resource_missing")]
    with pytest.raises(StripeRefused, match="resource_missing"):
        lab.gateway.read(Operation.READ_CHECKOUT_SESSION, "cs_1")
    stripe.replies = [error(500, kind="api_error")]
    with pytest.raises(StripeUnavailable):
        lab.gateway.read(Operation.READ_CHECKOUT_SESSION, "cs_1")


# Time.


def test_f27_with_too_little_time_no_call_is_started(lab: Lab, stripe: Stripe) -> None:
    stripe.replies = [say(200, PRODUCT)]
    lab.seconds_left = KEPT_SECONDS + 0.9
    assert lab.create() == UNKNOWN
    with pytest.raises(StripeUnavailable):
        lab.gateway.read(Operation.READ_CHECKOUT_SESSION, "cs_1")
    with pytest.raises(StripeUnavailable):
        next(iter(lab.gateway.each(Operation.LIST_PRODUCTS)))
    assert stripe.seen == []
    assert lab.calls == []


def test_f27_a_call_is_given_up_while_there_is_time_to_write_its_outcome(lab: Lab, stripe: Stripe) -> None:
    stripe.replies = [sleep(5)]
    lab.seconds_left = KEPT_SECONDS + 1.2
    began = time.monotonic()
    gateway = lab.gateway
    times = iter([lab.seconds_left, lab.seconds_left])  # before the call; afterwards all of it is gone
    gateway._time_left_seconds = lambda: next(times, KEPT_SECONDS)
    assert gateway.ask(Operation.CREATE_PRODUCT, params={"name": "Tea"}, key="k") == UNKNOWN
    assert time.monotonic() - began < 2.5
    assert len(stripe.seen) == 1


def test_f27_the_time_that_is_left_bounds_every_call(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connecting and answering together never take longer than is left, nor than any call may."""
    allowed: list[tuple[float, float]] = []

    def send(session: stripe_gateway._Session, *_: object, **__: object) -> None:
        allowed.append(session._timeout)
        raise OSError("not sent")

    monkeypatch.setattr(stripe_gateway._Session, "send", send)
    for left in (KEPT_SECONDS + 1, KEPT_SECONDS + 3, KEPT_SECONDS + 8, 25.0, 900.0):
        lab.seconds_left = left
        lab.create()
        connect, answer = allowed[-1]
        assert 0 < connect <= CONNECT_SECONDS
        assert connect + answer <= min(left - KEPT_SECONDS, LONGEST_CALL_SECONDS)


def test_f27_no_pause_is_begun_that_leaves_no_time_for_the_call_after_it(lab: Lab, stripe: Stripe) -> None:
    stripe.replies = [error(429, "rate_limit")]
    lab.seconds_left = KEPT_SECONDS + 1.0
    assert lab.create() == UNKNOWN
    assert len(stripe.seen) == 1


def test_f27_when_reading_the_key_takes_what_was_left_nothing_is_sent(lab: Lab, stripe: Stripe) -> None:
    gateway = lab.gateway
    times = iter([25.0])
    gateway._time_left_seconds = lambda: next(times, KEPT_SECONDS + 0.5)
    assert gateway.ask(Operation.CREATE_PRODUCT, params={"name": "Tea"}, key="k") == UNKNOWN
    assert stripe.seen == []


# Lists.


def test_a_list_is_followed_over_its_pages(lab: Lab, stripe: Stripe) -> None:
    def page(ids: list[str], *, more: bool) -> Reply:
        data = [{"id": product, "object": "product"} for product in ids]
        return say(200, {"object": "list", "url": "/v1/products", "has_more": more, "data": data})

    stripe.replies = [page(["a", "b"], more=True), page(["c"], more=False)]
    found = [each["id"] for each in lab.gateway.each(Operation.LIST_PRODUCTS, params={"limit": 2})]
    assert found == ["a", "b", "c"]
    assert [path for _, path, _, _ in stripe.seen] == [
        "/v1/products?limit=2",
        "/v1/products?limit=2&starting_after=b",
    ]


def test_a_v2_list_is_followed_over_its_pages(lab: Lab, stripe: Stripe) -> None:
    def page(account: str, following: str | None) -> Reply:
        data = [{"id": account, "object": "v2.core.account"}]
        return say(200, {"data": data, "next_page_url": following, "previous_page_url": None})

    stripe.replies = [page("acct_1", "/v2/core/accounts?limit=1&page=p2"), page("acct_2", None)]
    found = [each["id"] for each in lab.gateway.each(Operation.LIST_ACCOUNTS, params={"limit": 1})]
    assert found == ["acct_1", "acct_2"]
    assert stripe.seen[-1][1] == "/v2/core/accounts?limit=1&page=p2"


def test_a_list_without_an_end_is_never_taken_for_one_in_which_nothing_was_found(
    lab: Lab, stripe: Stripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe_gateway, "MOST_PAGES", 3)
    stripe.replies = [say(200, {"object": "list", "has_more": True, "data": [PRODUCT]})]
    with pytest.raises(StripeUnavailable, match="pages"):
        list(lab.gateway.each(Operation.LIST_PRODUCTS))
    assert len(stripe.seen) == 3
