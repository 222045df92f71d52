"""The simulator as Python code uses it: requests in process, a clock to move, deliveries to take."""

from collections.abc import Mapping
from pathlib import Path
from threading import RLock
from typing import Any

from . import resources, webhooks
from .agenda import TASKS, Agenda
from .api import Api
from .clock import Clock, Reading
from .context import Context
from .database import Database
from .faults import Faults, NotAnswered, NotReached
from .faults.matching import FAULTS
from .idempotency import IDEMPOTENCY_KEYS, KeysInUse, key_in_use
from .ids import Ids
from .messages import Request, Response
from .request_log import RequestLog
from .restricted_keys import RestrictedKeys
from .routing import Router
from .settings import Settings
from .shelves import Collection
from .snapshots import Snapshots
from .state import State, Store
from .values import Object
from .webhooks import DELIVERIES, PENDING, Delivery
from .world import World

_TEST_KEY = "sk_test_simulator"
_ACCOUNT_ID_LENGTH = 16
_PLATFORM_SEED = 0  # every simulator has the same platform, so that a stored state finds its owner again
_CLOCK = Collection("_clock")
"""What the clock was moved to, so that a file keeps it: ``{id, standing_at, ahead_seconds}`` on the platform."""
_OWN_COLLECTIONS = (TASKS, DELIVERIES, IDEMPOTENCY_KEYS, FAULTS, _CLOCK)


