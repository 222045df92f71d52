"""Where faults are ordered: ``simulator.faults``, and ``/_simulator/faults`` through it."""

from threading import RLock

from ..state import State, Store
from ..values import Json, Object
from .matching import FAULTS
from .orders import read_order


class Faults:
    """The orders of one simulator."""

    def __init__(self, store: Store, platform: str, lock: RLock) -> None:
        self._store = store
        self._platform = platform
        self._lock = lock

    def order(self, effect: str, /, **options: Json) -> Object:
        """Order a fault; the effects and their options are in ``orders.py``.

        ``method``, ``path``, ``account`` or ``event_type`` say what it happens to (``*`` is anything, ``{id}`` one
        segment), ``count`` how often (None: until it is taken back), after ``skip`` occasions that go well, with
        ``probability`` by ``seed``.

        Raises:
            InvalidParameterError: there is no such effect or option, or a value is out of range.
        """
        read = read_order({"effect": effect, **options})
        with self._lock, self._store.transaction() as transaction:
            made = {"id": f"fault_{self._store.sequence + 1}", **read, "seen": 0, "met": 0, "waits_for": read["kind"]}
            return State(transaction, self._platform).insert(FAULTS, made)

    def ordered(self) -> list[Object]:
        """All orders, those that are used up included, newest first."""
        with self._lock, self._store.transaction() as transaction:
            return list(State(transaction, self._platform).select(FAULTS))

    def cancel(self, fault_id: str) -> bool:
        """Take one order back; whether there was one."""
        with self._lock, self._store.transaction() as transaction:
            state = State(transaction, self._platform)
            if state.find(FAULTS, fault_id) is None:
                return False
            state.delete(FAULTS, fault_id)
        return True

    def clear(self) -> int:
        """Take all orders back; how many there were."""
        return sum(self.cancel(order["id"]) for order in self.ordered())
