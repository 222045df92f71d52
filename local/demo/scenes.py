"""Scenes of every way that money goes, after each of which the books stand beside Stripe's balances."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from local.cloud import PAYMENT_DESCRIPTION

from .proof import require
from .stage import AVAILABLE_AT_ONCE, Stage, submit, tell_shares, tell_statement
from .telling import chapter, money, step
from .year import year_of_a_subscription

BERLIN: Final = {"country": "DE", "line1": "Hauptstr. 1", "city": "Berlin", "postal_code": "10115"}


def cart_with_one_not_ready(stage: Stage) -> None:
    """Three merchants sell together; Stripe stops one of them before the buyer pays."""
    chapter("A cart of three merchants, one of which is not ready")
    clay, linen, oak = (stage.merchant(name, "usd") for name in ("Clay & Co", "Linen House", "Oak & Ash"))
    names = {each["id"]: each["name"] for each in (clay, linen, oak)}
    session = stage.cart({clay["id"]: 6_000, linen["id"]: 3_000, oak["id"]: 1_000})
    stage.set_transfers(oak, "restricted")
    step("Stripe wants more of Oak & Ash: it cannot receive transfers")
    sale = stage.received(stage.paid(session), 5_400, 2_700, 0)
    tell_shares(sale, names)
    stage.set_transfers(oak, "active")
    sale = stage.received(sale, 5_400, 2_700, 900)
    step("Oak & Ash gave it: its share follows by itself")
    tell_shares(sale, names)
    stage.require_proven(sale)
    has = zip((clay, linen, oak), (5_400, 2_700, 900), strict=True)
    stage.show_books({each["name"]: (each, "usd", amount) for each, amount in has})


def escrow_in_two_parts(stage: Stage) -> None:
    """The money waits for the work."""
    chapter("An escrow is released in two parts")
    clay, linen = stage.merchant("Clay & Co", "usd"), stage.merchant("Linen House", "usd")
    sale = stage.paid(stage.cart({clay["id"]: 8_000, linen["id"]: 2_000}, hold=True))
    sale = stage.received(sale, 0, 0)
    tell_shares(sale, {each["id"]: each["name"] for each in (clay, linen)})
    path = f"/transactions/{sale['id']}/release"
    stage.operator.post(path, {"merchant_id": clay["id"], "amount": 3_000}, expect=200)
    stage.received(sale, 3_000, 0)
    step("half of the work is done: 30.00 are released to Clay & Co")
    stage.operator.post(path, expect=200)
    sale = stage.received(sale, 7_200, 1_800)
    step("all of it is done: the rest is released to both")
    stage.require_proven(sale)
    stage.show_books({"Clay & Co": (clay, "usd", 7_200), "Linen House": (linen, "usd", 1_800)})


def refunds_that_close(stage: Stage) -> None:
    """Three merchants have 90.00 of 100.00, in thirds that do not come out even, and all of it goes back."""
    chapter("100.00, of which the merchants have 90.00, are refunded as 33.00, 33.00, 34.00")
    merchants = [stage.merchant(name, "usd") for name in ("Clay & Co", "Linen House", "Oak & Ash")]
    parts = {each["id"]: amount for each, amount in zip(merchants, (3_333, 3_333, 3_334), strict=True)}
    sale = stage.paid(stage.cart(parts))
    stage.received(sale, *(amount - round(amount / 10) for amount in parts.values()))
    for amount in (3_300, 3_300, 3_400):
        stage.operator.post(f"/transactions/{sale['id']}/refunds", {"amount": amount})
        step(f"{money(amount, 'usd')} refunded")
    sale = stage.received(sale, 0, 0, 0)
    require(sale["refund"]["status"] == "full", f"the refund is {sale['refund']['status']}")
    stage.require_proven(sale)
    stage.show_books({each["name"]: (each, "usd", 0) for each in merchants})


def debt_netted(stage: Stage) -> None:
    """A merchant has its money at its bank when the buyer wants his."""
    chapter("A refund after the payout: the debt is netted by the next sale")
    clay, linen = stage.merchant("Clay & Co", "usd"), stage.merchant("Linen House", "usd")
    earned = stage.paid(stage.cart({linen["id"]: 30_000}, application_fee_amount=20_000))
    sale = stage.settled(stage.paid(stage.cart({clay["id"]: 10_000})))
    stage.pay_out(clay, 9_000)
    step("90.00 go to the bank of Clay & Co")
    stage.operator.post(f"/transactions/{sale['id']}/refunds")
    debts = f"/merchants/{clay['id']}/debts"
    found = stage.operator.wait_for(debts, lambda found: bool(found["data"]), "the debt")
    step(f"the buyer has 100.00 back; Clay & Co owes {money(found['data'][0]['rest'], 'usd')}")
    later = stage.paid(stage.cart({clay["id"]: 20_000, linen["id"]: 1_000}))
    stage.operator.wait_for(debts, lambda found: found["data"][0]["status"] == "settled", "the netting")
    step("its next sale of 200.00 brings it 90.00: the debt is settled")
    for each in (earned, sale, later):
        stage.require_proven(each)
    stage.show_books({"Clay & Co": (clay, "usd", 9_000), "Linen House": (linen, "usd", 10_900)})


def disputes_won_and_lost(stage: Stage) -> None:
    """A buyer's bank takes money back, twice."""
    chapter("A dispute is won, and one is lost")
    for outcome in ("won", "lost"):
        clay, linen = stage.merchant("Clay & Co", "usd"), stage.merchant("Linen House", "usd")
        sale = stage.received(stage.paid(stage.cart({clay["id"]: 6_000, linen["id"]: 4_000})), 5_400, 3_600)
        made = stage.order(f"charges/{sale['charge_id']}/dispute", amount=5_000, reason="fraudulent")
        stage.received(sale, 5_400 - 2_700 - 900, 3_600 - 1_800 - 600)
        step("the bank withdraws 50.00 and Stripe 15.00: the merchants bear both, in proportion")
        stage.order(f"disputes/{made['id']}/decide", outcome=outcome)
        has = (4_500, 3_000) if outcome == "won" else (1_800, 1_200)
        sale = stage.received(sale, *has)
        step(f"it is {outcome}")
        stage.require_proven(sale)
        stage.show_books({"Clay & Co": (clay, "usd", has[0]), "Linen House": (linen, "usd", has[1])})


