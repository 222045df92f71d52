"""Chromium, told what to do through a pipe (the DevTools protocol), so that it needs no driver and no open port."""

import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = """
    --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --remote-debugging-pipe
""".split()
COMMANDS, ANSWERS = 3, 4  # the descriptors that --remote-debugging-pipe reads from and writes to


class Person:
    """Somebody before a browser with one page open."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = answers
        self._unread = b""
        self._sent = 0
        self._session: str | None = None
        pages = [each for each in self._tell("Target.getTargets")["targetInfos"] if each["type"] == "page"]
        attached = self._tell("Target.attachToTarget", targetId=pages[0]["targetId"], flatten=True)
        self._session = attached["sessionId"]

    def open(self, url: str) -> None:
        self._tell("Page.navigate", url=url)

    def type(self, selector: str, text: str) -> None:
        """Into a field, as a keyboard does."""
        self._run(f"document.querySelector({json.dumps(selector)}).focus()")
        self._tell("Input.insertText", text=text)

    def click(self, selector: str) -> None:
        self._run(f"document.querySelector({json.dumps(selector)}).click()")

    def sees(self) -> tuple[str, str]:
        """The URL of the page that is loaded, and its text; nothing while one is loading."""
        seen = "document.readyState === 'complete' ? [location.href, document.body.innerText] : ['', '']"
        url, text = self._run(seen)
        return str(url), str(text)

    def _run(self, script: str) -> Any:
        told = self._tell("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def _tell(self, method: str, **params: Any) -> Any:
        self._sent += 1
        message = {"id": self._sent, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        answer = self._next()
        while answer.get("id") != self._sent:
            answer = self._next()
        assert "result" in answer, answer
        return answer["result"]

    def _next(self) -> Any:
        while b"\0" not in self._unread:
            read = os.read(self._answers, 65_536)
            assert read, "Chromium has ended"
            self._unread += read
        message, self._unread = self._unread.split(b"\0", 1)
        return json.loads(message)


@contextmanager
def person(profile: Path, shop_origin: str) -> Iterator[Person]:
    """A person with a browser, in which a shop's origin leads to pages that only say where one has come to."""
    with _shop() as address:
        rules = f"--host-resolver-rules=MAP {urlsplit(shop_origin).netloc} {address}"
        reads_commands, commands = os.pipe()
        answers, writes_answers = os.pipe()
        process = os.posix_spawn(
            str(PROGRAM),
            [str(PROGRAM), *FLAGS, f"--user-data-dir={profile}", rules, "about:blank"],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_DUP2, reads_commands, COMMANDS),
                (os.POSIX_SPAWN_DUP2, writes_answers, ANSWERS),
            ],
            setsid=True,
        )
        os.close(reads_commands)
        os.close(writes_answers)
        try:
            yield Person(commands, answers)
        finally:
            os.killpg(process, signal.SIGKILL)
            os.waitpid(process, 0)
            os.close(commands)
            os.close(answers)


class _ShopPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>Shop</title>Back in the shop")

    def log_message(self, *_: object) -> None:
        """Requests are no news."""


@contextmanager
def _shop() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _ShopPage) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()
