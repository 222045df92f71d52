"""Stripe-like ids from one source of chance, so that a seeded run can be repeated."""

import random
import string

_ALPHABET = string.ascii_letters + string.digits
_DEFAULT_LENGTH = 24


class Ids:
    """Makes ``pi_...``, ``cs_test_...``, ``acct_...`` and whatever else looks random."""

    def __init__(self, seed: int | None = None) -> None:
        self._seed = seed
        self.random = random.Random(seed)  # noqa: S311 - ids of a simulator are labels, no secrets

    def new(self, prefix: str, length: int = _DEFAULT_LENGTH) -> str:
        """``prefix`` and ``length`` letters or digits, joined by an underscore."""
        return f"{prefix}_{''.join(self.random.choices(_ALPHABET, k=length))}"

    def continue_after(self, sequence: int) -> None:
        """Go on where a stored state ends: the same seed must not make the same ids again."""
        if self._seed is not None:
            self.random.seed(f"{self._seed}:{sequence}")
