"""Sends due deliveries over HTTP, several at a time, and has their outcomes recorded."""

import asyncio
import logging
import time
from contextlib import suppress
from typing import Final

from .posting import Poster, PostingError
from .simulator import Simulator
from .webhooks import Delivery

_logger = logging.getLogger(__name__)
AT_ONCE: Final = 8
TIMEOUT_SECONDS: Final = 10.0
LOOK_EVERY_SECONDS: Final = 0.05  # how late a delivery or another due thing may be


class Dispatcher:
    """Runs beside the server, in its event loop."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._poster = Poster(TIMEOUT_SECONDS)
        self._free = asyncio.Semaphore(AT_ONCE)
        self._sending: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Do what falls due and send what waits, until cancelled."""
        try:
            while True:
                self._run_due()
                await self._send_due()
                await asyncio.sleep(LOOK_EVERY_SECONDS)
        finally:
            for task in self._sending:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*self._sending, return_exceptions=True)
            self._poster.close()

    def _run_due(self) -> None:
        """Do what is due; what fails is done with, and must not keep deliveries from being sent."""
        try:
            self._simulator.run_due()
        except Exception:
            _logger.exception("due work failed")

    async def _send_due(self) -> None:
        while True:
            await self._free.acquire()
            # Signed by the machine's time: the receiver compares it with its own clock, which nobody has moved.
            delivery = self._simulator.next_due_delivery(signed_at=int(time.time()))
            if delivery is None:
                self._free.release()
                return
            task = asyncio.create_task(self._send(delivery))
            self._sending.add(task)
            task.add_done_callback(self._sent)

    async def _send(self, delivery: Delivery) -> None:
        try:
            status = await self._poster.post(delivery.url, delivery.body, delivery.headers)
        except PostingError as error:
            self._simulator.finish_delivery(delivery.id, status=None, error=str(error))
        else:
            self._simulator.finish_delivery(delivery.id, status=status)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self._free.release()
