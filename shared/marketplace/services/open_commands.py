"""Commands whose outcome is not known yet, for operators: why they wait, and a try now."""

from typing import Final

from marketplace.domain.commands import ALARM_AFTER, LONGEST_RETRY, Command
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import NotFound
from marketplace.domain.principals import Principal, Role
from marketplace.ports import DUE_SHARDS, Ports, Ref, one
from marketplace.services.commands import answer_again
from marketplace.services.sweep import HANDLERS

MOST_PER_SHARD: Final = 100


@dataclass(frozen=True, kw_only=True)
class OpenCommands:
    """Those that are open, the oldest first; ``is_complete`` unless there are too many to see at once."""

    commands: tuple[Command, ...]
    is_complete: bool


def list_open(ports: Ports, caller: Principal) -> OpenCommands:
    """The commands that are open; each is looked at again within LONGEST_RETRY. Raises NotAllowed, Unavailable."""
    caller.require(Role.OPERATOR)
    until = ports.clock.now() + LONGEST_RETRY
    shards = [ports.store.due(shard, now=until, limit=MOST_PER_SHARD) for shard in range(DUE_SHARDS)]
    found = [item for items in shards for item in items if isinstance(item, Command) and item.is_open]
    return OpenCommands(
        commands=tuple(sorted(found, key=lambda command: command.created_at)),
        is_complete=all(len(items) < MOST_PER_SHARD for items in shards),
    )


def retry(ports: Ports, caller: Principal, subject: str, command_id: str) -> Command:
    """Try an open command now, as the sweep would when it is due; one that has ended stays as it ended.

    Raises:
        NotAllowed, NotFound, Unavailable.
        RequestUnderWay: somebody is at it right now.
    """
    caller.require(Role.OPERATOR)
    command = one(ports.store, Ref(Command, command_id, subject))
    if command is None:
        raise NotFound("command")
    return answer_again(ports, HANDLERS[command.kind], command)


def is_late(ports: Ports, command: Command) -> bool:
    """Whether it has been open for so long that somebody must look at it."""
    return ports.clock.now() - command.created_at > ALARM_AFTER
