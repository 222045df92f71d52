"""What every scene does: merchants onboarded, carts paid on Stripe's page, the books held against Stripe's balances."""

import json
import time
from collections.abc import Mapping
from typing import Any, Final

import httpx
import stripe

from local.cloud import Stack

from .marketplace_api import LOOK_EVERY_SECONDS, PATIENCE_SECONDS, Caller
from .proof import balances, require, require_balanced, stripe_balance
from .telling import money, step, table

TIMEOUT_SECONDS: Final = 30.0
AVAILABLE_AT_ONCE: Final = "4000000000000077"  # https://docs.stripe.com/testing#available-balance

Json = dict[str, Any]


class Stage:
    """A running local cloud, its operator, and who plays. Amounts are minor units."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.http = httpx.Client(base_url=stack.api, timeout=TIMEOUT_SECONDS)
        self.operator = Caller(self.http, stack.tokens["operator"])
        self.buyer = Caller(self.http, stack.tokens["buyer"])
        self.guest = Caller(self.http, None)
        self.at_stripe = stack.stripe_client()

    def caller(self, merchant_id: str) -> Caller:
        """Who sells."""
        return Caller(self.http, self.stack.merchant_token(merchant_id))

    def merchant(self, name: str, *currencies: str, **terms: object) -> Json:
        """A merchant that has filled in Stripe's onboarding page."""
        wanted = {"name": name, "contact_email": "clay@example.com", "country": "us", "currencies": currencies}
        made = self.operator.post("/merchants", {**wanted, **terms})
        path = f"/merchants/{made['id']}"
        link = self.operator.post(f"{path}/onboarding-links", {"return_url": f"{self.stack.return_origin}/welcome"})
        submit(link["url"], {"action": "complete"})
        step(f"{name} fills in Stripe's onboarding page")
        return self.wait_for_merchant(made, "ready")

    def set_transfers(self, merchant: Json, status: str) -> Json:
        """Stripe lets a merchant receive transfers, or no longer; the merchant as it then is."""
        path = f"accounts/{merchant['account_id']}/capabilities"
        self.order(path, capability="transfers", status=status)
        return self.wait_for_merchant(merchant, {"active": "ready"}.get(status, status))

    def wait_for_merchant(self, merchant: Json, status: str) -> Json:
        """Stripe's events have told of its status."""
        return self.operator.wait_for(f"/merchants/{merchant['id']}", lambda found: found["status"] == status, status)

    def cart(self, parts: Mapping[str, int], currency: str = "usd", **terms: object) -> Json:
        """A Checkout Session of so much for each merchant, by their ids."""
        lines = [
            {
                "name": f"Parcel {number}",
                "unit_amount": amount,
                "currency": currency,
                "quantity": 1,
                "merchant_id": each,
            }
            for number, (each, amount) in enumerate(parts.items(), start=1)
        ]
        returns = {
            "success_url": f"{self.stack.return_origin}/thanks",
            "cancel_url": f"{self.stack.return_origin}/cart",
        }
        return self.operator.post("/checkout/sessions", {"line_items": lines, **returns, **terms})

    def paid(self, session: Json, card: str = AVAILABLE_AT_ONCE, **form: str) -> Json:
        """The sale, as soon as events have told of its payment; ``form`` is what else the buyer fills in."""
        submit(session["url"], {"card": card, **form})
        step("the buyer pays on Stripe's page")
        path = f"/transactions/{session['transaction_id']}"
        return self.operator.wait_for(path, lambda sale: sale["status"] == "paid", "the payment")

    def settled(self, sale: Json) -> Json:
        """The sale, as soon as Stripe has split it: of a destination charge the merchant has its part then."""
        return self.operator.wait_for(f"/transactions/{sale['id']}", lambda found: not found["waits_for"], "the split")

    def received(self, sale: Json, *amounts: int) -> Json:
        """The sale, as soon as its merchants have what they should, in the order of its cart."""
        wanted = [*amounts]
        path = f"/transactions/{sale['id']}"
        return self.operator.wait_for(path, lambda found: shares(found) == wanted, f"shares of {wanted}")

    def order(self, path: str, **body: object) -> Json:
        """Something that Stripe or a bank does by itself."""
        answer = httpx.post(f"{self.stack.stripe}/_simulator/{path}", json=body, timeout=TIMEOUT_SECONDS)
        require(answer.is_success, f"{path} answered {answer.status_code}: {answer.text[:300]}")
        found: Json = answer.json()
        return found

    def balance(self, merchant: Json, currency: str = "usd") -> int:
        """What a merchant has at Stripe."""
        return stripe_balance(self.at_stripe, merchant["account_id"]).get(currency, 0)

    def pay_out(self, merchant: Json, amount: int, currency: str = "usd") -> None:
        """The merchant's money goes to its bank."""
        options: stripe.RequestOptions = {"stripe_account": merchant["account_id"]}
        self.at_stripe.v1.payouts.create({"amount": amount, "currency": currency}, options)

    def described(self, merchant: Json, description: str) -> None:
        """A merchant's own and only charge says so, at Stripe."""
        options: stripe.RequestOptions = {"stripe_account": merchant["account_id"]}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (found := [each.description for each in self.at_stripe.v1.charges.list({}, options)]) != [description]:
            require(time.monotonic() < deadline, f"the merchant's charges are described as {found}")
            time.sleep(LOOK_EVERY_SECONDS)

    def require_proven(self, sale: Json) -> None:
        """Every entry of a sale balances, and its clearing accounts are at rest."""
        entries = self.operator.get(f"/transactions/{sale['id']}/ledger")["data"]
        require_balanced(entries)
        resting = [account for account, _ in balances(entries) if account.endswith("_clearing")]
        require(not resting, f"not at rest: {resting}")

    def show_books(self, expected: Mapping[str, tuple[Json, str, int]] = {}) -> None:
        """The ledger's balances beside Stripe's, once all of Stripe's fees are taken in; the same, or it is broken.

        ``expected`` are merchants with a currency and what the scene says that they have, by the row's name.
        """
        booked, known = self._reconciled()
        rows = [
            [f"the platform, {each.upper()}", money(booked.get(each, 0), each), money(known.get(each, 0), each)]
            for each in sorted({*booked, *known})
        ]
        for name, (merchant, currency, amount) in expected.items():
            has = self.balance(merchant, currency)
            rows.append([name, money(amount, currency), money(has, currency)])
            require(has == amount, f"{name} should have {amount}, has {has}")
        table(["balance of", "by the books", "at Stripe"], rows)

    def _reconciled(self) -> tuple[dict[str, int], dict[str, int]]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            reconcile = self.stack.functions["ReconcileFunction"]
            self.stack.client("lambda").invoke(FunctionName=reconcile, Payload=json.dumps({"is_asked": True}).encode())
            found = self.operator.get("/ledger/accounts/stripe_balance")["balances"]
            booked = {each["currency"]: each["balance"] for each in found if each["balance"]}
            known = {name: amount for name, amount in stripe_balance(self.at_stripe).items() if amount}
            if booked == known:
                return booked, known
            require(time.monotonic() < deadline, f"the ledger says {booked}, Stripe {known}")
            time.sleep(LOOK_EVERY_SECONDS)


