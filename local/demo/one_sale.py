"""The path once: a merchant is onboarded, two buyers pay, one session expires, and the money goes back to the cent."""

from dataclasses import dataclass, field
from typing import Any, Final

import stripe

from .marketplace_api import Caller
from .proof import balances, require, require_balanced, stripe_balance
from .stage import Stage, submit
from .telling import chapter, clock, ledger_table, money, step, table

FEE_PERCENT: Final = 10
UNIT_AMOUNT: Final = 3_333
QUANTITY: Final = 3
INLINE_AMOUNT: Final = 25_000
INLINE_FEE: Final = 1_999
REFUNDS: Final = (3_333, 3_333, None)  # minor units; None is the rest


@dataclass
class Scene:
    """Who plays, and what the platform had at Stripe before."""

    stage: Stage
    operator: Caller
    buyer: Caller
    at_stripe: stripe.StripeClient
    before: dict[str, int]
    merchant: dict[str, Any] = field(default_factory=dict)
    sales: list[str] = field(default_factory=list)


def one_sale(stage: Stage) -> None:
    """All of it, in order."""
    scene = Scene(stage, stage.operator, stage.buyer, stage.at_stripe, stripe_balance(stage.at_stripe))
    onboard(scene)
    price = offer(scene)
    sale = sell_from_the_catalog(scene, price)
    sell_inline(scene)
    let_one_expire(scene, price)
    refund_all(scene, sale)
    hold_against_stripe(scene)


def onboard(scene: Scene) -> None:
    """An operator makes the merchant; the merchant goes through Stripe's pages."""
    chapter("A merchant is onboarded")
    wanted = {"name": "Clay & Co", "contact_email": "clay@example.com", "country": "us", "currencies": ["usd"]}
    merchant = scene.operator.post("/merchants", wanted)
    step(f"{merchant['name']} is {merchant['id']}, at Stripe {merchant['account_id']}: {merchant['status']}")
    origin = scene.stage.stack.return_origin
    link = scene.operator.post(f"/merchants/{merchant['id']}/onboarding-links", {"return_url": f"{origin}/welcome"})
    submit(link["url"], {"action": "complete"})
    step("it fills in Stripe's onboarding page")
    path = f"/merchants/{merchant['id']}"
    scene.merchant = scene.operator.wait_for(path, lambda found: found["status"] == "ready", "the merchant's readiness")
    step("Stripe's events say that it can receive transfers: ready")


def offer(scene: Scene) -> dict[str, Any]:
    """The merchant puts something into the catalog."""
    chapter("It offers something")
    merchant = scene.stage.caller(scene.merchant["id"])
    product = merchant.post(f"/merchants/{scene.merchant['id']}/products", {"name": "Stoneware cup"})
    price = merchant.post(f"/products/{product['id']}/prices", {"unit_amount": UNIT_AMOUNT, "currency": "usd"})
    step(f"{product['name']} at {money(price['unit_amount'], price['currency'])}")
    return price


def sell_from_the_catalog(scene: Scene, price: dict[str, Any]) -> dict[str, Any]:
    """A buyer's browser names the price and no amount."""
    chapter("A buyer pays for three")
    session = scene.buyer.post("/checkout/sessions", {"line_items": [_of(price, QUANTITY)], **_returns(scene)})
    submit(session["url"], {"card": "4242424242424242"})
    step("the buyer pays on Stripe's page with 4242 4242 4242 4242")
    sale = _settled(scene, session["transaction_id"])
    amount, fee = UNIT_AMOUNT * QUANTITY, round(UNIT_AMOUNT * QUANTITY * FEE_PERCENT / 100)
    require((sale["amount"], sale["fee"]) == (amount, fee), f"amount and fee are {sale['amount']} and {sale['fee']}")
    _tell_sale(scene, sale)
    entries = scene.operator.get(f"/transactions/{sale['id']}/ledger")["data"]
    require_balanced(entries)
    ledger_table(entries, {scene.merchant["id"]: scene.merchant["name"]})
    return sale


def sell_inline(scene: Scene) -> None:
    """An operator names the amount and the fee."""
    chapter("An operator sells something that is in no catalog")
    line = {"name": "A vase to order", "unit_amount": INLINE_AMOUNT, "currency": "usd", "quantity": 1}
    body = {"line_items": [line], "merchant_id": scene.merchant["id"], "application_fee_amount": INLINE_FEE}
    session = scene.operator.post("/checkout/sessions", {**body, **_returns(scene)})
    submit(session["url"], {"card": "4242424242424242"})
    sale = _settled(scene, session["transaction_id"])
    require(sale["fee"] == INLINE_FEE, f"the fee is {sale['fee']}")
    _tell_sale(scene, sale)


