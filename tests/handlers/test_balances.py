"""What a merchant has and does with it, through its function: whose it is, what it may, each refusal one problem."""

import io
from dataclasses import replace
from typing import Any

import pytest

from marketplace.domain.commands import Doubt
from marketplace.domain.merchant_rights import MerchantRights
from marketplace.domain.merchants import Merchant
from marketplace.domain.responsibilities import Dashboard, Responsibilities
from marketplace.operations import Operation
from marketplace.ports import Done, NoAnswer, Ref, Refusal, Replace, one
from marketplace.services.events import take_in

from ..fakes.stripe import payout
from .backend import OPERATOR, Backend, User, merchant_user, stripe_event

STRANGER = merchant_user("merchant-" + 26 * "0")
FUNCTION = "merchants.balances"
PAYOUT = {"amount": 5_000, "currency": "usd"}
SINCE = {"since": "2026-11-22T00:00:00Z"}
ROUTES: dict[str, tuple[str, Any, str | None]] = {
    "dashboard-links": ("POST", None, None),
    "component-sessions": ("POST", {"components": {"payouts": []}}, None),
    "payout-schedule": ("GET", None, None),
    "payout-schedule ": ("PUT", {"interval": "daily"}, None),
    "payouts": ("GET", None, None),
    "payouts ": ("POST", PAYOUT, "k"),
    "payouts/payout-1": ("GET", None, None),
    "payouts/payout-1/transactions": ("GET", None, None),
    "balance": ("GET", None, None),
    "statement": ("GET", None, None),
}


