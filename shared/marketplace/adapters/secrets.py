"""A secret as Secrets Manager keeps it, read when it is needed and again after a while, so that it can be rotated."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from marketplace.domain.errors import Unavailable
from marketplace.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

READ_AGAIN_AFTER: Final = timedelta(minutes=5)


class Secret:
    """One secret, of the name or ARN given."""

    def __init__(self, client: "SecretsManagerClient", name: str, clock: Clock) -> None:
        self._client = client
        self._name = name
        self._clock = clock
        self._known: str | None = None
        self._read_at: datetime | None = None

    def value(self) -> str:
        """The secret's text. An old one serves while Secrets Manager does not answer.

        Raises:
            Unavailable: it was never read, and cannot be now.
        """
        now = self._clock.now()
        if self._known is not None and self._read_at is not None and now - self._read_at < READ_AGAIN_AFTER:
            return self._known
        try:
            self._known = self._client.get_secret_value(SecretId=self._name)["SecretString"].strip()
            self._read_at = now
        except (BotoCoreError, ClientError, KeyError):
            if self._known is None:
                raise Unavailable("the secret cannot be read") from None
        return self._known

    def forget(self) -> None:
        """It did not open anything: read it anew when it is next needed, and go on with it if it cannot be read."""
        self._read_at = None
