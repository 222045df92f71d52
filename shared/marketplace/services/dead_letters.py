"""Dead letters for operators: look at them, read one, put one back."""

from typing import Protocol

from marketplace.domain.dead_letters import DeadLetter, DeadLetters
from marketplace.domain.errors import DeadLetterUnreadable, NotFound, RequestUnderWay
from marketplace.domain.principals import Principal, Role


class Taken(Protocol):
    """A dead letter that nobody else sees for a while."""

    @property
    def letter(self) -> DeadLetter:
        """What it is."""

    def put_back(self) -> None:
        """Onto the queue of events, and off the dead letters. Raises Unavailable."""


class DeadLetterQueue(Protocol):
    """The queue of what was set aside. To look at a message is to hide it, and its group, from others meanwhile."""

    def look(self) -> DeadLetters:
        """What can be seen now. Raises Unavailable."""

    def take(self, letter_id: str) -> Taken | None:
        """One of them, or None where it is not seen. Raises Unavailable."""

    def hidden(self) -> int:
        """How many others are looking at just now. Raises Unavailable."""


def list_dead_letters(queue: DeadLetterQueue, caller: Principal) -> DeadLetters:
    """What was set aside, as far as it can be seen at once. Raises NotAllowed, Unavailable."""
    caller.require(Role.OPERATOR)
    return queue.look()


def read_dead_letter(queue: DeadLetterQueue, caller: Principal, letter_id: str) -> DeadLetter:
    """One of them. Raises NotAllowed, NotFound, RequestUnderWay, Unavailable."""
    caller.require(Role.OPERATOR)
    for letter in queue.look().letters:
        if letter.id == letter_id:
            return letter
    raise _unseen(queue)


def redrive(queue: DeadLetterQueue, caller: Principal, letter_id: str) -> DeadLetter:
    """Put one back: it is processed as if it had just come. A crash on the way leaves it in both queues, applied once.

    Raises:
        NotAllowed, NotFound, Unavailable.
        DeadLetterUnreadable: it is no event, and would come back.
        RequestUnderWay: somebody else is looking at some.
    """
    caller.require(Role.OPERATOR)
    taken = queue.take(letter_id)
    if taken is None:
        raise _unseen(queue)
    if taken.letter.event is None:
        raise DeadLetterUnreadable("the message is no event of Stripe's")
    taken.put_back()
    return taken.letter


def _unseen(queue: DeadLetterQueue) -> Exception:
    if queue.hidden():
        return RequestUnderWay("somebody else is looking at dead letters")
    return NotFound("dead letter")
