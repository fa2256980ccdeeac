"""The service as a process would serve it, and a browser in front of it."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright
from pydantic import SecretStr

from coursewire.host import Host
from coursewire.service.accounts import Accounts
from coursewire.service.app import create_app
from coursewire.service.rights import Role, RoleAssignment

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DEMAND = "COURSEWIRE_TEST_DEMAND_BROWSER"
PASSWORD = "correct horse battery"

QUIET = (
    "--no-sandbox",  # tests may run as root, where Chromium's sandbox does not
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""A browser that asks nobody for anything but the page."""


@pytest.fixture
def database_url(sqlite_alone: str) -> str:
    return sqlite_alone


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, headless; for one module, since no other test can run an event loop while Playwright has its own."""
    if CHROMIUM is None:
        reason = "there is no Chromium here; Debian's package is called chromium"
        if os.environ.get(DEMAND) == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield opened
        opened.close()


@pytest.fixture
def site(installation: Any) -> Iterator[str]:
    """The address of the running service, with an account for Ada."""
    Accounts(installation.engine).add(
        "ada@example.com", SecretStr(PASSWORD), [RoleAssignment(Role.ADMINISTRATOR, "")]
    )
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(create_app(Host(installation=installation)), log_config=None, lifespan="on")
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="service")
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert thread.is_alive(), "the service did not start"
        assert time.monotonic() < deadline, "the service did not start in time"
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/console"
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A new window, in which no script may fail and nothing may be asked of another host."""
    context = browser.new_context(viewport={"width": 1200, "height": 900}, locale="en-GB")
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on(
        "request",
        lambda request: faults.append(request.url) if "://127.0.0.1:" not in request.url else None,
    )
    yield opened
    context.close()
    assert faults == []


@pytest.fixture
def signed_in(page: Page, site: str) -> Page:
    """A window in which Ada is signed in."""
    page.goto(f"{site}/")
    page.get_by_label("Name").fill("ada@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Overview").wait_for()
    return page
