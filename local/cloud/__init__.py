"""The local cloud: the real template in MiniStack, a Stripe beside it, users with tokens, webhooks connected.

``running_cloud`` starts one and stops it; ``Stack`` is what scripts and tests know of a running one. May import boto3,
stripe and the lists of events in ``marketplace.domain.events``; nothing in production imports it.
"""

from .failures import CannotRun
from .ports import Ports
from .running import PAYMENT_DESCRIPTION, running_cloud
from .stack import Stack
from .stripe_account import StripeAccount, own_account
from .users import Role, User

__all__ = [
    "PAYMENT_DESCRIPTION",
    "CannotRun",
    "Ports",
    "Role",
    "Stack",
    "StripeAccount",
    "User",
    "own_account",
    "running_cloud",
]
