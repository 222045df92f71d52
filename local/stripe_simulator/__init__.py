"""A stateful Stripe with Connect, for development and tests.

``Simulator`` is the whole of it in process; ``python -m local.stripe_simulator`` serves it over HTTP.
Nothing in here imports the rest of the project.
"""

from .clock import Clock
from .parameters import check
from .settings import Settings
from .simulator import Simulator
from .webhooks import Delivery

__all__ = ["Clock", "Delivery", "Settings", "Simulator", "check"]
