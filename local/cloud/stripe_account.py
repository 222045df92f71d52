"""The Stripe of a local cloud: the simulator, or a test-mode account at Stripe itself."""

import os
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import requests
import stripe

from cli.stripe_keys import Group, permissions, rights_of
from cli.webhooks.endpoints import StripeEndpoints, wanted_at
from cli.webhooks.kept import Vault
from cli.webhooks.sync import carry_out, plan

from .failures import CannotRun
from .places import PROJECT
from .ports import HOST
from .processes import serving

STRIPE: Final = "https://api.stripe.com"
SIMULATOR_KEY: Final = "sk_test_simulator"
KEY_SECONDS: Final = 10
TEST_KEYS: Final = ("sk_test_", "rk_test_")


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeAccount:
    """Where Stripe is and what opens it. ``listen_secret`` is what Stripe's CLI signs the webhooks with that it brings.

    Stripe delivers to no address of this machine, so a real account has no endpoints here: its CLI fetches the events.
    """

    base: str
    key: str
    listen_secret: str | None = None

    @property
    def is_simulated(self) -> bool:
        """Whether this is our own simulator."""
        return self.base != STRIPE

    def subscribe(self, api: str, vault: Vault) -> None:
        """Have the webhooks sent, and their secrets kept for the receiver, as `webhooks sync` does it."""
        if not self.is_simulated:
            vault.change(lambda kept: replace(kept, lists=self.listen_secrets()))
            return
        endpoints = StripeEndpoints(stripe.StripeClient(self.key, base_addresses={"api": self.base}))
        wanted, now = wanted_at(api), datetime.now(UTC)
        planned = plan(wanted, endpoints.at([each.url for each in wanted]), vault.read(), now=now)
        deque(carry_out(planned.steps, endpoints, vault, now=now), maxlen=0)

    def restricted_key(self, group: Group) -> str:
        """A key of the simulator's that may do what this group of functions must, and no more."""
        own, connect = permissions(rights_of(group))
        body = {"name": group.value, "permissions": own, "connect_permissions": connect}
        answer = requests.post(f"{self.base}/_simulator/keys", json=body, timeout=KEY_SECONDS)
        answer.raise_for_status()
        return str(answer.json()["key"])

    def listen_secrets(self) -> dict[str, tuple[str, ...]]:
        """What Stripe's CLI signs with, by the receiver's path; nothing while it is not known."""
        secrets = (self.listen_secret,) if self.listen_secret else ()
        return {"account": secrets, "connect": secrets}


def own_account(environment: Mapping[str, str]) -> StripeAccount | None:
    """The account that STRIPE_SECRET_KEY opens, or None where it is not set.

    Raises:
        CannotRun: the key is a live one, or none at all.
    """
    key = environment.get("STRIPE_SECRET_KEY")
    if not key:
        return None
    if not key.startswith(TEST_KEYS):
        raise CannotRun("STRIPE_SECRET_KEY is no test-mode key (sk_test_... or rk_test_...): no real money here.")
    return StripeAccount(base=STRIPE, key=key, listen_secret=environment.get("STRIPE_WEBHOOK_SECRET"))


@contextmanager
def simulator(*, port: int, folder: Path) -> Iterator[StripeAccount]:
    """A simulator with nothing in it."""
    command = [sys.executable, "-m", "local.stripe_simulator", "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    log = folder / "stripe.log"
    with serving(command, port=port, log=log, environment=environment):
        yield StripeAccount(base=f"http://{HOST}:{port}", key=SIMULATOR_KEY)
