"""Make and mend the endpoints at Stripe, and keep their secrets: in steps, each of which may be the last.

Stripe shows a secret once, when an endpoint is made. So a new endpoint's secret is kept before anything else is done;
an endpoint whose secret was lost on that way is of no use, and another is made in its place; and nothing is deleted at
Stripe while it may be the only one that is heard (spree#14622).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import stripe

from .endpoints import Endpoint, Kind, StripeEndpoints, Wanted
from .kept import Kept, KeptEndpoint, Vault

# For so long the receiver may not know a new secret (adapters.secrets), three times over.
OVERLAP: Final = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing to do. ``retires`` are the endpoints whose place a new one takes."""

    act: str  # create, mend, retire, delete
    wanted: Wanted
    endpoint: Endpoint | None
    because: str
    retires: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A retired endpoint that is deleted when the receiver surely knows the secret of the one in its place."""

    endpoint_id: str
    kind: Kind
    until: datetime


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be done now, and what later."""

    steps: tuple[Step, ...]
    waiting: tuple[Waiting, ...]


def plan(wanted: Sequence[Wanted], found: Sequence[Endpoint], kept: Kept, *, now: datetime) -> Plan:
    """What has to be done until every endpoint is there once, as it must be, and its secret known."""
    steps: list[Step] = []
    waiting: list[Waiting] = []
    for each in wanted:
        here = [one for one in found if one.url == each.url and one.is_thin is (each.kind is Kind.THIN)]
        retired = [one for one in here if _is_retired(kept.endpoints.get(one.id))]
        current = tuple(_current_steps(each, [one for one in here if one not in retired], retired, kept))
        steps += current
        if any(step.act == "create" for step in current):
            continue  # what is retired may be all that is heard: its time begins anew
        for one in retired:
            until = _end(kept.endpoints[one.id])
            if until <= now:
                steps.append(Step(act="delete", wanted=each, endpoint=one, because="another took its place"))
            else:
                waiting.append(Waiting(endpoint_id=one.id, kind=each.kind, until=until))
    return Plan(steps=tuple(sorted(steps, key=lambda step: step.act == "delete")), waiting=tuple(waiting))


def carry_out(steps: Sequence[Step], endpoints: StripeEndpoints, vault: Vault, *, now: datetime) -> Iterator[Step]:
    """Do them, and hand out each when it is done. What stops it half way is done by the next run."""
    for step in steps:
        match step.act:
            case "create":
                create(step, endpoints, vault, now=now)
            case "retire":
                _retire(step, vault, now=now)
            case "mend" if step.endpoint:
                endpoints.mend(step.endpoint, step.wanted)
            case "delete" if step.endpoint:
                delete(step.endpoint, endpoints, vault)
        yield step


def create(step: Step, endpoints: StripeEndpoints, vault: Vault, *, now: datetime) -> None:
    """A new endpoint. Its secret, and that the others' time is over, is one write."""
    made, secret = endpoints.create(step.wanted)

    def kept_with_it(kept: Kept) -> Kept:
        kept = kept.with_new(made, step.wanted, secret)
        for endpoint_id in step.retires:
            kept = kept.with_retired(endpoint_id, step.wanted.kind, now)
        return kept

    vault.change(kept_with_it)


def delete(endpoint: Endpoint, endpoints: StripeEndpoints, vault: Vault) -> None:
    """An endpoint and then its secret: the other way round its last deliveries would be refused."""
    endpoints.delete(endpoint)
    vault.change(lambda kept: kept.without(endpoint.id))


def _retire(step: Step, vault: Vault, *, now: datetime) -> None:
    def retired(kept: Kept) -> Kept:
        for endpoint_id in step.retires:
            kept = kept.with_retired(endpoint_id, step.wanted.kind, now)
        return kept

    vault.change(retired)


def _current_steps(
    wanted: Wanted, here: Sequence[Endpoint], retired: Sequence[Endpoint], kept: Kept
) -> Iterator[Step]:  # fmt: skip
    known = [one for one in here if _is_known(one, kept, wanted)]
    current = next((one for one in known if is_of_this_version(one)), None)
    others = tuple(one.id for one in here if one is not current)
    if current is None:
        because = "it speaks another API version" if known else "its secret is not known" if here else "there is none"
        heard = (*others, *(one.id for one in retired))
        yield Step(act="create", wanted=wanted, endpoint=None, because=because, retires=heard)
        return
    wrong = deviations(current, wanted)
    if wrong:
        yield Step(act="mend", wanted=wanted, endpoint=current, because="; ".join(wrong))
    if others:
        yield Step(act="retire", wanted=wanted, endpoint=None, because="there are several", retires=others)


def deviations(endpoint: Endpoint, wanted: Wanted) -> list[str]:
    """In words, what can be mended of an endpoint."""
    missing, surplus = sorted(set(wanted.events) - endpoint.events), sorted(endpoint.events - set(wanted.events))
    return [
        *([f"does not hear {', '.join(missing)}"] if missing else []),
        *([f"hears {', '.join(surplus)}"] if surplus else []),
        *([] if endpoint.is_enabled else ["is disabled"]),
    ]


def is_of_this_version(endpoint: Endpoint) -> bool:
    """Whether it tells events as the code reads them. Thin ones have no version."""
    return endpoint.is_thin or endpoint.api_version == stripe.api_version


def _is_known(endpoint: Endpoint, kept: Kept, wanted: Wanted) -> bool:
    known = kept.endpoints.get(endpoint.id)
    return known is not None and known.secret in kept.lists.get(wanted.path, ())


def _is_retired(known: KeptEndpoint | None) -> bool:
    return known is not None and known.retired_at is not None


def _end(known: KeptEndpoint) -> datetime:
    if known.retired_at is None:
        raise ValueError("only what is retired ends")
    return known.retired_at + OVERLAP
