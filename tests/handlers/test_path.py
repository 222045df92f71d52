"""The path of a sale through the handlers: what each answers when all is well."""

from datetime import datetime

import pytest

from marketplace.domain.commands import Doubt
from marketplace.operations import Operation
from marketplace.ports import Done, NoAnswer

from ..fakes.stripe import refund
from .backend import BUYER, NOBODY, OPERATOR, SHOP, Backend, User, merchant_user


def test_a_merchant_is_made_read_and_listed(backend: Backend) -> None:
    policy = {"percent": "12.5", "fixed": {"usd": 30}}
    merchant_id = backend.merchant(fee_policy=policy)
    read = backend.send(OPERATOR, "GET", f"/merchants/{merchant_id}").json
    assert (read["status"], read["account_id"], read["currencies"]) == ("ready", "acct_1", ["usd"])
    assert read["fee_policy"] == policy
    assert datetime.fromisoformat(read["created_at"]) == backend.clock.now()
    assert backend.send(merchant_user(merchant_id), "GET", f"/merchants/{merchant_id}").json == read
    assert backend.send(OPERATOR, "GET", "/merchants").json == {"data": [read], "cursor": None}


def test_lists_go_on_from_their_cursor(backend: Backend) -> None:
    made = []
    for name in ("first", "second", "third"):
        backend.wait(1)
        made.append(backend.merchant(name=name))
    page = backend.send(OPERATOR, "GET", "/merchants", query={"limit": "2"}).json
    rest = backend.send(OPERATOR, "GET", "/merchants", query={"limit": "2", "cursor": page["cursor"]}).json
    assert [each["id"] for each in page["data"] + rest["data"]] == made[::-1]
    assert rest["cursor"] is None


def test_a_returning_browser_is_sent_on_to_a_new_link(backend: Backend) -> None:
    merchant_id = backend.merchant()
    body = {"return_url": f"{SHOP}/welcome"}
    made = backend.send(merchant_user(merchant_id), "POST", f"/merchants/{merchant_id}/onboarding-links", body)
    assert made.status == 201
    assert made.json["url"].startswith("https://connect.stripe.com/")
    sent = backend.stripe.asked[-1].params["use_case"]["account_onboarding"]
    assert sent["return_url"] == f"{SHOP}/welcome"
    domain = backend.request(NOBODY, "GET", "/")["requestContext"]["domainName"]
    origin, _, token = sent["refresh_url"].rpartition("/onboarding/")
    assert origin == f"https://{domain}"
    backend.stripe.answers[Operation.CREATE_ACCOUNT_LINK] = [Done({"url": "https://connect.stripe.com/setup/e/2"})]
    answer = backend.send(NOBODY, "GET", f"/onboarding/{token}")
    assert (answer.status, answer.headers["Location"]) == (303, "https://connect.stripe.com/setup/e/2")


