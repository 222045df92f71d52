"""The signing secrets as the deployment keeps them, in one secret of Secrets Manager.

    {"account": ["whsec_..."], "connect": ["whsec_...", "whsec_..."],
     "endpoints": {"we_...": {"kind": "account", "secret": "whsec_...", "retired_at": null}}}

The receiver reads the lists, by the path of the endpoint. ``endpoints`` says whose each one is; a secret that was put
into a list by hand is nobody's, and stays.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self

from marketplace.domain.signatures import UnusableSecrets, require_usable

from .endpoints import Kind, Wanted

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

ENDPOINTS: Final = "endpoints"
LISTS: Final = ("account", "connect")


class Malformed(Exception):
    """What is kept cannot be read; the text says what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class KeptEndpoint:
    """An endpoint of ours. ``secret`` is None where it is not known; ``retired_at`` is when another took its place."""

    kind: Kind
    secret: str | None
    retired_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Kept:
    """All of it. Nothing here is ever changed: each method gives what is to be kept next."""

    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    endpoints: Mapping[str, KeptEndpoint] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> Self:
        """What was kept; nothing, where it is empty. Raises Malformed."""
        try:
            data = json.loads(text or "{}")
            lists = {name: tuple(map(str, data.get(name, []))) for name in LISTS}
            endpoints = {name: _endpoint(each) for name, each in data.get(ENDPOINTS, {}).items()}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Malformed(f"the webhook secret is not as `webhooks sync` writes it: {type(error).__name__}") from None
        for name, secrets in lists.items():
            _require_usable(name, secrets)
        return cls(lists=lists, endpoints=endpoints)

    def text(self) -> str:
        """As it is written."""
        endpoints = {
            name: {
                "kind": each.kind.value,
                "secret": each.secret,
                "retired_at": each.retired_at and each.retired_at.isoformat(),
            }
            for name, each in self.endpoints.items()
        }
        return json.dumps({**{name: list(each) for name, each in self.lists.items()}, ENDPOINTS: endpoints})

    def with_new(self, endpoint_id: str, wanted: Wanted, secret: str) -> Self:
        """With the secret of a new endpoint, beside all others."""
        return replace(
            self,
            lists={**self.lists, wanted.path: (secret, *self.lists.get(wanted.path, ()))},
            endpoints={**self.endpoints, endpoint_id: KeptEndpoint(kind=wanted.kind, secret=secret)},
        )

    def with_retired(self, endpoint_id: str, kind: Kind, now: datetime) -> Self:
        """With an endpoint that another takes the place of; its secret goes on to be good."""
        known = self.endpoints.get(endpoint_id, KeptEndpoint(kind=kind, secret=None))
        return replace(self, endpoints={**self.endpoints, endpoint_id: replace(known, retired_at=now)})

    def without(self, endpoint_id: str) -> Self:
        """Without an endpoint that is no more, and its secret."""
        gone = self.endpoints.get(endpoint_id)
        rest = {name: each for name, each in self.endpoints.items() if name != endpoint_id}
        lists = {name: tuple(s for s in each if gone is None or s != gone.secret) for name, each in self.lists.items()}
        return replace(self, endpoints=rest, lists=lists)

    def rotated(self, there: Collection[str]) -> Self:
        """After a rotation: without the retired endpoints that are not there any more, and all secrets of nobody."""
        gone = [name for name, each in self.endpoints.items() if each.retired_at is not None and name not in there]
        rest = {name: each for name, each in self.endpoints.items() if name not in gone}
        owned = {each.secret for each in rest.values()}
        lists = {name: tuple(s for s in each if s in owned) for name, each in self.lists.items()}
        return replace(self, endpoints=rest, lists=lists)


class Vault:
    """The secret of a deployment. Raises botocore's errors, and Malformed."""

    def __init__(self, client: "SecretsManagerClient", name: str) -> None:
        self._client = client
        self._name = name

    def read(self) -> Kept:
        """What is kept now."""
        try:
            return Kept.of(self._client.get_secret_value(SecretId=self._name)["SecretString"].strip())
        except self._client.exceptions.ResourceNotFoundException:  # a secret without a value, as it is deployed
            return Kept.of("")

    def change(self, change: Callable[[Kept], Kept]) -> Kept:
        """Keep what ``change`` makes of what is kept at this moment, whoever wrote it, in one write."""
        after = change(self.read())
        self._client.put_secret_value(SecretId=self._name, SecretString=after.text())
        return after


def _endpoint(data: Mapping[str, Any]) -> KeptEndpoint:
    retired_at = data.get("retired_at")
    return KeptEndpoint(
        kind=Kind(data["kind"]),
        secret=data["secret"],
        retired_at=datetime.fromisoformat(retired_at) if retired_at else None,
    )


def _require_usable(name: str, secrets: tuple[str, ...]) -> None:
    try:
        if secrets:
            require_usable(secrets)
    except UnusableSecrets as error:
        raise Malformed(f"the secrets for {name}: {error}") from None
