"""The SQLite file: versions, one simulator at a time, and a process that is killed amid its work."""

import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from local.stripe_simulator import Clock, Simulator
from local.stripe_simulator.database import VERSION, Database, DatabaseError, Row

from .conftest import PROJECT, START
from .paying import assert_exact

KEY = {"Authorization": "Bearer sk_test_1"}


def opened(file: Path) -> Simulator:
    return Simulator(clock=Clock.standing(START), seed=7, database=file)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """With one product in it."""
    path = tmp_path / "state.sqlite"
    simulator = opened(path)
    simulator.request("POST", "/v1/products", {"name": "Tea"})
    simulator.close()
    return path


@contextmanager
def editing(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(file)) as connection, connection:
        yield connection


def names(simulator: Simulator) -> list[str]:
    return [each["name"] for each in simulator.request("GET", "/v1/products").json()["data"]]


def test_a_file_of_before_versions_is_brought_up_to_date(file: Path) -> None:
    with editing(file) as connection:
        connection.execute("PRAGMA user_version = 0")
    simulator = opened(file)
    assert names(simulator) == ["Tea"]
    simulator.close()
    with editing(file) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_a_file_of_a_newer_simulator_is_refused_and_left_alone(file: Path) -> None:
    with editing(file) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(DatabaseError, match="newer simulator"):
        opened(file)
    with editing(file) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION + 1,)
        assert connection.execute("SELECT count(*) FROM objects WHERE collection = 'product'").fetchone() == (1,)


def test_a_file_that_holds_what_nobody_knows_is_refused(file: Path) -> None:
    with editing(file) as connection:
        connection.execute("UPDATE objects SET collection = 'spaceship' WHERE collection = 'product'")
    with pytest.raises(DatabaseError, match="spaceship"):
        opened(file)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("These are notes about the sea, and not about payments.\n" * 100)
    with pytest.raises(DatabaseError, match="not a database"):
        opened(text)
    assert text.read_text().startswith("These are notes")


def test_two_simulators_do_not_share_a_file(file: Path) -> None:
    first = opened(file)
    with pytest.raises(DatabaseError, match="used by another"):
        opened(file)
    first.close()
    second = opened(file)
    assert names(second) == ["Tea"]
    second.close()


def test_who_starts_it_reads_why_it_does_not_start(file: Path) -> None:
    with editing(file) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    command = [sys.executable, "-m", "local.stripe_simulator", "--port", "0", "--database", str(file)]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=20, check=False)
    assert (ended.returncode, "newer simulator" in ended.stderr, "Traceback" in ended.stderr) == (1, True, False)


def test_a_killed_process_has_kept_all_that_it_answered(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite"
    command = [sys.executable, "-m", "local.stripe_simulator", "--port", "0", "--database", str(file)]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        url = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert url
        payment = {"amount": "1000", "currency": "usd", "confirm": "true", "payment_method": "pm_card_visa"}
        with httpx.Client(base_url=url[0], headers=KEY) as client:
            paid = [client.post("/v1/payment_intents", data=payment).json()["id"] for _ in range(20)]
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    simulator = Simulator(database=file)
    found = [simulator.request("GET", f"/v1/payment_intents/{each}").json()["status"] for each in paid]
    assert found == ["succeeded"] * 20
    assert_exact(simulator)
    simulator.close()


def test_what_fails_while_it_is_written_is_neither_in_the_file_nor_in_memory(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = opened(file)
    written: list[object] = []
    write_one = Database._write_one

    def fill_up(database: Database, row: Row) -> None:
        if written:
            raise OSError("no space left on the device")
        written.append(row)
        write_one(database, row)

    with monkeypatch.context() as broken:
        broken.setattr(Database, "_write_one", fill_up)
        assert simulator.request("POST", "/v1/products", {"name": "Lost"}).status == 500
    assert written
    assert names(simulator) == ["Tea"]
    simulator.close()
    again = opened(file)
    assert names(again) == ["Tea"]
    again.close()
