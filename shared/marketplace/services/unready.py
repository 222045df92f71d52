"""Money that waits for a merchant that does not become ready: by policy it goes back to the buyers."""

from dataclasses import replace
from typing import Final

from marketplace.domain.books import Books
from marketplace.domain.money import smallest_payable
from marketplace.domain.principals import SYSTEM
from marketplace.domain.refund_plans import part_to_return
from marketplace.domain.shares import Hold, Share
from marketplace.ports import Ports
from marketplace.services.idempotency import Once
from marketplace.services.refunds import RefundRequest, request_refund
from marketplace.services.transactions import read_books

REASON: Final = "the merchant cannot be paid"


def refund_what_waited(ports: Ports, transaction_id: str, merchant_id: str) -> None:
    """Refund what of a share still waits for its merchant at the date that was told for it.

    An ordinary refund, with the platform's fee, asked for once: a repetition finds the one under way. One that Stripe
    refused is asked for again at the share's next look.

    Raises:
        StripeRefused, Unavailable.
    """
    books = read_books(ports, transaction_id)
    share = books.shares[merchant_id]
    is_time = share.refund_at is not None and share.refund_at <= ports.clock.now()
    if share.hold is not Hold.NOT_READY or not is_time or books.is_disputed:
        return
    amount = _amount(books, share)
    if not amount:
        return
    request = RefundRequest(
        transaction_id=transaction_id, amount=amount, merchant_id=merchant_id, refund_application_fee=True
    )
    key = f"{merchant_id} {books.payment.refund_count}"
    once = Once.of(SYSTEM, f"{REASON}: {transaction_id}", key, {"amount": amount}, subject=transaction_id)
    request_refund(ports, SYSTEM, request, once)


def _amount(books: Books, share: Share) -> int:
    """Minor units of the sale whose refund costs the merchant what waits for it, and nothing that it has."""
    merchant_id = share.merchant_id
    waiting = books.needed_moves(replace(share, hold=None)).send
    left = books.refundable_of(merchant_id)
    if waiting == share.own - books.given_back(merchant_id):
        return left
    step = smallest_payable(share.currency)

    def costs(amount: int) -> int:
        return part_to_return(books, merchant_id, amount, returns_fee=True).own

    amount = min(left, waiting * share.amount // share.own // step * step)
    while amount + step <= left and costs(amount + step) <= waiting:
        amount += step
    while costs(amount) > waiting:
        amount -= step
    return amount
