"""Coupons, promotion codes and the discounts of customers as the API shows, changes, lists and tells of them."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator
from local.stripe_simulator.errors import InvalidRequestError
from local.stripe_simulator.pricing.discounts import resolve

from .conftest import START
from .paying import refused
from .test_pricing import inside

MONTH_SECONDS = 31 * 24 * 3_600


def coupon(client: stripe.StripeClient, **params: Any) -> str:
    made: Any = params or {"percent_off": 10}
    return client.v1.coupons.create(made).id


def code(client: stripe.StripeClient, of: str, **params: Any) -> stripe.PromotionCode:
    made: Any = {"promotion": {"type": "coupon", "coupon": of}, **params}
    return client.v1.promotion_codes.create(made)


def give(simulator: Simulator, customer: str, coupon_id: str) -> Any:
    answer = simulator.request("POST", f"/_simulator/customers/{customer}/discount", {"coupon": coupon_id})
    assert answer.status == 200, answer.body
    return answer.json()


def told(client: stripe.StripeClient, prefix: str) -> list[str]:
    events = client.v1.events.list({"limit": 100}).data
    return [event.type for event in reversed(events) if event.type.startswith(prefix)]


def test_a_customer_has_one_discount_which_is_replaced_and_taken_away(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    customer = client.v1.customers.create({"name": "Ann"}).id
    tenth, fifth = coupon(client), coupon(client, percent_off=20)
    assert give(simulator, customer, tenth)["source"] == {"coupon": tenth, "type": "coupon"}
    second = give(simulator, customer, fifth)["id"]
    shown = client.v1.customers.retrieve(customer, {"expand": ["discount.source.coupon"]})
    assert shown.discount
    assert (shown.discount.id, shown.discount.source.coupon.percent_off) == (second, 20)  # type: ignore[union-attr]
    assert client.v1.customers.delete_discount(customer).deleted
    assert client.v1.customers.retrieve(customer).discount is None
    with refused(match="No active discount"):
        client.v1.customers.delete_discount(customer)
    assert told(client, "customer.discount") == [
        f"customer.discount.{what}" for what in ("created", "updated", "deleted")
    ]
    assert [client.v1.coupons.retrieve(each).times_redeemed for each in (tenth, fifth)] == [1, 1]


def test_a_customer_s_discount_ends_with_its_months(simulator: Simulator, client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"name": "Ann"}).id
    repeating = coupon(client, percent_off=10, duration="repeating", duration_in_months=1)
    end = give(simulator, customer, repeating)["end"]
    assert START + 28 * 24 * 3_600 <= end <= START + MONTH_SECONDS
    simulator.advance(end - START - 1)
    assert client.v1.customers.retrieve(customer).discount
    simulator.advance(1)
    assert client.v1.customers.retrieve(customer).discount is None


def test_a_deleted_coupon_is_gone_but_for_those_who_have_it(simulator: Simulator, client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"name": "Ann"}).id
    tenth = coupon(client)
    give(simulator, customer, tenth)
    client.v1.coupons.delete(tenth)
    again: list[Any] = [client.v1.coupons.retrieve, client.v1.coupons.delete, client.v1.coupons.update]
    for request in again:
        with refused(match="No such coupon"):
            request(tenth)
    assert client.v1.coupons.list().data == []
    assert client.v1.customers.retrieve(customer).discount
    assert simulator.request("POST", f"/_simulator/customers/{customer}/discount", {"coupon": tenth}).status == 400
    assert told(client, "coupon") == ["coupon.created", "coupon.updated", "coupon.deleted"]


def test_a_coupon_keeps_its_amounts_in_every_currency(client: stripe.StripeClient) -> None:
    options: Any = {"eur": {"amount_off": 450}}
    made = coupon(client, amount_off=500, currency="usd", currency_options=options, name="Five", metadata={"a": "b"})
    client.v1.coupons.update(made, {"currency_options": {"jpy": {"amount_off": 700}}, "name": "Fünf"})
    shown = client.v1.coupons.retrieve(made, {"expand": ["currency_options"]})
    assert (shown.amount_off, shown.currency, shown.percent_off, shown.name) == (500, "usd", None, "Fünf")
    assert shown.currency_options
    assert {each: shown.currency_options[each].amount_off for each in ("eur", "jpy")} == {"eur": 450, "jpy": 700}
    assert "currency_options" not in client.v1.coupons.retrieve(made).to_dict()


def test_a_coupon_ends_when_it_says_and_its_codes_with_it(simulator: Simulator, client: stripe.StripeClient) -> None:
    soon = coupon(client, percent_off=10, redeem_by=START + 60)
    made = code(client, soon, code="SOON").id
    simulator.advance(60)
    assert client.v1.coupons.retrieve(soon).valid is False
    assert client.v1.promotion_codes.retrieve(made).active is False
    with refused(match="cannot be reactivated"):
        client.v1.promotion_codes.update(made, {"active": True})
    with refused(match="no longer valid"):
        code(client, soon)


def test_codes_are_found_by_what_they_are_for(client: stripe.StripeClient) -> None:
    first, second = coupon(client), coupon(client, percent_off=5)
    ann = client.v1.customers.create({"name": "Ann"}).id
    spring = code(client, first, code="Spring").id
    own = code(client, first, code="OWN", customer=ann).id
    other = code(client, second, active=False, restrictions={"first_time_transaction": True})
    wanted: list[tuple[dict[str, Any], list[str]]] = [
        ({}, [other.id, own, spring]),
        ({"coupon": first}, [own, spring]),
        ({"customer": ann}, [own]),
        ({"code": "spring"}, [spring]),
        ({"active": False}, [other.id]),
        ({"active": True, "coupon": second}, []),
        ({"created": {"gt": START}}, []),
    ]
    for where, found in wanted:
        params: Any = where
        assert [each.id for each in client.v1.promotion_codes.list(params).data] == found, where
    assert other.restrictions.first_time_transaction
    assert len(other.code) == 8
    shown = client.v1.promotion_codes.retrieve(spring, {"expand": ["promotion.coupon"]})
    assert shown.promotion.coupon.percent_off == 10  # type: ignore[union-attr]


def test_an_active_code_is_there_once_for_everybody_or_once_for_each(client: stripe.StripeClient) -> None:
    tenth = coupon(client)
    ann, bob = (client.v1.customers.create({"name": name}).id for name in ("Ann", "Bob"))
    code(client, tenth, code="VIP", customer=ann)
    code(client, tenth, code="VIP", customer=bob)
    with refused(match="already exists"):
        code(client, tenth, code="vip", customer=ann)
    with refused(match="already exists"):
        code(client, tenth, code="VIP")
    sleeping = code(client, tenth, code="SALE", active=False).id
    code(client, tenth, code="SALE")
    with refused(match="already exists"):
        client.v1.promotion_codes.update(sleeping, {"active": True})


def test_the_minimum_of_a_code_is_said_in_every_currency(client: stripe.StripeClient) -> None:
    tenth = coupon(client)
    minimum: Any = {"minimum_amount": 1_000, "minimum_amount_currency": "usd"}
    made = code(client, tenth, restrictions={**minimum, "currency_options": {"eur": {"minimum_amount": 900}}}).id
    client.v1.promotion_codes.update(made, {"restrictions": {"currency_options": {"gbp": {"minimum_amount": 800}}}})
    shown = client.v1.promotion_codes.retrieve(made, {"expand": ["restrictions.currency_options"]})
    assert shown.restrictions.currency_options
    assert {each: shown.restrictions.currency_options[each].minimum_amount for each in ("eur", "gbp")} == {
        "eur": 900,
        "gbp": 800,
    }
    with pytest.raises(stripe.InvalidRequestError) as error:
        code(client, tenth, restrictions={"minimum_amount": 1_000})
    assert error.value.param == "restrictions[minimum_amount_currency]"


def test_what_codes_cannot_be(client: stripe.StripeClient) -> None:
    ending = coupon(client, percent_off=10, max_redemptions=2, redeem_by=START + 60)
    minimum: Any = {"minimum_amount": 1_000, "minimum_amount_currency": "usd"}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"code": "10% OFF"}, "code"),
        ({"expires_at": START}, "expires_at"),
        ({"expires_at": START + 61}, "expires_at"),
        ({"max_redemptions": 3}, "max_redemptions"),
        ({"max_redemptions": 0}, "max_redemptions"),
        ({"customer": "cus_none"}, "customer"),
        ({"restrictions": {**minimum, "currency_options": {"usd": {"minimum_amount": 5}}}}, "currency_options[usd]"),
        ({"restrictions": {"currency_options": {"eur": {"minimum_amount": 5}}}}, "currency_options[eur]"),
    ]
    for params, param in wrong:
        with pytest.raises(stripe.InvalidRequestError) as error:
            code(client, ending, **params)
        assert error.value.param == param, params
    assert code(client, ending, expires_at=START + 60, max_redemptions=2).active


def test_a_connected_account_has_coupons_of_its_own(client: stripe.StripeClient) -> None:
    seller: Any = {"stripe_account": client.v1.accounts.create({"type": "express"}).id}
    mine = coupon(client, id="SALE", percent_off=10)
    client.v1.coupons.create({"id": "SALE", "percent_off": 20}, seller)
    assert client.v1.coupons.retrieve(mine).percent_off == 10
    assert client.v1.coupons.retrieve(mine, options=seller).percent_off == 20


def test_a_code_for_newcomers_is_not_for_who_has_paid_before(simulator: Simulator, client: stripe.StripeClient) -> None:
    ann = client.v1.customers.create({"name": "Ann"}).id
    first = code(client, coupon(client), restrictions={"first_time_transaction": True}).id

    def redeem() -> int:
        with inside(simulator) as context:
            wanted = [{"promotion_code": first}]
            return len(resolve(context, wanted, customer={"id": ann}, currency="usd", subtotal=1_000))

    def pay(method: str) -> None:
        params: Any = {"amount": 1_000, "currency": "usd", "customer": ann, "confirm": True, "off_session": True}
        params["payment_method"] = method
        client.v1.payment_intents.create(params)

    with pytest.raises(stripe.CardError):
        pay("pm_card_visa_chargeDeclined")
    assert redeem() == 1
    pay("pm_card_visa")
    with pytest.raises(InvalidRequestError, match="prior transactions"):
        redeem()
