"""Rounds through all connected accounts: what became of one is read once a day, whatever was told of it.

Stripe lists the events of an account with that account (``context``, https://docs.stripe.com/api/v2/core/events), so
that to ask for them is a call for each account, as it is to read the account itself: which says more, and does not end
after 30 days.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from marketplace.domain.catching_up import EventCheckpoint
from marketplace.domain.errors import Unavailable
from marketplace.domain.merchants import Merchant
from marketplace.domain.readings import AccountReading
from marketplace.ports import Ports, Replace
from marketplace.services.merchants import follow_account

ROUND_EVERY: Final = timedelta(days=1)
PAGE: Final = 100

Trouble = tuple[str, Exception]


def go_round(
    ports: Ports, checkpoint: EventCheckpoint, *, has_time: Callable[[], bool], is_asked: bool, troubles: list[Trouble]
) -> int:
    """Read the accounts where a round is due, under way or asked for; how many were. The next run goes on.

    Raises:
        Conflict: another run is at it.
        StripeUnavailable, Unavailable.
    """
    if checkpoint.cursor is None and not is_asked and ports.clock.now() < checkpoint.since + ROUND_EVERY:
        return 0
    looked_at = 0
    while has_time():
        page = ports.store.merchants(cursor=checkpoint.cursor, limit=PAGE)
        for merchant in page.items:
            if not has_time():
                return looked_at
            looked_at += _look_at(ports, merchant, troubles)
        since = ports.clock.now() if page.cursor is None else checkpoint.since
        moved = Replace(checkpoint, replace(checkpoint, since=since, cursor=page.cursor))
        ports.store.commit(moved)
        checkpoint = moved.stored
        if checkpoint.cursor is None:
            break
    return looked_at


def _look_at(ports: Ports, merchant: Merchant, troubles: list[Trouble]) -> bool:
    if merchant.account_id is None or merchant.is_gone:
        return False
    try:
        return follow_account(ports, AccountReading(account_id=merchant.account_id))
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - what one account meets must not keep the others waiting
        troubles.append((merchant.id, error))
        return False
