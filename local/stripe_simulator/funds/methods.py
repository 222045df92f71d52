"""Payment methods: what a buyer pays with, made from test values only."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ..context import Context
from ..errors import CardError, InvalidRequestError, UnsupportedError
from ..metadata import merged
from ..shelves import Collection
from ..values import Object
from . import outcomes
from .outcomes import Card, Debit

PAYMENT_METHODS: Final = Collection(
    "payment_method",
    path="/v1/payment_methods",
    indexes=("customer", "type", "allow_redisplay"),
    expands={"customer": "customer"},
)
"""``_number``: the test value that it was made from, which its outcome is looked up by."""

_ADDRESS: Final = ("city", "country", "line1", "line2", "postal_code", "state")
_ROUTING_NUMBER: Final = "110000000"  # the only one of Stripe's test accounts
_LAST_MONTH: Final = 12
_CVC: Final = re.compile(r"\d{3,4}")
_YEARS_AHEAD: Final = 10  # until a named test card expires


def named(context: Context, name: str) -> Object:
    """A new payment method by Stripe's name for it: ``pm_card_visa``, ``tok_visa``, ``pm_usBankAccount_success``.

    Raises:
        InvalidRequestError: no such payment method.
        UnsupportedError: a documented one, whose outcome is not simulated.
    """
    if name in outcomes.DEBIT_BY_NAME:
        kind, debit = outcomes.DEBIT_BY_NAME[name]
        return (
            us_bank_account(context, account_number=debit.number)
            if kind == "us_bank_account"
            else sepa_debit(context, iban=debit.number)
        )
    prefix, _, short = name.partition("pm_card_" if name.startswith("pm_card_") else "tok_")
    found = outcomes.CARD_BY_NAME.get(short) if not prefix else None
    if found is None and short and not prefix:
        raise UnsupportedError(f"the test payment method {name}")
    if found is None:
        raise InvalidRequestError(f"No such PaymentMethod: '{name}'", code="resource_missing", param="payment_method")
    year = datetime.fromtimestamp(context.clock.now(), UTC).year + _YEARS_AHEAD
    return _card(context, found, exp_month=_LAST_MONTH, exp_year=year, billing_details=None)


def card(
    context: Context,
    *,
    number: str,
    exp_month: int,
    exp_year: int,
    cvc: str | None = None,
    billing_details: Mapping[str, Any] | None = None,
) -> Object:
    """A new payment method of a card as it was typed; blanks in the number and two-digit years are understood.

    Raises:
        CardError: 402 ``incorrect_number``, ``invalid_expiry_month``, ``invalid_expiry_year``, ``invalid_cvc``.
    """
    digits = re.sub(r"[ -]", "", number)
    year = exp_year + 2000 if exp_year < 100 else exp_year  # noqa: PLR2004 - two digits
    if not _passes_luhn(digits):
        raise CardError("Your card number is incorrect.", code="incorrect_number", param="number")
    if not 1 <= exp_month <= _LAST_MONTH:
        raise CardError("Your card's expiration month is invalid.", code="invalid_expiry_month", param="exp_month")
    today = datetime.fromtimestamp(context.clock.now(), UTC)
    if (year, exp_month) < (today.year, today.month):
        raise CardError("Your card's expiration year is invalid.", code="invalid_expiry_year", param="exp_year")
    if cvc is not None and not _CVC.fullmatch(cvc):
        raise CardError("Your card's security code is invalid.", code="invalid_cvc", param="cvc")
    if digits in outcomes.NOT_SIMULATED_CARDS:
        raise UnsupportedError(f"the test card {digits}")
    found = outcomes.CARD_BY_NUMBER.get(digits) or Card(digits, "", decline=outcomes.LIVE_CARD)
    return _card(context, found, exp_month=exp_month, exp_year=year, billing_details=billing_details)


def us_bank_account(
    context: Context,
    *,
    account_number: str,
    routing_number: str = _ROUTING_NUMBER,
    holder_type: str = "individual",
    account_type: str = "checking",
    billing_details: Mapping[str, Any] | None = None,
) -> Object:
    """A new payment method of an American bank account, verified.

    Raises:
        InvalidRequestError: a number that is none of Stripe's test accounts.
    """
    if routing_number != _ROUTING_NUMBER or account_number not in outcomes.DEBITS_BY_TYPE["us_bank_account"]:
        raise InvalidRequestError(
            "You must use a test bank account number. Try 000123456789 with the routing number 110000000.",
            code="bank_account_unusable",
            param="us_bank_account[account_number]",
        )
    details = {
        "account_holder_type": holder_type,
        "account_type": account_type,
        "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": None,
        "fingerprint": _fingerprint(account_number),
        "last4": account_number[-4:],
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": routing_number,
        "status_details": None,
    }
    return _add(context, "us_bank_account", details, account_number, billing_details)


def sepa_debit(context: Context, *, iban: str, billing_details: Mapping[str, Any] | None = None) -> Object:
    """A new payment method of a European bank account.

    Raises:
        InvalidRequestError: an IBAN that is none of those simulated.
    """
    number = iban.replace(" ", "").upper()
    if number not in outcomes.DEBITS_BY_TYPE["sepa_debit"]:
        raise InvalidRequestError(
            "The IBAN you provided is no test IBAN of this simulator. Try AT611904300234573201.",
            code="invalid_bank_account_iban",
            param="sepa_debit[iban]",
        )
    details = {
        "bank_code": number[4:9],
        "branch_code": "",
        "country": number[:2],
        "fingerprint": _fingerprint(number),
        "generated_from": {"charge": None, "setup_attempt": None},
        "last4": number[-4:],
    }
    return _add(context, "sepa_debit", details, number, billing_details)


def card_outcome(method: Object) -> Card:
    """What the table says of a card."""
    number = method["_number"]
    return outcomes.CARD_BY_NUMBER.get(number) or Card(number, "", decline=outcomes.LIVE_CARD)


def debit_outcome(method: Object) -> Debit:
    """What the table says of a bank account."""
    return outcomes.DEBITS_BY_TYPE[method["type"]][method["_number"]]


def billing(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Billing details, whole."""
    given = given or {}
    address = given.get("address") or {}
    texts = {name: given.get(name) or None for name in ("email", "name", "phone", "tax_id")}
    return {"address": {name: address.get(name) or None for name in _ADDRESS}, **texts}


