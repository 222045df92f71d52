"""Dead letters: events that were set aside, for operators."""

import os
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Self

from pydantic import Field

from marketplace.adapters import wiring
from marketplace.domain.dead_letters import DeadLetter
from marketplace.edge.invocation import Invocation
from marketplace.edge.resolver import Api, Caller
from marketplace.edge.settings import Part, Settings
from marketplace.edge.views import View
from marketplace.services import dead_letters

settings = Settings.of(os.environ, Part.DEAD_LETTERS, Part.CALLERS)
invocation = Invocation()
queue = wiring.dead_letter_queue(settings)
app = Api(settings, invocation)
handler = app.resolve


class DeadLetterView(View):
    """An event that was set aside. What is no event at all (`is_readable` is false) cannot be put back."""

    id: Annotated[str, Field(description="Another one after it was put back.")]
    is_readable: bool
    event_id: str | None
    event_type: str | None
    account: str | None
    transaction_id: str | None
    group: Annotated[str, Field(description="What it stays in order with.")]
    endpoint: str | None
    sent_at: Annotated[datetime, Field(description="When it was received from Stripe.")]
    tries: Annotated[int, Field(description="Since it was set aside, looks at it included.")]

    @classmethod
    def of_letter(cls, letter: DeadLetter) -> Self:
        """From the record."""
        event = letter.event
        return cls(
            id=letter.id,
            is_readable=event is not None,
            event_id=event.id if event else None,
            event_type=event.type if event else None,
            account=event.account if event else None,
            transaction_id=letter.transaction_id,
            group=letter.group,
            endpoint=letter.endpoint,
            sent_at=letter.sent_at,
            tries=letter.tries,
        )


class DeadLetterBodyView(DeadLetterView):
    """With what Stripe sent, which may be personal."""

    body: str

    @classmethod
    def of_letter(cls, letter: DeadLetter) -> Self:
        """From the record."""
        return cls(**DeadLetterView.of_letter(letter).model_dump(), body=letter.body)


class DeadLettersView(View):
    """What one look saw: of each `group` the first ones only, the others when these are put back."""

    data: list[DeadLetterView]
    waiting: Annotated[int, Field(description="How many there are, about; those that are not seen too.")]
    is_complete: bool


@app.get("/dead-letters")
def list_dead_letters(caller: Caller) -> DeadLettersView:
    """Events that were set aside, as far as one look sees them. While it looks, others see fewer."""
    found = dead_letters.list_dead_letters(queue, caller)
    data = [DeadLetterView.of_letter(each) for each in found.letters]
    return DeadLettersView(data=data, waiting=found.waiting, is_complete=found.is_complete)


@app.get("/dead-letters/<letter_id>")
def read_dead_letter(letter_id: str, caller: Caller) -> DeadLetterBodyView:
    """One of them, with its body."""
    return DeadLetterBodyView.of_letter(dead_letters.read_dead_letter(queue, caller, letter_id))


@app.post("/dead-letters/<letter_id>/redrive", status_code=HTTPStatus.ACCEPTED)
def redrive(letter_id: str, caller: Caller) -> DeadLetterView:
    """Put one back onto the queue of events. Twice is as good as once."""
    return DeadLetterView.of_letter(dead_letters.redrive(queue, caller, letter_id))
