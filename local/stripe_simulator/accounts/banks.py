"""External accounts: where payouts go, and which test numbers let them fail. https://docs.stripe.com/connect/testing"""

from collections.abc import Mapping
from typing import Any, Final

from ..context import Context
from ..errors import InvalidRequestError, ResourceMissingError
from ..state import State
from ..values import Object
from .record import ACCOUNTS

ERRORED: Final = "errored"
_ENDINGS: Final[Mapping[str, str]] = {
    "111111116": "no_account",
    "111111113": "account_closed",
    "222222227": "insufficient_funds",
    "333333335": "debit_not_authorized",
    "444444440": "invalid_currency",
}
_IBANS: Final[Mapping[str, str]] = {
    "DE62370400440532013001": "no_account",
    "DE89370400440532013002": "account_closed",
    "DE89370400440532013003": "insufficient_funds",
    "DE89370400440532013004": "debit_not_authorized",
    "DE89370400440532013005": "invalid_currency",
}
_NUMBERS_BEGIN: Final = ("", "000")

FAILURES: Final[Mapping[str, str]] = {
    "account_closed": "The bank account has been closed.",
    "account_frozen": "The bank account has been frozen.",
    "bank_account_restricted": "The bank account has restrictions on either the type, or the number, of payouts.",
    "bank_ownership_changed": "The destination bank account is no longer valid, since its branch has changed owner.",
    "could_not_process": "The bank could not process this payout.",
    "debit_not_authorized": "Debit transactions are not approved on the bank account.",
    "declined": "The bank has declined this transfer.",
    "incorrect_account_holder_name": "The name of the bank account's holder is incorrect.",
    "insufficient_funds": "The bank account has insufficient funds to cover the debit.",
    "invalid_account_number": "The routing number seems correct, but the account number is invalid.",
    "invalid_currency": "The bank was unable to process this payout because of its currency.",
    "no_account": "The bank account details on file are probably incorrect: no such account could be found.",
    "unsupported_card": "The bank no longer supports payouts to this card.",
}
"""https://docs.stripe.com/api/payouts/failures"""


def failure_of(bank: Object) -> str | None:
    """The failure code that payouts to this account end with; None when they arrive."""
    number = bank["_number"]
    if number in _IBANS:
        return _IBANS[number]
    return next((code for tail, code in _ENDINGS.items() for head in _NUMBERS_BEGIN if number == head + tail), None)


def banks_of(context: Context) -> list[Object]:
    """The external accounts of the context's account; the platform's are what the settings say, one per currency."""
    if context.is_platform:
        settings = context.settings
        currencies = sorted(settings.settlement_currencies - {settings.default_currency})
        return [_platform_bank(context, each) for each in (settings.default_currency, *currencies)]
    record = context.on_platform().state.get(ACCOUNTS, context.account)["_record"]
    found: list[Object] = record["bank_accounts"]
    return found


def bank_for(context: Context, currency: str, named: str | None = None) -> Object:
    """Where a payout in a currency goes: the account named, or the default one.

    Raises:
        ResourceMissingError: the account named is not the account's.
        InvalidRequestError: none takes the currency, or an earlier payout to it failed.
    """
    banks = banks_of(context)
    if named and not any(each["id"] == named for each in banks):
        raise ResourceMissingError("external_account", named, param="destination")
    fitting = [each for each in banks if each["currency"] == currency and named in (None, each["id"])]
    found = next((each for each in fitting if named or each["default_for_currency"]), None)
    if found is None:
        raise InvalidRequestError(
            f"Sorry, you don't have any external accounts in that currency ({currency}).", param="currency"
        )
    if found["status"] == ERRORED:
        raise InvalidRequestError(
            f"An earlier payout to {found['id']} failed. Update the external account before paying out to it again.",
            code="payouts_not_allowed",
        )
    return found


def _platform_bank(context: Context, currency: str) -> Object:
    is_default = currency == context.settings.default_currency
    name = f"ba_{context.account.removeprefix('acct_')}"
    absent = ("account_holder_name", "account_holder_type", "account_type", "future_requirements", "requirements")
    return {
        "id": name if is_default else f"{name}{currency}",
        "object": "bank_account",
        **dict.fromkeys(absent),
        "account": context.account,
        "available_payout_methods": ["standard", "instant"],
        "bank_name": "STRIPE TEST BANK",
        "country": context.settings.country,
        "currency": currency,
        "default_for_currency": True,
        "fingerprint": context.account.removeprefix("acct_"),
        "last4": "6789",
        "metadata": {},
        "routing_number": "110000000",
        "status": "new",
        "_number": "",
    }


def find_bank(state: State, bank: str) -> Object | None:
    """The external account of a connected account, for whoever has only the state of its objects."""
    holder = state.transaction.store.account_of(ACCOUNTS, state.account)
    if holder is None:
        return None
    record = state.of(holder).get(ACCOUNTS, state.account)["_record"]
    return next((each for each in record["bank_accounts"] if each["id"] == bank), None)


def with_bank(banks: list[Object], bank: Object, *, as_default: bool) -> list[Object]:
    """The external accounts with one more or another version of one; each currency has one default."""
    others = [each for each in banks if each["id"] != bank["id"]]
    is_first = not any(each["currency"] == bank["currency"] for each in others)
    default = as_default or is_first
    if default:
        others = [
            {**each, "default_for_currency": False} if each["currency"] == bank["currency"] else each for each in others
        ]
    changed: dict[str, Any] = {**bank, "default_for_currency": default}
    position = next((index for index, each in enumerate(banks) if each["id"] == bank["id"]), len(others))
    return [*others[:position], changed, *others[position:]]
