"""Coupons and promotion codes at checkout: given by the shop or entered on the page, each cent where it belongs."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator

from .paying import assert_exact, refused
from .shop import line, new_session, ready_seller, submit

CARD = {"card": "4242424242424242"}


def coupon(client: stripe.StripeClient, **more: Any) -> str:
    params: Any = {"percent_off": 10, **more} if "amount_off" not in more else more
    return client.v1.coupons.create(params).id


def code(client: stripe.StripeClient, of: str, text: str = "TEA10", **more: Any) -> str:
    params: Any = {"promotion": {"type": "coupon", "coupon": of}, "code": text, **more}
    return client.v1.promotion_codes.create(params).id


def latest(client: stripe.StripeClient, session: str, *expand: str) -> dict[str, Any]:
    found: dict[str, Any] = client.v1.checkout.sessions.retrieve(session, {"expand": list(expand)}).to_dict()
    return found


def test_a_coupon_takes_its_part_off_every_item(simulator: Simulator, client: stripe.StripeClient) -> None:
    items = [line(333), line(333, name="Cup"), line(334, name="Pot")]
    wanted: Any = [{"coupon": coupon(client, percent_off=15)}]
    session = new_session(client, line_items=items, discounts=wanted)
    assert (session.amount_subtotal, session.amount_total) == (1_000, 850)
    expand = ("total_details.breakdown", "line_items.data.discounts")
    shown = latest(client, session.id, *expand)
    assert shown["discounts"] == [{"coupon": wanted[0]["coupon"], "promotion_code": None}]
    assert shown["total_details"]["amount_discount"] == 150
    (whole,) = shown["total_details"]["breakdown"]["discounts"]
    assert (whole["amount"], whole["discount"]["source"]["coupon"]) == (150, wanted[0]["coupon"])
    bought = shown["line_items"]["data"]
    assert [(each["amount_subtotal"], each["amount_discount"], each["amount_total"]) for each in bought] == [
        (333, 50, 283),
        (333, 50, 283),
        (334, 50, 284),
    ]
    assert [each["discounts"][0]["amount"] for each in bought] == [50, 50, 50]
    submit(simulator, session.id, **CARD)
    assert client.v1.coupons.retrieve(wanted[0]["coupon"]).times_redeemed == 1
    intent = client.v1.payment_intents.retrieve(latest(client, session.id)["payment_intent"])
    assert intent.amount_received == 850
    assert_exact(simulator)


def test_the_seller_bears_the_discount_and_not_the_fee(simulator: Simulator, client: stripe.StripeClient) -> None:
    seller = ready_seller(simulator, client)
    data: Any = {"transfer_data": {"destination": seller}, "application_fee_amount": 2_000}
    session = new_session(client, payment_intent_data=data, discounts=[{"coupon": coupon(client)}])
    submit(simulator, session.id, **CARD)
    simulator.run_due()
    (fee,) = client.v1.application_fees.list().data
    (transfer,) = client.v1.transfers.list().data
    assert (transfer.amount, fee.amount) == (9_000, 2_000)  # 7000 are left to the seller, of 8000 without the discount
    assert_exact(simulator)


def test_a_whole_discount_leaves_nothing_to_pay(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = new_session(client, discounts=[{"coupon": coupon(client, percent_off=100)}])
    assert (session.amount_total, session.payment_status) == (0, "no_payment_required")
    assert submit(simulator, session.id, method="none").status == 303
    done = latest(client, session.id)
    assert (done["status"], done["payment_intent"], done["payment_status"]) == ("complete", None, "no_payment_required")


def test_a_code_is_entered_and_taken_back_on_the_page(simulator: Simulator, client: stripe.StripeClient) -> None:
    promotion = code(client, coupon(client, amount_off=250, currency="usd"))
    session = new_session(client, allow_promotion_codes=True)
    assert b"Promotion code" in simulator.request("GET", f"/c/pay/{session.id}").body
    wrong = submit(simulator, session.id, action="update", code="NOPE")
    assert (wrong.status, b"This code is invalid" in wrong.body) == (400, True)
    applied = submit(simulator, session.id, action="update", code="tea10")
    assert b"97.50 USD" in applied.body
    assert latest(client, session.id)["discounts"] == [{"coupon": None, "promotion_code": promotion}]
    assert b"100.00 USD" in submit(simulator, session.id, action="update", code="").body
    assert latest(client, session.id)["discounts"] == []
    submit(simulator, session.id, **CARD, code="TEA10")
    assert latest(client, session.id)["amount_total"] == 9_750
    assert client.v1.promotion_codes.retrieve(promotion).times_redeemed == 1


def test_a_code_that_others_used_up_is_not_paid_with(simulator: Simulator, client: stripe.StripeClient) -> None:
    code(client, coupon(client), max_redemptions=1)
    first, second = (new_session(client, allow_promotion_codes=True).id for _ in "ab")
    for session in (first, second):
        submit(simulator, session, action="update", code="TEA10")
    assert submit(simulator, first, **CARD).status == 303
    late = submit(simulator, second, **CARD)
    assert (late.status, b"no longer valid" in late.body) == (400, True)
    assert submit(simulator, second, **CARD, code="").status == 303
    assert latest(client, second)["amount_total"] == 10_000


def test_a_code_holds_for_whom_and_what_it_says(simulator: Simulator, client: stripe.StripeClient) -> None:
    ann, eve = (client.v1.customers.create({"email": f"{name}@b.test"}).id for name in ("ann", "eve"))
    ten = coupon(client)
    code(client, ten, "ANN", customer=ann)
    code(client, ten, "BIG", restrictions={"minimum_amount": 20_000, "minimum_amount_currency": "usd"})
    code(client, ten, "FIRST", restrictions={"first_time_transaction": True})
    guest, hers, his = (
        new_session(client, allow_promotion_codes=True, **more).id
        for more in ({}, {"customer": ann}, {"customer": eve})
    )
    for session, entered, status in (
        *((guest, "ANN", 400), (his, "ANN", 400), (hers, "ANN", 200)),
        *((guest, "BIG", 400), (guest, "FIRST", 400), (his, "FIRST", 200)),
    ):
        assert submit(simulator, session, action="update", code=entered).status == status


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"discounts": [{"coupon": "none"}]}, "No such coupon"),
        ({"discounts": [{"coupon": "TEN"}, {"coupon": "TEN"}]}, "at most 1"),
        ({"discounts": [{"coupon": "TEN"}], "allow_promotion_codes": True}, "only specify one"),
        ({"discounts": [{"coupon": "EUR"}]}, "currency"),
    ],
)
def test_discounts_are_checked(client: stripe.StripeClient, change: Any, said: str) -> None:
    coupon(client, id="TEN")
    coupon(client, id="EUR", amount_off=100, currency="eur")
    with refused(match=said):
        new_session(client, **change)


def test_a_recovered_session_takes_codes_if_it_is_told_to(simulator: Simulator, client: stripe.StripeClient) -> None:
    wanted: Any = [{"coupon": coupon(client)}]
    for allows, total in ((True, 10_000), (False, 9_000)):
        recovery: Any = {"recovery": {"enabled": True, "allow_promotion_codes": allows}}
        session = new_session(client, after_expiration=recovery, discounts=wanted)
        client.v1.checkout.sessions.expire(session.id)
        again = simulator.request("GET", f"/c/recover/{session.id}").headers["Location"].removeprefix("/c/pay/")
        recovered = latest(client, again)
        assert (bool(recovered["allow_promotion_codes"]), recovered["amount_total"]) == (allows, total)
