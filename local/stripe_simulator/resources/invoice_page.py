"""The hosted invoice page: what is owed, the PDF, and a way to pay. https://docs.stripe.com/invoicing/hosted-invoice-page

GET  /i/{invoice}      the invoice          GET /i/{invoice}/pdf    the same as a document
POST /i/{invoice}      pay it: ``card``, ``expiry``, ``cvc``, or ``test_card``
"""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from ..context import Context
from ..errors import StripeError
from ..funds import methods
from ..funds.intents import PAYMENT_INTENTS
from ..invoices import collecting, pdf
from ..invoices.records import INVOICES, OPEN, PAID, UNCOLLECTIBLE, lines_of
from ..money import amount_text
from ..pages import CARD_FIELDS, Markup, alert, fill, joined, page, text_of
from ..routing import Document, Html, Redirect, Routes
from ..values import Object

routes = Routes()
_TEST_CARDS: Final = (
    ("4242424242424242", "Succeeds"),
    ("4000000000000002", "Is declined"),
    ("4000002760003184", "Asks for 3-D Secure"),
)
_USUAL_YEARS_AHEAD: Final = 4
_LAST_MONTH: Final = 12
_STATUS: Final = {
    OPEN: "This invoice is open.",
    PAID: "This invoice was paid. Thank you.",
    UNCOLLECTIBLE: "This invoice was marked as uncollectible; it can still be paid.",
    "void": "This invoice was voided. Nothing is to be paid.",
}
_PAGE: Final = """
<section>
<p>{status}</p>
<dl><dt>Billed to</dt><dd>{customer}</dd><dt>Date</dt><dd>{date}</dd>{due}</dl>
<table><caption class="soft">What is charged</caption>
<thead><tr><th scope="col">Item</th><th scope="col">Amount</th></tr></thead>
<tbody>{lines}</tbody>
<tfoot>{totals}</tfoot></table>
<p><a href="/i/{invoice}/pdf">Download the invoice as a PDF</a></p>
</section>
{pay}
"""
_FORM: Final = """
<section><h2>Pay {amount}</h2>
<form method="post" action="/i/{invoice}">
{fields}
<button>Pay {amount}</button>
<h2>Or use a test card</h2>
<ul class="plain">{cases}</ul>
</form></section>
"""
_CASE: Final = """
<li><button class="small quiet" name="test_card" value="{card}" aria-label="{card}: {label}">{card}</button>
<span>{label}</span></li>
"""


@routes.page("GET", "/i/{invoice}")
def show(context: Context, invoice: str) -> Html:
    """The invoice, and how to pay it while it is open."""
    holder, found = _find(context, invoice)
    return _page(found, holder)


@routes.page("POST", "/i/{invoice}")
def submit(context: Context, invoice: str) -> Html | Redirect:
    """Pay, and go on to 3-D Secure where the bank asks for it; or show why not."""
    holder, found = _find(context, invoice)
    if found["status"] not in (OPEN, UNCOLLECTIBLE):
        return _page(found, holder, status=HTTPStatus.CONFLICT)
    try:
        method = _card(holder)
        back = f"{context.settings.base_url}/i/{invoice}"
        paid = collecting.collect(holder, found, method=method, off_session=False, return_url=back)
    except StripeError as error:
        return _page(holder.state.get(INVOICES, invoice), holder, error.message, status=error.http_status)
    intent = holder.state.get(PAYMENT_INTENTS, paid["_payment_intent"])
    if intent["status"] == "requires_action":
        return Redirect(f"/3ds/{intent['id']}")
    return Redirect(f"/i/{invoice}")


@routes.page("GET", "/i/{invoice}/pdf")
def document(context: Context, invoice: str) -> Document | Html:
    """The invoice as a PDF."""
    holder, found = _find(context, invoice)
    return Document(pdf.of_lines(_printed(found, holder), title=f"Invoice {found['number']}"), "application/pdf")


def _find(context: Context, invoice: str) -> tuple[Context, Object]:
    holder = context.on(context.state.holder_of(INVOICES, invoice).account)
    found = holder.state.get(INVOICES, invoice)
    if found["status"] == "draft":
        raise StripeError("This invoice is not finalized yet.", status=HTTPStatus.NOT_FOUND)
    return holder, found


