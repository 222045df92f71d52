"""What merchants see of their payments: the operator's template, told once whatever crashes, never in money's way."""

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from marketplace.domain.commands import CommandKind, CommandStatus
from marketplace.domain.payment_templates import PaymentTemplate
from marketplace.domain.transactions import TransactionStatus
from marketplace.operations import Operation

from .crashes import ProcessDied
from .market import Market
from .test_off_session import Shop, charge

TEMPLATE = PaymentTemplate.of(
    {"description": "Order {order_id}: {products} x{quantity}", "metadata": {"order": "{order_id}"}}
)
ASKED = {Operation.READ_TRANSFER, Operation.UPDATE_CHARGE, Operation.READ_CHARGE}


def described() -> Market:
    return Market(template=TEMPLATE)


def own_charges(market: Market) -> list[dict[str, Any]]:
    """What the merchants see on their accounts."""
    merchants = market.store.merchants(cursor=None, limit=100).items
    listed = [market.as_merchant(each, "GET", "/v1/charges", limit=100)["data"] for each in merchants]
    return [charge for charges in listed for charge in charges]


def sold(market: Market) -> str:
    session = market.sell(market.ready_merchant(), 10_000)
    market.pay(session)
    return session.transaction_id


def test_the_merchant_s_own_charge_of_a_sale_on_stripe_s_page_says_what_the_template_says() -> None:
    sale = sold(market := described())
    market.take_in(*market.events())
    (charge,) = own_charges(market)
    assert charge["description"] == f"Order {sale}: Vase x1"
    assert charge["metadata"] == {"order": sale}
    (buyers,) = market.at_stripe("/v1/charges")
    assert buyers["description"] is None
    assert market.violations(sale) == []


def test_each_merchant_of_a_cart_sees_its_own_lines_alone() -> None:
    market = described()
    merchants = [market.ready_merchant(name) for name in ("Clay", "Wool")]
    session = market.sell_cart(dict(zip(merchants, (6_000, 4_000), strict=True)))
    market.pay(session)
    market.calls.clear()
    market.take_in(*market.events())
    sale = session.transaction_id
    told = {each["description"] for each in own_charges(market)}
    assert told == {f"Order {sale}: {name} x1" for name in ("Clay", "Wool")}
    assert market.calls.count(Operation.UPDATE_CHARGE) == 2
    assert Operation.READ_TRANSFER not in market.calls, "a transfer's answer names the payment"


def test_a_payment_of_saved_details_is_told_up_front_and_costs_no_call_more() -> None:
    shop = Shop(market := described())
    market.calls.clear()
    sale = charge(shop, 10_000).transaction_id
    market.take_in(*market.events())
    (own,) = own_charges(market)
    assert own["description"].startswith(f"Order {sale}: ")
    assert own["metadata"] == {"order": sale}
    assert not ASKED & set(market.calls)


def test_without_a_template_nothing_is_asked(market: Market) -> None:
    sale = sold(market)
    market.take_in(*market.events())
    assert market.books(sale).payment.status is TransactionStatus.PAID
    assert not ASKED & set(market.calls)
    assert market.books(sale).latest_command(CommandKind.DESCRIBE_PAYMENT) is None


def test_it_is_told_once_in_every_order_and_number_of_the_events() -> None:
    sale = sold(market := described())
    heard = [event for event in market.events() if event["type"].startswith(("checkout.", "charge."))]
    assert 2 <= len(heard) <= 4
    for order in permutations(heard):
        twin = market.fork()
        twin.take_in(*order, *order)
        told = [each for each in twin.books(sale).commands.values() if each.kind is CommandKind.DESCRIBE_PAYMENT]
        assert [each.status for each in told] == [CommandStatus.SUCCEEDED]


def test_a_process_that_dies_anywhere_delays_it_and_the_sweep_tells_it() -> None:
    for step in range(60):
        market = described()
        sale = sold(market)
        events = market.events()
        market.fuse.set(step)
        try:
            market.take_in(*events)
        except ProcessDied:
            market.take_in(*events)
            market.advance(60)
            assert market.sweep().troubles == [], step
            (charge,) = own_charges(market)
            assert charge["description"] == f"Order {sale}: Vase x1", step
            assert market.violations(sale) == []
        else:
            assert step > 10
            return
    raise AssertionError("more steps than the test looks at")


@pytest.mark.parametrize("path", ["/v1/transfers/*", "/v1/charges/*"])
@pytest.mark.parametrize("done", [True, False])
def test_stripe_s_trouble_with_it_keeps_no_money_waiting(path: str, done: bool) -> None:
    sale = sold(market := described())
    market.simulator.faults.order("server_error", method="GET" if "transfers" in path else "POST", path=path, done=done)
    market.take_in(*market.events())
    assert market.books(sale).payment.is_settled
    market.advance(24 * 3_600)
    market.sweep()
    (charge,) = own_charges(market)
    assert charge["description"] == f"Order {sale}: Vase x1"
    (told,) = [each for each in market.books(sale).commands.values() if each.kind is CommandKind.DESCRIBE_PAYMENT]
    assert told.status is CommandStatus.SUCCEEDED


def test_the_order_is_the_one_that_the_marketplace_names() -> None:
    market = described()
    merchant = market.ready_merchant()
    session = market.sell_cart({merchant: 500}, key="named")
    plan = market.books(session.transaction_id).transaction
    assert TEMPLATE.of_payment(plan, merchant.id)["metadata"] == {"order": plan.id}
    named = replace(plan, metadata={"order_id": "A-17"})
    assert TEMPLATE.of_payment(named, merchant.id)["description"] == "Order A-17: Clay & Co x1"
