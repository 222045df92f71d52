"""Chromium, driven without a driver: a page of the test's own holds the simulator's pages in a frame, and acts in it.

It is served from the simulator's own origin, so that it may. The pages themselves have no script to be helped by.
"""

import html
import json
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import stripe
import uvicorn

from local.stripe_simulator import Settings, Simulator
from local.stripe_simulator.in_process import InProcessClient
from local.stripe_simulator.server import Application, Message

PHONE, DESKTOP = 390, 1280
WITHIN_SECONDS = 60
_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_FLAGS = """
    --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --virtual-time-budget=20000 --dump-dom
""".split()
_DRIVER = """<!doctype html><title>driver</title>
<iframe id="frame" width="WIDTH" height="900"></iframe><pre id="seen"></pre>
<script>
const frame = document.getElementById("frame"), seen = [];
const loaded = act => new Promise(done => { frame.onload = () => done(); act(); });
const look = () => {
  const page = frame.contentDocument, root = page.documentElement;
  seen.push({
    url: frame.contentWindow.location.pathname + frame.contentWindow.location.search,
    text: page.body.innerText,
    scripts: page.scripts.length,
    unlabeled: [...page.querySelectorAll("input:not([type=hidden]),select")].filter(each => !each.labels.length).length,
    wider_than_the_screen: root.scrollWidth > root.clientWidth,
  });
};
const steps = {
  open: url => loaded(() => { frame.src = url; }),
  fill: (selector, value) => { frame.contentDocument.querySelector(selector).value = value; },
  check: selector => { frame.contentDocument.querySelector(selector).checked = true; },
  click: selector => loaded(() => frame.contentDocument.querySelector(selector).click()),
};
(async () => {
  for (const [name, ...values] of STEPS) {
    await steps[name](...values);
    if (!["check", "fill"].includes(name)) look();
  }
  document.getElementById("seen").textContent = JSON.stringify(seen);
})();
</script>
"""


class Seen(NamedTuple):
    """A page as Chromium laid it out after a step."""

    url: str
    text: str
    scripts: int
    unlabeled: int
    wider_than_the_screen: bool


class Browser(NamedTuple):
    """A simulator with a shop on its origin, and Chromium before them."""

    simulator: Simulator
    client: stripe.StripeClient
    origin: str
    drivers: dict[str, str]
    profile: Path

    def play(self, *steps: tuple[str, ...], width: int = PHONE) -> list[Seen]:
        """Open, fill, check and click; gives what was seen after each page was loaded."""
        path = f"/driver/{len(self.drivers)}"
        self.drivers[path] = _DRIVER.replace("STEPS", json.dumps(steps)).replace("WIDTH", str(width))
        command = [str(_CHROMIUM), *_FLAGS, f"--user-data-dir={self.profile / path[8:]}", self.origin + path]
        done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_SECONDS, check=True)
        found = re.search(r'<pre id="seen">(.+?)</pre>', done.stdout, re.DOTALL)
        assert found, "the steps did not come to their end"
        return [Seen(**each) for each in json.loads(html.unescape(found[1]))]


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    if _CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
        simulator, drivers = Simulator(seed=7, settings=Settings(base_url=origin)), dict[str, str]()
        config = uvicorn.Config(_with_shop(Application(simulator), drivers), log_level="warning", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        client = stripe.StripeClient("sk_test_1", http_client=InProcessClient(simulator))
        yield Browser(simulator, client, origin, drivers, tmp_path)
        server.should_exit = True
        thread.join()


def _with_shop(simulator: Application, drivers: dict[str, str]) -> Callable[..., Awaitable[None]]:
    """The simulator, and beside it the drivers and a shop that only says where the buyer has come to."""

    async def application(scope: Message, receive: Any, send: Any) -> None:
        page = drivers.get(
            scope["path"], f"<title>shop</title>{scope['path']}" if scope["path"][:6] == "/shop/" else ""
        )
        if not page:
            await simulator(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": page.encode()})

    return application
