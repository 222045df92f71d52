"""Stripe by hand: answers as a test orders them, and refuses parameters that Stripe's pinned version would refuse."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from local.stripe_simulator import parameters
from marketplace.domain.errors import StripeRefused
from marketplace.operations import Operation
from marketplace.ports import Answer, Done, NoAnswer, Refusal, StripeUnavailable

PATHS: Final[Mapping[Operation, tuple[str, str]]] = {
    Operation.CREATE_ACCOUNT: ("POST", "/v2/core/accounts"),
    Operation.READ_ACCOUNT: ("GET", "/v2/core/accounts/{}"),
    Operation.LIST_ACCOUNTS: ("GET", "/v2/core/accounts"),
    Operation.CREATE_ACCOUNT_LINK: ("POST", "/v2/core/account_links"),
    Operation.CREATE_V1_ACCOUNT: ("POST", "/v1/accounts"),
    Operation.READ_V1_ACCOUNT: ("GET", "/v1/accounts/{}"),
    Operation.LIST_V1_ACCOUNTS: ("GET", "/v1/accounts"),
    Operation.CREATE_V1_ACCOUNT_LINK: ("POST", "/v1/account_links"),
    Operation.CREATE_PRODUCT: ("POST", "/v1/products"),
    Operation.READ_PRODUCT: ("GET", "/v1/products/{}"),
    Operation.UPDATE_PRODUCT: ("POST", "/v1/products/{}"),
    Operation.LIST_PRODUCTS: ("GET", "/v1/products"),
    Operation.CREATE_PRICE: ("POST", "/v1/prices"),
    Operation.READ_PRICE: ("GET", "/v1/prices/{}"),
    Operation.UPDATE_PRICE: ("POST", "/v1/prices/{}"),
    Operation.LIST_PRICES: ("GET", "/v1/prices"),
    Operation.CREATE_COUPON: ("POST", "/v1/coupons"),
    Operation.READ_COUPON: ("GET", "/v1/coupons/{}"),
    Operation.DELETE_COUPON: ("DELETE", "/v1/coupons/{}"),
    Operation.CREATE_PROMOTION_CODE: ("POST", "/v1/promotion_codes"),
    Operation.UPDATE_PROMOTION_CODE: ("POST", "/v1/promotion_codes/{}"),
    Operation.READ_PROMOTION_CODE: ("GET", "/v1/promotion_codes/{}"),
    Operation.LIST_PROMOTION_CODES: ("GET", "/v1/promotion_codes"),
    Operation.CREATE_CUSTOMER: ("POST", "/v1/customers"),
    Operation.READ_CUSTOMER: ("GET", "/v1/customers/{}"),
    Operation.UPDATE_CUSTOMER: ("POST", "/v1/customers/{}"),
    Operation.LIST_CUSTOMERS: ("GET", "/v1/customers"),
    Operation.LIST_PAYMENT_METHODS: ("GET", "/v1/customers/{}/payment_methods"),
    Operation.READ_PAYMENT_METHOD: ("GET", "/v1/customers/{}/payment_methods/{}"),
    Operation.DETACH_PAYMENT_METHOD: ("POST", "/v1/payment_methods/{}/detach"),
    Operation.CREATE_CHECKOUT_SESSION: ("POST", "/v1/checkout/sessions"),
    Operation.READ_CHECKOUT_SESSION: ("GET", "/v1/checkout/sessions/{}"),
    Operation.EXPIRE_CHECKOUT_SESSION: ("POST", "/v1/checkout/sessions/{}/expire"),
    Operation.LIST_CHECKOUT_SESSIONS: ("GET", "/v1/checkout/sessions"),
    Operation.LIST_BALANCE_TRANSACTIONS: ("GET", "/v1/balance_transactions"),
    Operation.CREATE_REFUND: ("POST", "/v1/refunds"),
    Operation.LIST_REFUNDS: ("GET", "/v1/refunds"),
    Operation.REFUND_APPLICATION_FEE: ("POST", "/v1/application_fees/{}/refunds"),
    Operation.LIST_APPLICATION_FEE_REFUNDS: ("GET", "/v1/application_fees/{}/refunds"),
    Operation.LIST_SESSION_LINE_ITEMS: ("GET", "/v1/checkout/sessions/{}/line_items"),
    Operation.READ_TRANSFER: ("GET", "/v1/transfers/{}"),
    Operation.UPDATE_CHARGE: ("POST", "/v1/charges/{}"),
    Operation.CREATE_TRANSFER: ("POST", "/v1/transfers"),
    Operation.LIST_TRANSFERS: ("GET", "/v1/transfers"),
    Operation.REVERSE_TRANSFER: ("POST", "/v1/transfers/{}/reversals"),
    Operation.READ_PAYMENT_INTENT: ("GET", "/v1/payment_intents/{}"),
    Operation.CREATE_PAYMENT_INTENT: ("POST", "/v1/payment_intents"),
    Operation.LIST_PAYMENT_INTENTS: ("GET", "/v1/payment_intents"),
    Operation.CAPTURE_PAYMENT_INTENT: ("POST", "/v1/payment_intents/{}/capture"),
    Operation.CANCEL_PAYMENT_INTENT: ("POST", "/v1/payment_intents/{}/cancel"),
    Operation.READ_REFUND: ("GET", "/v1/refunds/{}"),
    Operation.READ_CHARGE: ("GET", "/v1/charges/{}"),
    Operation.READ_BALANCE: ("GET", "/v1/balance"),
    Operation.CREATE_LOGIN_LINK: ("POST", "/v1/accounts/{}/login_links"),
    Operation.CREATE_ACCOUNT_SESSION: ("POST", "/v1/account_sessions"),
    Operation.READ_BALANCE_SETTINGS: ("GET", "/v1/balance_settings"),
    Operation.UPDATE_BALANCE_SETTINGS: ("POST", "/v1/balance_settings"),
    Operation.CREATE_PAYOUT: ("POST", "/v1/payouts"),
    Operation.LIST_PAYOUTS: ("GET", "/v1/payouts"),
    Operation.LIST_DISPUTES: ("GET", "/v1/disputes"),
    Operation.READ_DISPUTE: ("GET", "/v1/disputes/{}"),
    Operation.UPDATE_DISPUTE: ("POST", "/v1/disputes/{}"),
    Operation.CLOSE_DISPUTE: ("POST", "/v1/disputes/{}/close"),
    Operation.CREATE_FILE: ("POST", "/v1/files"),
    Operation.READ_SUBSCRIPTION: ("GET", "/v1/subscriptions/{}"),
    Operation.UPDATE_SUBSCRIPTION: ("POST", "/v1/subscriptions/{}"),
    Operation.CANCEL_SUBSCRIPTION: ("DELETE", "/v1/subscriptions/{}"),
    Operation.CREATE_INVOICE: ("POST", "/v1/invoices"),
    Operation.READ_INVOICE: ("GET", "/v1/invoices/{}"),
    Operation.UPDATE_INVOICE: ("POST", "/v1/invoices/{}"),
    Operation.LIST_INVOICES: ("GET", "/v1/invoices"),
    Operation.LIST_INVOICE_LINES: ("GET", "/v1/invoices/{}/lines"),
    Operation.ADD_INVOICE_LINES: ("POST", "/v1/invoices/{}/add_lines"),
    Operation.READ_TAX_RATE: ("GET", "/v1/tax_rates/{}"),
    Operation.FINALIZE_INVOICE: ("POST", "/v1/invoices/{}/finalize"),
    Operation.SEND_INVOICE: ("POST", "/v1/invoices/{}/send"),
    Operation.PAY_INVOICE: ("POST", "/v1/invoices/{}/pay"),
    Operation.VOID_INVOICE: ("POST", "/v1/invoices/{}/void"),
    Operation.MARK_INVOICE_UNCOLLECTIBLE: ("POST", "/v1/invoices/{}/mark_uncollectible"),
    Operation.PREVIEW_INVOICE: ("POST", "/v1/invoices/create_preview"),
    Operation.LIST_INVOICE_PAYMENTS: ("GET", "/v1/invoice_payments"),
    Operation.CREATE_CREDIT_NOTE: ("POST", "/v1/credit_notes"),
    Operation.LIST_CREDIT_NOTES: ("GET", "/v1/credit_notes"),
    Operation.CREATE_PORTAL_CONFIGURATION: ("POST", "/v1/billing_portal/configurations"),
    Operation.LIST_PORTAL_CONFIGURATIONS: ("GET", "/v1/billing_portal/configurations"),
    Operation.CREATE_PORTAL_SESSION: ("POST", "/v1/billing_portal/sessions"),
    Operation.LIST_EVENTS: ("GET", "/v1/events"),
    Operation.LIST_REVERSALS: ("GET", "/v1/transfers/{}/reversals"),
}

SECOND: Final = 1_795_422_400  # when things happen at this Stripe


def account(account_id: str = "acct_1", *, status: str = "active", **fields: Any) -> dict[str, Any]:
    """An Accounts v2 object, as far as it is read."""
    transfers = {"status": status, "status_details": []}
    recipient = {"capabilities": {"stripe_balance": {"stripe_transfers": transfers}}}
    return {
        "id": account_id,
        "object": "v2.core.account",
        "configuration": {"recipient": recipient},
        "requirements": {"entries": []},
        **fields,
    }


def session(session_id: str = "cs_1", **fields: Any) -> dict[str, Any]:
    """A Checkout Session that the buyer can pay."""
    return {
        "id": session_id,
        "status": "open",
        "payment_status": "unpaid",
        "payment_intent": None,
        "url": f"https://checkout.stripe.com/c/pay/{session_id}",
        **fields,
    }


def refund(amount: int, refund_id: str = "re_1", *, fee: int = 0, **fields: Any) -> dict[str, Any]:
    """A refund that succeeded, with its reversal and the part of the fee that it gave back expanded."""
    made = {"id": f"fr_{refund_id}", "amount": fee, "created": SECOND}
    return {
        "id": refund_id,
        "amount": amount,
        "status": "succeeded",
        "created": SECOND,
        "transfer_reversal": {"id": f"trr_{refund_id}", "amount": amount},
        "charge": {"id": "ch_1", "application_fee": {"id": "fee_1", "refunds": {"data": [made] if fee else []}}},
        **fields,
    }


def customer(customer_id: str = "cus_1", **fields: Any) -> dict[str, Any]:
    """A customer."""
    return {"id": customer_id, "email": None, "name": None, "metadata": {}, **fields}


def saved_card(payment_method_id: str = "pm_1", **fields: Any) -> dict[str, Any]:
    """A card that a customer has saved."""
    card = {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2030}
    return {"id": payment_method_id, "type": "card", "card": card, "created": SECOND, **fields}


def payment_intent(status: str = "succeeded", *, declined: str | None = None, **fields: Any) -> dict[str, Any]:
    """A PaymentIntent of 1000; ``declined`` is Stripe's code."""
    return {
        "id": "pi_1",
        "status": "requires_payment_method" if declined else status,
        "amount_received": 1000 if status == "succeeded" and not declined else 0,
        "latest_charge": "ch_1",
        "client_secret": "pi_1_secret_2",
        "last_payment_error": {"code": "card_declined", "decline_code": declined} if declined else None,
        **fields,
    }


