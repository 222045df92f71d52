"""A promise, what was measured, and whether it was kept."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measured:
    """One row of the report. ``at_most`` None is a figure without a promise."""

    what: str
    figure: float
    unit: str
    at_most: float | None = None

    @property
    def is_kept(self) -> bool:
        """Whether the promise, if there is one, was kept."""
        return self.at_most is None or self.figure <= self.at_most

    def row(self) -> str:
        """The row as it is printed."""
        promise = "" if self.at_most is None else f"at most {self.at_most:g}"
        verdict = "" if self.at_most is None else "kept" if self.is_kept else "BROKEN"
        return f"{self.what:<58} {self.figure:>10,.4g} {self.unit:<12} {promise:<14} {verdict}"
