"""A cart over HTTP: one payment, a merchant that is held and released in parts, refunds of one merchant's part."""

from tests.e2e.shop import Json, Shop, done, problem, until

AMOUNTS = (6_000, 4_000)  # the platform's fee is 10 percent of each


def cart(shop: Shop, *merchants: Json, **terms: object) -> Json:
    lines = [
        {"name": f"Of {number}", "unit_amount": amount, "currency": "usd", "quantity": 1, "merchant_id": merchant["id"]}
        for number, (merchant, amount) in enumerate(zip(merchants, AMOUNTS, strict=True))
    ]
    return done(shop.operator.post("/checkout/sessions", shop.basket(*lines, **terms)))


def shares(sale: Json) -> dict[str, int]:
    return {share["merchant_id"]: share["received"] for share in sale["shares"]}


def test_a_cart_is_paid_held_released_in_parts_and_refunded_by_merchant(shop: Shop, seller: Json) -> None:
    clay, linen = seller, shop.ready_merchant()
    had = shop.balance(clay["account_id"])
    session = cart(shop, clay, linen, hold=True)
    assert shop.pay(session).is_redirect
    sold = shop.settled(session)
    path = f"/transactions/{sold['id']}"
    assert shares(sold) == {clay["id"]: 0, linen["id"]: 0}
    assert {share["hold"] for share in sold["shares"]} == {"by_hand"}
    assert problem(shop.operator.post(f"{path}/release", {"merchant_id": clay["id"], "amount": 5_401})) == (
        409,
        "release-exceeds-held",
    )
    for number in range(2):
        released = done(shop.operator.post(f"{path}/release", {"merchant_id": clay["id"], "amount": 2_700}))
        assert shares(released)[clay["id"]] == 2_700 * (number + 1)
        assert shop.balance(clay["account_id"]) - had == 2_700 * (number + 1)
    done(shop.operator.post(f"{path}/release"))
    assert shop.balance(linen["account_id"]) == 3_600
    assert problem(shop.operator.post(f"{path}/release")) == (409, "nothing-held")

    refund = done(shop.merchant(linen["id"]).post(f"{path}/refunds", {"amount": 1_000}))
    assert (refund["amount"], refund["fee"]) == (1_000, 100)
    other = {"amount": 100, "merchant_id": linen["id"]}
    assert problem(shop.merchant(clay["id"]).post(f"{path}/refunds", other)) == (404, "not-found")
    until(lambda: shop.balance(linen["account_id"]), lambda balance: balance == 2_700)
    assert shop.balance(clay["account_id"]) - had == 5_400
    seen = done(shop.merchant(clay["id"]).get(path))
    assert (seen["refunds"], [leg["merchant_id"] for leg in seen["legs"]]) == ([], [clay["id"]])
    shop.quiet()
    assert shop.ledger(sold["id"])["platform_revenue"] == -900
    assert [each for each in shop.ledger(sold["id"]) if each.startswith("merchant_payable")] == []


def test_an_authorization_is_captured_in_part_and_the_legs_are_smaller(shop: Shop, seller: Json) -> None:
    linen = shop.ready_merchant()
    session = cart(shop, seller, linen, capture_method="manual")
    assert shop.pay(session).is_redirect
    path = f"/transactions/{session['transaction_id']}"
    sale = until(lambda: done(shop.operator.get(path)), lambda found: found["status"] == "authorized")
    assert (sale["authorized"], sale["capture_before"] is not None) == (10_000, True)
    assert problem(shop.operator.post(f"{path}/capture", {"amount": 10_001})) == (409, "capture-exceeds-authorized")
    done(shop.operator.post(f"{path}/capture", {"amount": 5_000}))
    captured = until(lambda: done(shop.operator.get(path)), lambda found: shares(found).get(linen["id"]) == 1_800)
    assert (captured["status"], captured["captured"]) == ("paid", 5_000)
    assert shop.balance(linen["account_id"]) == 1_800
    assert problem(shop.operator.post(f"{path}/cancel")) == (409, "not-capturable")
