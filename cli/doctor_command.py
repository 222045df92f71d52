"""`doctor`: what must be right before money moves, and how to mend what is not."""

from argparse import Namespace
from dataclasses import asdict
from typing import Final

from .answers import Answer, Subcommand
from .deployments import Deployment
from .doctor.lines import Verdict
from .doctor.looking import look_at
from .doctor.patient import Patient
from .progress import say
from .tables import table

MARKS: Final = {Verdict.OK: "✓", Verdict.WARNING: "!", Verdict.WRONG: "✗", Verdict.UNKNOWN: "?"}


def _doctor(where: Deployment, _: Namespace) -> Answer:
    patient = Patient(where)
    say(
        "local" if patient.is_local else where.stack_name
    )  # a stack that cannot be read is said once, not by each check
    lines = []
    for line in look_at(patient):
        say(f"{MARKS[line.verdict]} {line.about}")
        lines.append(line)
    rows = [[MARKS[line.verdict], line.about, line.what] for line in lines]
    told = [table(["", "", ""], rows)]
    mends = [f"{MARKS[line.verdict]} {line.about}: {line.what}\n  {line.mend}" for line in lines if line.mend]
    if mends:
        told += ["To mend", *mends]
    facts = {"lines": [{**asdict(line), "verdict": line.verdict.value} for line in lines]}
    is_well = not any(line.verdict is Verdict.WRONG for line in lines)
    return Answer(facts=facts, is_well=is_well, text="\n\n".join(told))


SUBCOMMANDS: Final = (Subcommand(("doctor",), "check what must be right before money moves", _doctor),)
