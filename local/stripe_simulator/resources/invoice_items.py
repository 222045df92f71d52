"""Invoice items: what a customer's next invoice, or a draft, is to charge for. https://docs.stripe.com/api/invoiceitems"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from .. import money
from ..catalog import PRICES, PRODUCTS, add_price, add_product
from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError
from ..invoices import drafts
from ..invoices import lines as invoice_lines
from ..invoices.items import add_item
from ..invoices.lines import DraftLine, of_price, pricing
from ..invoices.moments import now_for
from ..invoices.records import INVOICE_ITEMS, INVOICES, customer_of, lines_of
from ..metadata import merged
from ..pricing import discounts
from ..pricing.tax_rates import TAX_RATES
from ..routing import Routes
from ..state import public
from ..values import Object

routes = Routes(INVOICE_ITEMS)
_PATH: Final = "/v1/invoiceitems"
_UNSUPPORTED: Final = ("customer_account", "invoicing_rules", "quantity_decimal")


@routes.api("POST", _PATH)
def create(context: Context) -> Object:
    """An item for a draft, or for the customer's next invoice."""
    context.unsupported(*_UNSUPPORTED, "subscription")
    params = context.params
    draft = drafts.require_draft(context.state.get(INVOICES, params["invoice"])) if params.get("invoice") else None
    customer = _customer(context, draft)
    line = _line(context, customer, draft)
    item = add_item(context, customer, line, invoice=None)
    if draft:
        _onto(context, draft, [item])
    return context.state.get(INVOICE_ITEMS, item["id"])


@routes.api("GET", _PATH + "/{item}")
def retrieve(context: Context, item: str) -> Object:
    """The item as it stands."""
    return context.state.get(INVOICE_ITEMS, item)


@routes.api("POST", _PATH + "/{item}")
def update(context: Context, item: str) -> Object:
    """Change an item that is pending, or of a draft."""
    context.unsupported(*_UNSUPPORTED)
    before = context.state.get(INVOICE_ITEMS, item)
    draft = _editable(context, before)
    customer = customer_of(context, before["customer"])
    current = drafts.line_of_item(before)
    line = _changed(context, current, customer)
    changes = {
        "amount": line.amount,
        "description": line.description,
        "discountable": line.discountable,
        "discounts": list(line.discounts),
        "metadata": merged(before["metadata"], context.params.get("metadata")),
        "net_amount": line.amount,
        "period": {"end": line.period[1], "start": line.period[0]},
        "pricing": pricing(line.price, line.unit_amount_decimal),
        "quantity": line.quantity,
        "quantity_decimal": str(line.quantity),
        "tax_rates": [public(context.state.get(TAX_RATES, each)) for each in line.tax_rates],
        "_line": {**{name: getattr(line, name) for name in line.__dataclass_fields__}, "period": list(line.period)},
    }
    after = context.state.update(INVOICE_ITEMS, before, changes)
    if draft:
        _reprice(context, draft)
    return after


@routes.api("DELETE", _PATH + "/{item}")
def delete(context: Context, item: str) -> Object:
    """Take an item away from the draft it is of, or from what is pending."""
    found = context.state.get(INVOICE_ITEMS, item)
    draft = _editable(context, found)
    context.state.delete(INVOICE_ITEMS, item)
    context.emit("invoiceitem.deleted", found)
    if draft:
        _reprice(context, draft)
    return {"id": item, "object": "invoiceitem", "deleted": True}


@routes.api("GET", _PATH)
def list_items(context: Context) -> Object:
    """Items, newest first."""
    context.unsupported("customer_account")
    params = context.params
    return context.list(INVOICE_ITEMS, {name: params.get(name) for name in ("customer", "invoice", "pending")})


def assign(context: Context, draft: Object, item: str, param: str) -> None:
    """Let a draft take an item that is pending.

    Raises:
        InvalidParameterError: there is no such item of the draft's customer.
    """
    found = context.state.find(INVOICE_ITEMS, item)
    if found is None or found["customer"] != draft["customer"] or found["invoice"]:
        raise InvalidParameterError(f"No such pending invoice item: '{item}'", code="resource_missing", param=param)
    if found["currency"] != draft["currency"]:
        raise InvalidParameterError(f"The item is in {found['currency']}, not {draft['currency']}.", param=param)
    _onto(context, context.state.get(INVOICES, draft["id"]), [found])


def unassign(context: Context, draft: Object, item: Object) -> None:
    """Let an item of a draft be pending again."""
    context.state.update(INVOICE_ITEMS, item, {"invoice": None})
    _reprice(context, context.state.get(INVOICES, draft["id"]))


def _onto(context: Context, draft: Object, items: list[Object]) -> None:
    lines = invoice_lines.drafts_of(lines_of(context.state, draft))
    drafts.reprice(context, draft, [*lines, *drafts.take_items(context, draft, items)])


