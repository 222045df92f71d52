"""The FIFO queue between the receiver of Stripe's events and their processor."""

from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from marketplace.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

ENDPOINT: Final = "endpoint"  # the message attribute that says which of Stripe's endpoints the event came by


class EventQueue:
    """The queue behind this URL."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def put(self, body: str, *, event_id: str, group: str, endpoint: str) -> None:
        """Keep an event. The same one again within five minutes is kept once; later its marker tells.

        Raises:
            Unavailable: SQS did not say that it has it.
        """
        try:
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=body,
                MessageGroupId=group,
                MessageDeduplicationId=event_id,
                MessageAttributes={ENDPOINT: {"DataType": "String", "StringValue": endpoint}},
            )
        except (BotoCoreError, ClientError) as error:
            raise Unavailable("the queue did not take the event") from error
