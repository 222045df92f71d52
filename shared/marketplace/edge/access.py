"""Who may call what: one row for each route of the API, as API Gateway writes it.

A route that stands here with roles has the API's authorizer, and its function refuses every other role before it looks
at anything. A route without a row cannot be registered. What a role is shown does not depend on the route: ``SEES``.
"""

from collections.abc import Mapping
from typing import Final

from marketplace.domain.principals import Role

SEES: Final[Mapping[Role, str]] = {
    Role.OPERATOR: "everything",
    Role.MERCHANT: "its own, and its own part of what it shares with other merchants",
    Role.BUYER: "himself, and what he bought",
}
_OPERATOR: Final = (Role.OPERATOR,)
_SELLING: Final = (Role.OPERATOR, Role.MERCHANT)
_BUYING: Final = (Role.OPERATOR, Role.BUYER)
_ALL: Final = (Role.OPERATOR, Role.MERCHANT, Role.BUYER)

ACCESS: Final[Mapping[tuple[str, str], tuple[Role, ...]]] = {
    ("POST", "/merchants"): _OPERATOR,
    ("GET", "/merchants"): _OPERATOR,
    ("GET", "/merchants/{merchant_id}"): _SELLING,
    ("GET", "/merchants/{merchant_id}/debts"): _SELLING,
    ("POST", "/merchants/{merchant_id}/onboarding-links"): _SELLING,
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
    ("POST", "/checkout/sessions"): _BUYING,
    ("GET", "/checkout/sessions/{transaction_id}"): _ALL,
    ("POST", "/checkout/sessions/{transaction_id}/expire"): _BUYING,
    ("POST", "/customers"): _BUYING,
    ("GET", "/customers/{customer_id}"): _BUYING,
    ("PATCH", "/customers/{customer_id}"): _BUYING,
    ("GET", "/customers/{customer_id}/payment-methods"): _BUYING,
    ("DELETE", "/customers/{customer_id}/payment-methods/{payment_method_id}"): _BUYING,
    ("POST", "/payments"): _BUYING,
    ("GET", "/payments/{transaction_id}"): _BUYING,
    ("POST", "/transactions/{transaction_id}/capture"): _OPERATOR,
    ("POST", "/transactions/{transaction_id}/cancel"): _OPERATOR,
    ("POST", "/transactions/{transaction_id}/release"): _OPERATOR,
    ("POST", "/transactions/{transaction_id}/hold"): _OPERATOR,
    ("POST", "/transactions/{transaction_id}/refunds"): _SELLING,
    ("GET", "/transactions/{transaction_id}/refunds"): _ALL,
    ("GET", "/refunds/{refund_id}"): _ALL,
    ("GET", "/transfers"): _SELLING,
    ("GET", "/transfers/{transfer_id}"): _SELLING,
    ("POST", "/transfers/{transfer_id}/reversals"): _OPERATOR,
    ("GET", "/disputes"): _SELLING,
    ("GET", "/disputes/{dispute_id}"): _SELLING,
    ("GET", "/disputes/{dispute_id}/evidence"): _SELLING,
    ("PATCH", "/disputes/{dispute_id}/evidence"): _SELLING,
    ("POST", "/disputes/{dispute_id}/files"): _SELLING,
    ("POST", "/disputes/{dispute_id}/submit"): _OPERATOR,
    ("POST", "/disputes/{dispute_id}/accept"): _OPERATOR,
    ("GET", "/transactions"): _ALL,
    ("GET", "/transactions/{transaction_id}"): _ALL,
    ("GET", "/transactions/{transaction_id}/timeline"): _SELLING,
    ("GET", "/transactions/{transaction_id}/ledger"): _OPERATOR,
    ("GET", "/ledger/trial-balance"): _OPERATOR,
    ("GET", "/ledger/accounts"): _OPERATOR,
    ("GET", "/ledger/accounts/{account}"): _OPERATOR,
    ("GET", "/reconciliations"): _OPERATOR,
    ("GET", "/reconciliations/discrepancies"): _OPERATOR,
    ("GET", "/reconciliations/payouts"): _OPERATOR,
    ("GET", "/audits"): _OPERATOR,
    ("GET", "/audits/findings"): _OPERATOR,
    ("GET", "/exports/ledger"): _OPERATOR,
    ("GET", "/exports/transactions"): _OPERATOR,
}
# Without a token, and why that is safe.
OPEN: Final[Mapping[tuple[str, str], str]] = {
    ("GET", "/health"): "says nothing but that the API answers",
    ("GET", "/onboarding/{token}"): "Stripe sends a merchant's browser there: the token is the right",
    ("POST", "/webhooks/stripe/account"): "signed by Stripe",
    ("POST", "/webhooks/stripe/connect"): "signed by Stripe",
}
