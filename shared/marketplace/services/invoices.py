"""Invoices: made by an operator for a customer, as drafts with their lines."""

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime
from typing import Any

from marketplace.domain.books import IdempotencyRecord
from marketplace.domain.combinations import TaxMode, Way, require_combination
from marketplace.domain.commands import CommandKind, record
from marketplace.domain.customers import Customer
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import InvalidBasket, NotFound
from marketplace.domain.fees import FeePolicy, require_fee_within
from marketplace.domain.invoice_splits import SplitBy
from marketplace.domain.invoices import AUTOMATIC, BY_MAIL, Invoice, InvoiceLine, next_look
from marketplace.domain.merchants import Merchant
from marketplace.domain.money import require_payable
from marketplace.domain.portions import TaxLiability
from marketplace.domain.principals import Principal, Role
from marketplace.domain.splits import ASKED_FEE
from marketplace.domain.transactions import MOST_LINE_ITEMS, ChargeType
from marketplace.ports import Create, Ports, Ref
from marketplace.services.baskets import MOST_QUANTITY
from marketplace.services.commands import perform_once, replay, require_done
from marketplace.services.customers import at_stripe
from marketplace.services.discounts import Given, discount_params, discount_refs, given, tax_params
from marketplace.services.idempotency import Once
from marketplace.services.invoice_commands import CREATE_INVOICE
from marketplace.services.invoice_following import stored_invoice
from marketplace.services.sellable import require_can_be_liable, require_sellable, require_settlement_merchant
from marketplace.services.terms import Terms, require_usable, terms_of


@dataclass(frozen=True, kw_only=True)
class NewInvoice:
    """What is asked for. ``due_date`` makes it one that is mailed, and paid by then; without it is charged.

    ``application_fee_amount`` None leaves the fee to the lines, and to the merchant's policy for those that name none.
    ``on_behalf_of`` puts the merchant's name on it, as whose sale it settles. ``automatic_tax`` None is by policy,
    and so is ``tax_liability``.
    """

    merchant_id: str
    customer_id: str
    currency: str
    lines: tuple[InvoiceLine, ...]
    due_date: datetime | None = None
    description: str | None = None
    application_fee_amount: int | None = None
    on_behalf_of: bool = False
    automatic_tax: bool | None = None
    tax_liability: TaxLiability | None = None
    coupon_id: str | None = None
    promotion_code: str | None = None  # as buyers know it
    metadata: Mapping[str, str] = field(default_factory=dict)


def create_invoice(ports: Ports, caller: Principal, wanted: NewInvoice, once: Once) -> Invoice:
    """Make a draft with its lines. From the first commit on a crash delays it and repeats nothing.

    Raises:
        NotAllowed, InvalidBasket, InvalidAmount, FeeExceedsAmount, MerchantNotReady, CurrencyNotAccepted,
        CustomerNotReady, RegionNotSupported, CombinationRefused, DiscountNotUsable, InvalidCoupon, StripeRefused,
        IdempotencyKeyReused, RequestUnderWay.
        NotFound: no such merchant, customer, coupon or code.
        OutcomeUnknown: it is made without the caller; the same key gives it later.
    """
    caller.require(Role.OPERATOR)
    key, buyer, seller = (
        Ref(IdempotencyRecord, once.scope), Ref(Customer, wanted.customer_id), Ref(Merchant, wanted.merchant_id)
    )  # fmt: skip
    found = ports.store.get(key, buyer, seller, *discount_refs(wanted.coupon_id, wanted.promotion_code))
    used, customer, merchant = found(key), found(buyer), found(seller)
    if used is not None:
        return stored_invoice(ports, require_done(replay(ports, CREATE_INVOICE, once, used)).result)
    if merchant is None or customer is None:
        raise NotFound("merchant" if merchant is None else "customer")
    discount = given(ports, found, wanted.coupon_id, wanted.promotion_code)
    invoice = _planned(ports, wanted, merchant, discount)
    command_id = ports.ids.new("command")
    command = record(
        command_id=command_id,
        subject=invoice.id,
        kind=CommandKind.CREATE_INVOICE,
        params=invoice_params(wanted, invoice, discount, merchant, at_stripe(customer), command_id),
        result=invoice.id,
        now=invoice.created_at,
    )
    invoice = replace(invoice, changed_by=command_id)
    done = require_done(perform_once(ports, CREATE_INVOICE, once, command, invoice, Create(invoice)))
    return stored_invoice(ports, done.result)


