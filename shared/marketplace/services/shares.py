"""Even out what merchants have with what they are entitled to: transfers, reversals, debts, all by commands.

Whoever changes what a merchant is entitled to touches its share in the same commit, and evens it out after that; where
he dies between the two, the sweep does. One share is one commit: a cart of any size, with any debts, is settled in
commits of bounded size, and no two of them can move the same money.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from marketplace.domain import debts, shares
from marketplace.domain.books import Books
from marketplace.domain.commands import Command, CommandKind, record
from marketplace.domain.debts import COLLECT_AGAIN, MOST_OPEN_DEBTS, Debt, DebtStatus
from marketplace.domain.errors import Unavailable
from marketplace.domain.holds import HOLD_NEAR, LONGEST_HOLD, refund_date
from marketplace.domain.ids import owner_of
from marketplace.domain.merchants import Merchant
from marketplace.domain.movements import Reversal, Transfer
from marketplace.domain.policies import Shortfall
from marketplace.domain.share_postings import debt_entry, netting_entry, write_off_entry
from marketplace.domain.shares import DebtPart, Hold, Share
from marketplace.domain.transactions import ChargeType
from marketplace.ports import Change, Conflict, Create, Ports, Ref, Replace, one
from marketplace.services.commands import MOST_COMMIT_TRIES, evens_out, follow_up
from marketplace.services.transactions import read_books

MOST_WOKEN: Final = 50  # shares of a merchant that are paid at once when it becomes ready
BORNE_BY_POLICY: Final = "the platform bears what merchants lack for refunds"
TRY_AGAIN: Final = timedelta(hours=6)  # after Stripe refused a transfer, or while a merchant is not ready


class Step(NamedTuple):
    """A share after its moves, and what else is written with it."""

    share: Share
    changes: Sequence[Change] = ()


def touched(books: Books, merchants: Iterable[str], cause: str, now: datetime) -> list[Change]:
    """The shares of merchants whose entitlement a commit changes: to be evened out by whoever commits, or the sweep.

    Each is written, be it only to count its version on: whoever decided on the same share meanwhile decides again.
    """
    found = [books.shares[merchant_id] for merchant_id in merchants]
    return [Replace(share, shares.touch(share, cause, now)) for share in found]


@evens_out
def even_out(ports: Ports, transaction_id: str, merchant_id: str) -> None:
    """Send a merchant what it is entitled to, or take back what it is not, by commands that are carried out at once.

    Raises:
        Unavailable: the records kept moving, or the store did not answer; the share stays due.
    """
    for _ in range(MOST_COMMIT_TRIES):
        books = read_books(ports, transaction_id)
        before = books.shares[merchant_id]
        step = _step(ports, books, _at_the_limit(ports, books, shares.try_again(replace(before, due_at=None))))
        try:
            after = replace(step.share, due_at=step.share.due_at or _next_look(ports, books, step.share))
            after = after if after.hold is Hold.NOT_READY else replace(after, refund_at=None)
            ports.store.commit(Replace(before, after), *step.changes)
        except Conflict:
            continue
        follow_up(ports, step.changes)
        return
    raise Unavailable("the records of this share keep changing")


def pay_what_waited(ports: Ports, merchant_id: str) -> None:
    """Even out the shares that waited for a merchant who has become ready; what is left over is due by itself."""
    for share in ports.store.waiting_shares(merchant_id, limit=MOST_WOKEN):
        with suppress(Unavailable):
            even_out(ports, share.transaction_id, merchant_id)


def _step(ports: Ports, books: Books, share: Share) -> Step:
    if not share.is_settled:
        return Step(share)
    now = ports.clock.now()
    if share.release_at is not None and share.release_at <= now:
        share = shares.release(share)
    share = books.rested(share)
    needed = books.needed_moves(share)
    if needed.send and books.is_disputed:
        return Step(shares.hold(share, Hold.DISPUTED))
    if needed.send:
        return _send(ports, books, share, needed.send)
    changes: list[Change] = []
    for transfer, amount in needed.take:
        reversal, command = reversal_of(ports, share, transfer, amount, share.cause or "")
        share = shares.take_back(share, reversal)
        changes.append(Create(command))
    if needed.owe:
        share, owed = owe(ports, share, needed.owe, share.cause or "", transfer_id=None, refusal=None)
        changes += owed
    return Step(share, changes)


def _at_the_limit(ports: Ports, books: Books, share: Share) -> Share:
    """A share that has been held for as long as money may be, or nearly: told ahead, and by policy released."""
    limit = _hold_limit(books, share)
    now = ports.clock.now()
    if limit is None or now < limit - HOLD_NEAR:
        return share
    if now >= limit and ports.policy.money.releases_at_hold_limit and share.hold is Hold.BY_HAND:
        return shares.release(share)
    return replace(share, is_hold_expiring=True)


def _next_look(ports: Ports, books: Books, share: Share) -> datetime | None:
    """When a share that nothing else makes due is looked at: at its date, and as it has been held for too long."""
    limit, now = _hold_limit(books, share), ports.clock.now()
    looks = [] if limit is None else [each for each in (limit - HOLD_NEAR, limit) if each > now]
    return min([*looks, *([share.release_at] if share.release_at else [])], default=None)


def _hold_limit(books: Books, share: Share) -> datetime | None:
    paid_at = books.payment.paid_at
    return None if share.hold is None or not share.is_settled or paid_at is None else paid_at + LONGEST_HOLD


def owe(ports: Ports, share: Share, amount: int, cause: str, *, transfer_id: str | None, refusal: str | None) -> Step:
    """A debt for what cannot be taken back now; collected from the transfer when the merchant's balance allows it.

    Where the platform bears what merchants lack for refunds, the debt is written off as it arises.
    """
    now = ports.clock.now()
    debt = Debt(
        id=ports.ids.new("debt", owner=share.merchant_id),
        merchant_id=share.merchant_id,
        transaction_id=share.transaction_id,
        cause=cause,
        amount=amount,
        currency=share.currency,
        transfer_id=transfer_id,
        refusal=refusal,
        created_at=now,
        due_at=now + COLLECT_AGAIN if transfer_id else None,
    )
    owing = shares.becomes_debt(share, DebtPart(debt_id=debt.id, amount=amount))
    if owner_of("refund", cause) is None or ports.policy.money.shortfall is not Shortfall.PLATFORM_BEARS:
        return Step(owing, [Create(debt), Create(debt_entry(debt))])
    given_up = debts.write_off(debt, BORNE_BY_POLICY, debt.created_at)
    entries = (debt_entry(debt), write_off_entry(debt, amount, now))
    return Step(owing, [Create(given_up), *map(Create, entries)])


def collect_debt(ports: Ports, debt: Debt) -> None:
    """One more try to take a debt from the merchant's balance.

    Raises:
        Conflict: the debt or its share has moved on; it stays due.
    """
    books = read_books(ports, debt.transaction_id)
    before = books.shares[debt.merchant_id]
    transfer = next((each for each in before.transfers if each.id == debt.transfer_id), None)
    amount = min(debt.rest, before.reversible(transfer)) if transfer else 0
    if transfer is None or amount <= 0:
        ports.store.commit(Replace(debt, replace(debt, due_at=None)))
        return
    owing = shares.collects_debt(before, debt.id, amount)
    reversal, command = reversal_of(ports, owing, transfer, amount, debt.cause, debt_id=debt.id)
    taken = shares.take_back(owing, reversal)
    changes = (Replace(debt, debts.collect(debt, amount)), Replace(before, taken), Create(command))
    ports.store.commit(*changes)
    follow_up(ports, changes)


def collect_from(ports: Ports, account_id: str) -> bool:
    """Try to take every open debt of a merchant from its balance, the oldest first; False when it is no merchant's."""
    merchant_id = ports.store.merchant_of_account(account_id)
    if merchant_id is None:
        return False
    for debt in reversed(ports.store.debts(merchant_id, cursor=None, limit=MOST_OPEN_DEBTS).items):
        if debt.status is DebtStatus.OPEN and debt.rest and debt.transfer_id:
            with suppress(Conflict, Unavailable):  # it stays due
                collect_debt(ports, debt)
    return True


