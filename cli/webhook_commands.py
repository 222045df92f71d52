"""`webhooks sync` and `webhooks rotate`."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import stripe
from botocore.exceptions import BotoCoreError, ClientError

from .answers import Answer, Subcommand
from .deployments import Cannot, Deployment
from .progress import say
from .stripe_access import stripe_client, why
from .webhooks import rotation
from .webhooks.buses import AwsPlace, Bus, BusStep, StripeBuses, bus_steps
from .webhooks.endpoints import Endpoint, StripeEndpoints, Wanted, wanted_at
from .webhooks.kept import Kept, Malformed, Vault
from .webhooks.rotation import NotNow
from .webhooks.sync import Plan, Step, carry_out, plan

SOURCE: Final = "StripeEventSource"


class Place(NamedTuple):
    """The endpoints of a deployment, as they are and as they must be, and where their secrets are kept."""

    endpoints: StripeEndpoints
    vault: Vault
    wanted: tuple[Wanted, ...]
    found: tuple[Endpoint, ...]
    kept: Kept
    plan: Plan
    now: datetime


def look(where: Deployment) -> Place:
    """Read everything. Raises Cannot, stripe.StripeError, Malformed, botocore's errors."""
    endpoints = StripeEndpoints(stripe_client(where))
    vault = Vault(where.client("secretsmanager"), where.output("WebhookSecretArn"))
    wanted = wanted_at(where.output("ApiUrl"))
    found, kept, now = endpoints.at([each.url for each in wanted]), vault.read(), datetime.now(UTC)
    return Place(endpoints, vault, wanted, found, kept, plan(wanted, found, kept, now=now), now)


def _sync(where: Deployment, asked: Namespace) -> Answer:
    with _told_in_words():
        place = look(where)
        bus = look_for_bus(where) if asked.eventbridge or where.parameters.get(SOURCE) else None
        to_do = bus.steps if bus else ()
        if asked.dry_run:
            is_well = not place.plan.steps and not to_do
            return _with_bus(_answer(place.plan.steps, place.plan, is_well=is_well), bus, to_do)
        done = _watched(carry_out(place.plan.steps, place.endpoints, place.vault, now=place.now))
        if bus is None:
            return _answer(done, look(where).plan)
        bus.carry_out()
        return _with_bus(_answer(done, look(where).plan), look_for_bus(where), to_do)


class BusPlace(NamedTuple):
    """The destination for EventBridge, as it is and as it must be. ``source`` is what the stack hears, or empty."""

    buses: StripeBuses
    at: AwsPlace
    source: str
    found: tuple[Bus, ...]
    steps: tuple[BusStep, ...]

    def carry_out(self) -> None:
        """Do what there is to do. Raises stripe.StripeError."""
        for step in self.steps:
            say(f"{step.act} eventbridge")
            if step.bus is None:
                self.buses.create(self.at)
            else:
                self.buses.mend(step.bus)


def look_for_bus(where: Deployment) -> BusPlace:
    """Read it. Raises Cannot, stripe.StripeError, botocore's errors."""
    sts = where.client("sts")
    at = AwsPlace(
        account_id=sts.get_caller_identity()["Account"], region=sts.meta.region_name, stack_name=where.stack_name
    )
    buses, source = StripeBuses(stripe_client(where)), where.parameters.get(SOURCE, "")
    found = buses.at(at)
    return BusPlace(buses, at, source, found, bus_steps(found, at.stack_name, source))


def _with_bus(answer: Answer, bus: BusPlace | None, steps: Sequence[BusStep]) -> Answer:
    """The answer with what was, or is to be, done for EventBridge, and the source to deploy with."""
    if bus is None:
        return answer
    told = [
        {"do": step.act, "endpoint": "eventbridge", "id": step.bus.id if step.bus else None, "because": step.because}
        for step in steps
    ]
    sources = [
        {"name": each.source, "status": each.status, "is_heard": each.source == bus.source}
        for each in bus.found
        if bus.source == each.source or bus.at.stack_name == each.stack
    ]
    facts = {**answer.facts, "steps": [*answer.facts["steps"], *told], "event_sources": sources}
    return replace(
        answer, facts=facts, text=answer.text if not told and all(each["is_heard"] for each in sources) else None
    )


def _rotate(where: Deployment, asked: Namespace) -> Answer:
    with _told_in_words():
        place = look(where)
        if asked.finish:
            steps = rotation.finish(place.plan, place.found, place.kept, place.endpoints, place.vault, now=place.now)
        else:
            begun = rotation.beginning(place.wanted, place.found, place.kept, place.plan)
            steps = carry_out(begun, place.endpoints, place.vault, now=place.now)
        return _answer(_watched(steps), look(where).plan)


def _watched(steps: Iterable[Step]) -> tuple[Step, ...]:
    done = []
    for step in steps:
        say(f"{step.act} {step.wanted.kind}")
        done.append(step)
    return tuple(done)


class _told_in_words:  # noqa: N801 - reads as a statement
    """Stripe's, AWS's and our own refusals as what an operator reads."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        match error:
            case stripe.StripeError():
                raise Cannot(f"{why(error)} Nothing is lost: run `webhooks sync` again.") from error
            case Malformed() | NotNow() | BotoCoreError() | ClientError():
                raise Cannot(str(error)) from error


def _answer(steps: Iterable[Step], left: Plan, *, is_well: bool = True) -> Answer:
    facts: dict[str, Any] = {
        "steps": [
            {
                "do": step.act,
                "endpoint": step.wanted.kind.value,
                "id": step.endpoint.id if step.endpoint else ", ".join(step.retires) or None,
                "because": step.because,
            }
            for step in steps
        ],
        "to_be_deleted": [
            {
                "id": each.endpoint_id,
                "endpoint": each.kind.value,
                "not_before": each.until.isoformat(timespec="seconds"),
            }
            for each in left.waiting
        ],
    }
    text = None if facts["steps"] or facts["to_be_deleted"] else "The endpoints are as they must be."
    return Answer(facts=facts, is_well=is_well, text=text)


def _sync_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--eventbridge",
        action="store_true",
        help="make the destination for Amazon EventBridge too, where there is none",
    )
    parser.add_argument("--dry-run", action="store_true", help="only tell what would be done; 1 if that is anything")


def _rotate_options(parser: ArgumentParser) -> None:
    parser.add_argument("--finish", action="store_true", help="end it: delete the older endpoints, drop their secrets")


SUBCOMMANDS: Final = (
    Subcommand(("webhooks", "sync"), "make and mend the endpoints at Stripe, keep their secrets", _sync, _sync_options),
    Subcommand(("webhooks", "rotate"), "new signing secrets; first both are good", _rotate, _rotate_options),
)