def invoice_params(
    wanted: NewInvoice, invoice: Invoice, discount: Given, merchant: Merchant, stripe_customer_id: str, command_id: str
) -> dict[str, Any]:
    """What Stripe is asked for (`/v1/invoices`). It advances by nobody's hand but ours."""
    due = (
        {"collection_method": AUTOMATIC}
        if wanted.due_date is None
        else {"collection_method": BY_MAIL, "due_date": int(wanted.due_date.timestamp())}
    )
    return {
        "customer": stripe_customer_id,
        "currency": wanted.currency,
        "auto_advance": False,
        "pending_invoice_items_behavior": "exclude",
        "metadata": {**wanted.metadata, "invoice_id": invoice.id, "command_id": command_id},
        **due,
        **tax_params(invoice.liable, merchant.account_id),
        **discount_params(discount, allow_promotion_codes=False),
        **({"description": wanted.description} if wanted.description else {}),
        **({"on_behalf_of": invoice.on_behalf_of} if invoice.on_behalf_of else {}),
    }


def _planned(ports: Ports, wanted: NewInvoice, merchant: Merchant, discount: Given) -> Invoice:
    """The record of an invoice to be, or the reason why there can be none."""
    if not 0 < len(wanted.lines) <= MOST_LINE_ITEMS:
        raise InvalidBasket(f"an invoice has 1 to {MOST_LINE_ITEMS} lines")
    for line in wanted.lines:
        require_payable(line.unit_amount, wanted.currency)
        if not 0 < line.quantity <= MOST_QUANTITY:
            raise InvalidBasket(f"a quantity is from 1 to {MOST_QUANTITY}")
        if line.fee is not None:
            require_fee_within(line.fee, line.amount, wanted.currency)
    require_sellable(merchant, wanted.currency, ChargeType.SEPARATE, ports.policy)
    if wanted.on_behalf_of:
        require_settlement_merchant(merchant, ChargeType.SEPARATE, ports.policy.money)
    terms = _terms(ports, wanted, discount)
    require_can_be_liable(merchant, terms.liable)
    now = ports.clock.now()
    if wanted.due_date is not None and wanted.due_date <= now:
        raise InvalidBasket("an invoice is due in the future")
    invoice = Invoice(
        id=ports.ids.new("invoice"),
        merchant_id=merchant.id,
        customer_id=wanted.customer_id,
        currency=wanted.currency,
        fee_policy=_fee_policy(wanted, merchant.fee_policy or ports.policy.fee),
        split=SplitBy.AMOUNT if terms.are_usual else SplitBy.TRANSFER,
        lines=wanted.lines,
        metadata=wanted.metadata,
        on_behalf_of=merchant.account_id if wanted.on_behalf_of else None,
        automatic_tax=terms.tax is not TaxMode.NONE,
        tax_liability=terms.tax_liability,
        coupon_id=terms.coupon.id if terms.coupon else None,
        promotion_code=wanted.promotion_code,
        created_at=now,
    )
    return replace(invoice, due_at=next_look(invoice, now))


def _terms(ports: Ports, wanted: NewInvoice, discount: Given) -> Terms:
    """Tax and discount of an invoice. Raises CombinationRefused, DiscountNotUsable."""
    coupon = discount.coupon
    terms = terms_of(
        ports.policy,
        Way.INVOICE,
        automatic_tax=wanted.automatic_tax,
        tax_liability=wanted.tax_liability,
        allow_promotion_codes=None,
        coupon=coupon,
    )
    charge_type = ChargeType.DESTINATION if terms.are_usual else ChargeType.SEPARATE
    require_combination(Way.INVOICE, charge_type, *terms.modes)
    if coupon is not None:
        require_usable(coupon, (wanted.merchant_id,), wanted.currency, is_inline=True)
    return terms


def _fee_policy(wanted: NewInvoice, policy: FeePolicy) -> Mapping[str, Any]:
    """The merchant's policy, or the fee as it was asked for: of the whole, or of some of the lines."""
    total, asked = sum(line.amount for line in wanted.lines), wanted.application_fee_amount
    named = [line.fee for line in wanted.lines if line.fee is not None]
    if asked is None and not named:
        return policy.as_data()
    if asked is None:
        rest = sum(line.amount for line in wanted.lines if line.fee is None)
        asked = sum(named) + (policy.fee(rest, wanted.currency) if rest else 0)
    require_fee_within(asked, total, wanted.currency)
    return {ASKED_FEE: asked}
