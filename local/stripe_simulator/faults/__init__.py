"""Faults on order: what goes wrong with a request or a delivery, with which ones, and how often.

Orders are objects of the platform, so that a snapshot and the SQLite file hold them like everything else. May import
the kernel below the requests: shelves, state, errors.
"""

from .desk import Faults
from .trouble import NotAnswered, NotReached

__all__ = ["Faults", "NotAnswered", "NotReached"]
