"""S09: on the local cloud each group of functions has a restricted key of its own, and lacks no right. Runs last."""

from typing import Any

import httpx

from cli.stripe_keys import Group, permissions, rights_of
from tests.e2e.shop import Json, Shop, done

PLAYED: dict[str, Any] = {  # by this sale at the least
    Group.CATALOG: ["plan", "product"],
    Group.CHECKOUT: ["checkout_session"],
    Group.PAYMENTS: ["charge"],
    Group.RECONCILIATION: ["balance_transaction_source"],
}


def keys(shop: Shop) -> dict[str, Json]:
    """Of each group what its key may do, did, and was refused."""
    listed = httpx.get(f"{shop.stack.stripe}/_simulator/keys").json()["data"]
    return {key["name"]: key for key in listed}


def test_each_group_sells_and_refunds_with_a_key_of_its_own_and_no_function_was_refused_for_a_right(
    shop: Shop, seller: Json
) -> None:
    price = shop.price(seller, 1_000)
    session = done(shop.buyer.post("/checkout/sessions", shop.basket({"price": price["id"], "quantity": 1})))
    assert shop.pay(session).is_redirect
    sale = shop.settled(session)
    assert shop.refund(sale["id"]).is_success
    shop.sweep()
    given = keys(shop)
    for group in Group:
        assert (given[group]["permissions"], given[group]["connect_permissions"]) == permissions(rights_of(group))
    for name, used in PLAYED.items():
        assert {right["name"] for right in given[name]["used"]} >= set(used), name
    assert {group: given[group]["lacked"] for group in Group} == {group: [] for group in Group}


def test_every_function_that_calls_stripe_is_told_of_its_group_s_secret(shop: Shop) -> None:
    lambda_client = shop.stack.client("lambda")
    told = {
        name: lambda_client.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
        for name, function in shop.stack.functions.items()
    }
    arns = {
        name: variables["STRIPE_SECRET_ARN"] for name, variables in told.items() if "STRIPE_SECRET_ARN" in variables
    }
    assert shop.stack.stripe_key_secret_arn not in arns.values()
    assert len(set(arns.values())) == len(Group)
