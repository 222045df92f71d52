"""What a check found, in lines."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"  # it works, and somebody should know
    WRONG = "wrong"  # money, events or merchants are held up
    UNKNOWN = "cannot check"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One finding: about what, what it is, and how to mend it."""

    about: str
    verdict: Verdict
    what: str
    mend: str = ""


def ok(about: str, what: str) -> Line:
    """All is well."""
    return Line(about=about, verdict=Verdict.OK, what=what)


def warning(about: str, what: str, mend: str) -> Line:
    """Somebody should know."""
    return Line(about=about, verdict=Verdict.WARNING, what=what, mend=mend)


def wrong(about: str, what: str, mend: str) -> Line:
    """It holds something up."""
    return Line(about=about, verdict=Verdict.WRONG, what=what, mend=mend)


def unknown(about: str, what: str, mend: str = "") -> Line:
    """It could not be looked at."""
    return Line(about=about, verdict=Verdict.UNKNOWN, what=what, mend=mend)
