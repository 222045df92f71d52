"""Requests made up from docs/openapi.json, right ones and wrong ones: no 5xx, and no answer that it does not describe.

All operations, with a token of each role and with none, on ids that are there. Seeded and bounded in time; with
``SCHEMATHESIS_EXAMPLES`` and ``SCHEMATHESIS_SECONDS`` more of them, with ``SCHEMATHESIS_SEED`` others.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from local.cloud.places import PROJECT, tool
from tests.e2e.shop import Json, Shop, done

EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "2")  # of each operation and role
SECONDS = os.environ.get("SCHEMATHESIS_SECONDS", "28")  # for each role
SEED = os.environ.get("SCHEMATHESIS_SEED", "1")
CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")


@pytest.fixture(scope="module")
def ids(shop: Shop, seller: Json) -> dict[str, str]:
    """What there is, by the name of the path parameter that takes it."""
    price = shop.price(seller, 900)
    session = done(shop.buyer.post("/checkout/sessions", shop.basket({"price": price["id"], "quantity": 1})))
    assert shop.pay(session).is_redirect
    sale = shop.settled(session)
    return {
        "merchant_id": seller["id"],
        "product_id": price["product_id"],
        "price_id": price["id"],
        "transaction_id": sale["id"],
        "refund_id": done(shop.refund(sale["id"], 100))["id"],
        "transfer_id": done(shop.operator.get("/transfers", transaction_id=sale["id"]))["data"][0]["id"],
        "customer_id": sale["customer_id"],
        "account": "stripe_balance",
    }


@pytest.mark.parametrize("role", ["operator", "merchant", "buyer", "guest"])
def test_no_request_is_answered_with_a_fault_or_with_what_is_not_described(
    shop: Shop, ids: dict[str, str], role: str, tmp_path: Path
) -> None:
    tokens = {**shop.stack.tokens, "merchant": shop.stack.merchant_token(ids["merchant_id"])}
    sent = ["-H", f"Authorization: Bearer {tokens[role]}"] if role in tokens else []
    settings = tmp_path / "schemathesis.toml"
    named = [f'"path.{name}" = {json.dumps(found)}' for name, found in ids.items()]
    settings.write_text("\n".join(["[parameters]", *named]))
    made_up = subprocess.run(
        [tool("schemathesis", "schemathesis"), "--config-file", settings, "run", PROJECT / "docs" / "openapi.json",
         "--url", shop.stack.api, *sent, "--checks", ",".join(CHECKS), "--phases", "fuzzing", "--mode", "all",
         "--max-examples", EXAMPLES, "--max-time", SECONDS, "--seed", SEED, "--request-timeout", "60",
         "--continue-on-failure", "--no-shrink", "--warnings", "off"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert made_up.returncode == 0, made_up.stdout[-8_000:]
