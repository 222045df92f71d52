"""How events come in: the endpoints at Stripe, their secrets, the queue and what was set aside."""

from collections.abc import Iterator
from datetime import UTC, datetime

import stripe

from ..webhooks.endpoints import StripeEndpoints, wanted_at
from ..webhooks.kept import Malformed, Vault
from ..webhooks.sync import plan
from .lines import Line, ok, unknown, warning, wrong
from .patient import Patient

SYNC = "Run `bin/marketplace webhooks sync`."


def endpoints(patient: Patient) -> Iterator[Line]:
    """Whether they are there, enabled, of this API version, with exactly the events that the code reads."""
    try:
        kept = Vault(patient.aws("secretsmanager"), patient.where.output("WebhookSecretArn")).read()
    except Malformed as problem:
        yield wrong("webhook secrets", f"{problem}.", f"Mend the secret by hand, or empty it and: {SYNC}")
        return
    for path, secrets in kept.lists.items():
        if secrets:
            yield ok("webhook secrets", f"{path}: {len(secrets)}, well formed.")
        else:
            yield wrong("webhook secrets", f"{path}: there is none, so every delivery is refused.", SYNC)
    wanted = wanted_at(patient.where.output("ApiUrl"))
    try:
        found = StripeEndpoints(patient.stripe).at([each.url for each in wanted])
    except stripe.PermissionError:
        yield unknown("endpoints", "The key may not read webhook endpoints.", "Give it the right for this check.")
        return
    planned = plan(wanted, found, kept, now=datetime.now(UTC))
    for step in planned.steps:
        if step.act == "delete":
            yield warning("endpoints", f"{step.wanted.kind}: an older one waits to be deleted.", SYNC)
        else:
            yield wrong("endpoints", f"{step.wanted.kind}: {step.because}.", SYNC)
    held_up = {step.wanted.kind for step in planned.steps if step.act != "delete"}
    for each in wanted:
        if each.kind not in held_up:
            yield ok("endpoints", f"{each.kind}: there, with its {len(each.events)} events.")


def queues(patient: Patient) -> Iterator[Line]:
    """What waits, and what was set aside."""
    sqs = patient.aws("sqs")
    for about, output, mend in (
        ("dead letters", "EventDeadLetterQueueUrl", "See `bin/marketplace dead-letters list`."),
        ("unsent events", "UnsentEventsQueueUrl", "See docs/operations.md."),
    ):
        count = _count(sqs, patient.where.output(output))
        yield wrong(about, f"There are {count}.", mend) if count else ok(about, "There are none.")
    waiting = _count(sqs, patient.where.output("EventQueueUrl"))
    yield ok("event queue", f"{waiting} wait.")


def _count(sqs: object, url: str) -> int:
    name = "ApproximateNumberOfMessages"
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])  # type: ignore[attr-defined]  # boto3's
    return int(answer["Attributes"][name])
