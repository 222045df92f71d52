"""A year of a subscription, by a test clock of Stripe's: what the buyer pays, and where every cent of it is.

The clock moves the billing of one customer alone, so that the other scenes go by the time of day:
https://docs.stripe.com/billing/testing/test-clocks
"""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from .marketplace_api import LOOK_EVERY_SECONDS, PATIENCE_SECONDS
from .proof import require
from .stage import AVAILABLE_AT_ONCE, Json, Stage, submit
from .telling import chapter, money, step, table

TEA: Final = 3_000  # minor units a month
MORE_TEA: Final = 4_500
PERCENT: Final = 4  # of each invoice, and so much more: no percentage of Stripe's says that
FIXED: Final = 50
DRAFTED: Final = timedelta(hours=2)  # the hour for which a renewal is a draft, and its payment
REFUNDED: Final = 1_000


@dataclass(frozen=True, slots=True)
class Club:
    """A subscription, with who sells and the clock that it goes by."""

    stage: Stage
    merchant: Json
    clock_id: str
    path: str

    def read(self) -> Json:
        """The subscription."""
        return self.stage.operator.get(self.path)

    def now(self) -> datetime:
        """What its clock shows."""
        shown = self.stage.at_stripe.v1.test_helpers.test_clocks.retrieve(self.clock_id)
        return datetime.fromtimestamp(shown.frozen_time, UTC)

    def wait_until(self, moment: datetime) -> None:
        """Time passes, and Stripe does what falls due by then."""
        clocks = self.stage.at_stripe.v1.test_helpers.test_clocks
        clocks.advance(self.clock_id, {"frozen_time": int(moment.timestamp())})
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (status := clocks.retrieve(self.clock_id).status) != "ready":
            require(status == "advancing" and time.monotonic() < deadline, f"the clock is {status}")
            time.sleep(LOOK_EVERY_SECONDS)

    def period(self) -> tuple[datetime, datetime]:
        """Its current one."""
        found = self.read()
        start, end = (datetime.fromisoformat(found[f"current_period_{name}"]) for name in ("start", "end"))
        return start, end

    def sales(self, count: int) -> list[Json]:
        """Its paid invoices as sales, the first first, once there are so many and the money of each is in its place."""
        path = f"/transactions?customer_id={self.read()['customer_id']}&limit=100"
        self.stage.operator.wait_for(path, lambda page: len(page["data"]) >= count, f"the {count}. sale")
        listed = self.stage.operator.get(path)["data"]
        require(len(listed) == count, f"{len(listed)} sales instead of {count}")
        return sorted(map(self.stage.settled, listed), key=lambda sale: str(sale["created_at"]))


def year_of_a_subscription(stage: Stage) -> None:
    """A dearer price, a renewal that fails and is paid after all, a refund of an old invoice, and the end."""
    chapter("A year of a subscription")
    club, dearer = _begun(stage)
    _renew(club, times=4)
    prorated = _change_price(club, dearer)
    _renew_from_draft(club, prorated)
    _fail_and_recover(club)
    _renew(club, times=5)
    sales = club.sales(12)
    amounts = [sale["amount"] for sale in sales]
    require(amounts == [*[TEA] * 5, prorated, *[MORE_TEA] * 6], f"the invoices were of {amounts}")
    for sale in sales:
        require(sale["fee"] == _fee(sale["amount"]), f"the fee of {sale['amount']} is {sale['fee']}")
    _refund_an_old_one(club, sales[2])
    _end(club)
    _tell(club, club.sales(12))


def _begun(stage: Stage) -> tuple[Club, str]:
    """A buyer subscribes to tea; the subscription, and the id of a dearer price."""
    merchant = stage.merchant("Clay & Co", "usd", fee_policy={"percent": str(PERCENT), "fixed": {"usd": FIXED}})
    tea, more_tea = (_price(stage, merchant, amount) for amount in (TEA, MORE_TEA))
    clock = stage.at_stripe.v1.test_helpers.test_clocks.create({"frozen_time": int(time.time())})
    buyer = stage.operator.post("/customers", {"id": f"demo-{uuid.uuid4().hex}", "test_clock": clock.id})
    session = stage.operator.post(
        "/checkout/sessions",
        {
            "mode": "subscription",
            "customer_id": buyer["id"],
            "line_items": [{"price": tea, "quantity": 1}],
            "success_url": f"{stage.stack.return_origin}/thanks",
            "cancel_url": f"{stage.stack.return_origin}/cart",
        },
    )
    submit(session["url"], {"card": AVAILABLE_AT_ONCE})
    club = Club(stage, merchant, clock.id, f"/subscriptions/{session['subscription_id']}")
    stage.operator.wait_for(club.path, lambda found: found["status"] == "active", "the subscription")
    club.sales(1)
    step(f"a buyer subscribes on Stripe's page and pays the first {money(TEA, 'usd')}")
    return club, more_tea


def _price(stage: Stage, merchant: Json, amount: int) -> str:
    product = stage.operator.post(f"/merchants/{merchant['id']}/products", {"name": f"Tea for {money(amount, 'usd')}"})
    body = {"unit_amount": amount, "currency": "usd", "recurring": {"interval": "month"}}
    return str(stage.operator.post(f"/products/{product['id']}/prices", body)["id"])


def _renew(club: Club, *, times: int) -> None:
    """Months pass while nobody looks: what was no draft any more when it was heard of is split after its payment."""
    before = len(_invoices(club))
    for _ in range(times):
        club.wait_until(club.period()[1] + DRAFTED)
        before += 1
        club.sales(before)
    step(f"{times} months pass, and each is paid")


