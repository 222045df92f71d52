"""Who may see and do what, through the API with its authorizer: another's is answered like what is not there (S05).

`tests/handlers/test_access.py` walks the same table with an object behind every id; MADE_UP are the ids that have none
here.
"""

import re
import urllib.parse
from dataclasses import dataclass

import pytest

from local.cloud import User
from local.cloud.users import PASSWORD
from marketplace.domain.principals import Role
from marketplace.edge.access import ACCESS
from tests.e2e.shop import Caller, Json, Shop, done, problem, until, without
from tests.e2e.test_cloud import guarded_routes
from tests.handlers.estate import BODIES, QUERIES

_MERCHANT, _OWN = "01m84400000000000000000001", "01m84400000000000000000002"
MADE_UP = {
    "letter_id": "00000000-0000-4000-8000-000000000000",
    "command_id": f"command-{_OWN}",
    "subscription_id": f"subscription-{_OWN}",
    "invoice_id": f"invoice-{_OWN}",
    **{f"{noun}_id": f"{noun.replace('_', '-')}-{_MERCHANT}-{_OWN}" for noun in ("payout", "coupon", "promotion_code")},
}
OF_ONE_ANSWER = {"date", "connection", "apigw-requestid", "x-amzn-requestid", "x-amz-id-2", "x-amz-request-id"}
WITH_AN_ID = [route for route in guarded_routes() if "{" in route[1]]


@dataclass(frozen=True)
class Estate:
    """All that a merchant and its buyer have, and strangers: another merchant, another buyer."""

    ids: dict[str, str]
    strangers: dict[str, Caller]


@pytest.fixture(scope="module")
def estate(shop: Shop, seller: Json) -> Estate:
    price = shop.price(seller, 900)
    session = done(shop.buyer.post("/checkout/sessions", shop.basket({"price": price["id"], "quantity": 1})))
    assert shop.pay(session).is_redirect
    sale = shop.settled(session)
    customer = done(shop.buyer.post("/customers", {"name": "Ann"}))
    ids = {
        "merchant_id": seller["id"],
        "product_id": price["product_id"],
        "price_id": price["id"],
        "transaction_id": sale["id"],
        "refund_id": done(shop.refund(sale["id"], 100))["id"],
        "customer_id": customer["id"],
        "payment_method_id": shop.saved_card(customer),
        "account": "stripe_balance",
        "transfer_id": done(shop.operator.get("/transfers", transaction_id=sale["id"]))["data"][0]["id"],
        "subject": sale["id"],
        **MADE_UP,
        **disputed(shop),
    }
    shop.quiet()
    other = shop.merchant(shop.new_merchant("Nosy")["id"])
    return Estate(ids, {"merchant": other, "buyer": shop.another_buyer(), "guest": Caller(shop.http)})


def disputed(shop: Shop) -> dict[str, str]:
    """A dispute about the only sale of a merchant, and what it owes for it: Stripe's fee."""
    merchant = shop.ready_merchant()
    session = done(shop.operator.post("/checkout/sessions", shop.inline(merchant, 900)))
    assert shop.pay(session).is_redirect
    shop.dispute(shop.settled(session))
    owed = until(lambda: done(shop.operator.get(f"/merchants/{merchant['id']}/debts"))["data"], bool)
    (found,) = done(shop.operator.get("/disputes", merchant_id=merchant["id"]))["data"]
    return {"dispute_id": found["id"], "debt_id": owed[0]["id"]}


def ask(caller: Caller, method: str, path: str, ids: dict[str, str]) -> tuple[int, Json, Json]:
    """All of an answer but when and as which it was given."""
    query = urllib.parse.urlencode(QUERIES.get((method, path), {}))
    place = path.format(**ids) + (f"?{query}" if query else "")
    answer = caller.ask(method, place, BODIES.get((method, path)))
    return answer.status_code, without({"request_id"}, answer.json()), without(OF_ONE_ANSWER, answer.headers)


@pytest.mark.parametrize("role", ["merchant", "buyer", "guest"])
@pytest.mark.parametrize(("method", "path"), WITH_AN_ID)
def test_omi_6840_service_bot_407_another_s_is_answered_like_what_is_not_there(
    shop: Shop, estate: Estate, method: str, path: str, role: str
) -> None:
    stranger = estate.strangers[role]
    before = shop.record(estate.ids["transaction_id"])
    theirs = ask(stranger, method, path, estate.ids)
    absent = {
        name: re.sub(r"-[0-9a-z]+", lambda part: "-" + "0" * (len(part[0]) - 1), found)
        for name, found in estate.ids.items()
    }
    assert theirs == ask(stranger, method, path, absent)
    assert theirs == ask(stranger, method, path, dict.fromkeys(estate.ids, "nonsense"))
    # What a role may do with nobody's is said without a look: again nothing of whether it is there.
    assert theirs[0] == (401 if role == "guest" else 404 if Role(role) in ACCESS[method, path] else 403)
    assert shop.record(estate.ids["transaction_id"]) == before


def test_a_merchant_that_asks_for_another_s_list_gets_its_own(shop: Shop, estate: Estate) -> None:
    nosy = estate.strangers["merchant"]
    assert done(nosy.get("/transactions", merchant_id=estate.ids["merchant_id"]))["data"] == []
    assert problem(nosy.get("/merchants")) == (403, "not-allowed")


def test_a_token_without_a_role_may_do_nothing(shop: Shop) -> None:
    user = User(role="buyer", email="nobody@marketplace.example")
    shop.stack.token(user)
    cognito = shop.stack.client("cognito-idp")
    pool = {"UserPoolId": shop.stack.user_pool_id}
    cognito.admin_remove_user_from_group(**pool, Username=user.email, GroupName="buyer")
    signed_in = cognito.admin_initiate_auth(
        **pool,
        ClientId=shop.stack.user_pool_client_id,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": user.email, "PASSWORD": PASSWORD},
    )
    somebody = Caller(shop.http, signed_in["AuthenticationResult"]["IdToken"])
    assert problem(somebody.get("/transactions")) == (403, "not-allowed")
    assert problem(somebody.post("/checkout/sessions", shop.basket({"price": "price-x", "quantity": 1}))) == (
        403,
        "not-allowed",
    )
