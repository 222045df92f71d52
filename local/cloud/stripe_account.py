"""The Stripe of a local cloud: the simulator, or a test-mode account at Stripe itself."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import stripe

from marketplace.domain.events import ACCOUNT_EVENTS, CONNECT_EVENTS, THIN_EVENTS

from .failures import CannotRun
from .places import PROJECT
from .ports import HOST
from .processes import serving

STRIPE: Final = "https://api.stripe.com"
SIMULATOR_KEY: Final = "sk_test_simulator"
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

    def webhook_secrets(self, api: str) -> dict[str, list[str]]:
        """The signing secrets by the receiver's path; at the simulator the endpoints are created for it."""
        if self.is_simulated:
            return _create_endpoints(stripe.StripeClient(self.key, base_addresses={"api": self.base}), api)
        secrets = [self.listen_secret] if self.listen_secret else []
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


def _create_endpoints(client: stripe.StripeClient, api: str) -> dict[str, list[str]]:
    """Subscribe to exactly what the code reads; thin events of accounts come with the Connect events.

    ``list[Any]``, because the SDK knows the names of events as literals only.
    """
    account_url, connect_url = f"{api}/webhooks/stripe/account", f"{api}/webhooks/stripe/connect"
    account = client.v1.webhook_endpoints.create({"url": account_url, "enabled_events": list[Any](ACCOUNT_EVENTS)})
    connect = client.v1.webhook_endpoints.create(
        {"url": connect_url, "enabled_events": list[Any](CONNECT_EVENTS), "connect": True}
    )
    thin = client.v2.core.event_destinations.create(
        {
            "name": "Connected accounts",
            "type": "webhook_endpoint",
            "event_payload": "thin",
            "events_from": ["@self", "@accounts"],
            "enabled_events": [*THIN_EVENTS],
            "webhook_endpoint": {"url": connect_url},
            "include": ["webhook_endpoint.signing_secret"],
        }
    )
    return {
        "account": [str(account["secret"])],
        "connect": [str(connect["secret"]), str(thin["webhook_endpoint"]["signing_secret"])],
    }
