"""Commands whose outcome is not known yet, for operators."""

import os
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from marketplace.adapters import wiring
from marketplace.domain.commands import Command
from marketplace.edge.invocation import Invocation
from marketplace.edge.resolver import Api, Caller
from marketplace.edge.settings import Part, Settings
from marketplace.edge.views import View
from marketplace.services import open_commands

settings = Settings.of(os.environ, Part.TABLE, Part.STRIPE, Part.CALLERS, Part.MONEY)
invocation = Invocation()
ports = wiring.ports(settings, invocation)
app = Api(settings, invocation)
handler = app.resolve


class CommandView(View):
    """What Stripe is asked for, and where that stands. An open one says what it waits for and when it is tried next."""

    id: str
    subject: Annotated[str, Field(description="The transaction, merchant or customer that it belongs to.")]
    kind: str
    status: str
    waits_for: str | None
    doubt: str | None
    tries: int
    created_at: datetime
    due_at: datetime | None
    is_late: Annotated[bool, Field(description="Open for more than a day.")]
    stripe_id: str | None
    refusal: Annotated[str | None, Field(description="Stripe's code.")]

    @classmethod
    def of_command(cls, command: Command) -> Self:
        """From the record."""
        late = command.is_open and open_commands.is_late(ports, command)
        names = set(cls.model_fields) - {"is_late"}
        return cls(**{name: getattr(command, name) for name in names}, is_late=late)


class CommandsView(View):
    """The open ones, the oldest first."""

    data: list[CommandView]
    is_complete: Annotated[bool, Field(description="Whether these are all.")]


@app.get("/commands")
def list_commands(caller: Caller) -> CommandsView:
    """The commands that are open."""
    found = open_commands.list_open(ports, caller)
    return CommandsView(data=[CommandView.of_command(each) for each in found.commands], is_complete=found.is_complete)


@app.post("/commands/<subject>/<command_id>/retry")
def retry_command(subject: str, command_id: str, caller: Caller) -> CommandView:
    """Try one now instead of when it is due. What has ended stays as it ended."""
    return CommandView.of_command(open_commands.retry(ports, caller, subject, command_id))
