"""New secrets for all endpoints, the old ones good until nobody needs them.

Stripe's API rolls no secret. So another endpoint is made beside each, both are heard for a while (the second delivery
of an event is a duplicate), and then the older one goes, its secret with it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from .endpoints import Endpoint, Kind, StripeEndpoints, Wanted
from .kept import Kept, Vault
from .sync import Plan, Step, carry_out


class NotNow(Exception):
    """A rotation cannot begin or end now; the text says what comes first."""


def beginning(wanted: Sequence[Wanted], found: Sequence[Endpoint], kept: Kept, planned: Plan) -> tuple[Step, ...]:
    """A new endpoint beside each that has none yet: of a rotation that was interrupted, the rest.

    Raises:
        NotNow: the endpoints are not as they must be, or each has its new one.
    """
    if planned.steps:
        raise NotNow("The endpoints are not as they must be: run `webhooks sync` first.")
    # One whose secret was never known was no rotation's: its own creation was interrupted.
    begun = {each.kind for each in planned.waiting if kept.endpoints[each.endpoint_id].secret is not None}
    rest = [each for each in wanted if each.kind not in begun]
    if not rest:
        raise NotNow(f"Every endpoint has its new secret: after {_last(planned)} run `webhooks rotate --finish`.")
    return tuple(
        Step(act="create", wanted=each, endpoint=None, because="rotation", retires=_ids(each, found)) for each in rest
    )


def finish(
    planned: Plan,
    found: Sequence[Endpoint],
    kept: Kept,
    endpoints: StripeEndpoints,
    vault: Vault,
    *,
    now: datetime,
) -> Iterator[Step]:
    """Delete what was replaced, then forget every secret that is of no endpoint. Raises NotNow: it is too early."""
    there = {each.id for each in found}
    if planned.waiting:
        raise NotNow(f"The receiver may not know the new secrets yet: wait until {_last(planned)}.")
    if any(step.act != "delete" for step in planned.steps):
        raise NotNow("The endpoints are not as they must be: run `webhooks sync` first.")
    if not planned.steps and kept == kept.rotated(there):
        raise NotNow("No rotation is under way.")
    yield from carry_out(planned.steps, endpoints, vault, now=now)
    vault.change(lambda current: current.rotated(there))


def _ids(wanted: Wanted, found: Sequence[Endpoint]) -> tuple[str, ...]:
    return tuple(each.id for each in found if each.url == wanted.url and each.is_thin is (wanted.kind is Kind.THIN))


def _last(planned: Plan) -> str:
    return max(each.until for each in planned.waiting).isoformat(timespec="seconds")