class Simulator:
    """One Stripe platform with its connected accounts.

    Requests are executed one after the other, whichever thread they come from; who looks at the store from another
    thread holds ``lock``.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        seed: int | None = None,
        settings: Settings | None = None,
        database: Path | None = None,
    ) -> None:
        self.lock = RLock()
        self._router = Router(resources.all_routes())
        collections = self._router.collections | {collection.name: collection for collection in _OWN_COLLECTIONS}
        self._database = Database(database, collections) if database else None
        settings = settings or Settings()
        self.clock = clock or Clock.running()
        self.store = Store(collections, self.clock, self._database, search_delay_seconds=settings.search_delay_seconds)
        ids = Ids(seed)
        ids.continue_after(self.store.sequence)
        self.world = World(
            platform=Ids(_PLATFORM_SEED).new("acct", _ACCOUNT_ID_LENGTH),
            clock=self.clock,
            ids=ids,
            settings=settings,
            tasks=Agenda(),
            deliveries=Agenda(),
        )
        self.keys = RestrictedKeys()
        self._api = Api(self.world, self.store, self._router, self.keys)
        self._keys_in_use = KeysInUse(self.platform)
        self.faults = Faults(self.store, self.platform, self.lock)
        self._catch_up_with_stored_clock()
        self._note_what_was_stored()
        self.log = RequestLog()
        self.snapshots = Snapshots(self.world, self.store, self.log, self.lock, self._note_what_was_stored)

    @property
    def platform(self) -> str:
        """The platform's account id."""
        return self.world.platform

    def request(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Answer a request whose parameters are Python values, as stripe-python takes them, with a test key."""
        sent = {"authorization": f"Bearer {_TEST_KEY}"} | {
            name.lower(): value for name, value in (headers or {}).items()
        }
        return self.answer(Request(method, path, sent, params=params or {}))

    def answer(self, request: Request) -> Response:
        """Answer a request as it came over the wire, after doing what is due.

        Raises:
            NotReached, NotAnswered: a fault on order; the transport tells its caller in its own way.
        """
        with self._keys_in_use.hold(request) as is_free:
            if not is_free:
                return self._noted(request, self._api.refuse(request, key_in_use(request.headers["idempotency-key"])))
            with self.lock:
                self.run_due()
                try:
                    return self._noted(request, self._api.answer(request))
                except (NotReached, NotAnswered) as fault:
                    self.log.note(self.clock.now(), request, fault)
                    raise

    def _noted(self, request: Request, response: Response) -> Response:
        self.log.note(self.clock.now(), request, response)
        return response

    def run_due(self) -> None:
        """Do everything that is due by the clock, each piece in its own transaction, in order of time."""
        with self.lock:
            while (task := self.world.tasks.take_due(self.clock.precise())) is not None:
                self._run_task(*task)

    def move_clock_to(self, moment: int) -> None:
        """Move the clock forward, stopping at each thing that falls due on the way, at its time.

        Raises:
            ValueError: the moment is in the past.
        """
        with self.lock:
            if moment < self.clock.now():
                raise ValueError(f"the clock shows {self.clock.now()} and cannot go back to {moment}")
            while (due := self.world.tasks.next_moment()) is not None and due <= moment:
                self._move_clock(due)
                self.run_due()
            self._move_clock(moment)

    def advance(self, seconds: int) -> None:
        """Move the clock forward by some seconds."""
        self.move_clock_to(self.clock.now() + seconds)

    def deliveries(self, event_type: str | None = None) -> list[Delivery]:
        """What waits to be delivered once all that is due was done, oldest first, signed now; it goes on waiting."""
        with self.lock:
            self.run_due()
            with self.store.transaction() as transaction:
                state = State(transaction, self.platform)
                found = [self._wire_form(state, waiting) for waiting in self._waiting(state)]
        return [delivery for delivery in found if delivery and event_type in (None, delivery.event_type)]

    def take_deliveries(self) -> list[Delivery]:
        """What waits to be delivered, handed over to the caller, to be played in any order and any number of times."""
        with self.lock:
            taken = self.deliveries()
            with self.store.transaction() as transaction:
                state = State(transaction, self.platform)
                for waiting in self._waiting(state):
                    webhooks.take(state, waiting)
            self._note_pending_deliveries()
        return taken

    def redeliver(self, event_id: str) -> int:
        """Queue every delivery of an event once more, as the Dashboard's "Resend" does; gives how many."""
        with self.lock, self.store.transaction() as transaction:
            state = State(transaction, self.platform)
            sent = list(state.select(DELIVERIES, {"event": event_id}, ascending=True))
            for delivery in {each["endpoint"]: each for each in sent}.values():
                event = state.of(delivery["account"]).find(delivery["event_object"], delivery["event"])
                holder = state.of(delivery["holder"])
                endpoint = holder.find(delivery["endpoint_object"], delivery["endpoint"])
                if event and endpoint:
                    webhooks.enqueue(state.of(delivery["account"]), self.world, event, holder, endpoint)
            return len({each["endpoint"] for each in sent})

    def next_due_delivery(self, signed_at: int) -> Delivery | None:
        """Take the next delivery whose time has come; ``finish_delivery`` must tell what came of it."""
        with self.lock, self.store.transaction() as transaction:
            state = State(transaction, self.platform)
            while (due := self.world.deliveries.take_due(self.clock.precise())) is not None:
                waiting = state.find(DELIVERIES, due[2])
                if waiting is None or waiting["status"] != PENDING:
                    continue
                delivery = webhooks.wire_form(state, waiting, signed_at, self.clock.now())
                if delivery:
                    return delivery
                webhooks.abandon(state, waiting)
        return None

    def finish_delivery(self, delivery_id: str, *, status: int | None, error: str | None = None) -> None:
        """Record an attempt: ``status`` is what the endpoint answered, None when it did not answer."""
        with self.lock, self.store.transaction() as transaction:
            state = State(transaction, self.platform)
            waiting = state.find(DELIVERIES, delivery_id)
            if waiting and waiting["status"] == PENDING:
                webhooks.finish_attempt(state, self.world, waiting, status, error)

    def reset(self) -> None:
        """Go back to how this simulator began: empty, or as its file was."""
        self.snapshots.reset()

    def delivery_log(self, limit: int) -> list[Object]:
        """The newest deliveries with their attempts."""
        with self.lock, self.store.transaction() as transaction:
            found = State(transaction, self.platform).select(DELIVERIES)
            return [delivery for delivery, _ in zip(found, range(limit), strict=False)]

    def deliveries_of(self, event_id: str) -> list[Object]:
        """Every delivery of an event with its attempts, the newest first."""
        with self.lock, self.store.transaction() as transaction:
            return list(State(transaction, self.platform).select(DELIVERIES, {"event": event_id}))

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._database:
            self._database.close()

    def _waiting(self, state: State) -> list[Object]:
        """Oldest first, and after them what was held back, in the order in which it was let go."""
        now = self.clock.now()
        waiting = [
            each
            for each in state.select(DELIVERIES, {"status": PENDING}, ascending=True)
            if not webhooks.held(each, now)
        ]
        return sorted(waiting, key=lambda each: each.get("held_until", 0))

    def _wire_form(self, state: State, waiting: Object) -> Delivery | None:
        return webhooks.wire_form(state, waiting, self.clock.now(), self.clock.now())

    def _run_task(self, at: int, account: str, task_id: str) -> None:
        """Run a piece of due work; its note is gone even if it fails, or it would fail for ever."""
        with self.store.transaction() as transaction:
            state = State(transaction, account)
            task = state.find(TASKS, task_id)
            if task is None:
                raise LookupError(f"no task {task_id} is stored for {at}")
            state.delete(TASKS, task_id)
        with self.store.transaction() as transaction:
            version = self.world.settings.api_version
            context = Context(self.world, State(transaction, account), {}, "", version)
            self._router.due_handlers[task["name"]](context, **task["arguments"])

    def _move_clock(self, moment: int) -> None:
        self.clock.move_to(moment)
        shown = {"id": "clock", **self.clock.reading()._asdict()}
        with self.store.transaction() as transaction:
            state = State(transaction, self.platform)
            if state.find(_CLOCK, "clock"):
                state.update(_CLOCK, shown, shown)
            else:
                state.insert(_CLOCK, shown)

    def _catch_up_with_stored_clock(self) -> None:
        found = self.store.peek(self.platform, _CLOCK.name, "clock")
        if found:
            self.clock.catch_up(Reading(found["standing_at"], found["ahead_seconds"]))

    def _note_what_was_stored(self) -> None:
        self.world.tasks.clear()
        for account, task in self.store.stored(TASKS):
            self.world.tasks.note(task["at"], account, task["id"])
        self._note_pending_deliveries()

    def _note_pending_deliveries(self) -> None:
        self.world.deliveries.clear()
        with self.store.transaction() as transaction:
            for delivery in State(transaction, self.platform).select(DELIVERIES, {"status": PENDING}, ascending=True):
                self.world.deliveries.note(delivery["due"], self.platform, delivery["id"])