class Desk:
    """A merchant with an account, and requests about it."""

    def __init__(self, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
        self.backend = backend
        self.merchant = backend.merchant()
        self.own = merchant_user(self.merchant)
        self.asked = backend.stripe.asked
        self._patch = monkeypatch

    def ask(self, method: str, what: str, body: Any = None, *, user: User | None = None, **options: Any) -> Any:
        path = f"/merchants/{self.merchant}/{what.strip()}"
        return self.backend.send(user or self.own, method, path, body, **options)

    def answers(self, operation: Operation, *answers: Any) -> None:
        self.backend.stripe.answers[operation] = list(answers)

    def may(self, **rights: Any) -> None:
        """What the operator leaves to merchants."""
        module = self.backend.modules[FUNCTION]
        policy = module.ports.policy._replace(rights=MerchantRights.of(rights))
        self._patch.setattr(module, "ports", module.ports._replace(policy=policy))

    def last(self) -> Any:
        return self.asked[-1]


@pytest.fixture
def desk(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(backend, monkeypatch)


@pytest.mark.parametrize("route", ROUTES)
def test_what_is_another_merchant_s_is_not_found_and_nothing_is_asked_of_stripe(desk: Desk, route: str) -> None:
    method, body, key = ROUTES[route]
    desk.may(payouts=True)
    before, asked = desk.backend.store.snapshot(), len(desk.asked)
    sent: dict[str, Any] = {"key": key, "query": SINCE if route == "statement" else None}
    absent = desk.backend.send(STRANGER, method, f"/merchants/merchant-{26 * '1'}/{route.strip()}", body, **sent)
    foreign = desk.ask(method, route, body, user=STRANGER, **sent)
    assert (foreign.status, foreign.problem) == (absent.status, absent.problem) == (404, "not-found")
    assert foreign.json["detail"] == absent.json["detail"]
    assert (desk.backend.store.snapshot(), len(desk.asked)) == (before, asked)


def test_a_dashboard_link_is_for_the_caller_alone(desk: Desk, log: io.StringIO) -> None:
    before = desk.backend.store.snapshot()
    answer = desk.ask("POST", "dashboard-links")
    assert (answer.status, answer.json) == (201, {"url": "https://connect.stripe.com/express/secret"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert desk.last().ids == ("acct_1",)
    assert desk.backend.store.snapshot() == before
    assert "secret" not in log.getvalue()
    assert "answered" in log.getvalue()


@pytest.mark.parametrize("dashboard", [Dashboard.FULL, Dashboard.NONE])
def test_another_dashboard_has_no_link_and_none_is_asked_for(desk: Desk, dashboard: Dashboard) -> None:
    merchant, asked = one(desk.backend.store, Ref(Merchant, desk.merchant)), len(desk.asked)
    assert merchant is not None
    other = replace(merchant, responsibilities=Responsibilities(dashboard=dashboard))
    desk.backend.store.commit(Replace(merchant, other))
    answer = desk.ask("POST", "dashboard-links")
    assert answer.problem == "no-express-dashboard"
    assert dashboard in answer.json["detail"]
    assert len(desk.asked) == asked


def test_a_link_that_stripe_refuses_or_does_not_answer_for_is_one_problem(desk: Desk) -> None:
    for told, problem in ((Refusal("invalid"), "stripe-refused"), (NoAnswer(Doubt.NO_ANSWER), "unavailable")):
        desk.answers(Operation.CREATE_LOGIN_LINK, told)
        assert desk.ask("POST", "dashboard-links").problem == problem


def test_components_are_asked_for_by_name_and_what_is_not_asked_for_is_off(desk: Desk, log: io.StringIO) -> None:
    before = desk.backend.store.snapshot()
    wanted = {"components": {"payments": [], "payouts": ["standard_payouts"], "notification_banner": []}}
    answer = desk.ask("POST", "component-sessions", wanted, user=OPERATOR)
    assert (answer.status, answer.json["client_secret"]) == (201, "accs_secret_1")
    assert desk.last().params == {
        "account": "acct_1",
        "components": {
            "payments": {
                "enabled": True,
                "features": {
                    "capture_payments": False,
                    "destination_on_behalf_of_charge_management": False,
                    "dispute_management": False,
                    "refund_management": False,
                    "smart_disputes_management": False,
                },
            },
            "payouts": {
                "enabled": True,
                "features": {"edit_payout_schedule": False, "instant_payouts": False, "standard_payouts": True},
            },
            "notification_banner": {"enabled": True},
        },
    }
    assert desk.backend.store.snapshot() == before
    assert "accs_secret" not in log.getvalue()


COMPONENTS: dict[str, tuple[dict[str, Any], dict[str, list[str]], bool]] = {
    "refunds by the merchant, by an operator": ({}, {"payments": ["refund_management"]}, True),
    "a component of no name that is known": ({}, {"issuing_card": []}, True),
    "a feature of another component": ({}, {"documents": ["standard_payouts"]}, True),
    "a payout, which the operator keeps": ({}, {"payouts": ["standard_payouts"]}, False),
    "a component that the operator leaves out": ({"components": {"balances": []}}, {"payouts": []}, False),
}


@pytest.mark.parametrize("case", COMPONENTS)
def test_a_component_that_is_not_offered_is_refused_before_stripe_is_asked(desk: Desk, case: str) -> None:
    rights, wanted, by_operator = COMPONENTS[case]
    desk.may(**rights)
    asked = len(desk.asked)
    answer = desk.ask("POST", "component-sessions", {"components": wanted}, user=OPERATOR if by_operator else None)
    assert answer.problem == "component-not-available"
    assert len(desk.asked) == asked


def test_a_merchant_gets_the_features_that_the_operator_leaves_to_it(desk: Desk) -> None:
    desk.may(components={"payouts": ["standard_payouts"]})
    assert desk.ask("POST", "component-sessions", {"components": {"payouts": ["standard_payouts"]}}).status == 201
    assert desk.ask("POST", "component-sessions", {"components": {}}).problem == "invalid-request"


def test_a_schedule_is_read_and_set_on_the_merchant_s_own_account(desk: Desk) -> None:
    assert desk.ask("GET", "payout-schedule").json == {
        "interval": "daily",
        "weekly_days": [],
        "monthly_days": [],
        "delay_days": None,
        "usual_delay_days": 2,
        "minimum_balances": {},
    }
    body = {"interval": "weekly", "weekly_days": ["monday", "friday"], "minimum_balances": {"usd": 5_000}}
    answer = desk.ask("PUT", "payout-schedule", body)
    assert (answer.status, answer.json["weekly_days"], answer.json["minimum_balances"]) == (
        *(200, ["monday", "friday"]),
        {"usd": 5_000},
    )
    assert (desk.last().operation, desk.last().account) == (Operation.UPDATE_BALANCE_SETTINGS, "acct_1")
    assert desk.last().params == {
        "payments": {
            "payouts": {
                "schedule": {"interval": "weekly", "weekly_payout_days": ["monday", "friday"]},
                "minimum_balance_by_currency": {"usd": 5_000},
            }
        }
    }


SCHEDULES: dict[str, tuple[dict[str, Any], str]] = {
    "a weekend": ({"interval": "weekly", "weekly_days": ["sunday"]}, "invalid-payout-schedule"),
    "a day twice": ({"interval": "weekly", "weekly_days": ["monday", "monday"]}, "invalid-payout-schedule"),
    "no day": ({"interval": "weekly"}, "invalid-payout-schedule"),
    "days of another interval": ({"interval": "daily", "monthly_days": [1]}, "invalid-payout-schedule"),
    "a day of no month": ({"interval": "monthly", "monthly_days": [32]}, "invalid-payout-schedule"),
    "a delay of over a month": ({"interval": "daily", "delay_days": 32}, "invalid-payout-schedule"),
    "a delay of less than nothing": ({"interval": "daily", "delay_days": -1}, "invalid-payout-schedule"),
    "a minimum of nothing": ({"interval": "daily", "minimum_balances": {"usd": 0}}, "invalid-payout-schedule"),
    "a minimum in parts of fils": ({"interval": "daily", "minimum_balances": {"kwd": 5}}, "invalid-payout-schedule"),
    "a minimum of no currency": ({"interval": "daily", "minimum_balances": {"xxx": 1}}, "unknown-currency"),
    "another interval": ({"interval": "hourly"}, "invalid-request"),
}


@pytest.mark.parametrize("case", SCHEDULES)
def test_what_stripe_would_refuse_is_refused_before_it_is_asked_for_anything(desk: Desk, case: str) -> None:
    body, problem = SCHEDULES[case]
    asked = len(desk.asked)
    assert desk.ask("PUT", "payout-schedule", body, user=OPERATOR).problem == problem
    assert len(desk.asked) == asked


def test_a_payout_is_made_once_for_a_key_and_found_again(desk: Desk) -> None:
    desk.may(payouts=True)
    made = desk.ask("POST", "payouts", PAYOUT, key="k")
    assert (made.status, made.json["status"], made.json["amount"], made.json["stripe_payout_id"]) == (
        *(201, "pending"),
        *(5_000, "po_1"),
    )
    assert (desk.last().account, desk.last().params["method"]) == ("acct_1", "standard")
    asked = len(desk.asked)
    assert desk.ask("POST", "payouts", PAYOUT, key="k").json == made.json
    assert desk.ask("POST", "payouts", {**PAYOUT, "amount": 1}, key="k").problem == "idempotency-key-reused"
    assert desk.ask("GET", f"payouts/{made.json['id']}").json == made.json
    assert desk.ask("GET", "payouts", user=OPERATOR).json == {"data": [made.json], "cursor": None}
    assert desk.ask("GET", f"payouts/{made.json['id']}", user=STRANGER).problem == "not-found"
    assert len(desk.asked) == asked


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({"amount": 0}, "invalid-amount"),
    "in words": ({"amount": "all"}, "invalid-request"),
    "half forints": ({"amount": 150, "currency": "huf"}, "invalid-amount"),
    "half dollars of Taiwan": ({"amount": 150, "currency": "twd"}, "invalid-amount"),
    "no currency": ({"currency": "xxx"}, "unknown-currency"),
    "another method": ({"method": "slow"}, "invalid-request"),
    "a bank of the caller's choice": ({"destination": "ba_1"}, "invalid-request"),
    "instantly, which the operator keeps": ({"method": "instant"}, "not-allowed"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_can_be_no_payout_is_one_problem_and_changes_nothing(desk: Desk, case: str) -> None:
    fields, problem = WRONG[case]
    desk.may(payouts=True)
    before, asked = desk.backend.store.snapshot(), len(desk.asked)
    assert desk.ask("POST", "payouts", {**PAYOUT, **fields}, key="k").problem == problem
    assert desk.ask("POST", "payouts", PAYOUT).problem == "idempotency-key-required"
    assert (desk.backend.store.snapshot(), len(desk.asked)) == (before, asked)


def test_payouts_are_the_operator_s_unless_it_says_otherwise(desk: Desk) -> None:
    assert desk.ask("POST", "payouts", PAYOUT, key="k").problem == "not-allowed"
    assert desk.ask("POST", "payouts", {**PAYOUT, "method": "instant"}, user=OPERATOR, key="k").status == 201
    assert desk.last().params["method"] == "instant"


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("balance_insufficient", "payout-exceeds-balance"),
        ("instant_payouts_unsupported", "instant-payout-unavailable"),
        ("payouts_not_allowed", "payouts-not-allowed"),
        ("bank_account_unusable", "stripe-refused"),
    ],
)
def test_stripe_s_no_is_one_problem_in_words_for_every_repetition(desk: Desk, code: str, problem: str) -> None:
    desk.answers(Operation.CREATE_PAYOUT, Refusal(code))
    for _ in range(2):
        assert desk.ask("POST", "payouts", PAYOUT, user=OPERATOR, key="k").problem == problem
    (listed,) = desk.ask("GET", "payouts").json["data"]
    assert (listed["status"], listed["refusal"]) == ("refused", code)


def test_a_payout_of_an_unknown_outcome_is_shown_as_such(desk: Desk) -> None:
    desk.answers(Operation.CREATE_PAYOUT, NoAnswer(Doubt.NO_ANSWER))
    made = desk.ask("POST", "payouts", PAYOUT, user=OPERATOR, key="k")
    assert (made.status, made.json["status"]) == (201, "unknown")


def test_a_connected_account_s_payout_events_are_taken_in_and_a_stranger_s_are_not(desk: Desk) -> None:
    said = payout(id="po_9", amount=700, currency="usd", automatic=True, status="in_transit")
    ports = desk.backend.ports_of("webhooks.process")
    take_in(ports, stripe_event("payout.created", said, "evt_1", account="acct_1"))
    take_in(ports, stripe_event("payout.created", {**said, "id": "po_8"}, "evt_2", account="acct_2"))
    take_in(ports, stripe_event("payout.created", {**said, "id": "po_7"}, "evt_3"))
    (listed,) = desk.ask("GET", "payouts").json["data"]
    assert (listed["stripe_payout_id"], listed["is_automatic"], listed["is_itemized"]) == ("po_9", True, True)


def test_a_balance_shows_every_currency_what_is_negative_and_what_is_owed(desk: Desk) -> None:
    usd, eur = ({"currency": each} for each in ("usd", "eur"))
    balance = {
        "available": [{**usd, "amount": -500}, {**eur, "amount": 3}],
        "pending": [{**usd, "amount": 200}],
        "instant_available": [{**eur, "amount": 2}],
    }
    desk.answers(Operation.READ_BALANCE, Done(balance))
    assert desk.ask("GET", "balance").json["balances"] == [
        {"currency": "eur", "available": 3, "pending": 0, "reserved": None, "instant_available": 2, "debt": 0},
        {"currency": "usd", "available": -500, "pending": 200, "reserved": None, "instant_available": 0, "debt": 0},
    ]
    assert desk.last().account == "acct_1"


def line(txn: str, amount: int, **fields: Any) -> dict[str, Any]:
    """A balance transaction of 22 November."""
    return {
        "id": txn, "type": "payment", "reporting_category": "charge", "amount": amount, "fee": 0, "net": amount,
        "currency": "usd", "created": 1_795_340_000, "source": {"id": f"py_{txn}"}, "fee_details": [], **fields,
    }  # fmt: skip


def statement(desk: Desk, **options: Any) -> Any:
    """A sale of 10.00 of which 0.50 were kept in tax and 1.00 by the platform; but for a dollar it was paid out."""
    kept = [{"type": "application_fee", "amount": 100}, {"type": "tax", "amount": 50}]
    sale = line("txn_1", 1_000, fee=150, net=850, fee_details=kept)
    out = line("txn_2", -750, type="payout", reporting_category="payout", source={"id": "po_1"})
    page = Done({"data": [out, sale], "has_more": False})
    newest = Done({"data": [out], "has_more": False})
    nothing = Done({"data": [], "has_more": False})
    desk.answers(Operation.LIST_BALANCE_TRANSACTIONS, page, newest, nothing, newest)
    desk.answers(Operation.READ_BALANCE, Done({"available": [{"amount": 100, "currency": "usd"}], "pending": []}))
    query = {**SINCE, "until": "2026-11-23T00:00:00Z", **options.pop("query", {})}
    return desk.ask("GET", "statement", query=query, **options)


def test_a_statement_is_json_whose_opening_and_movements_are_its_closing(desk: Desk) -> None:
    answer = statement(desk)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    said = answer.json
    assert said["balances"] == [
        {
            "currency": "usd",
            "opening": 0,
            "movements": {"sale": 1_000, "fee": -100, "tax": -50, "payout": -750},
            "closing": 100,
        }
    ]
    assert [(each["kind"], each["net"], each["stripe_id"]) for each in said["lines"]] == [
        ("sale", 850, "py_txn_1"),
        ("payout", -750, "po_1"),
    ]
    assert (said["debts"], said["is_complete"], said["until"]) == ([], True, "2026-11-23T00:00:00Z")
    assert (answer.headers["Export-Until"], answer.headers["Export-Complete"]) == ("2026-11-23T00:00:00+00:00", "true")


@pytest.mark.parametrize("asked", [{"headers": {"Accept": "text/csv"}}, {"query": {"format": "csv"}}])
def test_a_statement_is_a_file_for_those_who_want_one(desk: Desk, asked: dict[str, Any]) -> None:
    answer = statement(desk, **asked)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="statement-2026-11-22-2026-11-23.csv"'
    first, *rows = answer.text.splitlines()
    assert first.startswith("account,at,kind,amount,fee,tax,net,balance,currency")
    assert [row.split(",")[2:8] for row in rows] == [
        ["opening balance", "", "", "", "", "0.00"],
        ["sale", "10.00", "-1.00", "-0.50", "8.50", "8.50"],
        ["payout", "-7.50", "0.00", "0.00", "-7.50", "1.00"],
        ["closing balance", "", "", "", "", "1.00"],
    ]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({}, "invalid-request"),
        ({"since": "yesterday"}, "invalid-request"),
        ({"since": "2026-11-22T00:00:00"}, "invalid-request"),
        ({"since": "2026-11-22T00:00:00Z", "until": "2026-11-21T00:00:00Z"}, "invalid-period"),
        ({"since": "2026-11-22T00:00:00Z", "until": "2036-11-21T00:00:00Z"}, "invalid-period"),
        ({"since": "2026-11-22T00:00:00Z", "format": "pdf"}, "invalid-request"),
    ],
)
def test_a_period_that_cannot_be_is_one_problem(desk: Desk, query: dict[str, str], problem: str) -> None:
    asked = len(desk.asked)
    assert desk.ask("GET", "statement", query=query).problem == problem
    assert len(desk.asked) == asked


def test_what_an_automatic_payout_is_made_of_is_listed_by_its_id_at_stripe(desk: Desk) -> None:
    said = payout(id="po_9", amount=850, currency="usd", automatic=True, status="paid")
    ports = desk.backend.ports_of("webhooks.process")
    take_in(ports, stripe_event("payout.paid", said, "evt_1", account="acct_1"))
    (listed,) = desk.ask("GET", "payouts").json["data"]
    page = {"data": [line("txn_1", 850)], "has_more": True}
    desk.answers(Operation.LIST_BALANCE_TRANSACTIONS, Done(page))
    found = desk.ask("GET", f"payouts/{listed['id']}/transactions", query={"limit": "1"})
    assert (found.json["data"][0]["net"], found.json["cursor"]) == (850, "txn_1")
    assert (desk.last().params["payout"], desk.last().account) == ("po_9", "acct_1")
    made = desk.ask("POST", "payouts", PAYOUT, user=OPERATOR, key="k").json["id"]
    assert desk.ask("GET", f"payouts/{made}/transactions").problem == "payout-not-itemized"


def test_what_was_taken_back_without_the_platform_s_books_is_a_reversal(desk: Desk) -> None:
    back = {"id": "pyr_1", "source_transfer_reversal": "trr_1"}
    taken = line("txn_1", -300, type="payment_refund", reporting_category="refund", source=back)
    page, newest = Done({"data": [taken], "has_more": False}), Done({"data": [taken], "has_more": False})
    desk.answers(Operation.LIST_BALANCE_TRANSACTIONS, page, newest, Done({"data": [], "has_more": False}), newest)
    query = {**SINCE, "until": "2026-11-23T00:00:00Z"}
    (only,) = desk.ask("GET", "statement", query=query).json["lines"]
    assert (only["kind"], only["related_id"], only["net"]) == ("reversal", "trr_1", -300)