def other_currencies(stage: Stage) -> None:
    """Currencies without minor units, and with a thousand of them, of which Stripe moves tens."""
    chapter("Carts in yen and in dinars")
    for currency, amounts, has in (
        ("jpy", (3_333, 1_667), (3_000, 1_500)),
        ("kwd", (33_330, 16_670), (30_000, 15_000)),
    ):
        clay, linen = stage.merchant("Clay & Co", currency), stage.merchant("Linen House", currency)
        sale = stage.paid(stage.cart({clay["id"]: amounts[0], linen["id"]: amounts[1]}, currency))
        sale = stage.received(sale, *has)
        tell_shares(sale, {each["id"]: each["name"] for each in (clay, linen)})
        stage.require_proven(sale)
        stage.show_books({"Clay & Co": (clay, currency, has[0]), "Linen House": (linen, currency, has[1])})


def taxed_and_discounted(stage: Stage) -> None:
    """The buyer enters a code on Stripe's page, and lives where tax is due."""
    chapter("A taxed cart at a discount that the platform and the merchants share, refunded by half")
    collect_german_vat(stage)
    clay, linen = stage.merchant("Clay & Co", "usd"), stage.merchant("Linen House", "usd")
    half = {"name": "Summer", "percent_off": "10", "platform_basis_points": 5_000}
    coupon = stage.operator.post("/coupons", half)["id"]
    stage.operator.post("/promotion-codes", {"coupon_id": coupon, "code": "SUMMER"})
    step("SUMMER takes off 10 percent: half of that at the platform's cost, half at the merchants'")
    session = stage.cart({clay["id"]: 6_000, linen["id"]: 4_000}, automatic_tax=True, allow_promotion_codes=True)
    sale = stage.received(stage.paid(session, code="SUMMER", **BERLIN), 5_130, 3_420)
    paid = (sale["captured"], sale["tax"], sale["discount"])
    require(paid == (10_710, 1_710, 1_000), f"paid, tax and discount are {paid}")
    step("107.10 are paid: 90.00, and 17.10 of tax")
    tell_shares(sale, {each["id"]: each["name"] for each in (clay, linen)})
    stage.operator.post(f"/transactions/{sale['id']}/refunds", {"amount": 5_355})
    sale = stage.received(sale, 2_565, 1_710)
    step("half of it goes back: half of every share, fee, tax and promotion")
    stage.require_proven(sale)
    (row,) = stage.operator.get(f"/tax/report?since={quote(sale['created_at'])}")["data"]
    told = [row[name] for name in ("jurisdiction", "collected", "returned", "due")]
    require(told == ["de.country.vat", 1_710, 855, 855], f"the report of tax says {told}")
    step("the report of tax: 17.10 collected in Germany, 8.55 returned, 8.55 due")
    stage.show_books({"Clay & Co": (clay, "usd", 2_565), "Linen House": (linen, "usd", 1_710)})