def payout(**fields: Any) -> dict[str, Any]:
    """A payout that was asked for and has not left."""
    return {
        "id": "po_1",
        "status": "pending",
        "automatic": False,
        "method": "standard",
        "created": SECOND,
        "arrival_date": SECOND,
        "metadata": {},
        **fields,
    }


def balance_settings(**payouts: Any) -> dict[str, Any]:
    """An account that is paid out daily."""
    settings = {"schedule": {"interval": "daily"}, "minimum_balance_by_currency": None, **payouts}
    return {"payments": {"payouts": settings, "settlement_timing": {"delay_days": 2}}}


def subscription(**fields: Any) -> dict[str, Any]:
    """A subscription to one thing a month that was paid for the first time."""
    price = {"unit_amount": 1_000, "recurring": {"interval": "month", "interval_count": 1}, "metadata": {}}
    period = {"current_period_start": SECOND, "current_period_end": SECOND + 2_592_000}
    return {
        "id": "sub_1",
        "status": "active",
        "start_date": SECOND,
        "items": {"data": [{"id": "si_1", "price": price, "quantity": 1, **period}]},
        "latest_invoice": "in_1",
        **fields,
    }


def invoice(status: str = "draft", total: int = 0, **fields: Any) -> dict[str, Any]:
    """An invoice of one line; an open or paid one has its number and page."""
    page = f"https://invoice.stripe.com/i/{status}"
    is_final = status != "draft"
    return {
        "id": "in_1",
        "status": status,
        "currency": "usd",
        "created": SECOND,
        "subtotal": total,
        "total": total,
        "amount_due": total,
        "amount_paid": total if status == "paid" else 0,
        "number": "A-0001" if is_final else None,
        "hosted_invoice_url": page if is_final else None,
        "invoice_pdf": f"{page}/pdf" if is_final else None,
        "lines": {"data": [{"amount": total, "quantity": 1, "description": "Tea"}], "has_more": False},
        "payments": {"data": []},
        "metadata": {},
        **fields,
    }