def _send(ports: Ports, books: Books, share: Share, amount: int) -> Step:
    """A transfer of what is released, less what the merchant owes; held where it cannot receive it."""
    now = ports.clock.now()
    merchant = one(ports.store, Ref(Merchant, share.merchant_id))
    if merchant is None or not merchant.is_ready or merchant.account_id is None:
        return Step(_until_ready(ports, books, share, merchant))
    share = replace(share, account_id=merchant.account_id)
    share, amount, changes = _net(ports, share, amount, now)
    of_charge = _of_charge(books, share, amount)
    for part, source in ((of_charge, books.payment.charge_id), (amount - of_charge, None)):
        if part:
            transfer, command = _transfer_of(ports, share, part, source)
            share = shares.send(share, transfer)
            changes.append(Create(command))
    return Step(share, changes)


def _of_charge(books: Books, share: Share, amount: int) -> int:
    """What of an amount to be sent has a separate charge as its source, beside what the other merchants have of it.

    Transfers of one source may not exceed it, whatever was reversed. What is sent again and does not fit, what the
    platform adds to a discounted sale, and all that is sent beside Stripe's own transfer of a destination charge comes
    from the platform's available balance.
    """
    if share.charge_type is ChargeType.DESTINATION:
        return 0
    if not share.transferred:
        return min(amount, share.amount)
    others = (each for each in books.shares.values() if each.merchant_id != share.merchant_id)
    theirs = sum(max(each.transferred, min(each.own, each.amount)) for each in others)
    return amount if share.transferred + amount <= (books.payment.captured or 0) - theirs else 0