def collect_german_vat(stage: Stage) -> None:
    """Registrations are made in Stripe's Dashboard, where its terms are agreed to."""
    office: Any = {"address": {"country": "DE", "line1": "Hauptstr. 2", "city": "Berlin", "postal_code": "10115"}}
    stage.at_stripe.v1.tax.settings.update({"head_office": office, "defaults": {"tax_code": "txcd_99999999"}})
    standard: Any = {"de": {"type": "standard", "standard": {"place_of_supply_scheme": "standard"}}}
    stage.at_stripe.v1.tax.registrations.create({"country": "DE", "active_from": "now", "country_options": standard})


def payout_that_comes_back(stage: Stage) -> None:
    """A merchant's bank account is closed: the money leaves and comes back, and its statement says so."""
    chapter("A payout fails; the merchant's statement adds up")
    clay = stage.merchant("Clay & Co", "usd")
    path = f"/merchants/{clay['id']}"
    sale = stage.settled(stage.paid(stage.cart({clay["id"]: 10_000})))
    payout = stage.operator.post(f"{path}/payouts", {"amount": 9_000, "currency": "usd"})
    step("90.00 go to the bank of Clay & Co")
    stage.order(f"payouts/{payout['stripe_payout_id']}/fail", failure_code="account_closed")
    read = f"{path}/payouts/{payout['id']}"
    stage.caller(clay["id"]).wait_for(read, lambda found: found["status"] == "failed", "the failure")
    step("its bank sends them back: the account is closed")
    since = datetime.fromisoformat(clay["created_at"]).replace(microsecond=0)  # Stripe's times are whole seconds
    period = f"{path}/statement?since={quote(since.isoformat())}"
    wanted = ["sale", "payout", "payout"]
    made = stage.caller(clay["id"]).wait_for(
        period, lambda found: [line["kind"] for line in found["lines"]] == wanted, "the statement"
    )
    tell_statement(made)
    (usd,) = made["balances"]
    require((usd["opening"], usd["closing"]) == (0, stage.balance(clay)), f"the statement says {usd}")
    require(sum(line["net"] for line in made["lines"]) == usd["closing"], "its lines are not its closing balance")
    stage.require_proven(sale)
    stage.show_books({"Clay & Co": (clay, "usd", 9_000)})


def guest_of_the_catalog(stage: Stage) -> None:
    """Nobody signs in: a page names a price of the catalog, and the merchant sees at Stripe what was bought."""
    chapter("A guest buys from the catalog")
    clay = stage.merchant("Clay & Co", "usd")
    seller = stage.caller(clay["id"])
    product = seller.post(f"/merchants/{clay['id']}/products", {"name": "Stoneware cup"})
    price = seller.post(f"/products/{product['id']}/prices", {"unit_amount": 2_500, "currency": "usd"})
    returns = {"success_url": f"{stage.stack.return_origin}/thanks", "cancel_url": stage.stack.return_origin}
    session = stage.guest.post(
        "/guest/checkout/sessions", {"line_items": [{"price": price["id"], "quantity": 4}], **returns}
    )
    submit(session["url"], {"card": AVAILABLE_AT_ONCE})
    step("a guest pays for four cups on Stripe's page")
    stage.guest.wait_for(
        f"/guest/checkout/sessions/{session['token']}", lambda found: found["status"] == "paid", "the payment"
    )
    step("the token of his session says that he has paid, to him alone")
    (sold,) = stage.operator.get("/transactions", merchant_id=clay["id"])["data"]
    sale = stage.settled(sold)
    require((sale["amount"], sale["fee"], sale["customer_id"]) == (10_000, 1_000, None), f"the sale is {sale}")
    description = PAYMENT_DESCRIPTION.format(order_id=sale["id"], products=product["name"])
    stage.described(clay, description)
    step(f"Clay & Co sees at Stripe: {description}")
    stage.require_proven(sale)
    stage.show_books({"Clay & Co": (clay, "usd", 9_000)})


SCENES: Final[tuple[Callable[[Stage], None], ...]] = (
    cart_with_one_not_ready,
    escrow_in_two_parts,
    refunds_that_close,
    debt_netted,
    disputes_won_and_lost,
    other_currencies,
    taxed_and_discounted,
    payout_that_comes_back,
    guest_of_the_catalog,
    year_of_a_subscription,
)