def attach(context: Context, method: Object, customer: str) -> Object:
    """Let a customer have the payment method.

    Raises:
        InvalidRequestError: another customer has it.
    """
    if method["customer"] == customer:
        return method
    if method["customer"]:
        raise InvalidRequestError(
            "The payment method you provided has already been attached to a customer.",
            code="payment_method_unexpected_state",
        )
    attached = context.state.update(PAYMENT_METHODS, method, {"customer": customer})
    context.emit("payment_method.attached", attached)
    return attached


def _card(
    context: Context, found: Card, *, exp_month: int, exp_year: int, billing_details: Mapping[str, Any] | None
) -> Object:
    details = {
        "brand": found.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": found.cvc_check,
        },
        "country": found.country,
        "display_brand": found.brand,
        "exp_month": exp_month,
        "exp_year": exp_year,
        "fingerprint": _fingerprint(found.number),
        "funding": found.funding,
        "generated_from": None,
        "last4": found.number[-4:],
        "networks": {"available": [found.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
    return _add(context, "card", details, found.number, billing_details)


def _add(
    context: Context, kind: str, details: Mapping[str, Any], number: str, billing_details: Mapping[str, Any] | None
) -> Object:
    method = {
        "id": context.ids.new("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": billing(billing_details),
        kind: details,
        "created": context.clock.now(),
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": merged({}, None),
        "type": kind,
        "_number": number,
    }
    return context.state.insert(PAYMENT_METHODS, method)


def _fingerprint(number: str) -> str:
    """The same for the same account, and nothing that tells its number."""
    return hashlib.blake2b(number.encode(), digest_size=8).hexdigest()


def _passes_luhn(digits: str) -> bool:
    if not digits.isdecimal():
        return False
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0
