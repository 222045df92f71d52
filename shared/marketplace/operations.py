"""What is asked of Stripe, and what is told of one request."""

from enum import StrEnum
from typing import NamedTuple


class Operation(StrEnum):
    """What is asked of Stripe: the path of the method in stripe-python's client."""

    CREATE_ACCOUNT = "v2.core.accounts.create"
    READ_ACCOUNT = "v2.core.accounts.retrieve"
    LIST_ACCOUNTS = "v2.core.accounts.list"
    CREATE_ACCOUNT_LINK = "v2.core.account_links.create"
    CREATE_V1_ACCOUNT = "v1.accounts.create"
    READ_V1_ACCOUNT = "v1.accounts.retrieve"
    LIST_V1_ACCOUNTS = "v1.accounts.list"
    CREATE_V1_ACCOUNT_LINK = "v1.account_links.create"
    CREATE_PRODUCT = "v1.products.create"
    READ_PRODUCT = "v1.products.retrieve"
    UPDATE_PRODUCT = "v1.products.update"
    LIST_PRODUCTS = "v1.products.list"
    CREATE_PRICE = "v1.prices.create"
    READ_PRICE = "v1.prices.retrieve"
    UPDATE_PRICE = "v1.prices.update"
    LIST_PRICES = "v1.prices.list"
    CREATE_COUPON = "v1.coupons.create"
    READ_COUPON = "v1.coupons.retrieve"
    DELETE_COUPON = "v1.coupons.delete"
    CREATE_PROMOTION_CODE = "v1.promotion_codes.create"
    UPDATE_PROMOTION_CODE = "v1.promotion_codes.update"
    READ_PROMOTION_CODE = "v1.promotion_codes.retrieve"
    LIST_PROMOTION_CODES = "v1.promotion_codes.list"
    CREATE_CUSTOMER = "v1.customers.create"
    READ_CUSTOMER = "v1.customers.retrieve"
    UPDATE_CUSTOMER = "v1.customers.update"
    LIST_CUSTOMERS = "v1.customers.list"
    LIST_PAYMENT_METHODS = "v1.customers.payment_methods.list"
    READ_PAYMENT_METHOD = "v1.customers.payment_methods.retrieve"
    DETACH_PAYMENT_METHOD = "v1.payment_methods.detach"
    CREATE_CHECKOUT_SESSION = "v1.checkout.sessions.create"
    READ_CHECKOUT_SESSION = "v1.checkout.sessions.retrieve"
    EXPIRE_CHECKOUT_SESSION = "v1.checkout.sessions.expire"
    LIST_CHECKOUT_SESSIONS = "v1.checkout.sessions.list"
    LIST_BALANCE_TRANSACTIONS = "v1.balance_transactions.list"
    CREATE_REFUND = "v1.refunds.create"
    LIST_REFUNDS = "v1.refunds.list"
    READ_REFUND = "v1.refunds.retrieve"
    REFUND_APPLICATION_FEE = "v1.application_fees.refunds.create"
    LIST_APPLICATION_FEE_REFUNDS = "v1.application_fees.refunds.list"
    LIST_SESSION_LINE_ITEMS = "v1.checkout.sessions.line_items.list"
    READ_TRANSFER = "v1.transfers.retrieve"
    CREATE_TRANSFER = "v1.transfers.create"
    LIST_TRANSFERS = "v1.transfers.list"
    REVERSE_TRANSFER = "v1.transfers.reversals.create"
    LIST_REVERSALS = "v1.transfers.reversals.list"
    READ_PAYMENT_INTENT = "v1.payment_intents.retrieve"
    CREATE_PAYMENT_INTENT = "v1.payment_intents.create"
    LIST_PAYMENT_INTENTS = "v1.payment_intents.list"
    CAPTURE_PAYMENT_INTENT = "v1.payment_intents.capture"
    CANCEL_PAYMENT_INTENT = "v1.payment_intents.cancel"
    READ_CHARGE = "v1.charges.retrieve"
    UPDATE_CHARGE = "v1.charges.update"
    READ_BALANCE = "v1.balance.retrieve"
    CREATE_LOGIN_LINK = "v1.accounts.login_links.create"
    CREATE_ACCOUNT_SESSION = "v1.account_sessions.create"
    READ_BALANCE_SETTINGS = "v1.balance_settings.retrieve"
    UPDATE_BALANCE_SETTINGS = "v1.balance_settings.update"
    CREATE_PAYOUT = "v1.payouts.create"
    LIST_PAYOUTS = "v1.payouts.list"
    LIST_DISPUTES = "v1.disputes.list"
    READ_DISPUTE = "v1.disputes.retrieve"
    UPDATE_DISPUTE = "v1.disputes.update"
    CLOSE_DISPUTE = "v1.disputes.close"
    CREATE_FILE = "v1.files.create"
    READ_SUBSCRIPTION = "v1.subscriptions.retrieve"
    UPDATE_SUBSCRIPTION = "v1.subscriptions.update"
    CANCEL_SUBSCRIPTION = "v1.subscriptions.cancel"
    CREATE_INVOICE = "v1.invoices.create"
    READ_INVOICE = "v1.invoices.retrieve"
    UPDATE_INVOICE = "v1.invoices.update"
    LIST_INVOICES = "v1.invoices.list"
    LIST_INVOICE_LINES = "v1.invoices.line_items.list"
    ADD_INVOICE_LINES = "v1.invoices.add_lines"
    FINALIZE_INVOICE = "v1.invoices.finalize_invoice"
    SEND_INVOICE = "v1.invoices.send_invoice"
    PAY_INVOICE = "v1.invoices.pay"
    VOID_INVOICE = "v1.invoices.void_invoice"
    MARK_INVOICE_UNCOLLECTIBLE = "v1.invoices.mark_uncollectible"
    PREVIEW_INVOICE = "v1.invoices.create_preview"
    LIST_INVOICE_PAYMENTS = "v1.invoice_payments.list"
    READ_TAX_RATE = "v1.tax_rates.retrieve"
    CREATE_CREDIT_NOTE = "v1.credit_notes.create"
    LIST_CREDIT_NOTES = "v1.credit_notes.list"
    CREATE_PORTAL_CONFIGURATION = "v1.billing_portal.configurations.create"
    LIST_PORTAL_CONFIGURATIONS = "v1.billing_portal.configurations.list"
    CREATE_PORTAL_SESSION = "v1.billing_portal.sessions.create"
    LIST_EVENTS = "v1.events.list"


class Exchange(NamedTuple):
    """One request to Stripe and how it ended, for the log: nothing of what was asked or answered.

    ``key`` is its idempotency key, ``transaction_id`` what its metadata names; ``tries`` counts the requests of one
    call under one key. ``outcome`` is ``done``, ``refused`` (``refusal`` is Stripe's code), or why it is not known.
    ``status`` and ``request_id`` are those of Stripe's answer; without an answer they are None.
    """

    operation: Operation
    key: str | None
    transaction_id: str | None
    tries: int
    outcome: str
    refusal: str | None
    status: int | None
    request_id: str | None
    milliseconds: int
