"""Who may call what, and whose objects: one row for each route of the API, as API Gateway writes it.

A route that stands here with roles has the API's authorizer, and its function refuses every other role before it looks
at anything. A route without a row cannot be registered. Whose objects a role reaches is part of each query: a test
walks the table with everybody's ids, and what is not a caller's is answered as what is not there.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from marketplace.domain.principals import Role


class Whose(StrEnum):
    """Whose objects a role reaches by a route; others are not found."""

    EVERYBODYS = "everybody's"
    OWN = "own"  # a merchant's; of a buyer himself, and what he bought
    PART = "own part"  # a merchant's, and what it has a part in with other merchants: of that its part
    ALONE = "own alone"  # a merchant's, and nothing that other merchants have a part in


SEES: Final[Mapping[Role, str]] = {
    Role.OPERATOR: "everything",
    Role.MERCHANT: "its own, and its own part of what it shares with other merchants",
    Role.BUYER: "himself, and what he bought",
}
_OPERATOR: Final = {Role.OPERATOR: Whose.EVERYBODYS}
_SELLING: Final = _OPERATOR | {Role.MERCHANT: Whose.OWN}
_SHARING: Final = _OPERATOR | {Role.MERCHANT: Whose.PART}
_SELLING_ALONE: Final = _OPERATOR | {Role.MERCHANT: Whose.ALONE}
_BUYING: Final = _OPERATOR | {Role.BUYER: Whose.OWN}
_ALL: Final = _SHARING | _BUYING
_OWN: Final = _SELLING | _BUYING

ACCESS: Final[Mapping[tuple[str, str], Mapping[Role, Whose]]] = {
    ("POST", "/merchants"): _OPERATOR,
    ("GET", "/merchants"): _OPERATOR,
    ("GET", "/merchants/{merchant_id}"): _SELLING,
    ("PATCH", "/merchants/{merchant_id}"): _OPERATOR,
    ("GET", "/merchants/{merchant_id}/debts"): _SELLING,
    ("POST", "/merchants/{merchant_id}/onboarding-links"): _SELLING,
    ("POST", "/merchants/{merchant_id}/dashboard-links"): _SELLING,
    ("POST", "/merchants/{merchant_id}/component-sessions"): _SELLING,
    ("GET", "/merchants/{merchant_id}/payout-schedule"): _SELLING,
    ("PUT", "/merchants/{merchant_id}/payout-schedule"): _SELLING,
    ("POST", "/merchants/{merchant_id}/payouts"): _SELLING,
    ("GET", "/merchants/{merchant_id}/payouts"): _SELLING,
    ("GET", "/merchants/{merchant_id}/payouts/{payout_id}"): _SELLING,
    ("GET", "/merchants/{merchant_id}/payouts/{payout_id}/transactions"): _SELLING,
    ("GET", "/merchants/{merchant_id}/balance"): _SELLING,
    ("GET", "/merchants/{merchant_id}/statement"): _SELLING,
    ("GET", "/debts"): _OPERATOR,
    ("GET", "/debts/{debt_id}"): _SELLING,
    ("POST", "/debts/{debt_id}/write-off"): _OPERATOR,
    ("POST", "/merchants/{merchant_id}/products"): _SELLING,
    ("GET", "/merchants/{merchant_id}/products"): _SELLING,
    ("GET", "/products/{product_id}"): _SELLING,
    ("PATCH", "/products/{product_id}"): _SELLING,
    ("POST", "/products/{product_id}/prices"): _SELLING,
    ("GET", "/products/{product_id}/prices"): _SELLING,
    ("GET", "/prices/{price_id}"): _SELLING,
    ("PATCH", "/prices/{price_id}"): _SELLING,
    ("POST", "/coupons"): _SELLING,
    ("GET", "/coupons"): _SELLING,
    ("GET", "/coupons/{coupon_id}"): _SELLING,
    ("POST", "/coupons/{coupon_id}/deactivate"): _SELLING,
    ("GET", "/coupons/{coupon_id}/redemptions"): _SELLING,
    ("POST", "/promotion-codes"): _SELLING,
    ("GET", "/promotion-codes"): _SELLING,
    ("GET", "/promotion-codes/{promotion_code_id}"): _SELLING,
    ("PATCH", "/promotion-codes/{promotion_code_id}"): _SELLING,
    ("POST", "/checkout/sessions"): _BUYING,
    ("GET", "/checkout/sessions/{transaction_id}"): _ALL,
    ("POST", "/checkout/sessions/{transaction_id}/expire"): _BUYING,
    ("POST", "/customers"): _BUYING,
    ("GET", "/customers/{customer_id}"): _BUYING,
    ("PATCH", "/customers/{customer_id}"): _BUYING,
    ("GET", "/customers/{customer_id}/payment-methods"): _BUYING,
    ("DELETE", "/customers/{customer_id}/payment-methods/{payment_method_id}"): _BUYING,
    ("POST", "/customers/{customer_id}/billing-portal-sessions"): _BUYING,
    ("GET", "/subscriptions"): _OWN,
    ("GET", "/subscriptions/{subscription_id}"): _OWN,
    ("PATCH", "/subscriptions/{subscription_id}"): _BUYING,
    ("POST", "/subscriptions/{subscription_id}/preview"): _BUYING,
    ("POST", "/subscriptions/{subscription_id}/pause"): _SELLING,
    ("POST", "/subscriptions/{subscription_id}/resume"): _OWN,
    ("POST", "/subscriptions/{subscription_id}/cancel"): _OWN,
    ("GET", "/subscriptions/{subscription_id}/invoices"): _OWN,
    ("POST", "/invoices"): _OPERATOR,
    ("GET", "/invoices"): _OWN,
    ("GET", "/invoices/{invoice_id}"): _OWN,
    ("PATCH", "/invoices/{invoice_id}"): _OPERATOR,
    ("POST", "/invoices/{invoice_id}/finalize"): _OPERATOR,
    ("POST", "/invoices/{invoice_id}/send"): _OPERATOR,
    ("POST", "/invoices/{invoice_id}/pay"): _OPERATOR,
    ("POST", "/invoices/{invoice_id}/void"): _OPERATOR,
    ("POST", "/invoices/{invoice_id}/mark-uncollectible"): _OPERATOR,
    ("POST", "/invoices/{invoice_id}/credit-notes"): _OPERATOR,
    ("POST", "/payments"): _BUYING,
    ("GET", "/payments/{transaction_id}"): _BUYING,
    ("POST", "/transactions/{transaction_id}/capture"): _OPERATOR,
    ("POST", "/transactions/{transaction_id}/cancel"): _OPERATOR,
    ("POST", "/transactions/{transaction_id}/release"): _OPERATOR,
    ("POST", "/transactions/{transaction_id}/hold"): _OPERATOR,
    ("POST", "/transactions/{transaction_id}/refunds"): _SHARING,
    ("GET", "/transactions/{transaction_id}/refunds"): _ALL,
    ("GET", "/refunds"): _SHARING,
    ("GET", "/refunds/{refund_id}"): _ALL,
    ("GET", "/transfers"): _SELLING,
    ("GET", "/transfers/{transfer_id}"): _SELLING,
    ("POST", "/transfers/{transfer_id}/reversals"): _OPERATOR,
    ("GET", "/disputes"): _SHARING,
    ("GET", "/disputes/{dispute_id}"): _SHARING,
    ("GET", "/disputes/{dispute_id}/evidence"): _SELLING_ALONE,
    ("PATCH", "/disputes/{dispute_id}/evidence"): _SELLING_ALONE,
    ("POST", "/disputes/{dispute_id}/files"): _SELLING_ALONE,
    ("POST", "/disputes/{dispute_id}/submit"): _OPERATOR,
    ("POST", "/disputes/{dispute_id}/accept"): _OPERATOR,
    ("GET", "/transactions"): _ALL,
    ("GET", "/transactions/{transaction_id}"): _ALL,
    ("GET", "/transactions/{transaction_id}/timeline"): _SHARING,
    ("GET", "/transactions/{transaction_id}/ledger"): _OPERATOR,
    ("GET", "/ledger/trial-balance"): _OPERATOR,
    ("GET", "/ledger/accounts"): _OPERATOR,
    ("GET", "/ledger/accounts/{account}"): _OPERATOR,
    ("GET", "/reconciliations"): _OPERATOR,
    ("GET", "/reconciliations/discrepancies"): _OPERATOR,
    ("GET", "/reconciliations/payouts"): _OPERATOR,
    ("GET", "/audits"): _OPERATOR,
    ("GET", "/audits/findings"): _OPERATOR,
    ("GET", "/commands"): _OPERATOR,
    ("POST", "/commands/{subject}/{command_id}/retry"): _OPERATOR,
    ("GET", "/dead-letters"): _OPERATOR,
    ("GET", "/dead-letters/{letter_id}"): _OPERATOR,
    ("POST", "/dead-letters/{letter_id}/redrive"): _OPERATOR,
    ("GET", "/tax/report"): _OPERATOR,
    ("GET", "/exports/tax"): _OPERATOR,
    ("GET", "/exports/ledger"): _OPERATOR,
    ("GET", "/exports/transactions"): _OPERATOR,
}
# Without a token, and why that is safe.
OPEN: Final[Mapping[tuple[str, str], str]] = {
    ("GET", "/health"): "says nothing but that the API answers",
    ("GET", "/onboarding/{token}"): "Stripe sends a merchant's browser there: the token is the right",
    (
        "POST",
        "/guest/checkout/sessions",
    ): "takes prices of the catalog and return URLs of the list, is throttled by itself",
    (
        "GET",
        "/guest/checkout/sessions/{token}",
    ): "says where one sale stands to whoever has its token, which only its guest was given",
    ("POST", "/webhooks/stripe/account"): "signed by Stripe",
    ("POST", "/webhooks/stripe/connect"): "signed by Stripe",
}
