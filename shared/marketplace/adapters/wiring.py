"""The one place where adapters are made, from a function's settings.

What only some functions use is imported when it is made: a cold start pays for every import.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, Final, Never

import botocore.session
from botocore.config import Config

from marketplace.adapters.secrets import Secret
from marketplace.domain.policies import MoneyPolicy
from marketplace.edge.invocation import Invocation
from marketplace.edge.settings import Settings

if TYPE_CHECKING:
    from marketplace.adapters.dead_letter_queue import DeadLetterQueue
    from marketplace.adapters.event_bus import EventBus
    from marketplace.adapters.event_queue import EventQueue
    from marketplace.ports import Ids, Ports, StripeApi

# The receiver has 10 seconds for one secret and one message; both clients try twice at most.
QUICK: Final = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2})


def ports(settings: Settings, invocation: Invocation) -> "Ports":
    """The ports of a function whose settings have TABLE, and STRIPE where it calls Stripe.

    A policy that the settings do not have is one that the function never asks.
    """
    from marketplace.adapters.dynamodb_calls import CONFIG  # noqa: PLC0415 - not for the receiver
    from marketplace.adapters.dynamodb_store import DynamoDBStore  # noqa: PLC0415 - not for the receiver
    from marketplace.adapters.system import SystemClock, SystemIds  # noqa: PLC0415 - not for the receiver
    from marketplace.domain.merchant_rights import MerchantRights  # noqa: PLC0415 - not for the receiver
    from marketplace.domain.responsibilities import AccountPolicy  # noqa: PLC0415 - not for the receiver
    from marketplace.ports import Policy, Ports  # noqa: PLC0415 - not for the receiver

    clock = SystemClock()
    ids = SystemIds(clock)
    return Ports(
        store=DynamoDBStore(_client("dynamodb", CONFIG), str(settings.table_name), clock=clock, ids=ids),
        stripe=_stripe(settings, invocation, ids),
        clock=clock,
        ids=ids,
        policy=Policy(
            default_fee=settings.fee_policy,
            return_origins=settings.return_origins or frozenset(),
            livemode=settings.livemode is True,
            money=settings.money_policy or MoneyPolicy(),
            rights=settings.merchant_rights or MerchantRights(),
            template=settings.payment_template,
            accounts=settings.account_policy or AccountPolicy(),
        ),
    )


def event_queue(settings: Settings) -> "EventQueue":
    """The queue of Stripe's events, of settings that have QUEUE_URL."""
    from marketplace.adapters.event_queue import EventQueue  # noqa: PLC0415 - for the receiver only

    return EventQueue(_client("sqs", QUICK), str(settings.queue_url))


def dead_letter_queue(settings: Settings) -> "DeadLetterQueue":
    """The queue of what was set aside, of settings that have DEAD_LETTERS."""
    from marketplace.adapters.dead_letter_queue import DeadLetterQueue  # noqa: PLC0415 - for one function only

    return DeadLetterQueue(_client("sqs", QUICK), str(settings.dead_letter_queue_url), str(settings.queue_url))


def event_bus(settings: Settings) -> "EventBus":
    """The bus of outgoing events, of settings that have EVENTS."""
    from marketplace.adapters.event_bus import EventBus  # noqa: PLC0415 - for the sender only

    return EventBus(_client("events", QUICK), str(settings.event_bus_name))


def webhook_secret(settings: Settings) -> Secret:
    """The signing secrets of the webhook endpoints, of settings that have WEBHOOKS."""
    return Secret(_client("secretsmanager", QUICK), str(settings.webhook_secret_arn))


def _stripe(settings: Settings, invocation: Invocation, ids: "Ids") -> "StripeApi":
    if settings.stripe_secret_arn is None:
        return NoStripe()
    from marketplace.adapters.stripe_gateway import StripeGateway  # noqa: PLC0415 - not where Stripe is not called
    from marketplace.edge.stripe_calls import tell  # noqa: PLC0415 - as above

    return StripeGateway(
        api_key=Secret(_client("secretsmanager", QUICK), settings.stripe_secret_arn),
        api_base=str(settings.stripe_api_base),
        time_left_seconds=invocation.seconds_left,
        jitter=ids.jitter,
        on_answer=tell,
    )


class NoStripe:
    """Stripe for a function that has no key and must not call it."""

    def ask(self, *_: object, **__: object) -> Never:
        """Never to be called."""
        raise AssertionError("this function has no Stripe key")

    read = each = ask


def _client(service: str, config: Config) -> Any:  # noqa: ANN401 - botocore makes its classes at run time
    """A client made by botocore alone: boto3 around it costs 50 ms of a cold start."""
    return _session().create_client(service, config=config)


@cache
def _session() -> botocore.session.Session:
    """One for all clients: what it has read of their service models' surroundings is read once."""
    return botocore.session.get_session()
