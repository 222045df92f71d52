"""The calls to AWS that each function makes in the tests: as IAM sees them, an action on a resource of the template.

The store in memory answers the tests; every call of it is made on the store on DynamoDB too, over a client that
writes down what it is asked. Other clients are heard where botocore makes a call.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from types import ModuleType
from typing import Any

import pytest
from botocore.client import BaseClient

from local.stripe_use import expanded
from marketplace.adapters.dynamodb_store import DynamoDBStore
from marketplace.adapters.keys import INDEXES
from marketplace.adapters.records import key_in
from marketplace.adapters.system import SystemIds
from marketplace.operations import Operation
from marketplace.ports import Store, StripeApi

from ..fakes.memory_store import MemoryStore

type Right = tuple[str, str]  # an action, and the logical id of what it is done to, or of an index of it

CALLS: defaultdict[str, set[Right]] = defaultdict(set)  # by function, of the whole run
STRIPE_KEY: Right = ("secretsmanager:GetSecretValue", "StripeKeySecret")
SECRETS: Mapping[str, Right] = {
    "stripe-key": STRIPE_KEY,
    "webhooks": ("secretsmanager:GetSecretValue", "WebhookSecret"),
}
DEAD_LETTERS = "EventDeadLetterQueue"  # the one queue that a function receives from itself
RIGHTS: Mapping[str, Right] = {
    "SendMessage": ("sqs:SendMessage", "EventQueue"),
    "ReceiveMessage": ("sqs:ReceiveMessage", DEAD_LETTERS),
    "ChangeMessageVisibilityBatch": ("sqs:ChangeMessageVisibility", DEAD_LETTERS),
    "DeleteMessage": ("sqs:DeleteMessage", DEAD_LETTERS),
    "GetQueueAttributes": ("sqs:GetQueueAttributes", DEAD_LETTERS),
    "PutEvents": ("events:PutEvents", "EventBus"),
    "BatchGetItem": ("dynamodb:BatchGetItem", "Table"),
    "PutItem": ("dynamodb:PutItem", "Table"),
    "TransactWriteItems": ("dynamodb:PutItem", "Table"),  # which is what IAM asks for, for each put
}
# Of Stripe, by function, of the whole run; with whether it was asked of a connected account.
ASKED: defaultdict[str, set[tuple[Operation, bool]]] = defaultdict(set)
_running: ContextVar[str | None] = ContextVar("the function that is running", default=None)


@contextmanager
def recording(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hear of every call that a botocore client makes while a function runs."""
    called = BaseClient._make_api_call  # type: ignore[attr-defined]

    def heard(client: BaseClient, operation: str, parameters: Mapping[str, Any]) -> Any:
        name = _running.get()
        if name is not None:
            CALLS[name].add(right_to(operation, parameters))
        return called(client, operation, parameters)

    patch.setattr(BaseClient, "_make_api_call", heard)
    yield


def right_to(operation: str, parameters: Mapping[str, Any]) -> Right:
    """The right that a call needs."""
    if operation == "GetSecretValue":
        return SECRETS[parameters["SecretId"]]
    if operation == "Query":
        return "dynamodb:Query", f"Table/index/{parameters['IndexName']}" if "IndexName" in parameters else "Table"
    return RIGHTS[operation]


def as_running(name: str, module: ModuleType) -> Callable[..., Any]:
    """The function's handler, during which it is the one that calls."""
    handler = module.handler

    def handle(*arguments: Any) -> Any:
        token = _running.set(name)
        try:
            return handler(*arguments)
        finally:
            _running.reset(token)

    return handle


class RecordedStore:
    """The store in memory of one function."""

    def __init__(self, store: MemoryStore, function: str) -> None:
        self._store = store
        clock = store._clock
        self._twin: Store = DynamoDBStore(_Client(store, function), "table", clock=clock, ids=SystemIds(clock))  # type: ignore[arg-type]  # the four calls that are made

    def __getattr__(self, name: str) -> Any:
        return partial(self._call, name)

    def _call(self, name: str, *arguments: Any, **named: Any) -> Any:
        answer = getattr(self._store, name)(*arguments, **named)
        if _running.get() is not None:
            getattr(self._twin, name)(*arguments, **named)
        return answer


class RecordedStripe:
    """A Stripe of one function: whoever asks it has read its key."""

    def __init__(self, stripe: StripeApi, function: str) -> None:
        self._stripe = stripe
        self._function = function

    def __getattr__(self, name: str) -> Any:
        return partial(self._call, name)

    def _call(self, name: str, operation: Operation, *arguments: Any, **named: Any) -> Any:
        if _running.get() is not None:
            CALLS[self._function].add(STRIPE_KEY)
            seen = expanded(named.get("params", {}).get("expand", ()))
            ASKED[self._function] |= {(operation, named.get("account") is not None), *((each, False) for each in seen)}
        return getattr(self._stripe, name)(operation, *arguments, **named)


class _Client:
    """DynamoDB's client, as far as the store calls it. A query of an index finds one item, so that it is read."""

    def __init__(self, store: MemoryStore, function: str) -> None:
        self._rows = store._items
        self._function = function

    def query(self, **asked: Any) -> Any:
        CALLS[self._function].add(right_to("Query", asked))
        if "IndexName" not in asked:
            return {"Items": []}
        partition, *_ = INDEXES[asked["IndexName"]]
        wanted = next(iter(asked["ExpressionAttributeValues"].values()))
        return {"Items": [row for row in list(self._rows.values()) if row.get(partition) == wanted][:1]}

    def batch_get_item(self, **asked: Any) -> Any:
        CALLS[self._function].add(right_to("BatchGetItem", asked))
        keys = map(key_in, asked["RequestItems"]["table"]["Keys"])
        return {"Responses": {"table": [self._rows[key] for key in keys if key in self._rows]}, "UnprocessedKeys": {}}

    def put_item(self, **asked: Any) -> None:
        CALLS[self._function].add(right_to("PutItem", asked))

    def transact_write_items(self, **asked: Any) -> None:
        CALLS[self._function].add(right_to("TransactWriteItems", asked))
