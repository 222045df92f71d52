"""What merchants owe: listed, and written off by an operator. It is netted and collected in services/shares.py."""

from typing import Final

from marketplace.domain import debts
from marketplace.domain.books import IdempotencyRecord
from marketplace.domain.debts import Debt
from marketplace.domain.errors import DebtNotOpen, NotFound, Unavailable
from marketplace.domain.principals import Principal, Role
from marketplace.domain.share_postings import write_off_entry
from marketplace.ports import Conflict, Create, Page, Ports, Ref, Replace, one
from marketplace.services.idempotency import Once
from marketplace.services.merchants import read_merchant

MOST_ROUNDS: Final = 5


def list_debts(ports: Ports, caller: Principal, merchant_id: str, *, cursor: str | None, limit: int) -> Page[Debt]:
    """What a merchant owes or has owed, newest first, to operators and itself. Raises NotFound, InvalidCursor."""
    read_merchant(ports, caller, merchant_id)
    return ports.store.debts(merchant_id, cursor=cursor, limit=limit)


def list_open_debts(ports: Ports, caller: Principal, *, cursor: str | None, limit: int) -> Page[Debt]:
    """What all merchants owe now, newest first. Raises NotAllowed, InvalidCursor."""
    caller.require(Role.OPERATOR)
    return ports.store.open_debts(cursor=cursor, limit=limit)


def read_debt(ports: Ports, caller: Principal, debt_id: str) -> Debt:
    """A debt, to operators and the merchant that owes it. Raises NotFound."""
    debt = one(ports.store, Ref(Debt, debt_id))
    if debt is None or not caller.sees_merchant(debt.merchant_id):
        raise NotFound("debt")
    return debt


def write_off(ports: Ports, caller: Principal, debt_id: str, reason: str, once: Once) -> Debt:
    """Give up what is left of a debt: it becomes the platform's loss, and nothing more is taken from the merchant.

    Raises:
        NotAllowed, NotFound, DebtNotOpen, IdempotencyKeyReused, Unavailable.
    """
    caller.require(Role.OPERATOR)
    for _ in range(MOST_ROUNDS):
        debt = read_debt(ports, caller, debt_id)
        used = one(ports.store, Ref(IdempotencyRecord, once.scope, once.subject))
        if used is not None:
            once.require_same(used)
            return debt
        if debt.collecting or not debt.rest:
            raise DebtNotOpen("nothing of it is open" if not debt.rest else "a part of it is being collected")
        now = ports.clock.now()
        given_up = Replace(debt, debts.write_off(debt, reason, now))
        changes = (Create(once.used_alone(debt.transaction_id, now)), given_up)
        try:
            ports.store.commit(*changes, Create(write_off_entry(debt, debt.rest, now)))
        except Conflict:
            continue
        return given_up.stored
    raise Unavailable("the debt keeps changing")
