"""What the platform pays of what a connected account has owed for too long.

https://docs.stripe.com/connect/account-balances#understanding-connected-reserve-balances
"""

from typing import Final

from ..accounts.checks import platform_bears_losses
from ..context import Context
from ..shelves import Collection
from . import exchange
from .balances import BALANCES, book

COLLECTION_TRANSFERS: Final = Collection(
    "connect_collection_transfer", expands={"destination": "account"}, found_anywhere=True
)


def collect(seller: Context, currency: str) -> None:
    """Even an account out that has had less than nothing for the whole time, when its losses are the platform's."""
    kept, now = seller.state.get(BALANCES, currency), seller.clock.now()
    since = kept["owes_since"]
    if since is None or since + seller.settings.collection_seconds > now or not platform_bears_losses(seller):
        return
    owed = -kept["available"] - kept["pending"]
    platform = seller.on_platform()
    transfer = {
        "id": seller.ids.new("connct"),
        "object": "connect_collection_transfer",
        "amount": owed,
        "currency": currency,
        "destination": seller.account,
        "livemode": False,
    }
    platform.state.insert(COLLECTION_TRANSFERS, transfer)
    kind, source = transfer["object"], transfer["id"]
    settlement = exchange.outgoing(platform, currency)
    book(platform, kind, -owed, currency, source=source, available_on=now, settlement=settlement)
    book(seller, kind, owed, currency, source=source, available_on=now)
