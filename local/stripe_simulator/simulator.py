"""The simulator as Python code uses it: requests in process, a clock to move, deliveries to take."""

from collections.abc import Mapping
from pathlib import Path
from threading import RLock
from typing import Any

from . import resources, webhooks
from .agenda import TASKS, Agenda
from .api import Api
from .clock import Clock
from .context import Context
from .database import Database
from .idempotency import IDEMPOTENCY_KEYS
from .ids import Ids
from .messages import Request, Response
from .routing import Router
from .settings import Settings
from .state import State, Store
from .values import Object
from .webhooks import DELIVERIES, PENDING, Delivery
from .world import World

_TEST_KEY = "sk_test_simulator"
_ACCOUNT_ID_LENGTH = 16
_PLATFORM_SEED = 0  # every simulator has the same platform, so that a stored state finds its owner again
_OWN_COLLECTIONS = (TASKS, DELIVERIES, IDEMPOTENCY_KEYS)


class Simulator:
    """One Stripe platform with its connected accounts.

    Requests are executed one after the other, whichever thread they come from.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        seed: int | None = None,
        settings: Settings | None = None,
        database: Path | None = None,
    ) -> None:
        self._lock = RLock()
        self._database = Database(database) if database else None
        self._router = Router(resources.all_routes())
        collections = self._router.collections | {collection.name: collection for collection in _OWN_COLLECTIONS}
        self.clock = clock or Clock.running()
        self.store = Store(collections, self.clock, self._database)
        ids = Ids(seed)
        ids.continue_after(self.store.sequence)
        self.world = World(
            platform=Ids(_PLATFORM_SEED).new("acct", _ACCOUNT_ID_LENGTH),
            clock=self.clock,
            ids=ids,
            settings=settings or Settings(),
            tasks=Agenda(),
            deliveries=Agenda(),
        )
        self._api = Api(self.world, self.store, self._router)
        self._note_what_was_stored()

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
        """Answer a request as it came over the wire, after doing what is due."""
        with self._lock:
            self.run_due()
            return self._api.answer(request)

    def run_due(self) -> None:
        """Do everything that is due by the clock, each piece in its own transaction, in order of time."""
        with self._lock:
            while (task := self.world.tasks.take_due(self.clock.precise())) is not None:
                self._run_task(*task)

    def move_clock_to(self, moment: int) -> None:
        """Move the clock forward, stopping at each thing that falls due on the way, at its time.

        Raises:
            ValueError: the moment is in the past.
        """
        with self._lock:
            if moment < self.clock.now():
                raise ValueError(f"the clock shows {self.clock.now()} and cannot go back to {moment}")
            while (due := self.world.tasks.next_moment()) is not None and due <= moment:
                self.clock.move_to(due)
                self.run_due()
            self.clock.move_to(moment)

    def advance(self, seconds: int) -> None:
        """Move the clock forward by some seconds."""
        self.move_clock_to(self.clock.now() + seconds)

    def deliveries(self, event_type: str | None = None) -> list[Delivery]:
        """What waits to be delivered once all that is due was done, oldest first, signed now; it goes on waiting."""
        with self._lock:
            self.run_due()
            with self.store.transaction() as transaction:
                state = State(transaction, self.platform)
                found = [self._wire_form(state, waiting) for waiting in self._waiting(state)]
        return [delivery for delivery in found if delivery and event_type in (None, delivery.event_type)]

    def take_deliveries(self) -> list[Delivery]:
        """What waits to be delivered, handed over to the caller, to be played in any order and any number of times."""
        with self._lock:
            taken = self.deliveries()
            with self.store.transaction() as transaction:
                state = State(transaction, self.platform)
                for waiting in self._waiting(state):
                    webhooks.take(state, waiting)
        return taken

    def redeliver(self, event_id: str) -> int:
        """Queue every delivery of an event once more, as the Dashboard's "Resend" does; gives how many."""
        with self._lock, self.store.transaction() as transaction:
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
        with self._lock, self.store.transaction() as transaction:
            state = State(transaction, self.platform)
            while (due := self.world.deliveries.take_due(self.clock.precise())) is not None:
                waiting = state.find(DELIVERIES, due[2])
                if waiting is None or waiting["status"] != PENDING:
                    continue
                delivery = webhooks.wire_form(state, waiting, signed_at)
                if delivery:
                    return delivery
                webhooks.abandon(state, waiting)
        return None

    def finish_delivery(self, delivery_id: str, *, status: int | None, error: str | None = None) -> None:
        """Record an attempt: ``status`` is what the endpoint answered, None when it did not answer."""
        with self._lock, self.store.transaction() as transaction:
            state = State(transaction, self.platform)
            waiting = state.find(DELIVERIES, delivery_id)
            if waiting and waiting["status"] == PENDING:
                webhooks.finish_attempt(state, self.world, waiting, status, error)

    def delivery_log(self, limit: int) -> list[Object]:
        """The newest deliveries with their attempts."""
        with self._lock, self.store.transaction() as transaction:
            found = State(transaction, self.platform).select(DELIVERIES)
            return [delivery for delivery, _ in zip(found, range(limit), strict=False)]

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._database:
            self._database.close()

    def _waiting(self, state: State) -> list[Object]:
        return list(state.select(DELIVERIES, {"status": PENDING}, ascending=True))

    def _wire_form(self, state: State, waiting: Object) -> Delivery | None:
        return webhooks.wire_form(state, waiting, self.clock.now())

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

    def _note_what_was_stored(self) -> None:
        for account, task in self.store.stored(TASKS):
            self.world.tasks.note(task["at"], account, task["id"])
        for account, delivery in self.store.stored(DELIVERIES):
            if delivery["status"] == PENDING:
                self.world.deliveries.note(delivery["due"], account, delivery["id"])