def _card(context: Context) -> Object:
    fields = context.params
    number = text_of(fields, "test_card") or text_of(fields, "card")
    year = datetime.fromtimestamp(context.clock.now(), UTC).year + _USUAL_YEARS_AHEAD
    month, _, given_year = text_of(fields, "expiry").replace(" ", "").partition("/")
    exp = (int(month), int(given_year)) if month.isdecimal() and given_year.isdecimal() else (_LAST_MONTH, year)
    return methods.card(
        context, number=number, exp_month=exp[0], exp_year=exp[1], cvc=text_of(fields, "cvc") or None,
        billing_details={},
    )  # fmt: skip


def _page(invoice: Object, context: Context, problem: str = "", *, status: int = HTTPStatus.OK) -> Html:
    currency = invoice["currency"]
    rows = [
        fill("<tr><td>{what}</td><td>{amount}</td></tr>", what=line["description"] or "",
             amount=amount_text(line["amount"], currency))
        for line in lines_of(context.state, invoice)
    ]  # fmt: skip
    totals = [
        fill('<tr><th scope="row">{what}</th><td>{amount}</td></tr>', what=what, amount=amount)
        for what, amount in _totals(invoice)
    ]
    due = Markup()
    if invoice["due_date"]:
        due = fill("<dt>Due</dt><dd>{date}</dd>", date=_day(invoice["due_date"]))
    pays = invoice["status"] in (OPEN, UNCOLLECTIBLE) and invoice["amount_remaining"]
    body = fill(
        _PAGE,
        status=_STATUS[invoice["status"]],
        customer=invoice["customer_name"] or invoice["customer_email"] or invoice["customer"],
        date=_day(invoice["effective_at"]),
        due=due,
        lines=joined(rows),
        totals=joined(totals),
        invoice=invoice["id"],
        pay=_form(invoice) if pays else Markup(),
    )
    return page(
        f"Invoice {invoice['number']}", joined([alert(problem), body]), heading=f"Invoice {invoice['number']}",
        status=status,
    )  # fmt: skip


def _form(invoice: Object) -> Markup:
    cases = joined([fill(_CASE, card=card, label=label) for card, label in _TEST_CARDS])
    amount = amount_text(invoice["amount_remaining"], invoice["currency"])
    return fill(_FORM, amount=amount, fields=CARD_FIELDS, invoice=invoice["id"], cases=cases)


def _totals(invoice: Object) -> list[tuple[str, str]]:
    """What the lines add up to; what is nothing is left out."""
    discount = sum(each["amount"] for each in invoice["total_discount_amounts"])
    tax = sum(each["amount"] for each in invoice["total_taxes"] if each["tax_behavior"] == "exclusive")
    inside = sum(each["amount"] for each in invoice["total_taxes"] if each["tax_behavior"] == "inclusive")
    credited = invoice["pre_payment_credit_notes_amount"]
    named = [
        ("Subtotal", invoice["subtotal"]),
        ("Discount", -discount),
        ("Tax", tax),
        ("Tax, included", inside),
        ("Total", invoice["total"]),
        ("From the balance", invoice["amount_due"] + credited - invoice["total"]),
        ("Credit notes", -credited),
        ("Paid", -invoice["amount_paid"]),
    ]
    shown = [(what, amount) for what, amount in named if amount or what in ("Subtotal", "Total")]
    shown.append(("To pay", invoice["amount_remaining"]))
    return [(what, amount_text(amount, invoice["currency"])) for what, amount in shown]


def _printed(invoice: Object, context: Context) -> list[tuple[str, str]]:
    lines = [
        (line["description"] or "", amount_text(line["amount"], invoice["currency"]))
        for line in lines_of(context.state, invoice)
    ]
    head = [
        (f"Invoice {invoice['number']}", ""),
        (f"Date: {_day(invoice['effective_at'])}", ""),
        (f"Billed to: {invoice['customer_name'] or invoice['customer_email'] or invoice['customer']}", ""),
        (_STATUS[invoice["status"]], ""),
        ("", ""),
    ]
    return [*head, *lines, ("", ""), *_totals(invoice)]


def _day(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%B %d, %Y").replace(" 0", " ")
