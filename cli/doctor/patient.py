"""The deployment that is looked at."""

from datetime import UTC, datetime
from functools import cached_property

import stripe

from marketplace.edge.settings import PARSERS

from ..deployments import AwsClient, Deployment
from ..stripe_access import stripe_client, stripe_key

TEST, LIVE = "test", "live"


class Patient:
    """A deployment, and the Stripe account that its key opens."""

    def __init__(self, where: Deployment, client: stripe.StripeClient | None = None) -> None:
        self.where = where
        self._client = client

    @property
    def is_local(self) -> bool:
        """Whether it is a local cloud."""
        return self.where.parameters.get("Stage") == "local"

    @property
    def is_live(self) -> bool:
        """Whether real money moves."""
        return self.where.parameters.get("Livemode") == "true"

    @cached_property
    def key(self) -> str:
        """The Stripe key. Raises Cannot."""
        return stripe_key(self.where)

    @cached_property
    def stripe(self) -> stripe.StripeClient:
        """A client with that key. Raises Cannot."""
        return self._client or stripe_client(self.where)

    def aws(self, service: str) -> AwsClient:
        """A client of AWS. Raises CannotReach."""
        return self.where.client(service)

    def now(self) -> datetime:
        """The time of the machine that looks."""
        return datetime.now(UTC)


def parameter_of(variable: str) -> str:
    """The template's parameter that a function is told as this variable: ``FeePolicy`` of ``FEE_POLICY``."""
    return "".join(part.capitalize() for part in variable.lower().split("_"))


CHECKED_PARAMETERS = {parameter_of(variable): parse for variable, parse in PARSERS.items()}
