"""DynamoDB's calls, with their errors told apart: somebody was first, come again, no answer, or a mistake of ours.

botocore repeats by itself what was throttled, failed at DynamoDB, or got no answer. Only what it leaves is repeated
here: transactions that met another one, and the rest of a batch.
"""

import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import batched
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection

from marketplace.adapters.codec import Attributes
from marketplace.adapters.keys import Key
from marketplace.adapters.records import MOST_ITEMS, key_in
from marketplace.domain.errors import Unavailable
from marketplace.ports import Ids

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import PutTypeDef

MOST_TRIES: Final = 5
FIRST_PAUSE_SECONDS: Final = 0.03  # doubled with each try
MOST_PAGES: Final = 20  # of up to 1 MB each

# Of the client: with three tries a call ends within the ten seconds of the shortest function that reads the table.
CONFIG: Final = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 3})

_CONDITION_FAILED: Final = "ConditionalCheckFailed"
_FITS: Final = "None"
# Why DynamoDB puts off a write that may go through a moment later; nothing was written.
_COME_AGAIN: Final = frozenset({"TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError"})
# A single put says the same in an error of its own; the last is a repeated request whose first one is still at work.
_AS_REASON: Final[Mapping[str, str]] = {
    "ConditionalCheckFailedException": _CONDITION_FAILED,
    "TransactionConflictException": "TransactionConflict",
    "TransactionInProgressException": "TransactionConflict",
}
_THROTTLED: Final = frozenset({"ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded"})
_SERVER_FAILED: Final = 500


class ConditionsFailed(Exception):
    """Nothing was written, because of the puts at these positions."""

    def __init__(self, positions: Sequence[int]) -> None:
        super().__init__(f"conditions of puts {list(positions)} failed")
        self.positions = positions


class PartitionTooLong(Exception):
    """More than a query ever has to read: nothing is cut off in silence."""


class DynamoDBCalls:
    """The calls on one table. Raises Unavailable where DynamoDB does not answer; botocore's ClientError is a bug."""

    def __init__(
        self, client: "DynamoDBClient", table_name: str, *, ids: Ids, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.table_name = table_name
        self._client = client
        self._ids = ids
        self._sleep = sleep

    def get(self, keys: Collection[Key]) -> dict[Key, Attributes]:
        """The items that are there, read consistently; one round trip for each hundred."""
        found: dict[Key, Attributes] = {}
        for some in batched(keys, MOST_ITEMS, strict=False):
            found |= self._get_batch(some)
        return found

    def query(self, *, most: int | None = None, **request: object) -> list[Attributes]:
        """The first ``most`` items of a query, or all of them.

        Raises:
            PartitionTooLong: there is no end.
        """
        rows: list[Attributes] = []
        asked: dict[str, Any] = {"TableName": self.table_name, **request}
        if most is not None:
            asked["Limit"] = most
        for _ in range(MOST_PAGES):
            with _telling_errors_apart():
                answer = self._client.query(**asked)
            rows += answer["Items"]
            if "LastEvaluatedKey" not in answer or (most is not None and len(rows) >= most):
                return rows
            asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        raise PartitionTooLong(f"over {MOST_PAGES} pages")

    def put_all(self, puts: "Sequence[PutTypeDef]") -> None:
        """All of the conditional puts, or none.

        Raises:
            ConditionsFailed.
        """
        name = str(uuid.uuid4())  # one for all tries: a request whose answer was lost is not carried out again
        is_doubtful = False
        for attempt in range(MOST_TRIES):
            try:
                with _telling_errors_apart():
                    return self._send(puts, name)
            except ClientError as error:
                is_doubtful = is_doubtful or (len(puts) == 1 and _was_repeated(error))
                _require_reason_to_come_again(error, is_doubtful=is_doubtful)
            self._pause(attempt)
        raise Unavailable("DynamoDB kept putting a write off")

    def _send(self, puts: "Sequence[PutTypeDef]", name: str) -> None:
        """A single put needs no transaction, which would cost twice as much."""
        if len(puts) == 1:
            self._client.put_item(**puts[0])
        else:
            self._client.transact_write_items(TransactItems=[{"Put": put} for put in puts], ClientRequestToken=name)

    def _get_batch(self, keys: Collection[Key]) -> dict[Key, Attributes]:
        found: dict[Key, Attributes] = {}
        wanted: Any = {self.table_name: {"Keys": [key_attributes(key) for key in keys], "ConsistentRead": True}}
        for attempt in range(MOST_TRIES):
            with _telling_errors_apart():
                answer = self._client.batch_get_item(RequestItems=wanted)
            found |= {key_in(attributes): attributes for attributes in answer["Responses"].get(self.table_name, [])}
            wanted = answer["UnprocessedKeys"]
            if not wanted:
                return found
            self._pause(attempt)
        raise Unavailable("DynamoDB kept putting a read off")

    def _pause(self, attempt: int) -> None:
        self._sleep(FIRST_PAUSE_SECONDS * 2**attempt * (0.5 + self._ids.jitter() / 2))


def key_attributes(key: Key) -> Attributes:
    """A key as DynamoDB takes it."""
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}


@contextmanager
def _telling_errors_apart() -> Iterator[None]:
    try:
        yield
    except (HTTPClientError, NoConnection) as error:
        raise Unavailable("DynamoDB did not answer") from error
    except ClientError as error:
        if _status(error) >= _SERVER_FAILED or error.response["Error"]["Code"] in _THROTTLED:
            raise Unavailable("DynamoDB could not answer") from error
        raise


def _require_reason_to_come_again(error: ClientError, *, is_doubtful: bool) -> None:
    """Raise what a refused write means, unless it may go through a moment later.

    A condition can fail because of the same put: sent, written, its answer lost, and sent again by botocore. A
    transaction is known by its token then; a single put has none, so what it did is not known.
    """
    reasons = _reasons(error)
    failed = [position for position, reason in enumerate(reasons) if reason == _CONDITION_FAILED]
    if failed and is_doubtful:
        raise Unavailable("whether a put was written is not known") from error
    if failed:
        raise ConditionsFailed(failed) from error
    if not set(reasons) - {_FITS} <= _COME_AGAIN:
        raise error


def _reasons(error: ClientError) -> list[str]:
    code = error.response["Error"]["Code"]
    if code != "TransactionCanceledException":
        return [_AS_REASON.get(code, code)]
    return [reason.get("Code", _FITS) for reason in error.response.get("CancellationReasons", [])]


def _was_repeated(error: ClientError) -> bool:
    return error.response["ResponseMetadata"].get("RetryAttempts", 0) > 0


def _status(error: ClientError) -> int:
    return error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
