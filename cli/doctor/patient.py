"""The deployment that is looked at."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property

import stripe

from marketplace.edge.settings import PARSERS

from ..deployments import AwsClient, Deployment
from ..stripe_access import stripe_client, stripe_key
from ..stripe_keys import Place, places

TEST, LIVE = "test", "live"


class Patient:
    """A deployment, and the Stripe account that its key opens."""

    def __init__(self, where: Deployment, connect: Callable[[str], stripe.StripeClient] | None = None) -> None:
        self.where = where
        self._connect = connect

    @property
    def is_local(self) -> bool:
        """Whether it is a local cloud."""
        return self.where.parameters.get("Stage") == "local"

    @property
    def is_live(self) -> bool:
        """Whether real money moves."""
        return self.where.parameters.get("Livemode") == "true"

    @property
    def places(self) -> tuple[Place, ...]:
        """Its Stripe keys, the one of the operator's commands first."""
        return places(self.where.parameters.get("StripeKeys", "shared"))

    def key_at(self, place: Place) -> str:
        """One of them. Raises Cannot."""
        return stripe_key(self.where, place.output)

    def client_of(self, key: str) -> stripe.StripeClient:
        """A client with this key."""
        return self._connect(key) if self._connect else stripe_client(self.where, key)

    @cached_property
    def stripe(self) -> stripe.StripeClient:
        """A client with the key of the operator's commands. Raises Cannot."""
        return self.client_of(self.key_at(self.places[0]))

    @cached_property
    def some_account(self) -> str | None:
        """A connected account, to try what may be asked of them; None where there is none to be seen."""
        try:
            found = self.stripe.v2.core.accounts.list({"limit": 1}).data
        except stripe.StripeError:
            return None
        return found[0].id if found else None

    def aws(self, service: str) -> AwsClient:
        """A client of AWS. Raises botocore's errors."""
        return self.where.client(service)

    def now(self) -> datetime:
        """The time of the machine that looks."""
        return datetime.now(UTC)


def parameter_of(variable: str) -> str:
    """The template's parameter that a function is told as this variable: ``FeePolicy`` of ``FEE_POLICY``."""
    return "".join(part.capitalize() for part in variable.lower().split("_"))


CHECKED_PARAMETERS = {parameter_of(variable): parse for variable, parse in PARSERS.items()}
