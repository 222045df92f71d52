"""What a person can let happen to an object at the laboratory: the forms of its page, and the orders that they give."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from .accounts import banks
from .accounts.onboarding import COMPLETE, REJECT
from .errors import InvalidParameterError
from .funds.dispute_records import REASONS
from .funds.radar import FRAUD_TYPES
from .laboratory_parts import options, words
from .pages import Markup, fill, joined
from .values import Object

_YES: Final = ("no", "yes")


class Field(NamedTuple):
    """One field of a form. With ``choices`` it is a select; ``is_number`` and ``is_flag`` say what its text means."""

    name: str
    label: str
    choices: tuple[str, ...] = ()
    is_number: bool = False
    is_flag: bool = False


class Act(NamedTuple):
    """One form: the order that it gives (``{id}`` is the object's), and the statuses that it suits; none is any."""

    name: str
    says: str
    path: str
    fields: tuple[Field, ...] = ()
    statuses: frozenset[str] = frozenset()


_AMOUNT: Final = Field("amount", "Amount in the minor unit (all of it when empty)", is_number=True)
ACTS: Final[Mapping[str, tuple[Act, ...]]] = {
    "account": (
        Act("onboard", "End its onboarding", "/_simulator/accounts/{id}/onboarding",
            (Field("action", "How", (COMPLETE, REJECT)),)),
        Act("capability", "Change a capability", "/_simulator/accounts/{id}/capabilities",
            (Field("capability", "Capability", ("transfers", "card_payments", "payouts")),
             Field("status", "Status", ("active", "restricted", "pending", "computed")))),
        Act("deauthorize", "Let it leave the platform", "/_simulator/accounts/{id}/deauthorize"),
    ),
    "charge": (
        Act("dispute", "Open a dispute", "/_simulator/charges/{id}/dispute",
            (_AMOUNT, Field("reason", "Reason", ("fraudulent", *(each for each in REASONS if each != "fraudulent"))),
             Field("inquiry", "Only an inquiry", _YES, is_flag=True)), frozenset({"succeeded"})),
        Act("warn", "Let its issuer warn of fraud", "/_simulator/charges/{id}/early_fraud_warning",
            (Field("fraud_type", "Kind", tuple(FRAUD_TYPES)),), frozenset({"succeeded"})),
    ),
    "dispute": (
        Act("decide", "Let the bank decide", "/_simulator/disputes/{id}/decide",
            (Field("outcome", "Outcome", ("won", "lost", "escalated", "closed")),),
            frozenset({"needs_response", "under_review", "warning_needs_response", "warning_under_review"})),
    ),
    "event": (Act("resend", "Send it again", "/_simulator/events/{id}/redeliver"),),
    "v2.core.event": (Act("resend", "Send it again", "/_simulator/events/{id}/redeliver"),),
    "payment_intent": (
        Act("settle", "Let the bank answer", "/_simulator/payment_intents/{id}/settle",
            (Field("outcome", "Outcome", ("succeeded", "failed")),), frozenset({"processing"})),
    ),
    "payout": (
        Act("fail", "Let it fail", "/_simulator/payouts/{id}/fail",
            (Field("failure_code", "Why", tuple(banks.FAILURES)),), frozenset({"pending", "in_transit", "paid"})),
    ),
    "topup": (Act("fail", "Let it fail", "/_simulator/topups/{id}/fail", (), frozenset({"pending"})),),
}  # fmt: skip
_FORM: Final = """
<section><h2>{says}</h2>
<form method="post" action="/_simulator/page/objects/{id}/{name}">{fields}<button>{says}</button></form></section>
"""
_INPUT: Final = '<label for="{key}">{label}</label><input id="{key}" name="{name}"{kind}>'
_SELECT: Final = '<label for="{key}">{label}</label><select id="{key}" name="{name}">{options}</select>'


def offered(collection: str, item: Object) -> tuple[Act, ...]:
    """The acts that suit an object as it stands."""
    return tuple(act for act in ACTS.get(collection, ()) if not act.statuses or item.get("status") in act.statuses)


def forms(collection: str, object_id: str, item: Object) -> Markup:
    """A form for each of them."""
    return joined(
        fill(_FORM, says=act.says, id=object_id, name=act.name, fields=joined(_field(act, each) for each in act.fields))
        for act in offered(collection, item)
    )


def order(act: Act, form: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of an act's order, from what was filled in.

    Raises:
        InvalidParameterError: a number that is none.
    """
    params: dict[str, Any] = {}
    for field in act.fields:
        text = str(form.get(field.name) or "")
        if not text:
            continue
        if field.is_number and not text.isdecimal():
            raise InvalidParameterError(f"{field.label}: give a whole number.", param=field.name)
        params[field.name] = int(text) if field.is_number else text == "yes" if field.is_flag else text
    return params


def _field(act: Act, field: Field) -> Markup:
    key = f"{act.name}-{field.name}"
    if field.choices:
        choices = options((each, words(each)) for each in field.choices)
        return fill(_SELECT, key=key, label=field.label, name=field.name, options=choices)
    kind = Markup(' inputmode="numeric"') if field.is_number else Markup()
    return fill(_INPUT, key=key, label=field.label, name=field.name, kind=kind)
