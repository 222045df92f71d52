"""All checks, one after the other; what one meets keeps no other from looking."""

from collections.abc import Callable, Iterator
from typing import Final

import stripe
from botocore.exceptions import BotoCoreError, ClientError

from ..deployments import Cannot
from ..stripe_access import why
from . import account, deployment, events
from .lines import Line, unknown, wrong
from .patient import Patient
from .rights import rights
from .versions import versions

CHECKS: Final[dict[str, Callable[[Patient], Iterator[Line]]]] = {
    "parameters": deployment.parameters,
    "stripe limit": deployment.stripe_limit,
    "api": deployment.api,
    "versions": versions,
    "table": deployment.table,
    "keys": account.keys,
    "account": account.account,
    "connect": account.connect,
    "payouts": account.payouts,
    "tax": account.tax,
    "rights": rights,
    "endpoints": events.endpoints,
    "queues": events.queues,
    "alarms": deployment.alarms,
    "clock": deployment.clocks,
}


def look_at(patient: Patient) -> Iterator[Line]:
    """Every line of every check."""
    for name, check in CHECKS.items():
        try:
            yield from check(patient)
        except stripe.AuthenticationError as error:
            yield wrong(name, "Stripe does not know the key.", why(error))
        except stripe.PermissionError:
            yield unknown(name, "The key has not the right to look.", "Give it the right, or look in the Dashboard.")
        except stripe.StripeError as error:
            yield unknown(name, why(error))
        except (Cannot, BotoCoreError, ClientError) as error:
            yield unknown(name, str(error))
