"""A secret as Secrets Manager keeps it, read when it is needed and again after a while, so that it can be rotated."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from marketplace.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

READ_AGAIN_AFTER_SECONDS: Final = 300


class Secret:
    """One secret, of the name or ARN given. ``seconds`` tells its age."""

    def __init__(self, client: "SecretsManagerClient", name: str, *, seconds: Callable[[], float] = time.time) -> None:
        self._client = client
        self._name = name
        self._seconds = seconds
        self._known: str | None = None
        self._read_at = 0.0

    def value(self) -> str:
        """The secret's text. An old one serves while Secrets Manager does not answer.

        Raises:
            Unavailable: it was never read, and cannot be now.
        """
        now = self._seconds()
        if self._known is not None and now - self._read_at < READ_AGAIN_AFTER_SECONDS:
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
        self._read_at = 0.0
