"""The queue of dead letters. SQS has no way to look at a message but to receive it.

What is received is hidden for a moment, and of a FIFO queue the rest of its group with it: so every look gives back at
once what it received, and a crash gives it back after HIDDEN_SECONDS.
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from marketplace.domain.dead_letters import DeadLetter, DeadLetters, event_in
from marketplace.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

HIDDEN_SECONDS: Final = 30
MOST_SEEN: Final = 100  # in one look
BATCH: Final = 10  # SQS's most
LOOK_SECONDS: Final = 1  # a longer look asks all of SQS's machines, a shorter one only some
LONGEST_NAME: Final = 128  # characters, SQS's limit
RANDOM_CHARACTERS: Final = 12

Message = Any  # as boto3 gives it


@dataclass(frozen=True)
class TakenLetter:
    """A letter that was received and is hidden."""

    letter: DeadLetter
    _queue: "DeadLetterQueue"
    _message: Message

    def put_back(self) -> None:
        """Onto the queue of events first. Raises Unavailable."""
        self._queue.put_back(self._message)


class DeadLetterQueue:
    """The queue behind ``url``; ``events_url`` is where its messages came from."""

    def __init__(self, client: "SQSClient", url: str, events_url: str) -> None:
        self._client = client
        self._url = url
        self._events_url = events_url

    def look(self) -> DeadLetters:
        """What can be seen now."""
        with _unavailable(), self._received() as messages:
            waiting = self._count("ApproximateNumberOfMessages") + self._count("ApproximateNumberOfMessagesNotVisible")
            letters = tuple(_letter(each) for each in messages)
        return DeadLetters(letters=letters, waiting=max(waiting, len(letters)))

    def take(self, letter_id: str) -> TakenLetter | None:
        """One of them, hidden for HIDDEN_SECONDS; the others are given back."""
        with _unavailable(), self._received(keep=letter_id) as messages:
            found = [each for each in messages if each["MessageId"] == letter_id]
        return TakenLetter(_letter(found[0]), self, found[0]) if found else None

    def hidden(self) -> int:
        """How many others are looking at just now."""
        with _unavailable():
            return self._count("ApproximateNumberOfMessagesNotVisible")

    def put_back(self, message: Message) -> None:
        """Onto the queue of events, then off this one: whatever stops it between the two, the event is not lost.

        Under a name of its own, because SQS would take the event's for a repetition, and drop it, within five minutes.
        """
        named = message["Attributes"]["MessageDeduplicationId"][: LONGEST_NAME - RANDOM_CHARACTERS - 1]
        with _unavailable():
            self._client.send_message(
                QueueUrl=self._events_url,
                MessageBody=message["Body"],
                MessageGroupId=message["Attributes"]["MessageGroupId"],
                MessageDeduplicationId=f"{named}.{uuid.uuid4().hex[:RANDOM_CHARACTERS]}",
                MessageAttributes=message.get("MessageAttributes", {}),
            )
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])

    @contextmanager
    def _received(self, *, keep: str | None = None) -> Iterator[Sequence[Message]]:
        """All that can be received; given back at the end, but for the one to keep."""
        messages: list[Message] = []
        try:
            while len(messages) < MOST_SEEN:
                some = self._receive()
                messages += some
                if not some or any(each["MessageId"] == keep for each in some):
                    break
            yield messages
        finally:
            self._give_back([each for each in messages if each["MessageId"] != keep])

    def _receive(self) -> Sequence[Message]:
        found: Sequence[Message] = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=HIDDEN_SECONDS,
            WaitTimeSeconds=LOOK_SECONDS,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        return found

    def _give_back(self, messages: Sequence[Message]) -> None:
        """Whatever keeps it from being given back now ends by itself after HIDDEN_SECONDS."""
        for start in range(0, len(messages), BATCH):
            entries: list[Any] = [
                {"Id": str(number), "ReceiptHandle": each["ReceiptHandle"], "VisibilityTimeout": 0}
                for number, each in enumerate(messages[start : start + BATCH])
            ]
            with suppress(BotoCoreError, ClientError):
                self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)

    def _count(self, attribute: Any) -> int:  # noqa: ANN401 - boto3 knows them by literal names
        answer = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=[attribute])
        return int(answer["Attributes"][attribute])


def _letter(message: Message) -> DeadLetter:
    attributes = message["Attributes"]
    return DeadLetter(
        id=message["MessageId"],
        body=message["Body"],
        group=attributes["MessageGroupId"],
        endpoint=message.get("MessageAttributes", {}).get("endpoint", {}).get("StringValue"),
        sent_at=datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, UTC),
        tries=int(attributes["ApproximateReceiveCount"]),
        event=event_in(message["Body"]),
    )


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise Unavailable("SQS did not answer") from error