def _amount_of(line: Mapping[str, Any]) -> int:
    return int(line["price_data"]["unit_amount"] * line["quantity"] if "price_data" in line else line["amount"])


DEFAULTS: Final[Mapping[Operation, Callable[[Mapping[str, Any]], dict[str, Any]]]] = {
    Operation.CREATE_CUSTOMER: lambda params: customer(**params),
    Operation.CREATE_PAYMENT_INTENT: lambda _: payment_intent(),
    Operation.CANCEL_PAYMENT_INTENT: lambda _: payment_intent("canceled"),
    Operation.UPDATE_CUSTOMER: lambda params: customer(**params),
    Operation.LIST_PAYMENT_METHODS: lambda _: {"data": [saved_card()], "has_more": False},
    Operation.READ_PAYMENT_METHOD: lambda _: saved_card(),
    Operation.DETACH_PAYMENT_METHOD: lambda _: saved_card(),
    Operation.CREATE_ACCOUNT: lambda _: account(),
    Operation.CREATE_ACCOUNT_LINK: lambda _: {"url": "https://connect.stripe.com/setup/e/1"},
    Operation.CREATE_PRODUCT: lambda _: {"id": "prod_1"},
    Operation.UPDATE_PRODUCT: lambda params: {"id": "prod_1", "name": "Tea", "active": True, **params},
    Operation.CREATE_PRICE: lambda _: {"id": "price_1"},
    Operation.UPDATE_PRICE: lambda params: {"id": "price_1", "active": True, **params},
    Operation.CREATE_COUPON: lambda params: {"id": params["id"]},
    Operation.DELETE_COUPON: lambda _: {"id": "coupon", "deleted": True},
    Operation.CREATE_PROMOTION_CODE: lambda _: {"id": "promo_1"},
    Operation.UPDATE_PROMOTION_CODE: lambda params: {"id": "promo_1", "active": params["active"]},
    Operation.CREATE_CHECKOUT_SESSION: lambda _: session(),
    Operation.EXPIRE_CHECKOUT_SESSION: lambda _: session(status="expired", url=None),
    Operation.CREATE_REFUND: lambda params: refund(params["amount"]),
    Operation.REFUND_APPLICATION_FEE: lambda params: {"id": "fr_1", "amount": params["amount"], "created": SECOND},
    Operation.READ_ACCOUNT: lambda _: account(),
    Operation.READ_CHECKOUT_SESSION: lambda _: session(),
    Operation.CREATE_LOGIN_LINK: lambda _: {"url": "https://connect.stripe.com/express/secret"},
    Operation.CREATE_ACCOUNT_SESSION: lambda _: {"client_secret": "accs_secret_1", "expires_at": SECOND},
    Operation.READ_BALANCE_SETTINGS: lambda _: balance_settings(),
    Operation.UPDATE_BALANCE_SETTINGS: lambda params: balance_settings(**params["payments"]["payouts"]),
    Operation.READ_BALANCE: lambda _: {"available": [{"amount": 9_000, "currency": "usd"}], "pending": []},
    Operation.CREATE_PAYOUT: lambda params: payout(**params),
    Operation.READ_SUBSCRIPTION: lambda _: subscription(),
    Operation.UPDATE_SUBSCRIPTION: lambda _: subscription(),
    Operation.CANCEL_SUBSCRIPTION: lambda _: subscription(status="canceled"),
    Operation.CREATE_INVOICE: lambda _: invoice(),
    Operation.READ_INVOICE: lambda _: invoice("open", 1_000),
    Operation.UPDATE_INVOICE: lambda _: invoice(total=1_000),
    Operation.ADD_INVOICE_LINES: lambda params: invoice(total=sum(map(_amount_of, params["lines"]))),
    Operation.FINALIZE_INVOICE: lambda _: invoice("open", 1_000),
    Operation.SEND_INVOICE: lambda _: invoice("open", 1_000),
    Operation.PAY_INVOICE: lambda _: invoice("paid", 1_000),
    Operation.VOID_INVOICE: lambda _: invoice("void", 1_000),
    Operation.MARK_INVOICE_UNCOLLECTIBLE: lambda _: invoice("uncollectible", 1_000),
    Operation.PREVIEW_INVOICE: lambda _: invoice(total=1_000),
    Operation.CREATE_CREDIT_NOTE: lambda params: {"id": "cn_1", "number": "A-0001-CN-01", "amount": params["amount"]},
    Operation.CREATE_PORTAL_CONFIGURATION: lambda params: {"id": "bpc_1", "metadata": params["metadata"]},
    Operation.CREATE_PORTAL_SESSION: lambda _: {"id": "bps_1", "url": "https://billing.stripe.com/p/session/secret"},
}


