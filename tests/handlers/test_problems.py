"""Problems: one for every error, never a word that is not ours, and a page that tells of each."""

import ast
import inspect
import io
import json
import re

import pytest

from local import errors_page, openapi
from local.cloud.places import PROJECT
from marketplace.domain import errors
from marketplace.domain.errors import MarketplaceError, NotFound, OutcomeUnknown, RefundExceedsRest, StripeRefused
from marketplace.domain.refusals import refusal_of
from marketplace.domain.transactions import ContradictoryFacts
from marketplace.edge.problem_table import PROBLEMS, problem_of
from marketplace.edge.problems import answer_to
from marketplace.ports import Conflict, StripeUnavailable

from .backend import OPERATOR, Backend, merchant_user


def kinds(root: type[Exception]) -> list[type[Exception]]:
    return [root, *(found for kind in root.__subclasses__() for found in kinds(kind))]


def test_every_error_of_the_tree_has_a_problem_of_its_own() -> None:
    named = set(re.findall(r"[*+] (\w+)", inspect.getdoc(MarketplaceError) or ""))
    assert named == {kind.__name__ for kind in kinds(MarketplaceError) if kind.__module__ == errors.__name__} - {
        "MarketplaceError"
    }
    without = {kind.__name__ for kind in kinds(MarketplaceError) if kind not in PROBLEMS}
    assert without == {"MarketplaceError", "Refused", "StripeUnavailable", "ContradictoryFacts", "SeveralPayments"}
    assert problem_of(StripeUnavailable()).slug == "unavailable"
    assert problem_of(Conflict([])).slug == "unavailable"
    assert problem_of(ContradictoryFacts()).slug == "internal-error"


def test_slugs_and_their_statuses_do_not_change() -> None:
    assert {problem.slug: problem.status.value for problem in PROBLEMS.values()} == {
        "malformed-json": 400, "not-json": 415, "body-too-large": 413, "invalid-request": 422,
        "not-authenticated": 401, "not-allowed": 403, "route-not-found": 404, "method-not-allowed": 405,
        "not-found": 404, "invalid-amount": 422, "unknown-currency": 422, "currency-not-accepted": 422,
        "invalid-basket": 422, "invalid-fee-policy": 422, "fee-exceeds-amount": 422, "invalid-return-url": 422,
        "invalid-cursor": 422, "filter-required": 422, "merchant-not-ready": 409, "impossible-account": 422,
        "link-expired": 410,
        "merchant-short": 409, "invalid-customer": 422, "customer-exists": 409, "customer-not-ready": 409,
        "subscription-not-changeable": 409, "credit-exceeds-invoice": 409, "invoice-not-changeable": 409,
        "region-not-supported": 422,
        "price-not-for-sale": 409, "checkout-session-not-open": 409, "transaction-not-refundable": 409,
        "refund-exceeds-rest": 409, "line-exceeds-rest": 409, "too-many-refunds": 409,
        "too-many-movements": 409, "nothing-held": 409, "invalid-price": 422,
        "transfer-not-reversible": 409, "reversal-exceeds-rest": 409, "dispute-not-answerable": 409,
        "invalid-file": 422, "debt-not-open": 409, "dead-letter-unreadable": 409,
        "release-exceeds-held": 409, "not-capturable": 409,
        "invalid-release-date": 422, "invalid-period": 422, "capture-exceeds-authorized": 409,
        "invalid-coupon": 422, "code-taken": 409, "discount-not-usable": 422, "combination-refused": 422,
        "no-express-dashboard": 409, "component-not-available": 422, "invalid-payout-schedule": 422,
        "payout-exceeds-balance": 409, "instant-payout-unavailable": 409, "payouts-not-allowed": 409,
        "payout-not-itemized": 409,
        "idempotency-key-required": 400,
        "idempotency-key-reused": 422, "request-under-way": 409, "stripe-refused": 422, "outcome-unknown": 503,
        "unavailable": 503, "internal-error": 500,
    }  # fmt: skip
    assert len({problem.slug for problem in PROBLEMS.values()}) == len(PROBLEMS)


def test_what_may_be_repeated_says_when() -> None:
    for error in (OutcomeUnknown(), StripeUnavailable(), errors.RequestUnderWay()):
        assert int(answer_to(error, request_id="r").headers["Retry-After"]) > 0
    assert "Retry-After" not in answer_to(NotFound("merchant"), request_id="r").headers


@pytest.mark.parametrize(
    "error",
    [
        StripeUnavailable("No such account: acct_9 for nora@nordlicht.example"),
        ContradictoryFacts("transaction-9: charge_id is ch_8, an event says ch_9"),
        KeyError("acct_9"),
        AssertionError("acct_9"),
        Conflict([]),
    ],
)
def test_s16_no_problem_repeats_what_is_not_about_the_caller_s_own_request(error: Exception) -> None:
    body = answer_to(error, request_id="r").body
    assert "_9" not in body
    assert "-9" not in body
    assert "nordlicht" not in body


