"""Real Learning Record Stores, started for the tests that want one and ended with them.

Ralph is looked for in the environment ``lrs`` inside this one (``make test`` puts it there) or where
``COURSEWIRE_TEST_RALPH`` names its Python. ``COURSEWIRE_TEST_LEARNING_LOCKER`` names a folder in which
``npm install --ignore-scripts @learninglocker/xapi-statements@7.8.0`` was run. What is not found is skipped; with ``COURSEWIRE_TEST_DEMAND_LRS=1`` a Ralph that is not there is a failure.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

KEY, SECRET = "coursewire", "a-real-secret"
VERSION = {"X-Experience-API-Version": "1.0.3"}


@dataclass(frozen=True)
class Store:
    """A running store. ``strict`` is one that keeps to the specification where the other does not."""

    endpoint: str
    strict: bool
    key: str = KEY
    secret: str = SECRET

    def config(self) -> dict[str, str]:
        return {
            "endpoint": self.endpoint,
            "key": self.key,
            "secret": self.secret,
            "site_domain": "learn.example.org",
        }

    def get(self, **params: str) -> httpx.Response:
        return httpx.get(
            f"{self.endpoint}/statements",
            params=params,
            headers=VERSION,
            auth=(self.key, self.secret),
            timeout=20,
        )

    def statements(self) -> list[dict]:
        """All that readers see, by the time that they tell. Ralph gives all of them for 0 alone."""
        found = self.get(limit="500" if self.strict else "0").json()["statements"]
        return sorted(found, key=lambda statement: statement["timestamp"])


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@contextmanager
def _running(command: list[str], env: dict[str, str], url: str, log: Path) -> Iterator[None]:
    with (
        log.open("wb") as output,
        # A store leaves files where it runs.
        subprocess.Popen(command, env=env, stdout=output, stderr=output, cwd=log.parent) as process,
    ):
        try:
            for _ in range(300):
                try:
                    if httpx.get(url, timeout=1).status_code < 500:
                        break
                except httpx.HTTPError:
                    pass
                if process.poll() is not None:
                    break
                time.sleep(0.1)
            else:
                pytest.fail(f"the store at {url} did not start: {log.read_text()[-500:]}")
            assert process.poll() is None, log.read_text()[-2000:]
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def ralph(folder: Path) -> Iterator[Store]:
    """Ralph, with its statements in files below ``folder``."""
    named = os.environ.get("COURSEWIRE_TEST_RALPH")
    python = Path(named).absolute() if named else Path(sys.prefix) / "lrs" / "bin" / "python"
    if not python.with_name("ralph").exists():
        reason = f"no Learning Record Store: no ralph beside {python}; `make test` installs it when online"
        if os.environ.get("COURSEWIRE_TEST_DEMAND_LRS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    (folder / "statements").mkdir(parents=True)
    env = {
        **os.environ,
        "RALPH_APP_DIR": str(folder),
        "RALPH_RUNSERVER_BACKEND": "fs",
        "RALPH_BACKENDS__LRS__FS__DEFAULT_DIRECTORY_PATH": str(folder / "statements"),
    }
    auth = ["auth", "-u", KEY, "-p", SECRET, "-s", "all", "-M", "mailto:provider@example.com", "-w"]
    subprocess.run([python.with_name("ralph"), *auth], env=env, check=True, capture_output=True, timeout=60)
    port = _free_port()
    server = Path(__file__).absolute().with_name("ralph_server.py")
    base = f"http://127.0.0.1:{port}"
    with _running([str(python), str(server), str(port)], env, f"{base}/__heartbeat__", folder / "log"):
        yield Store(f"{base}/xAPI", strict=False)


@contextmanager
def learning_locker(folder: Path) -> Iterator[Store]:
    """Learning Locker's statements service, in memory."""
    named = os.environ.get("COURSEWIRE_TEST_LEARNING_LOCKER", "")
    script = Path(named).absolute() / "node_modules/@learninglocker/xapi-statements/dist/index.js"
    if not named or not script.exists():
        pytest.skip("no Learning Locker: COURSEWIRE_TEST_LEARNING_LOCKER names no folder that has it")
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    env = {
        **os.environ,
        "MODELS_REPO": "memory",
        "STORAGE_REPO": "local",
        "EVENTS_REPO": "test",
        "AUTH_REPO": "test",
        "EXPRESS_PORT": str(port),
        "SERVICE_AWAIT_UPDATES": "true",
    }
    base = f"http://127.0.0.1:{port}/xAPI"
    with _running(["node", str(script)], env, f"{base}/about", folder / "log"):
        yield Store(base, strict=True)
