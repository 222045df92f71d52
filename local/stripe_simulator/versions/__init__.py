"""API versions: what requests and answers were before each change that Stripe has made.

The simulator is of the version that the SDK pins. ``changes`` is the table of what differed; ``translation`` lifts an
older request up to the pinned version, and brings answers and events down to the client's.
"""

from .translation import check_version, lifted, lowered, moved, renamed

__all__ = ["check_version", "lifted", "lowered", "moved", "renamed"]