def _nothing(_params: Mapping[str, Any]) -> dict[str, Any]:
    """A list with nothing in it."""
    return {"data": [], "has_more": False}


@dataclass(frozen=True)
class Asked:
    """One request."""

    operation: Operation
    ids: tuple[str, ...]
    params: Mapping[str, Any]
    key: str | None = None
    account: str | None = None


@dataclass
class FakeStripe:
    """Answers from ``answers`` first, one after the other, and then as Stripe does when all is well."""

    answers: dict[Operation, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    asked: list[Asked] = field(default_factory=list)

    def ask(
        self, operation: Operation, *ids: str, params: Mapping[str, Any], key: str, account: str | None = None
    ) -> Answer:
        self._take(operation, ids, params, key, account)
        ordered = self.answers[operation]
        return ordered.pop(0) if ordered else Done(DEFAULTS[operation](params))

    def read(
        self, operation: Operation, *ids: str, params: Mapping[str, Any] | None = None, account: str | None = None
    ) -> Mapping[str, Any]:
        self._take(operation, ids, params or {}, None, account)
        ordered = self.answers[operation]
        match ordered.pop(0) if ordered else Done(DEFAULTS.get(operation, _nothing)(params or {})):
            case Done(found):
                return found
            case Refusal(code):
                raise StripeRefused(code)
            case NoAnswer(doubt):
                raise StripeUnavailable(doubt)

    def each(
        self, operation: Operation, *ids: str, params: Mapping[str, Any] | None = None, account: str | None = None
    ) -> Iterator[Mapping[str, Any]]:
        yield from self.read(operation, *ids, params=params, account=account)["data"]

    def _take(
        self, operation: Operation, ids: tuple[str, ...], params: Mapping[str, Any], key: str | None,
        account: str | None = None,
    ) -> None:  # fmt: skip
        method, path = PATHS[operation]
        parameters.check(method, path.format(*ids), params)
        self.asked.append(Asked(operation, ids, params, key, account))