def let_one_expire(scene: Scene, price: dict[str, Any]) -> None:
    """A session that is ended before it is paid."""
    chapter("A buyer changes his mind")
    session = scene.buyer.post("/checkout/sessions", {"line_items": [_of(price, 1)], **_returns(scene)})
    ended = scene.buyer.post(f"/checkout/sessions/{session['transaction_id']}/expire", expect=200)
    require(ended["status"] == "expired", f"the session is {ended['status']}")
    entries = scene.operator.get(f"/transactions/{session['transaction_id']}/ledger")["data"]
    require(entries == [], "an expired session is in the ledger")
    step("the session is expired, and can no longer be paid; nothing was booked")


def refund_all(scene: Scene, sale: dict[str, Any]) -> None:
    """A part, another, and the rest."""
    chapter("The cups come back, one by one")
    path = f"/transactions/{sale['id']}"
    for amount in REFUNDS:
        refund = scene.operator.post(f"{path}/refunds", {"amount": amount} if amount else {})
        step(f"{money(refund['amount'], 'usd')} refunded: {money(refund['fee'], 'usd')} of it from the platform")
    done = scene.operator.wait_for(
        path, lambda found: all(refund["status"] == "succeeded" for refund in found["refunds"]), "the refunds"
    )
    require(done["refund"]["status"] == "full", f"the refund is {done['refund']['status']}")
    require(sum(refund["fee"] for refund in done["refunds"]) == sale["fee"], "the fee did not go back to the cent")
    table(["time", "what", "amount"], _timeline(done))


def hold_against_stripe(scene: Scene) -> None:
    """The ledger's balances beside Stripe's."""
    chapter("The books and Stripe")
    payable = f"merchant_payable:{scene.merchant['id']}"
    entries = [entry for sale in scene.sales for entry in scene.operator.get(f"/transactions/{sale}/ledger")["data"]]
    require_balanced(entries)
    sums = balances(entries)
    platform = stripe_balance(scene.at_stripe).get("usd", 0) - scene.before.get("usd", 0)
    merchant = stripe_balance(scene.at_stripe, scene.merchant["account_id"]).get("usd", 0)
    booked = sums.get(("stripe_balance", "usd"), 0)
    share = INLINE_AMOUNT - INLINE_FEE
    rows = [
        ["the platform's balance", money(booked, "usd"), money(platform, "usd")],
        ["the merchant's balance", money(share, "usd"), money(merchant, "usd")],
        ["owed to the merchant", money(-sums.get((payable, "usd"), 0), "usd"), money(0, "usd")],
    ]
    table(["", "by the books", "at Stripe"], rows)
    require(booked == platform, f"the ledger says {booked}, Stripe {platform}")
    require(share == merchant, f"the merchant should have {share}, has {merchant}")
    resting = [account for account, _ in sums if account.endswith("_clearing") or account == payable]
    require(not resting, f"not at rest: {resting}")
    listed = scene.operator.get("/transactions", merchant_id=scene.merchant["id"])["data"]
    require({sale["id"] for sale in listed} >= set(scene.sales), "a sale is missing from the merchant's list")


def _settled(scene: Scene, transaction_id: str) -> dict[str, Any]:
    scene.sales.append(transaction_id)
    path = f"/transactions/{transaction_id}"
    scene.operator.wait_for(path, lambda sale: sale["status"] == "paid" and not sale["waits_for"], "the payment")
    return scene.operator.wait_for(path, lambda sale: _has_fee(scene, sale), "Stripe's fee")


def _has_fee(scene: Scene, sale: dict[str, Any]) -> bool:
    """Whether Stripe's fee is known. It is taken from Stripe's balance transactions, by a schedule, or when asked."""
    if sale["processing_fee"] is None:
        name = scene.stage.stack.functions["ReconcileFunction"]
        scene.stage.stack.client("lambda").invoke(FunctionName=name, Payload=b'{"is_asked": true}')
    return sale["processing_fee"] is not None


def _tell_sale(scene: Scene, sale: dict[str, Any]) -> None:
    (leg,) = sale["legs"]
    taken = sale["processing_fee"]
    step(f"{sale['id']} is {sale['status']}, by {sale['payment_intent']['id']}")
    rows = [
        ["paid by the buyer", money(sale["amount"], sale["currency"])],
        [f"to {scene.merchant['name']}", money(leg["share"], sale["currency"])],
        ["to the platform", money(sale["fee"], sale["currency"])],
        ["of which Stripe takes", money(taken["amount"], taken["currency"])],
    ]
    table(["who", "amount"], rows)


def _timeline(sale: dict[str, Any]) -> list[list[str]]:
    currency = sale["currency"]
    return [
        [clock(moment["at"]), moment["what"], "" if moment["amount"] is None else money(moment["amount"], currency)]
        for moment in sale["timeline"]
    ]


def _of(price: dict[str, Any], quantity: int) -> dict[str, Any]:
    return {"price": price["id"], "quantity": quantity}


def _returns(scene: Scene) -> dict[str, str]:
    return {
        "success_url": f"{scene.stage.stack.return_origin}/thanks",
        "cancel_url": f"{scene.stage.stack.return_origin}/cart",
    }
