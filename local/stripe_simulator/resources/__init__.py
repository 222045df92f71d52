"""Stripe's resources, one module each. A module is taken in by having ``routes``; nothing else lists them.

They may import the kernel around them and each other's collections.
"""

import importlib
import pkgutil
from collections.abc import Iterator

from ..routing import Routes


def all_routes() -> Iterator[Routes]:
    """The routes of every module in this package."""
    for module in pkgutil.iter_modules(__path__):
        found = getattr(importlib.import_module(f"{__name__}.{module.name}"), "routes", None)
        if isinstance(found, Routes):
            yield found
