"""The part of the pay page that offers ways to pay: saved payment methods, a card, a bank account, and test values."""

from typing import Final

from ..context import Context
from ..pages import CARD_FIELDS, Markup, fill, joined
from ..values import Object
from . import paying_with
from .paying_with import SEPA_DEBIT, US_BANK_ACCOUNT

_TEST_CARDS: Final = (
    ("4242424242424242", "Succeeds"),
    ("4000000000000077", "Succeeds, and the money is available at once"),
    ("4000000000000002", "Is declined"),
    ("4000000000009995", "Has insufficient funds"),
    ("4000000000000069", "Has expired"),
    ("4000000000000127", "Has another security code"),
    ("4000002760003184", "Asks for 3-D Secure"),
    ("4000008260003178", "Asks for 3-D Secure, and has insufficient funds"),
    ("4000000000005126", "Succeeds; a refund fails later"),
)
_TEST_ACCOUNTS: Final = {
    US_BANK_ACCOUNT: (("000123456789", "Is debited"), ("000222222227", "Has insufficient funds, days later")),
    SEPA_DEBIT: (("AT611904300234573201", "Is debited"), ("AT861904300235473202", "Fails, days later")),
}
_ACCOUNT_LABELS: Final = {US_BANK_ACCOUNT: "Bank account number", SEPA_DEBIT: "IBAN"}
_CARD: Final = """
<h2>{verb} by card</h2>
{fields}
<button name="method" value="card">{says}</button>
<h2>Or use a test card</h2>
<ul class="plain">{cases}</ul>
"""
_DEBIT: Final = """
<h2>{verb} by bank debit</h2>
<p class="soft">The money comes, or does not, some time after you pay.</p>
<label for="account">{label}</label>
<input id="account" name="account" autocomplete="off">
<button name="method" value="{kind}" class="quiet">{says} from your bank</button>
<h2>Or use a test account</h2>
<ul class="plain">{cases}</ul>
"""
_CASE: Final = """
<li><button class="small quiet" name="{field}" value="{value}" aria-label="{shown}: {label}">{shown}</button>
<span>{label}</span></li>
"""
_SAVED: Final = """
<li><button class="small" name="saved" value="{method}">{says} with {label}</button>{remove}</li>
"""
_REMOVE: Final = """
<button class="small quiet" name="remove" value="{method}" aria-label="Remove {label}">Remove</button>
"""
_SAVED_LIST: Final = '<h2>Saved for you</h2><ul class="plain">{methods}</ul>'
_FREE: Final = '<button name="method" value="none">Complete the order</button>'


def ways(context: Context, session: Object, verb: str, says: str, *, needs_method: bool) -> Markup:
    """Every way to complete the session; ``says`` is what the buttons say."""
    if not needs_method:
        return Markup(_FREE)
    found = [_saved(context, session, says)]
    for kind in session["payment_method_types"]:
        if kind in _TEST_ACCOUNTS:
            cases = _cases("test_account", _TEST_ACCOUNTS[kind])
            found.append(fill(_DEBIT, verb=verb, label=_ACCOUNT_LABELS[kind], kind=kind, says=says, cases=cases))
        else:
            found.append(fill(_CARD, verb=verb, fields=CARD_FIELDS, says=says, cases=_cases("test_card", _TEST_CARDS)))
    return joined(found)


def _saved(context: Context, session: Object, says: str) -> Markup:
    options = session["saved_payment_method_options"] or {}
    removable = options.get("payment_method_remove") == "enabled"
    shown = []
    for method in paying_with.saved_methods(context, session):
        details = method[method["type"]]
        label = f"{details.get('brand', method['type'].replace('_', ' '))} ending in {details['last4']}"
        remove = fill(_REMOVE, method=method["id"], label=label) if removable else Markup()
        shown.append(fill(_SAVED, method=method["id"], says=says, label=label, remove=remove))
    return fill(_SAVED_LIST, methods=joined(shown)) if shown else Markup()


def _cases(field: str, cases: tuple[tuple[str, str], ...]) -> Markup:
    return joined(fill(_CASE, field=field, value=value, shown=_in_fours(value), label=label) for value, label in cases)


def _in_fours(number: str) -> str:
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))