def test_where_the_api_has_a_domain_of_its_own_links_lead_there(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = backend.modules["merchants.app"]
    monkeypatch.setattr(module, "settings", type(module.settings)(api_base_url="https://pay.example/v1"))
    merchant_id = backend.merchant()
    backend.send(OPERATOR, "POST", f"/merchants/{merchant_id}/onboarding-links", {"return_url": f"{SHOP}/"})
    refresh_url = backend.stripe.asked[-1].params["use_case"]["account_onboarding"]["refresh_url"]
    assert refresh_url.startswith("https://pay.example/v1/onboarding/")


def test_the_catalog_shows_products_and_prices(backend: Backend) -> None:
    merchant_id = backend.merchant()
    seller = merchant_user(merchant_id)
    product = backend.send(seller, "POST", f"/merchants/{merchant_id}/products", {"name": "Tea", "description": "Dry"})
    assert (product.status, product.json["stripe_product_id"]) == (201, "prod_1")
    path = f"/products/{product.json['id']}/prices"
    price = backend.send(seller, "POST", path, {"unit_amount": 1050, "currency": "usd"})
    assert (price.status, price.json["stripe_price_id"], price.json["unit_amount"]) == (201, "price_1", 1050)
    assert backend.send(OPERATOR, "GET", f"/merchants/{merchant_id}/products").json["data"] == [product.json]
    assert backend.send(OPERATOR, "GET", path).json["data"] == [price.json]
    assert backend.send(seller, "GET", f"/products/{product.json['id']}").json == product.json
    assert backend.send(seller, "GET", f"/prices/{price.json['id']}").json == price.json


def test_a_recurring_price_says_how_often_it_is_paid_and_stripe_is_not_told_the_trial(backend: Backend) -> None:
    merchant_id = backend.merchant()
    product = backend.send(OPERATOR, "POST", f"/merchants/{merchant_id}/products", {"name": "Tea club"}).json
    often = {"interval": "month", "interval_count": 2, "trial_period_days": 7}
    body = {"unit_amount": 900, "currency": "usd", "recurring": often, "tax_behavior": "inclusive"}
    price = backend.send(OPERATOR, "POST", f"/products/{product['id']}/prices", body).json
    assert (price["recurring"], price["tax_behavior"]) == (often, "inclusive")
    asked = backend.stripe.asked[-1].params
    assert (asked["recurring"], asked["tax_behavior"]) == ({"interval": "month", "interval_count": 2}, "inclusive")


def test_what_is_archived_is_not_listed_as_for_sale_and_not_sold(backend: Backend) -> None:
    merchant_id = backend.merchant()
    price_id = backend.price(merchant_id)
    (product,) = backend.send(OPERATOR, "GET", f"/merchants/{merchant_id}/products").json["data"]
    place = f"/products/{product['id']}"
    archived = backend.send(merchant_user(merchant_id), "PATCH", place, {"active": False}, key="archive")
    assert (archived.status, archived.json["active"]) == (200, False)
    assert backend.send(merchant_user(merchant_id), "PATCH", place, {"active": False}, key="archive") == archived
    for active, wanted in (("true", []), ("false", [archived.json])):
        listed = backend.send(OPERATOR, "GET", f"/merchants/{merchant_id}/products", query={"active": active})
        assert listed.json["data"] == wanted
    asked = backend.send(BUYER, "POST", "/checkout/sessions", backend.basket(price_id), key="k")
    assert (asked.status, asked.problem) == (409, "price-not-for-sale")
    back = backend.send(OPERATOR, "PATCH", place, {"active": True, "name": "Tea"})
    assert back.json["active"]
    price = backend.send(OPERATOR, "PATCH", f"/prices/{price_id}", {"active": False})
    assert (price.status, price.json["active"]) == (200, False)


def test_a_buyer_checks_out_a_catalog_price(backend: Backend) -> None:
    price_id = backend.price(backend.merchant(), 1000)
    made = backend.send(BUYER, "POST", "/checkout/sessions", backend.basket(price_id), key="k")
    assert made.status == 201
    assert made.json["checkout_session_id"] == "cs_1"
    assert made.json["url"].startswith("https://checkout.stripe.com/")
    again = backend.send(BUYER, "POST", "/checkout/sessions", backend.basket(price_id), key="k")
    assert again.json == made.json
    assert [each.operation for each in backend.stripe.asked].count(Operation.CREATE_CHECKOUT_SESSION) == 1
    transaction_id = made.json["transaction_id"]
    assert backend.send(BUYER, "GET", f"/checkout/sessions/{transaction_id}").json == made.json
    expired = backend.send(BUYER, "POST", f"/checkout/sessions/{transaction_id}/expire")
    assert (expired.status, expired.json["status"], expired.json["url"]) == (200, "expired", None)


def test_an_operator_names_amounts_fee_and_customer(backend: Backend) -> None:
    merchant_id = backend.merchant()
    body = {
        "line_items": [{"name": "Boat", "unit_amount": 50_000, "currency": "usd", "quantity": 2}],
        "success_url": f"{SHOP}/a", "cancel_url": f"{SHOP}/b", "merchant_id": merchant_id,
        "application_fee_amount": 777, "customer_id": "buyer-1", "refund_application_fee": False,
        "metadata": {"order": "4711"},
    }  # fmt: skip
    made = backend.send(OPERATOR, "POST", "/checkout/sessions", body, key="k")
    assert made.status == 201, made.text
    read = backend.send(OPERATOR, "GET", f"/transactions/{made.json['transaction_id']}").json
    assert (read["amount"], read["currency"], read["fee"]) == (100_000, "usd", 777)
    assert (read["customer_id"], read["metadata"]) == ("buyer-1", {"order": "4711"})
    assert read["legs"] == [
        {"merchant_id": merchant_id, "account_id": "acct_1", "amount": 100_000, "fee": 777, "share": 99_223}
    ]


def test_a_transaction_shows_each_role_what_is_its_own(backend: Backend) -> None:
    merchant_id = backend.merchant()
    transaction_id = backend.paid_sale(merchant_id)
    path = f"/transactions/{transaction_id}"
    full = backend.send(OPERATOR, "GET", path).json
    assert (full["status"], full["charge_id"], full["payment_intent"]["id"]) == ("paid", "ch_1", "pi_1")
    assert full["refund"] == {"status": "none", "amount": 0, "refundable": 1000}
    assert [moment["what"] for moment in full["timeline"]] == [
        "sale planned",
        "checkout session created",
        "paid by the buyer",
    ]
    sellers = backend.send(merchant_user(merchant_id), "GET", path).json
    assert (sellers["fee"], sellers["processing_fee"], sellers["net"]) == (100, None, None)
    buyers = backend.send(BUYER, "GET", path).json
    assert (buyers["amount"], buyers["legs"], buyers["fee"], buyers["timeline"]) == (1000, [], None, [])
    entries = backend.send(OPERATOR, "GET", f"{path}/ledger").json["data"]
    assert [entry["kind"] for entry in entries] == ["charge"]
    assert sum(line["amount"] for entry in entries for line in entry["lines"]) == 0
    for user in (BUYER, merchant_user(merchant_id)):
        assert backend.send(user, "GET", f"{path}/ledger").problem == "not-allowed"
    assert backend.send(BUYER, "GET", f"{path}/timeline").problem == "not-allowed"
    assert backend.send(OPERATOR, "GET", f"{path}/timeline").json["data"] == full["timeline"]


def test_transactions_are_listed_to_those_they_concern(backend: Backend) -> None:
    merchant_id = backend.merchant()
    transaction_id = backend.sale(backend.price(merchant_id))

    def listed(user: User, **query: str) -> list[str]:
        return [each["id"] for each in backend.send(user, "GET", "/transactions", query=query).json["data"]]

    assert listed(OPERATOR, merchant_id=merchant_id) == [transaction_id]
    assert listed(OPERATOR, customer_id="buyer-1") == [transaction_id]
    assert listed(OPERATOR) == [transaction_id]
    assert listed(OPERATOR, status="paid") == []
    assert listed(BUYER) == [transaction_id]
    assert listed(merchant_user(merchant_id)) == [transaction_id]
    assert listed(User({"sub": "buyer-2", "cognito:groups": ["buyer"]})) == []
    assert listed(merchant_user("merchant-" + 26 * "0"), merchant_id=merchant_id) == []


def test_a_refund_is_answered_with_what_it_gave_back(backend: Backend) -> None:
    merchant_id = backend.merchant()
    path = f"/transactions/{backend.paid_sale(merchant_id)}/refunds"
    backend.stripe.answers[Operation.CREATE_REFUND] = [Done(refund(300, fee=30))]
    made = backend.send(OPERATOR, "POST", path, {"amount": 300, "reason": "duplicate"}, key="r")
    assert (made.status, made.json["status"], made.json["amount"], made.json["fee"]) == (201, "succeeded", 300, 30)
    again = backend.send(OPERATOR, "POST", path, {"amount": 300, "reason": "duplicate"}, key="r")
    assert (again.status, again.json["id"]) == (201, made.json["id"])
    read = backend.send(OPERATOR, "GET", f"/refunds/{made.json['id']}").json
    assert (read["stripe_refund_id"], read["transfer_reversal_id"], read["reversed"]) == ("re_1", "trr_re_1", 300)
    for user in (OPERATOR, merchant_user(merchant_id)):
        assert [each["id"] for each in backend.send(user, "GET", "/refunds").json["data"]] == [made.json["id"]]
    seen_by_buyer = backend.send(BUYER, "GET", path).json["data"]
    assert [(each["amount"], each["fee"], each["reversed"]) for each in seen_by_buyer] == [(300, None, None)]
    transaction = backend.send(OPERATOR, "GET", path.removesuffix("/refunds")).json
    assert transaction["refund"] == {"status": "partial", "amount": 300, "refundable": 700}


def test_a_refund_whose_outcome_is_not_known_is_accepted_and_never_failed(backend: Backend) -> None:
    path = f"/transactions/{backend.paid_sale(backend.merchant())}/refunds"
    backend.stripe.answers[Operation.CREATE_REFUND] = [NoAnswer(Doubt.NO_ANSWER)]
    made = backend.send(OPERATOR, "POST", path, {}, key="r")
    assert (made.status, made.json["status"]) == (202, "unknown")
    assert made.json["waits_for"] == "the next look at Stripe"


def test_health_answers_without_anything_behind_it(functions: object) -> None:
    import functions.health.app as health  # noqa: PLC0415 - not a function of the fixture

    assert health.handler({}, None)["statusCode"] == 200
