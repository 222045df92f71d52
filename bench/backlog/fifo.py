"""SQS's FIFO queue as Lambda sees it: groups in order, tries counted when handed over, too many set aside."""

from collections import defaultdict, deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from marketplace.edge.deliveries import MOST_TRIES

BATCH: Final = 10  # the most that a FIFO queue hands over


@dataclass(slots=True)
class Message:
    """``id`` is unique in the queue, ``name`` is the event's, by which SQS knows a repetition within five minutes."""

    id: str
    name: str
    group: str
    body: str
    tries: int = 0


class FifoQueue:
    """One reader: a batch is handed over, settled, and only then the next one."""

    def __init__(self) -> None:
        self.dead_letters: list[Message] = []
        self._groups: dict[str, deque[Message]] = defaultdict(deque)
        self._turns: deque[str] = deque()  # groups in the order in which they are handed over
        self._handed: list[Message] = []

    def __len__(self) -> int:
        return len(self._handed) + sum(map(len, self._groups.values()))

    def put(self, message: Message) -> None:
        """Behind all others of its group."""
        if not self._groups[message.group]:
            self._turns.append(message.group)
        self._groups[message.group].append(message)

    def receive(self) -> list[Message]:
        """Up to BATCH messages, as many as there are of one group before the next; none where the queue is empty.

        What was tried too often is set aside on the way, as SQS does it.
        """
        assert not self._handed, "the last batch was not settled"
        self._handed = list(self._take())
        return self._handed

    def settle(self, failed: Collection[str]) -> None:
        """Delete a batch but for the messages of these ids, which come again before all others of their group."""
        for message in reversed(self._handed):
            if message.id in failed:
                if not self._groups[message.group]:
                    self._turns.append(message.group)
                self._groups[message.group].appendleft(message)
        self._handed = []

    def _take(self) -> Iterator[Message]:
        room = BATCH
        while room and self._turns:
            waiting = self._groups[self._turns[0]]
            while room and waiting:
                message = waiting.popleft()
                message.tries += 1
                if message.tries > MOST_TRIES:
                    self.dead_letters.append(message)
                else:
                    room -= 1
                    yield message
            if not waiting:
                del self._groups[self._turns.popleft()]
