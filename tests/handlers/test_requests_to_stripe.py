"""Every request that a use case sends to Stripe passes the strict validators of the pinned version."""

from typing import Any

from marketplace.domain.commands import Doubt
from marketplace.operations import Operation
from marketplace.ports import Done, NoAnswer

from ..fakes.stripe import refund
from .backend import BUYER, OPERATOR, SHOP, Backend, Context, charge_of, stripe_event
from .test_process import message, process

FAILED = NoAnswer(Doubt.STRIPE_FAILED)  # must be looked up before it is asked for again
CREATIONS = (
    Operation.CREATE_ACCOUNT,
    Operation.CREATE_PRODUCT,
    Operation.UPDATE_PRODUCT,
    Operation.CREATE_PRICE,
    Operation.UPDATE_PRICE,
    Operation.CREATE_CHECKOUT_SESSION,
    Operation.EXPIRE_CHECKOUT_SESSION,
    Operation.CREATE_REFUND,
    Operation.REFUND_APPLICATION_FEE,
)

# As strict, with the same types: tests/simulation/test_carts.py, test_disputes.py, test_captures.py, test_customers.py,
# test_off_session.py, test_catch_up.py, test_dispute_answers.py, test_payouts.py, test_merchant_money.py,
# test_descriptions.py, test_merchants.py, test_promotions.py, test_subscription_beginnings.py,
# test_subscription_changes.py, test_invoices.py, test_billing_portal.py, test_taxed_invoices.py.
ASKED_OF_THE_SIMULATOR = {
    Operation.CREATE_V1_ACCOUNT,
    Operation.READ_V1_ACCOUNT,
    Operation.LIST_V1_ACCOUNTS,
    Operation.CREATE_V1_ACCOUNT_LINK,
    Operation.LIST_BALANCE_TRANSACTIONS,
    Operation.LIST_SESSION_LINE_ITEMS,
    Operation.READ_TRANSFER,
    Operation.UPDATE_CHARGE,
    Operation.CREATE_TRANSFER,
    Operation.LIST_TRANSFERS,
    Operation.REVERSE_TRANSFER,
    Operation.LIST_REVERSALS,
    Operation.READ_REFUND,
    Operation.READ_CHARGE,
    Operation.LIST_DISPUTES,
    Operation.READ_DISPUTE,
    Operation.UPDATE_DISPUTE,
    Operation.CLOSE_DISPUTE,
    Operation.CREATE_FILE,
    Operation.LIST_EVENTS,
    Operation.READ_BALANCE,
    Operation.READ_PAYMENT_INTENT,
    Operation.CAPTURE_PAYMENT_INTENT,
    Operation.CANCEL_PAYMENT_INTENT,
    Operation.CREATE_PAYMENT_INTENT,
    Operation.LIST_PAYMENT_INTENTS,
    Operation.CREATE_COUPON,
    Operation.READ_COUPON,
    Operation.DELETE_COUPON,
    Operation.CREATE_PROMOTION_CODE,
    Operation.UPDATE_PROMOTION_CODE,
    Operation.READ_PROMOTION_CODE,
    Operation.LIST_PROMOTION_CODES,
    Operation.CREATE_CUSTOMER,
    Operation.READ_CUSTOMER,
    Operation.UPDATE_CUSTOMER,
    Operation.LIST_CUSTOMERS,
    Operation.LIST_PAYMENT_METHODS,
    Operation.READ_PAYMENT_METHOD,
    Operation.DETACH_PAYMENT_METHOD,
    Operation.CREATE_LOGIN_LINK,
    Operation.CREATE_ACCOUNT_SESSION,
    Operation.READ_BALANCE_SETTINGS,
    Operation.UPDATE_BALANCE_SETTINGS,
    Operation.CREATE_PAYOUT,
    Operation.LIST_PAYOUTS,
    Operation.READ_SUBSCRIPTION,
    Operation.UPDATE_SUBSCRIPTION,
    Operation.CANCEL_SUBSCRIPTION,
    Operation.CREATE_INVOICE,
    Operation.READ_INVOICE,
    Operation.UPDATE_INVOICE,
    Operation.LIST_INVOICES,
    Operation.LIST_INVOICE_LINES,
    Operation.ADD_INVOICE_LINES,
    Operation.FINALIZE_INVOICE,
    Operation.SEND_INVOICE,
    Operation.PAY_INVOICE,
    Operation.VOID_INVOICE,
    Operation.MARK_INVOICE_UNCOLLECTIBLE,
    Operation.PREVIEW_INVOICE,
    Operation.LIST_INVOICE_PAYMENTS,
    Operation.READ_TAX_RATE,
    Operation.CREATE_CREDIT_NOTE,
    Operation.LIST_CREDIT_NOTES,
    Operation.CREATE_PORTAL_CONFIGURATION,
    Operation.LIST_PORTAL_CONFIGURATIONS,
    Operation.CREATE_PORTAL_SESSION,
}


def sweep(backend: Backend, seconds: int = 120) -> None:
    backend.wait(seconds)
    backend.modules["schedules.sweep"].handler({}, Context())


