"""A year of a subscription, on the simulator's clock: what the buyer pays, and where every cent of it is."""

import uuid
from typing import Final

from .stage import AVAILABLE_AT_ONCE, Json, Stage, submit
from .telling import chapter, money, step

DAY_SECONDS: Final = 24 * 3_600
DRAFTED_SECONDS: Final = 2 * 3_600  # the hour for which a renewal is a draft, and its payment


def year_of_a_subscription(stage: Stage) -> None:
    """A price change, a renewal that fails, a refund of an old invoice, and an end."""
    chapter("A year of a subscription")
    merchant = stage.merchant("Clay & Co", "usd")
    prices = [_price(stage, merchant, amount) for amount in (3_000, 4_500)]
    path = _subscribed(stage, prices[0])
    _renew(stage, path, 5)
    stage.operator.patch(path, {"price_id": prices[1], "proration": "none"})
    step("from the next month on it costs 45.00")
    _renew(stage, path, 2)
    _fail_once(stage, path)
    _renew(stage, path, 3)
    sales = [each["transaction_id"] for each in _paid(stage, path)]
    stage.operator.post(f"/transactions/{sales[-1]}/refunds", {"amount": 1_000})
    step("10.00 of the first invoice are refunded: 9.00 of the merchant's, 1.00 of the platform's")
    stage.operator.post(f"{path}/cancel", {"at": "period_end"}, expect=200)
    _pass(stage, 32 * DAY_SECONDS)
    stage.operator.wait_for(path, lambda found: found["status"] == "canceled", "its end")
    step("it is canceled, and ends with its period")
    total = sum(each["amount_paid"] for each in _paid(stage, path))
    for each in sales:
        stage.require_proven({"id": each})
    step(f"{len(sales)} invoices of {money(total, 'usd')} together, each a transaction with its ledger")
    stage.show_books({"Clay & Co": (merchant, "usd", total - total // 10 - 900)})


def _price(stage: Stage, merchant: Json, amount: int) -> str:
    product = stage.operator.post(f"/merchants/{merchant['id']}/products", {"name": f"Tea for {money(amount, 'usd')}"})
    body = {"unit_amount": amount, "currency": "usd", "recurring": {"interval": "month"}}
    return str(stage.operator.post(f"/products/{product['id']}/prices", body)["id"])


def _subscribed(stage: Stage, price_id: str) -> str:
    """The path of a subscription that a buyer has begun on Stripe's page."""
    buyer = stage.operator.post("/customers", {"id": f"demo-{uuid.uuid4().hex}"})
    session = stage.operator.post(
        "/checkout/sessions",
        {
            "mode": "subscription",
            "customer_id": buyer["id"],
            "line_items": [{"price": price_id, "quantity": 1}],
            "success_url": f"{stage.stack.return_origin}/thanks",
            "cancel_url": f"{stage.stack.return_origin}/cart",
        },
    )
    submit(session["url"], {"card": AVAILABLE_AT_ONCE})
    path = f"/subscriptions/{session['subscription_id']}"
    stage.operator.wait_for(path, lambda found: found["status"] == "active", "the subscription")
    _wait_for_sales(stage, path, 1)
    step("a buyer subscribes on Stripe's page and pays the first 30.00")
    return path


def _renew(stage: Stage, path: str, months: int) -> None:
    for _ in range(months):
        before = len(_paid(stage, path))
        _pass(stage, 31 * DAY_SECONDS)
        _pass(stage, DRAFTED_SECONDS)
        _wait_for_sales(stage, path, before + 1)
    step(f"{months} months pass, and it is paid each time")


def _fail_once(stage: Stage, path: str) -> None:
    """The card is declined at a renewal, and another one pays."""
    found, before = stage.operator.get(path), len(_paid(stage, path))
    subscription = stage.at_stripe.v1.subscriptions.retrieve(found["stripe_subscription_id"])
    good, customer = str(subscription["default_payment_method"]), str(subscription["customer"])
    declined = stage.at_stripe.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer})
    stage.at_stripe.v1.subscriptions.update(subscription["id"], {"default_payment_method": declined["id"]})
    _pass(stage, 31 * DAY_SECONDS)
    _pass(stage, DRAFTED_SECONDS)
    stage.operator.wait_for(path, lambda found: found["status"] == "past_due", "the failed renewal")
    step("a renewal is declined: the subscription is past due")
    stage.at_stripe.v1.subscriptions.update(subscription["id"], {"default_payment_method": good})
    failed = stage.operator.get(f"{path}/invoices")["data"][0]
    stage.at_stripe.v1.invoices.pay(failed["stripe_invoice_id"], {"payment_method": good})
    _wait_for_sales(stage, path, before + 1)
    stage.operator.wait_for(path, lambda found: found["status"] == "active", "its recovery")
    step("another card pays it")


def _paid(stage: Stage, path: str) -> list[Json]:
    """The invoices that were paid, the latest first."""
    found = stage.operator.get(f"{path}/invoices", limit="100")["data"]
    return [each for each in found if each["transaction_id"]]


def _wait_for_sales(stage: Stage, path: str, count: int) -> None:
    """Until as many invoices are paid, and each of them is a transaction whose money is where it belongs."""
    listed = f"{path}/invoices?limit=100"
    stage.operator.wait_for(listed, lambda page: _count(page) >= count, "the payment")
    newest = _paid(stage, path)[0]["transaction_id"]
    of_buyer = f"/transactions?customer_id={stage.operator.get(path)['customer_id']}"
    stage.operator.wait_for(of_buyer, lambda page: newest in {each["id"] for each in page["data"]}, "the sale")
    stage.operator.wait_for(f"/transactions/{newest}", lambda sale: sale["waits_for"] is None, "its settlement")


def _count(page: Json) -> int:
    return sum(each["transaction_id"] is not None for each in page["data"])


def _pass(stage: Stage, seconds: int) -> None:
    """Time passes at Stripe."""
    stage.order("clock", advance_seconds=seconds)
