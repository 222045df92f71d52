"""What was measured, beside what is promised."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measured:
    """One line of the report."""

    name: str
    value: float
    unit: str
    promise: str = ""
    is_kept: bool = True

    def row(self) -> str:
        """As it is printed."""
        said = f"  {'promised' if self.is_kept else 'BROKEN: promised'} {self.promise}" if self.promise else ""
        return f"{self.name:58}{self.value:12,.2f} {self.unit:9}{said}".rstrip()


def at_least(name: str, value: float, unit: str, bound: float) -> Measured:
    """A promise of so much."""
    return Measured(name, value, unit, f">= {bound:g}", value >= bound)


def at_most(name: str, value: float, unit: str, bound: float) -> Measured:
    """A promise of no more."""
    return Measured(name, value, unit, f"<= {bound:g}", value <= bound)
