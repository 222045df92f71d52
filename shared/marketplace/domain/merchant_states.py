"""Where a merchant stands: one table."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class MerchantStatus(StrEnum):
    """Whether a merchant can be sold for. All but the first and REFUSED are read from its account."""

    REQUESTED = "requested"  # no account yet
    REFUSED = "refused"  # Stripe refused to make the account
    PENDING = "pending"  # Stripe is checking
    RESTRICTED = "restricted"  # cannot now; ``restriction`` says why, ``requirements`` what is missing
    READY = "ready"  # can receive transfers
    REJECTED = "rejected"  # Stripe, or the platform in Stripe's Dashboard, will not have it
    DEAUTHORIZED = "deauthorized"  # its owner took the account off the platform, which cannot reach it any more
    CLOSED = "closed"  # the account is no more


_S: Final = MerchantStatus
_SEEN: Final = frozenset({_S.PENDING, _S.RESTRICTED, _S.READY, _S.REJECTED})
GONE: Final = frozenset({_S.DEAUTHORIZED, _S.CLOSED})
# What an account says of itself goes back and forth; a rejection is taken back, an account comes back to the platform.
# Only a closed one stays closed.
TRANSITIONS: Final[Mapping[MerchantStatus, frozenset[MerchantStatus]]] = {
    _S.REQUESTED: _SEEN | GONE | {_S.REFUSED},
    _S.REFUSED: frozenset(),
    **{seen: (_SEEN | GONE) - {seen} for seen in MerchantStatus if seen in _SEEN},
    _S.DEAUTHORIZED: _SEEN | {_S.CLOSED},
    _S.CLOSED: frozenset(),
}
WAITING: Final = frozenset({_S.PENDING, _S.RESTRICTED})  # may become ready, by what it or Stripe does
LOST: Final = GONE | {_S.REJECTED, _S.REFUSED}  # will not become ready by itself