def _change_price(club: Club, price_id: str) -> int:
    """Half a month at the dearer price is shown, agreed to, and billed with the next one; what that one will be."""
    start, end = club.period()
    club.wait_until(start + (end - start) / 2)
    wanted = {"price_id": price_id, "prorated_at": club.now().isoformat()}
    preview = club.stage.operator.post(f"{club.path}/preview", wanted, expect=200)
    rows = [[each["description"], money(each["amount"], "usd")] for each in preview["lines"]]
    table(["shown before", "amount"], rows)
    half = (MORE_TEA - TEA) // 2
    require(abs(preview["total"] - MORE_TEA - half) <= 1, f"the preview says {preview['total']}")
    changed = club.stage.operator.patch(club.path, wanted)
    require(changed["unit_amount"] == MORE_TEA, f"the price is {changed['unit_amount']}")
    step(f"he takes the dearer price in the middle of a month: {money(preview['total'], 'usd')} will be next")
    return int(preview["total"])


def _renew_from_draft(club: Club, amount: int) -> None:
    """The next invoice is told its fee while it is a draft: Stripe splits its payment."""
    before = len(_invoices(club))
    club.wait_until(club.period()[1] + timedelta(minutes=1))
    draft = _invoices(club)[0]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "command_id" not in (club.stage.at_stripe.v1.invoices.retrieve(draft["stripe_invoice_id"]).metadata or {}):
        require(time.monotonic() < deadline, "the draft was not told its fee")
        time.sleep(LOOK_EVERY_SECONDS)
    club.wait_until(club.now() + DRAFTED)
    sale = club.sales(before + 1)[-1]
    told = (sale["charge_type"], sale["amount"], sale["fee"])
    require(told == ("destination", amount, _fee(amount)), f"the sale is {told}")
    step(f"the draft is told its fee, {money(_fee(amount), 'usd')}, and Stripe splits its payment")


def _fail_and_recover(club: Club) -> None:
    """The card is declined at a renewal, and another one pays."""
    before, stripe = len(_invoices(club)), club.stage.at_stripe.v1
    subscription: Any = stripe.subscriptions.retrieve(club.read()["stripe_subscription_id"])
    good, customer = str(subscription.default_payment_method), str(subscription.customer)
    declined = stripe.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer})
    stripe.subscriptions.update(subscription.id, {"default_payment_method": declined.id})
    club.wait_until(club.period()[1] + DRAFTED)
    club.stage.operator.wait_for(club.path, lambda found: found["status"] == "past_due", "the failed renewal")
    step("a renewal is declined: the subscription is past due")
    failed = _invoices(club)[0]
    require(failed["status"] == "open", f"the invoice that was not paid is {failed['status']}")
    club.stage.operator.post(f"/invoices/{failed['id']}/pay", {"payment_method_id": good}, expect=200)
    stripe.subscriptions.update(subscription.id, {"default_payment_method": good})
    club.sales(before + 1)
    club.stage.operator.wait_for(club.path, lambda found: found["status"] == "active", "its recovery")
    step("another card pays it")


def _refund_an_old_one(club: Club, sale: Json) -> None:
    """A part of a month long ago goes back, from the merchant and the platform in proportion."""
    refund = club.stage.operator.post(f"/transactions/{sale['id']}/refunds", {"amount": REFUNDED})
    fee = _share_of(sale["fee"], REFUNDED, sale["amount"])
    require(refund["fee"] == fee, f"the platform gives {refund['fee']} instead of {fee}")
    step(f"{money(REFUNDED, 'usd')} of the third month are refunded: {money(fee, 'usd')} of it from the platform")


def _end(club: Club) -> None:
    """It ends at once, two thirds through a month: the last third is refunded."""
    start, end = club.period()
    club.wait_until(start + (end - start) * 2 / 3)
    unused = _share_of(MORE_TEA, int((end - club.now()).total_seconds()), int((end - start).total_seconds()))
    ended = club.stage.operator.post(f"{club.path}/cancel", {"at": "now", "prorate": True}, expect=200)
    require(ended["status"] == "canceled", f"the subscription is {ended['status']}")
    last = f"/transactions/{club.sales(12)[-1]['id']}"
    club.stage.operator.wait_for(last, lambda sale: _refunded(sale) == unused, f"a refund of {unused}")
    step(f"he ends it at once: {money(unused, 'usd')} are refunded for the days that he does not use")


def _tell(club: Club, sales: Sequence[Json]) -> None:
    """The year in numbers, each of them where it belongs."""
    paid = back = fees = 0
    for sale in sales:
        club.stage.require_proven(sale)
        paid, back = paid + sale["amount"], back + _refunded(sale)
        fees += _fee(sale["amount"]) - _share_of(_fee(sale["amount"]), _refunded(sale), sale["amount"])
    rows = {"paid by the buyer": paid, "refunded to him": back, "the platform's fees": fees}
    table([f"{len(sales)} invoices", "amount"], [[name, money(amount, "usd")] for name, amount in rows.items()])
    club.stage.show_books({"Clay & Co": (club.merchant, "usd", paid - back - fees)})


def _invoices(club: Club) -> list[Json]:
    """Those of the subscription, the latest first."""
    found: list[Json] = club.stage.operator.get(f"{club.path}/invoices", limit="100")["data"]
    return found


def _refunded(sale: Json) -> int:
    return sum(each["amount"] for each in sale["refunds"] if each["status"] == "succeeded")


def _fee(amount: int) -> int:
    return _share_of(amount, PERCENT, 100) + FIXED


def _share_of(amount: int, part: int, whole: int) -> int:
    """In whole minor units, the nearest; halves do not occur here."""
    return (2 * amount * part + whole) // (2 * whole)
