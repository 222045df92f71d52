"""Trouble on the way to DynamoDB and back, in the order that a test wants it, below botocore's own retries."""

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from moto.core.botocore_stubber import MockRawResponse
from moto.core.models import botocore_stubber

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Deliver = Callable[[AWSPreparedRequest], AWSResponse]
Fault = Callable[[AWSPreparedRequest, Deliver], AWSResponse]
_NAMESPACE = "com.amazonaws.dynamodb.v20120810#"


def deliver_to_moto(request: AWSPreparedRequest) -> AWSResponse:
    answer = botocore_stubber("before-send", request)
    assert answer is not None
    return answer


def deliver_by_http(request: AWSPreparedRequest) -> AWSResponse:
    session = URLLib3Session()
    try:
        return session.send(request)
    finally:
        session.close()


class Line:
    """The line between a client and DynamoDB: each request meets the next of ``faults``, while there are any."""

    def __init__(self, client: "DynamoDBClient", deliver: Deliver) -> None:
        self.faults: list[Fault] = []
        self.requests: list[dict[str, Any]] = []
        self._deliver = deliver
        events: Any = client.meta.events  # the stubs know of no hook that answers
        events.unregister("before-send", botocore_stubber)
        events.register("before-send.dynamodb", self._on_request)

    def _on_request(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        self.requests.append(_content(request))
        if not self.faults:
            return self._deliver(request)
        return self.faults.pop(0)(request, self._deliver)


def delivered(request: AWSPreparedRequest, deliver: Deliver) -> AWSResponse:
    """No trouble, this time."""
    return deliver(request)


def unreachable(request: AWSPreparedRequest, deliver: Deliver) -> AWSResponse:
    """Nobody heard of the request."""
    raise ConnectTimeoutError(endpoint_url=request.url)


def answer_lost(request: AWSPreparedRequest, deliver: Deliver) -> AWSResponse:
    """What was asked was done; nobody hears of it."""
    deliver(request)
    raise ReadTimeoutError(endpoint_url=request.url)


def fails(code: str, *, status: int = 400, reasons: Sequence[str] | None = None) -> Fault:
    """DynamoDB answers with an error and does nothing; ``reasons`` are those of a canceled transaction."""
    body: dict[str, Any] = {"__type": _NAMESPACE + code, "message": "injected"}
    if reasons is not None:
        body["CancellationReasons"] = [{"Code": reason} for reason in reasons]

    def fault(request: AWSPreparedRequest, deliver: Deliver) -> AWSResponse:
        return _answer(request, status, body)

    return fault


def canceled(*reasons: str) -> Fault:
    return fails("TransactionCanceledException", reasons=reasons)


def half_processed(request: AWSPreparedRequest, deliver: Deliver) -> AWSResponse:
    """DynamoDB reads the first half of a batch and hands the rest back."""
    ((table, wanted),) = _content(request)["RequestItems"].items()
    half = len(wanted["Keys"]) // 2
    rest = {table: {**wanted, "Keys": wanted["Keys"][half:]}}
    request.body = json.dumps({"RequestItems": {table: {**wanted, "Keys": wanted["Keys"][:half]}}}).encode()
    request.headers["Content-Length"] = str(len(request.body))
    answer = json.loads(deliver(request).content)
    return _answer(request, 200, {**answer, "UnprocessedKeys": rest})


def _content(request: AWSPreparedRequest) -> dict[str, Any]:
    assert isinstance(request.body, str | bytes)
    content: dict[str, Any] = json.loads(request.body)
    return content


def _answer(request: AWSPreparedRequest, status: int, body: dict[str, Any]) -> AWSResponse:
    headers = HTTPHeaders.from_dict({"content-type": "application/x-amz-json-1.0"})
    return AWSResponse(request.url, status, headers, MockRawResponse(json.dumps(body)))