def shares(sale: Json) -> list[int]:
    """What each merchant of a cart has, in the order of its legs."""
    had = {share["merchant_id"]: share["received"] for share in sale["shares"]}
    return [had.get(leg["merchant_id"], 0) for leg in sale["legs"]]


def tell_shares(sale: Json, names: Mapping[str, str]) -> None:
    """Who has what of a sale, and why not all of it."""
    by_merchant = {share["merchant_id"]: share for share in sale["shares"]}
    rows = []
    for leg in sale["legs"]:
        share = by_merchant[leg["merchant_id"]]
        cells = [money(each, sale["currency"]) for each in (leg["amount"], leg["fee"], leg["share"], share["received"])]
        rows.append([names[leg["merchant_id"]], *cells, share["hold"] or ""])
    table(["merchant", "sold", "fee", "share", "received", "held"], rows)


def tell_statement(made: Json) -> None:
    """A merchant's statement, from its opening to its closing balance."""
    for each in made["balances"]:
        currency, running = each["currency"], each["opening"]
        rows = [["opening balance", "", "", money(running, currency)]]
        for line in made["lines"]:
            if line["currency"] == currency:
                running += line["net"]
                cells = [money(line[name], currency) for name in ("amount", "fee")]
                rows.append([line["kind"], *cells, money(running, currency)])
        table(["movement", "amount", "fee", "balance"], [*rows, ["closing balance", "", "", money(running, currency)]])
        require(running == each["closing"], f"{running} is not the closing balance {each['closing']}")


def submit(url: str, form: Mapping[str, str]) -> None:
    """What a person does on one of Stripe's pages."""
    answer = httpx.post(url, data=dict(form), timeout=TIMEOUT_SECONDS)
    require(answer.is_redirect, f"{url} answered {answer.status_code}: {answer.text[:300]}")
