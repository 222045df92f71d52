"""Writes `docs/events.md`, an entry for each event of the table: `python -m local.events_page`."""

from typing import Final

from local.cloud.places import PROJECT
from marketplace.domain.outgoing import MOVEMENT_WORDS, TELLINGS

PAGE: Final = PROJECT / "docs" / "events.md"
INTRODUCTION: Final = """# Events for the marketplace's own systems

What happens is told on an EventBridge bus of the deployment (its name is the stack's output `EventBusName`), with the
source `marketplace` and the event's name as `detail-type`. A rule sends it on, to a queue or a function for example:

```json
{"source": ["marketplace"], "detail-type": ["transaction.paid", "refund.failed"]}
```

```json
{
  "id": "event-5f1c0f7be0a14a3f9a0f0f6f1b2c3d4e",
  "type": "transaction.paid",
  "schema_version": 1,
  "occurred_at": "2026-11-24T08:00:00+00:00",
  "revision": 4,
  "object": {
    "id": "transaction-01jd2k8m6wq3v5x7y9zabcdefg",
    "status": "paid",
    "amount": 10000,
    "currency": "usd",
    "authorized": null,
    "captured": 10000,
    "capture_before": null,
    "payment_intent_id": "pi_3QJ2kFLkdIwHu7ix1ZPQYx2d"
  }
}
```

* **At least once.** The same event may come again, with the same `id`: keep the ids that were dealt with.
* **In any order**, as EventBridge promises none. Of two events about one object the one with the larger `revision` is
  the later; what counts is the API's answer, which is never older than the event.
* **None before its state, none without.** An event is made of the write that it tells of (docs/adr/0014).
* **Whole.** The API says `paid` from the first of Stripe's events that does; `transaction.paid` waits for the one that
  says how much was captured, and `transaction.authorized` for the one that says how much was authorized, until when.
  Stripe sends them at once; where that one is lost, the hourly catch-up brings it. `capture_before` is told of cards.
* **No persons in them.** Ids, amounts in minor units, currencies, statuses. Read the rest with the API.
* A new member of `object` keeps the `schema_version`; one that is lost or means something else raises it.

This page is written by `python -m local.events_page` from `shared/marketplace/domain/outgoing.py`.

| event | what happened |
|---|---|
"""


def text() -> str:
    """The page as it is committed."""
    words = {name: telling.what for name, telling in TELLINGS.items()} | dict(MOVEMENT_WORDS)
    return INTRODUCTION + "".join(f"| `{name}` | {words[name]} |\n" for name in sorted(words))


if __name__ == "__main__":
    PAGE.write_text(text())
