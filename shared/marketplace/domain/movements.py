"""Movements of a merchant's share: transfers to it and their reversals, each with where it stands."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from marketplace.domain.deferred import dataclass
from marketplace.domain.states import require_transition


class MovementStatus(StrEnum):
    """Where a transfer or a reversal stands."""

    REQUESTED = "requested"  # its command is durable; its amount counts as moved
    UNKNOWN = "unknown"  # Stripe did not answer; it counts as moved until that is known
    SUCCEEDED = "succeeded"
    REFUSED = "refused"  # Stripe's definite no: nothing moved


_S = MovementStatus
TRANSITIONS: Final[Mapping[MovementStatus, frozenset[MovementStatus]]] = {
    _S.REQUESTED: frozenset({_S.UNKNOWN, _S.SUCCEEDED, _S.REFUSED}),
    _S.UNKNOWN: frozenset({_S.UNKNOWN, _S.SUCCEEDED, _S.REFUSED}),
    _S.SUCCEEDED: frozenset(),
    _S.REFUSED: frozenset(),
}


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """Money on its way to the merchant, or there. Amounts are minor units."""

    id: str
    command_id: str | None  # None where Stripe made it, for a destination charge
    amount: int
    status: MovementStatus = MovementStatus.REQUESTED
    stripe_transfer_id: str | None = None
    destination_payment_id: str | None = None  # the merchant's own charge (``py_``)
    refusal: str | None = None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Reversal:
    """Money on its way back from the merchant, or here again. ``cause`` is a refund, a dispute, or a reason."""

    id: str
    transfer_id: str
    command_id: str | None  # None where the merchant or the Dashboard made it
    amount: int
    cause: str
    debt_id: str | None = None  # the debt that it collects
    status: MovementStatus = MovementStatus.REQUESTED
    stripe_reversal_id: str | None = None
    refusal: str | None = None
    is_by_hand: bool = False  # an operator took it back: the money is the merchant's still, and held
    created_at: datetime


def move_on[M: (Transfer, Reversal)](movement: M, status: MovementStatus, **known: str | None) -> M:
    """The movement with where it stands now and what is known of it."""
    require_transition(TRANSITIONS, movement.status, status)
    changes: dict[str, Any] = {name: value for name, value in known.items() if value is not None}
    return replace(movement, status=status, **changes)
