"""Speed, work and memory in process while payments pile up, with all of their events; and what time alone does."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from resource import getpagesize
from typing import Final

from ..clock import Clock
from ..simulator import Simulator
from .market import Send, in_process, open_shop, pay
from .report import Measured, at_least, at_most
from .steps import steps

_START: Final = 1_800_000_000
_FEW: Final = 1_000  # payments, that the many are compared with
_REPEATED: Final = 200
_YEAR_SECONDS: Final = 365 * 24 * 3_600


class Shop:
    """A simulator in process with one seller; its clock moves a second with every hundred payments."""

    def __init__(self) -> None:
        self.simulator = Simulator(clock=Clock.standing(_START), seed=7)
        self.send: Send = in_process(self.simulator)
        self.seller = open_shop(self.send, "http://127.0.0.1:9/hook")
        self.payments = 0

    def sell(self) -> None:
        """One payment, and its events taken."""
        self.payments += 1
        pay(self.send, self.seller, self.payments)
        self.simulator.take_deliveries()
        if self.payments % 100 == 0:
            self.simulator.advance(1)

    def works(self) -> Mapping[str, Callable[[], object]]:
        """What is asked most, by name."""
        send = self.send
        intent = send("GET", "/v1/payment_intents", {"limit": "1"})["data"][0]["id"]
        first_order = {"query": 'metadata["order"]:"1" status:"succeeded"'}
        return {
            "retrieve": lambda: send("GET", f"/v1/payment_intents/{intent}", {}),
            "list": lambda: send("GET", "/v1/charges", {}),
            "list by a filter": lambda: send("GET", "/v1/transfers", {"destination": self.seller}),
            "list by a moment": lambda: send("GET", "/v1/charges", {"created[lte]": str(_START)}),
            "events by type": lambda: send("GET", "/v1/events", {"type": "charge.*"}),
            "balance": lambda: send("GET", "/v1/balance", {}),
            "search": lambda: send("GET", "/v1/payment_intents/search", first_order),
            "payment": self.sell,
        }


def growth(payments: int) -> Iterator[Measured]:
    """From few payments to many."""
    shop = Shop()
    shop.sell()
    empty, began = _resident_bytes(), time.process_time()
    while shop.payments < _FEW:
        shop.sell()
    yield at_least("payments, events taken", _FEW / (time.process_time() - began), "a second", 300)
    few = {name: _measured(work) for name, work in shop.works().items()}
    while shop.payments < payments:
        shop.sell()
    for name, work in shop.works().items():
        counted, milliseconds = _measured(work)
        yield Measured(f"{name}, {payments:,} payments stored", milliseconds, "ms")
        yield at_most(f"  time beside {_FEW:,} payments stored", milliseconds / few[name][1], "times", 2)
        yield at_most(f"  steps beside {_FEW:,} payments stored", counted / few[name][0], "times", 1.1)
    stored = sum(1 for _ in shop.simulator.store.rows())
    yield Measured("memory of a payment", (_resident_bytes() - empty) / shop.payments / 1_024, "KiB")
    yield Measured("objects of a payment, its events and keys included", stored / shop.payments, "objects")


def idleness() -> Iterator[Measured]:
    """A year of the clock."""
    simulator = Simulator(clock=Clock.standing(_START), seed=7)
    simulator.request("POST", "/v1/products", {"name": "Tea"})
    yield at_most("a year in which nothing is due", steps(lambda: simulator.advance(_YEAR_SECONDS)), "steps", 200)


def _measured(work: Callable[[], object]) -> tuple[int, float]:
    """Steps, and milliseconds of the processor."""
    work()
    began = time.process_time()
    for _ in range(_REPEATED):
        work()
    return steps(work), (time.process_time() - began) / _REPEATED * 1_000


def _resident_bytes() -> int:
    """How much memory the process has, where the system tells."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * getpagesize() if status.exists() else 0