def fail_once(backend: Backend, *operations: Operation) -> None:
    for operation in operations:
        backend.stripe.answers[operation] = [FAILED]


def charge(transaction: Any) -> dict[str, Any]:
    amounts = {"amount_captured": transaction.amount, "application_fee_amount": transaction.fee}
    settled = {"transfer": "tr_1", "application_fee": "fee_1", "balance_transaction": "txn_1"}
    return charge_of(transaction.id, **amounts, **settled)


def test_every_operation_is_asked_for_as_stripe_s_pinned_version_takes_it(backend: Backend) -> None:
    merchant_id = with_everything_failing_once(backend)
    backend.send(OPERATOR, "POST", f"/merchants/{merchant_id}/onboarding-links", {"return_url": f"{SHOP}/"})
    account = stripe_event("account.updated", {"id": "acct_1", "object": "account"}, "evt_account", account="acct_1")
    assert process(backend, message(account)) == []
    assert {each.operation for each in backend.stripe.asked} == set(Operation) - ASKED_OF_THE_SIMULATOR


def test_after_a_stored_failure_each_is_looked_up_and_then_asked_for_under_a_new_key(backend: Backend) -> None:
    with_everything_failing_once(backend)
    for operation in CREATIONS:
        first, second, *_ = [each for each in backend.stripe.asked if each.operation is operation]
        assert first.params == second.params
        assert (str(first.key).rpartition(":")[2], str(second.key).rpartition(":")[2]) == ("1", "2"), operation


def with_everything_failing_once(backend: Backend) -> str:
    """Sales and refunds in which each creation fails at Stripe at first; the id of their merchant."""
    fail_once(backend, Operation.CREATE_ACCOUNT)
    body = {"name": "A", "contact_email": "a@b.example", "country": "us", "currencies": ["usd"]}
    assert backend.send(OPERATOR, "POST", "/merchants", body).problem == "outcome-unknown"
    sweep(backend)
    merchant_id = str(backend.send(OPERATOR, "GET", "/merchants").json["data"][0]["id"])
    price_id = a_price(backend, merchant_id)
    paid, other = (a_sale(backend, price_id, key) for key in ("paid", "other"))
    fail_once(backend, Operation.EXPIRE_CHECKOUT_SESSION)
    assert backend.send(BUYER, "POST", f"/checkout/sessions/{other}/expire").problem == "outcome-unknown"
    sweep(backend)
    assert process(backend, message(stripe_event("charge.succeeded", charge(backend.books(paid).transaction)))) == []
    a_refund(backend, paid)
    sweep(backend, seconds=26 * 3600)
    return merchant_id


def a_price(backend: Backend, merchant_id: str) -> str:
    fail_once(backend, Operation.CREATE_PRODUCT)
    products = f"/merchants/{merchant_id}/products"
    assert backend.send(OPERATOR, "POST", products, {"name": "Tea"}).problem == "outcome-unknown"
    sweep(backend)
    prices = f"/products/{backend.send(OPERATOR, 'GET', products).json['data'][0]['id']}/prices"
    fail_once(backend, Operation.CREATE_PRICE)
    answer = backend.send(OPERATOR, "POST", prices, {"unit_amount": 1000, "currency": "usd"})
    assert answer.problem == "outcome-unknown"
    sweep(backend)
    (price,) = backend.send(OPERATOR, "GET", prices).json["data"]
    fail_once(backend, Operation.UPDATE_PRODUCT, Operation.UPDATE_PRICE)
    for place in (f"/products/{price['product_id']}", f"/prices/{price['id']}"):
        assert backend.send(OPERATOR, "PATCH", place, {"active": True}).problem == "outcome-unknown"
    sweep(backend)
    return str(price["id"])


def a_sale(backend: Backend, price_id: str, key: str) -> str:
    if key == "other":
        return backend.sale(price_id, key=key)
    fail_once(backend, Operation.CREATE_CHECKOUT_SESSION)
    answer = backend.send(BUYER, "POST", "/checkout/sessions", backend.basket(price_id), key=key)
    assert answer.problem == "outcome-unknown"
    sweep(backend)
    again = backend.send(BUYER, "POST", "/checkout/sessions", backend.basket(price_id), key=key)
    assert again.status == 201
    return str(again.json["transaction_id"])


def a_refund(backend: Backend, transaction_id: str) -> None:
    """Refunded after a failure, with a part of the fee that Stripe did not give back at first."""
    backend.stripe.answers[Operation.CREATE_REFUND] = [FAILED, Done(refund(1000, fee=99))]
    answer = backend.send(OPERATOR, "POST", f"/transactions/{transaction_id}/refunds", {}, key="r")
    assert (answer.status, answer.json["status"]) == (202, "unknown")
    sweep(backend)
    fail_once(backend, Operation.REFUND_APPLICATION_FEE)
    sweep(backend)
    sweep(backend)
    read = backend.send(OPERATOR, "GET", f"/transactions/{transaction_id}").json
    assert read["refund"] == {"status": "full", "amount": 1000, "refundable": 0}
