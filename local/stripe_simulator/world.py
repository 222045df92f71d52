"""What every request of one simulator shares."""

from dataclasses import dataclass

from .agenda import Agenda
from .clock import Clock
from .ids import Ids
from .settings import Settings


@dataclass(frozen=True, slots=True)
class World:
    """The platform and its surroundings; the two agendas say what falls due when."""

    platform: str  # the account id that every API key belongs to
    clock: Clock
    ids: Ids
    settings: Settings
    tasks: Agenda
    deliveries: Agenda
