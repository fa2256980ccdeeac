"""``python -m docs.screenshots``: the pictures of docs/images, from the demo in a real browser.

It needs Chromium (Debian's package ``chromium``); everything happens on this machine.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import uvicorn
from playwright.sync_api import Page, sync_playwright
from pydantic import SecretStr

from coursewire import Host
from coursewire.service.accounts import Accounts
from coursewire.service.rights import Grant, Role
from coursewire.settings import Settings
from coursewire_canvas.simulator import CanvasSimulator

IMAGES = Path(__file__).resolve().parent / "images"
PASSWORD = "only for these pictures"


def main() -> int:
    """Take the pictures; returns the exit status."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.stderr.write("there is no Chromium here; Debian's package is called chromium\n")
        return 1
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        demo = [sys.executable, "-m", "coursewire", "demo", "--keep", folder]
        subprocess.run(demo, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command
        host = stack.enter_context(Host(Settings.load(data_dir=Path(folder))))
        plan = _fill(host)
        address = stack.enter_context(_served(host))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1200, "height": 820}, locale="en-GB")
        _sign_in(page, address)
        IMAGES.mkdir(exist_ok=True)
        page.screenshot(path=IMAGES / "console-overview.png")
        page.goto(f"{address}/configurations/{plan}/plan/content")
        page.get_by_role("heading", level=1).wait_for()
        page.screenshot(path=IMAGES / "console-plan.png")
        browser.close()
    return 0


def _fill(host: Host) -> str:
    """An account, and one more configuration; the id of that, whose plan is shown."""
    Accounts(host.installation.engine).add(
        "ada@example.com", SecretStr(PASSWORD), [Grant(Role.ADMINISTRATOR, "")]
    )
    (known,) = host.configurations.list(channel="CANVAS")
    channel = host.channels.get("CANVAS").channel
    given = {**CanvasSimulator().sample_config(), "display_name": "Canvas for partners"}
    given["canvas_base_url"] = "https://canvas.example.com"
    made = host.configurations.add(channel, known.customer, given, active=True, actor="ada@example.com")
    return str(made.uuid)


@contextmanager
def _served(host: Host) -> Iterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(host.asgi(), log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/console"
    server.should_exit = True
    thread.join(30)


def _sign_in(page: Page, address: str) -> None:
    page.goto(f"{address}/")
    page.get_by_label("Name").fill("ada@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Overview").wait_for()


if __name__ == "__main__":
    sys.exit(main())
