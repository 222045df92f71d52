"""What scripts and tests know of a running local cloud."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from botocore.config import Config
from stripe import StripeClient

from .aws import AwsClient, client
from .failures import CannotRun
from .places import STACK_FILE
from .ports import is_listening
from .users import Role, User, token


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A running local cloud: where its parts listen and what opens them. `.local/stack.json` is one of these.

    ``stripe_key`` is the simulator's; it is empty where Stripe itself is used, because a key belongs in no file.
    ``return_origin`` is an origin that return URLs may have. The tokens are good for a day. ``functions`` are the names
    of the functions by their logical ids in the template. Where users are another issuer's there are no tokens, and the
    pool's ids are empty.
    """

    api: str
    stripe: str
    stripe_key: str
    return_origin: str
    tokens: Mapping[Role, str]
    webhook_secrets: Mapping[str, list[str]]
    aws_endpoint: str
    region: str
    functions: Mapping[str, str]
    table: str
    queue_url: str
    dead_letter_queue_url: str
    event_bus_name: str
    stripe_key_secret_arn: str
    webhook_secret_arn: str
    user_pool_id: str
    user_pool_client_id: str

    @classmethod
    def running(cls, file: Path = STACK_FILE) -> Self:
        """The stack that `make run` keeps running.

        Raises:
            CannotRun: there is none.
        """
        if file.exists():
            stack = cls(**json.loads(file.read_text()))
            if is_listening(urlsplit(stack.aws_endpoint).port or 0):
                return stack
        raise CannotRun("The local cloud is not running: start it with `make run`.")

    def save(self, file: Path = STACK_FILE) -> None:
        """Let scripts know; the file is for its owner only, because of the tokens."""
        file.touch(mode=0o600)
        file.write_text(json.dumps(asdict(self), indent=2) + "\n")

    def client(self, service: str, config: Config | None = None) -> AwsClient:
        """A boto3 client of the local AWS."""
        return client(self.aws_endpoint, service, config)

    def stripe_client(self, api_key: str | None = None) -> StripeClient:
        """A client of the simulator, or with a key of one's own of Stripe."""
        return StripeClient(api_key or self.stripe_key, base_addresses={"api": self.stripe})

    def token(self, user: User) -> str:
        """An ID token of a user, who is made if need be, or given another merchant."""
        return token(self.client("cognito-idp"), self.user_pool_id, self.user_pool_client_id, user)

    def merchant_token(self, merchant_id: str) -> str:
        """An ID token of a user of this merchant."""
        return self.token(User(role="merchant", email=f"{merchant_id}@merchants.example", merchant_id=merchant_id))