def test_a_problem_says_what_happened() -> None:
    assert (
        '"detail": "500 asked, 300 left to refund (minor units)."'
        in answer_to(RefundExceedsRest(500, 300), request_id="r").body
    )


@pytest.mark.parametrize(
    ("code", "entry"), [("balance_insufficient", "stripe-balance_insufficient"), ("of_next_year", "stripe-unlisted")]
)
def test_what_stripe_refused_says_what_to_do_about_its_code_and_leads_to_its_entry(code: str, entry: str) -> None:
    said = json.loads(answer_to(StripeRefused(code), request_id="r").body)
    assert (said["type"], said["stripe_code"]) == ("/problems/stripe-refused", code)
    assert code in said["detail"]
    assert refusal_of(code).action in said["action"]
    assert said["documentation"] == f"docs/errors.md#{entry}"
    assert f'<a id="{entry}"></a>' in errors_page.PAGE.read_text()


def test_what_nobody_foresaw_is_a_problem_too_and_is_logged_without_its_words(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    def fail(call: str, _changes: object) -> None:
        raise KeyError(f"{call} of nora@nordlicht.example")

    backend.store.before = fail
    answer = backend.send(OPERATOR, "GET", "/merchants")
    assert (answer.status, answer.problem) == (500, "internal-error")
    logged = log.getvalue()
    assert '"error":"KeyError"' in logged
    assert "backend.py" not in answer.text
    assert "nordlicht" not in answer.text + logged


def test_a_wrong_answer_of_ours_is_our_fault_and_not_the_caller_s(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = backend.modules["merchants.app"]
    merchant_id = backend.merchant()
    monkeypatch.setattr(module.merchants, "read_merchant", lambda *_: object())
    assert backend.send(OPERATOR, "GET", f"/merchants/{merchant_id}").status == 500


def test_the_page_of_problems_is_current() -> None:
    assert errors_page.PAGE.read_text() == errors_page.text(), "python -m local.errors_page"


def test_the_description_of_the_api_is_current(backend: Backend) -> None:
    assert openapi.DOCUMENT.read_text() == openapi.text(), "python -m local.openapi"


def test_no_schema_has_a_field_for_a_card(backend: Backend) -> None:
    assert not re.search(r"card_number|\bcvc\b|\bcvv\b|exp_month", openapi.text())


def test_the_log_s_fields_are_all_that_is_ever_logged(backend: Backend, log: io.StringIO) -> None:
    module = backend.modules["webhooks.process"]
    module.log.info("told", email="nora@nordlicht.example", extra={"url": "https://secret.example"}, status=200)
    module.log.error("failed", exc_info=ValueError("nora@nordlicht.example"), extra={"customer": "Nora"})
    logged = log.getvalue()
    assert '"status":200' in logged
    for secret in ("nordlicht", "secret.example", "Nora"):
        assert secret not in logged


def test_a_whole_path_leaves_no_personal_data_and_no_secret_in_the_log(backend: Backend, log: io.StringIO) -> None:
    merchant_id = backend.merchant(name="Nordlicht GmbH", contact_email="nora@nordlicht.example")
    backend.send(merchant_user(merchant_id), "POST", f"/merchants/{merchant_id}/onboarding-links",
                 {"return_url": "http://localhost:3000/secret-path"})  # fmt: skip
    token = backend.stripe.asked[-1].params["use_case"]["account_onboarding"]["refresh_url"].rpartition("/")[2]
    request = backend.request(OPERATOR, "GET", f"/onboarding/{token}")
    request["routeKey"] = "GET /onboarding/{token}"
    backend.call("merchants.app", request)
    backend.send(OPERATOR, "POST", "/merchants", {"name": "Nordlicht", "contact_email": 5})
    backend.paid_sale(merchant_id)
    logged = log.getvalue()
    assert logged.count("answered") >= 6
    for secret in ("ordlicht", "secret-path", "stripe.com", "eyJraWQiOiJrIn0", token):
        assert secret not in logged


def test_messages_of_the_log_are_constants() -> None:
    """A text put together could hold anything; the fields are what varies."""
    for path in PROJECT.glob("**/*.py"):
        if path.parts[len(PROJECT.parts)] in {"functions", "shared"}:
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and re.fullmatch(
                    r"(self\._)?log\.(info|warning|error|exception)", ast.unparse(node.func)
                ):
                    assert isinstance(node.args[0], ast.Constant), f"{path.name}:{node.lineno}"
