"""`webhooks sync` and `webhooks rotate`."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import stripe
from botocore.exceptions import BotoCoreError, ClientError

from .answers import Answer, Subcommand
from .deployments import Cannot, Deployment
from .progress import say
from .stripe_access import stripe_client, why
from .webhooks import rotation
from .webhooks.endpoints import Endpoint, StripeEndpoints, Wanted, wanted_at
from .webhooks.kept import Kept, Malformed, Vault
from .webhooks.rotation import NotNow
from .webhooks.sync import Plan, Step, carry_out, plan


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
        if asked.dry_run:
            return _answer(place.plan.steps, place.plan, is_well=not place.plan.steps)
        done = _watched(carry_out(place.plan.steps, place.endpoints, place.vault, now=place.now))
        return _answer(done, look(where).plan)


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
    parser.add_argument("--dry-run", action="store_true", help="only tell what would be done; 1 if that is anything")


def _rotate_options(parser: ArgumentParser) -> None:
    parser.add_argument("--finish", action="store_true", help="end it: delete the older endpoints, drop their secrets")


SUBCOMMANDS: Final = (
    Subcommand(("webhooks", "sync"), "make and mend the endpoints at Stripe, keep their secrets", _sync, _sync_options),
    Subcommand(("webhooks", "rotate"), "new signing secrets; first both are good", _rotate, _rotate_options),
)
