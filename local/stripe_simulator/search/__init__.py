"""Search: Stripe's query language over seven resources, answered from an index that may lag behind the state.

https://docs.stripe.com/search. May import the kernel below the requests: shelves, values, errors, clock.
"""

from .fields import FIELDS
from .index import SearchIndex

__all__ = ["FIELDS", "SearchIndex"]
