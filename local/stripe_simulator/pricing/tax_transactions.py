"""Tax transactions: tax that was collected, and what of it was given back.

Every line, and shipping, keeps what is ``_left`` of it to reverse, as (amount, tax); a reversal takes from it, and a
reversal of that reversal gives it back. https://docs.stripe.com/api/tax/transactions
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError, UnsupportedError
from ..lists import list_object
from ..metadata import merged
from ..money import Rounding, check_amount
from ..money import step as step_of
from ..shelves import Collection
from ..state import State, public
from ..values import Json, Object
from .sums import spread
from .tax_calculations import CALCULATION_LINES, standing

SHIPPING: Final = "shipping_cost"
_COPIED: Final = ("currency", "customer", "customer_details", "ship_from_details", "tax_date")


def _lines_of(state: State, transaction: Object) -> Json:
    found = state.select(TRANSACTION_LINES, {"_transaction": transaction["id"]})
    return list_object([public(line) for line in found], f"/v1/tax/transactions/{transaction['id']}/line_items")


TRANSACTIONS: Final = Collection("tax.transaction", indexes=("reference",), expands={"line_items": _lines_of})
TRANSACTION_LINES: Final = Collection("tax.transaction_line_item", indexes=("_transaction",))


class _Part(NamedTuple):
    """What a reversal takes of a line or of shipping: amounts with the sign that they are shown with."""

    of: Object
    amount: int
    tax: int
    told: Mapping[str, Any] = {}


def record(context: Context, params: Mapping[str, Any]) -> Object:
    """A transaction of a calculation, kept.

    Raises:
        InvalidRequestError: the calculation has expired, the reference is taken, the moment is not between the two.
    """
    calculation = standing(context, params["calculation"], param="calculation")
    _require_free(context, params["reference"])
    shipping = calculation["shipping_cost"]
    transaction = _kept(
        context,
        calculation,
        params,
        posted_at=_posted_at(context, params, calculation),
        shipping_cost=shipping and {name: value for name, value in shipping.items() if name != "tax_breakdown"},
        reversal=None,
    )
    lines = list(context.state.select(CALCULATION_LINES, {"_calculation": calculation["id"]}))
    for line in reversed(lines):  # a list shows the newest first
        told = {name: line[name] for name in ("metadata", "quantity", "reference")}
        _keep_line(context, transaction, line, _Part(line, line["amount"], line["amount_tax"], told), reversal=None)
    return transaction


def reverse(context: Context, params: Mapping[str, Any]) -> Object:
    """A reversal of a transaction, in full or in part, kept.

    Raises:
        InvalidRequestError: more than is left, or nothing; the reference is taken.
    """
    original = context.state.get(TRANSACTIONS, params["original_transaction"], param="original_transaction")
    _require_free(context, params["reference"])
    parts = [part for part in _parts(context, original, params) if part.amount or part.tax]
    if not parts:
        raise InvalidRequestError(
            f"There is nothing left to reverse of the transaction {original['id']}.", param="original_transaction"
        )
    shipping = next((part for part in parts if part.of["id"] == original["id"]), None)
    transaction = _kept(
        context,
        original,
        params,
        posted_at=context.clock.now(),
        shipping_cost=shipping and {**original[SHIPPING], "amount": shipping.amount, "amount_tax": shipping.tax},
        reversal={"original_transaction": original["id"]},
    )
    if shipping:
        _take(context, TRANSACTIONS, shipping)
    for part in reversed([part for part in parts if part is not shipping]):
        _keep_line(context, transaction, part.of, part, reversal={"original_line_item": part.of["id"]})
        _take(context, TRANSACTION_LINES, part)
    return transaction


def _parts(context: Context, original: Object, params: Mapping[str, Any]) -> Iterable[_Part]:
    named = [name for name in ("flat_amount", "line_items", SHIPPING) if name in params]
    if params["mode"] == "full":
        if named:
            raise InvalidParameterError(f"`{named[0]}` is only for partial reversals.", param=named[0])
        return _all(context, original)
    if not named or (len(named) > 1 and "flat_amount" in named):
        raise InvalidParameterError(
            "A partial reversal needs either `flat_amount`, or `line_items` or `shipping_cost` or both.",
            code=None if named else "parameter_missing",
            param="line_items",
        )
    if original["type"] == "reversal":
        raise InvalidRequestError("A reversal can only be reversed in full.", param="mode")
    if "flat_amount" in params:
        return _in_proportion(context, original, params["flat_amount"])
    return _named(context, original, params)


def _all(context: Context, original: Object) -> Iterable[_Part]:
    """All that is left of the lines and of shipping; of a reversal, it is given back to what it was taken from."""
    if original["type"] == "reversal" and _is_undoing(context, original):
        raise UnsupportedError("the reversal of a reversal's reversal")
    for each in _reversible(context, original):
        amount, tax = each["_left"]
        yield _Part(each, -amount, -tax)


def _in_proportion(context: Context, original: Object, flat: int) -> Iterable[_Part]:
    """A flat amount, tax included, spread over what is left; tax is in each share as it is in what is left."""
    currency, found = original["currency"], _reversible(context, original)
    totals = [_total(each, *each["_left"]) for each in found]
    _check_part(-flat, sum(totals), "flat_amount", currency)
    for each, total, share in zip(found, totals, spread(-flat, totals, step_of(currency)), strict=True):
        left_tax = each["_left"][1]
        tax = Rounding.HALF_UP.whole(Decimal(share) * left_tax / total, currency) if total else 0
        yield _Part(each, -share if _behavior(each) == "inclusive" else tax - share, -tax)


def _named(context: Context, original: Object, params: Mapping[str, Any]) -> Iterable[_Part]:
    lines = {line["id"]: line for line in _lines(context, original)}
    for at, given in enumerate(params.get("line_items", ())):
        param = f"line_items[{at}]"
        line = lines.pop(given["original_line_item"], None)
        if line is None:
            raise InvalidParameterError(
                f"The transaction has no line item '{given['original_line_item']}', or it is given twice.",
                code="resource_missing",
                param=f"{param}[original_line_item]",
            )
        yield _part(line, given, param, original["currency"])
    if SHIPPING in params:
        if original[SHIPPING] is None:
            raise InvalidParameterError("The transaction has no shipping cost.", param=SHIPPING)
        yield _part(original, params[SHIPPING], SHIPPING, original["currency"])


def _part(each: Object, given: Mapping[str, Any], param: str, currency: str) -> _Part:
    for name, left in zip(("amount", "amount_tax"), each["_left"], strict=True):
        _check_part(-given[name], left, f"{param}[{name}]", currency)
    told = {name: given[name] for name in ("metadata", "quantity", "reference") if name in given}
    return _Part(each, given["amount"], given["amount_tax"], told)


def _check_part(amount: int, left: int, param: str, currency: str) -> None:
    if amount < 0:
        raise InvalidParameterError("This value must be less than or equal to 0.", param=param)
    check_amount(amount, currency, param)
    if amount > left:
        raise InvalidRequestError(f"You cannot reverse more than is left: {left}.", param=param)


def _reversible(context: Context, transaction: Object) -> list[Object]:
    """Its lines, and itself for its shipping."""
    return [*_lines(context, transaction), *([transaction] if transaction[SHIPPING] else [])]


def _lines(context: Context, transaction: Object) -> list[Object]:
    return list(context.state.select(TRANSACTION_LINES, {"_transaction": transaction["id"]}))


def _behavior(each: Object) -> str:
    return str((each if "tax_behavior" in each else each[SHIPPING])["tax_behavior"])


def _total(each: Object, amount: int, tax: int) -> int:
    return amount + (tax if _behavior(each) == "exclusive" else 0)


def _is_undoing(context: Context, reversal: Object) -> bool:
    reversed_by_it = context.state.get(TRANSACTIONS, reversal["reversal"]["original_transaction"])
    return bool(reversed_by_it["type"] == "reversal")


def _take(context: Context, collection: Collection, part: _Part) -> None:
    """Take from what is left, and give it back to where a reversal took it from before."""
    amount, tax = context.state.get(collection, part.of["id"])["_left"]
    context.state.update(collection, part.of, {"_left": (amount + part.amount, tax + part.tax)})
    for source in (part.of["reversal"] or {}).values():
        _take(context, collection, part._replace(of=context.state.get(collection, source)))


def _kept(context: Context, source: Object, params: Mapping[str, Any], **members: Json) -> Object:
    shipping = members[SHIPPING]
    return context.state.insert(
        TRANSACTIONS,
        {
            "id": context.ids.new("tax"),
            "object": "tax.transaction",
            **{name: source[name] for name in _COPIED},
            "created": context.clock.now(),
            "livemode": False,
            "metadata": merged({}, params.get("metadata")),
            "reference": params["reference"],
            "type": "reversal" if members["reversal"] else "transaction",
            **members,
            "_left": (shipping["amount"], shipping["amount_tax"]) if shipping else (0, 0),
        },
    )


def _keep_line(
    context: Context, transaction: Object, source: Object, part: _Part, reversal: Mapping[str, str] | None
) -> None:
    copied = ("product", "quantity", "reference", "tax_behavior", "tax_code")
    line = {
        "id": context.ids.new("tax_li"),
        "object": "tax.transaction_line_item",
        "amount": part.amount,
        "amount_tax": part.tax,
        "livemode": False,
        "metadata": None,
        **{name: source[name] for name in copied},
        **part.told,
        "reversal": reversal,
        "type": transaction["type"],
        "_left": (part.amount, part.tax),
        "_transaction": transaction["id"],
    }
    context.state.insert(TRANSACTION_LINES, line)


def _posted_at(context: Context, params: Mapping[str, Any], calculation: Object) -> int:
    now, tax_date = context.clock.now(), calculation["tax_date"]
    posted_at: int = params.get("posted_at", now)
    if posted_at > now or posted_at < min(tax_date, now):
        raise InvalidParameterError("`posted_at` must be between the tax date and the current time.", param="posted_at")
    return posted_at


def _require_free(context: Context, reference: str) -> None:
    if context.state.first(TRANSACTIONS, {"reference": reference}):
        raise InvalidRequestError(
            f"A tax transaction with the reference '{reference}' already exists.",
            code="resource_already_exists",
            param="reference",
        )