def _reprice(context: Context, draft: Object) -> None:
    """The draft with its items as they now are, and the lines that are none."""
    items = {item["id"]: item for item in context.state.select(INVOICE_ITEMS, {"invoice": draft["id"]})}
    lines: list[DraftLine] = []
    for line in invoice_lines.drafts_of(lines_of(context.state, draft)):
        named = invoice_lines.item_of(line.parent)
        if named is None:
            lines.append(line)
        elif named in items:
            lines.append(drafts.line_of_item(items[named]))
    drafts.reprice(context, draft, lines)


def _editable(context: Context, item: Object) -> Object | None:
    """The draft that an item is of, if it is of one.

    Raises:
        InvalidRequestError: its invoice is finalized.
    """
    return drafts.require_draft(context.state.get(INVOICES, item["invoice"])) if item["invoice"] else None


def _customer(context: Context, draft: Object | None) -> Object:
    named = context.params.get("customer") or (draft["customer"] if draft else None)
    found = context.state.find("customer", named) if named else None
    if found is None or "deleted" in found:
        code = "resource_missing" if named else "parameter_missing"
        raise InvalidParameterError(f"No such customer: '{named}'", code=code, param="customer")
    if draft and draft["customer"] != found["id"]:
        raise InvalidRequestError("The invoice is another customer's.", param="invoice")
    return found


def _line(context: Context, customer: Object, draft: Object | None) -> DraftLine:
    params = context.params
    currency = params.get("currency") or (draft["currency"] if draft else customer["currency"])
    code = money.currency_code(currency or context.settings.default_currency)
    now = now_for(context, customer)
    return _changed(context, DraftLine(amount=0, currency=code, period=(now, now)), customer, is_new=True)


def _changed(context: Context, line: DraftLine, customer: Object, *, is_new: bool = False) -> DraftLine:
    """The line with what the request says of it."""
    params = context.params
    price = _price(context, line.currency)
    quantity = params.get("quantity", line.quantity)
    if price is not None:
        made = of_price(context, price, quantity, description=params.get("description"))
        line = replace(
            line, amount=made.amount, quantity=quantity, description=made.description, price=price,
            unit_amount_decimal=made.unit_amount_decimal, tax_behavior=made.tax_behavior, tax_code=made.tax_code,
        )  # fmt: skip
    elif "amount" in params:
        _check_step(params["amount"], line.currency)
        line = replace(line, amount=params["amount"], quantity=quantity)
    elif "unit_amount_decimal" in params:
        exact = params["unit_amount_decimal"] * quantity
        amount = money.Rounding.HALF_UP.whole(exact, line.currency)
        line = replace(line, amount=amount, quantity=quantity, unit_amount_decimal=str(params["unit_amount_decimal"]))
    elif "quantity" in params and line.price is not None:
        made = of_price(context, line.price, quantity, description=line.description)
        line = replace(line, amount=made.amount, quantity=quantity)
    elif is_new:
        raise InvalidParameterError(
            "You must specify either `amount`, `unit_amount_decimal`, `pricing` or `price_data`.",
            code="parameter_missing",
            param="amount",
        )
    if "discounts" in params:
        given = params["discounts"] or ()
        applied = discounts.resolve(context, given, customer=customer, currency=line.currency, subtotal=line.amount)
        kept = discounts.keep(context, applied, customer=customer["id"], invoice_item="pending")
        line = replace(line, discounts=tuple(each["id"] for each in kept))
    if "period" in params:
        line = replace(line, period=(params["period"]["start"], params["period"]["end"]))
    if "tax_rates" in params:
        line = replace(line, tax_rates=invoice_lines.rates(context, params["tax_rates"] or ()))
    simple: dict[str, Any] = {
        name: params[name] for name in ("description", "discountable", "tax_behavior", "tax_code") if name in params
    }
    if "metadata" in params:
        simple["metadata"] = merged(line.metadata, params["metadata"])
    return replace(line, **simple)


def _price(context: Context, currency: str) -> Object | None:
    params: Mapping[str, Any] = context.params
    named = (params.get("pricing") or {}).get("price")
    if named:
        price = context.state.get(PRICES, named, param="pricing[price]")
        if price["type"] != "one_time":
            raise InvalidParameterError(
                "The price specified is set to `type=recurring` but this field only accepts prices with "
                "`type=one_time`.",
                param="pricing[price]",
            )
        if price["currency"] != currency:
            raise InvalidParameterError(
                f"The price is in {price['currency']}, the item in {currency}.", param="pricing[price]"
            )
        return price
    given = params.get("price_data")
    if not given:
        return None
    if ("product" in given) == ("product_data" in given):
        raise InvalidParameterError("You must specify either `product` or `product_data`.", param="price_data[product]")
    if "product" in given:
        product = context.state.get(PRODUCTS, given["product"], param="price_data[product]")
    else:  # only lines of invoices have it
        product = add_product(context, {**given["product_data"], "active": False})
    shown = {name: each for name, each in given.items() if name not in ("product", "product_data")}
    return add_price(context, {**shown, "active": False}, product["id"])


def _check_step(amount: int, currency: str) -> None:
    money.check_amount(abs(amount), currency)