def _transfer_of(ports: Ports, share: Share, amount: int, source: str | None) -> tuple[Transfer, Command]:
    """A part of a share on its way, and the command for it."""
    now = ports.clock.now()
    transfer_id, command_id = ports.ids.new("transfer", owner=share.transaction_id), ports.ids.new("command")
    command = record(
        command_id=command_id,
        subject=share.transaction_id,
        kind=CommandKind.CREATE_TRANSFER,
        params=_transfer_params(share, amount, source, transfer_id, command_id),
        result=transfer_id,
        now=now,
    )
    return Transfer(id=transfer_id, command_id=command_id, amount=amount, created_at=now), command


def _until_ready(ports: Ports, books: Books, share: Share, merchant: Merchant | None) -> Share:
    """The share kept back for a merchant that cannot receive it, and refunded at a date where the policy has one."""
    now = ports.clock.now()
    limits = []
    if books.payment.paid_at is not None and merchant is not None:
        policy, paid_at = ports.policy.money, books.payment.paid_at
        limits = [policy.refund_of_unready(paid_at)]
        if merchant.is_lost:
            limits.append(policy.refund_of_lost(max(paid_at, merchant.status_since or paid_at)))
    limit = min((each for each in limits if each is not None), default=None)
    refund_at = refund_date(limit, told=share.refund_at, now=now)
    looks = [now + TRY_AGAIN, *([refund_at] if refund_at is not None and refund_at > now else [])]
    return replace(shares.hold(share, Hold.NOT_READY, due_at=min(looks)), refund_at=refund_at)


def _net(ports: Ports, share: Share, amount: int, now: datetime) -> tuple[Share, int, list[Change]]:
    """What is left to send after the merchant's open debts in this currency, the oldest first, were paid from it."""
    found = ports.store.debts(share.merchant_id, cursor=None, limit=MOST_OPEN_DEBTS).items
    owed = [debt for debt in found if debt.currency == share.currency and debt.status is DebtStatus.OPEN and debt.rest]
    changes: list[Change] = []
    for debt in reversed(owed):
        part = min(debt.rest, amount)
        if part <= 0:
            break
        share = shares.keep_for_debts(share, DebtPart(debt_id=debt.id, amount=part))
        changes += [Replace(debt, debts.net(debt, part, now)), Create(netting_entry(share, debt, part, now))]
        amount -= part
    return share, amount, changes


def reversal_of(
    ports: Ports, share: Share, transfer: Transfer, amount: int, cause: str, *, debt_id: str | None = None,
    is_by_hand: bool = False,
) -> tuple[Reversal, Command]:  # fmt: skip
    """A part of a transfer on its way back, and the command for it."""
    assert transfer.stripe_transfer_id is not None  # noqa: S101 - only transfers that succeeded are reversed
    now = ports.clock.now()
    reversal_id, command_id = ports.ids.new("reversal", owner=share.transaction_id), ports.ids.new("command")
    reversal = Reversal(
        id=reversal_id,
        transfer_id=transfer.id,
        command_id=command_id,
        amount=amount,
        cause=cause,
        debt_id=debt_id,
        is_by_hand=is_by_hand,
        created_at=now,
    )
    command = record(
        command_id=command_id,
        subject=share.transaction_id,
        kind=CommandKind.REVERSE_TRANSFER,
        target=(transfer.stripe_transfer_id,),
        params={"amount": amount, "metadata": _names(share, command_id, reversal_id=reversal_id)},
        result=reversal_id,
        now=now,
    )
    return reversal, command


def _transfer_params(
    share: Share, amount: int, source: str | None, transfer_id: str, command_id: str
) -> dict[str, Any]:
    """What Stripe is asked for (`/v1/transfers`).

    With the charge as its source a transfer need not wait until the money is available.
    """
    return {
        "amount": amount,
        "currency": share.currency,
        "destination": share.account_id,
        "transfer_group": share.transaction_id,
        **({"source_transaction": source} if source else {}),
        "metadata": _names(share, command_id, transfer_id=transfer_id),
    }


def _names(share: Share, command_id: str, **ours: str) -> dict[str, str]:
    return {
        "transaction_id": share.transaction_id,
        "merchant_id": share.merchant_id,
        "command_id": command_id,
        **ours,
    }
