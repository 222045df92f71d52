"""Two stages side by side in one account and region, each with a Stripe of its own: neither knows of the other."""

from collections.abc import Iterator

import pytest

from local.cloud import Ports, Stack
from local.cloud.running import deploy
from local.cloud.sam import build
from local.cloud.stripe_account import simulator
from tests.e2e.shop import Caller, Json, Shop, done, problem, until
from tests.e2e.test_deliveries import deliver, outcomes, signed

NAME = "marketplace-payments-staging"
SOURCE = "aws.partner/stripe.com/ed_staging"
# What one stage has by a name, address or id, so that the other must not have it.
OWN = (
    "api", "stripe", "table", "queue_url", "dead_letter_queue_url", "event_bus_name", "stripe_key_secret_arn",
    "webhook_secret_arn", "user_pool_id", "user_pool_client_id",
)  # fmt: skip


@pytest.fixture(scope="module")
def staging(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A second stage in the local AWS, beside the one that all tests share; names go by the stack's.

    Its parameter `Stage` is "local" too: MiniStack has no alarms over several metrics, which other stages have.
    """
    folder = tmp_path_factory.mktemp("staging")
    log = folder / "sam.log"
    with simulator(port=Ports.free().stripe, folder=folder) as account:
        beside = deploy(
            build(log), stack.aws_endpoint, account, log,
            stack_name=NAME, api_id="staging", more={"StripeEventSource": SOURCE},
        )  # fmt: skip
        shop = Shop(beside)
        with shop.http:
            yield shop


def items(shop: Shop) -> list[str]:
    """All that a stage's table holds, as text."""
    pages = shop.stack.client("dynamodb").get_paginator("scan").paginate(TableName=shop.stack.table)
    return [repr(item) for page in pages for item in page["Items"]]


def test_nothing_that_has_a_name_is_of_both(shop: Shop, staging: Shop) -> None:
    for name in OWN:
        assert getattr(shop.stack, name) != getattr(staging.stack, name), name
    assert not {*shop.stack.functions.values()} & {*staging.stack.functions.values()}


def test_a_sale_of_one_stage_is_nowhere_in_the_other(shop: Shop, staging: Shop, seller: Json) -> None:
    here = shop.paid_sale(seller, 2_000)
    merchant = staging.ready_merchant()
    there = staging.paid_sale(merchant, 3_000)
    assert (here["amount"], there["amount"]) == (2_000, 3_000)
    assert staging.refund(there["id"]).is_success
    shop.quiet()
    staging.quiet()
    assert problem(shop.operator.get(f"/transactions/{there['id']}")) == (404, "not-found")
    assert problem(staging.operator.get(f"/transactions/{here['id']}")) == (404, "not-found")
    assert [each["id"] for each in done(staging.operator.get("/merchants"))["data"]] == [merchant["id"]]
    assert not [item for item in items(staging) if here["id"] in item or seller["id"] in item]
    assert not [item for item in items(shop) if there["id"] in item or merchant["id"] in item]


def test_a_token_of_one_stage_opens_nothing_in_the_other(shop: Shop, staging: Shop) -> None:
    for own, other in ((shop, staging), (staging, shop)):
        assert Caller(other.http, own.stack.tokens["operator"]).get("/merchants").status_code == 401
        assert own.operator.get("/merchants").status_code == 200


def test_what_one_stage_s_stripe_signs_the_other_does_not_take(shop: Shop, staging: Shop) -> None:
    body = "{}"  # well signed it is taken, and set aside later
    for own, other in ((shop, staging), (staging, shop)):
        assert deliver(other, body, signed(own.stack.webhook_secrets["account"][0], body)) == 400


def test_s08_what_comes_by_eventbridge_is_taken_in_with_the_rights_of_that_function(staging: Shop) -> None:
    """MiniStack lets nobody put events on a partner's bus: the function is handed what the bus's rule would hand it."""
    event: Json = {
        "id": "evt_by_bus", "object": "event", "type": "product.created", "created": 1_795_422_398, "livemode": False,
        "data": {"object": {"id": "prod_1", "object": "product"}},
    }  # fmt: skip
    staging.invoke("ReceivePartnerEventFunction", source=SOURCE, detail=event)
    assert until(lambda: outcomes(staging, event["id"]), bool) == ["ignored: type"]
