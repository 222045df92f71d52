"""What ends with a merchant's sales: the pages that were left open for them. The sweep carries it out.

Whatever else is to end with them is ended by ``end_sales``, which comes again until it is done.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from marketplace.domain.errors import RequestUnderWay
from marketplace.domain.merchants import Merchant
from marketplace.domain.transactions import TransactionStatus
from marketplace.ports import Ports, Replace
from marketplace.services.accounts import get_merchant
from marketplace.services.checkout import SESSION_LIFETIME, end_session
from marketplace.services.sellable import can_be_sold_for
from marketplace.services.transactions import read_books

PAGE: Final = 100
MOST_AT_ONCE: Final = 20  # sessions that one look ends: each is a call to Stripe, and a run of the sweep has 50 seconds
FIRST_PAUSE: Final = timedelta(minutes=1)  # a request that found the merchant ready has ended by then
LOOKED_FOR: Final = 2 * SESSION_LIFETIME  # a session may be made long after its sale was planned, where Stripe was down


def end_sales(ports: Ports, merchant_id: str) -> None:
    """End the open sessions that a merchant cannot be paid by now, newest first, a bounded number at each look.

    A sale that is planned meanwhile, or whose session is made late, is found by the next look: there is one after
    growing pauses, for as long as such a session can turn up.

    Raises:
        Conflict: the merchant has moved on; it stays due.
        Unavailable.
    """
    merchant, now = get_merchant(ports, merchant_id), ports.clock.now()
    cursor = merchant.sessions_cursor
    page = ports.store.transactions(merchant_id=merchant_id, customer_id=None, cursor=cursor, limit=PAGE)
    young = [(sale, payment) for sale, payment in page.items if now - sale.created_at < LOOKED_FOR]
    to_end = [
        sale.id
        for sale, payment in young
        if payment.status is TransactionStatus.OPEN
        and not can_be_sold_for(merchant, sale.charge_type, ports.policy.money)
    ]
    for transaction_id in to_end[:MOST_AT_ONCE]:
        books = read_books(ports, transaction_id)
        if books.payment.status is TransactionStatus.OPEN:  # the list may be a moment behind
            with suppress(RequestUnderWay):
                end_session(ports, books)
    if len(to_end) > MOST_AT_ONCE:
        return  # the rest of this page, when the sweep comes again
    goes_on = page.cursor is not None and len(young) == len(page.items)
    due_at = now if goes_on else _next_look(merchant, now)
    after = replace(merchant, due_at=due_at, sessions_cursor=page.cursor if goes_on else None)
    ports.store.commit(Replace(merchant, after))


def _next_look(merchant: Merchant, now: datetime) -> datetime | None:
    passed = now - (merchant.status_since or merchant.created_at)
    return None if merchant.is_ready or passed > LOOKED_FOR else now + max(passed, FIRST_PAUSE)
