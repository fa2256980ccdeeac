"""The real command, in this process or in one of its own, over a database on disk and real simulators."""

import json
import logging
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest

from coursewire.cli import main
from coursewire.sources.sample import sample_bundle
from coursewire.testing.database import bare_database_url

__all__ = ["bare_database_url"]

BLUE_FERRY = "eaaffd2c-1a7a-59f4-996c-54660ff708a4"
OLD_MILL = "29911cbf-472e-5754-befe-b9a02bb80526"
SIMULATORS = {
    "CANVAS": "coursewire_canvas.simulator:CanvasSimulator",
    "CSOD": "coursewire_cornerstone.simulator:CornerstoneSimulator",
    "SAP": "coursewire_sap.simulator:SapSimulator",
    "XAPI": "coursewire_xapi.simulator:XapiSimulator",
}


@dataclass
class Said:
    """What a command printed, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def rows(self):
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def last(self):
        return self.rows[-1]

    @property
    def error(self):
        return self.last["error"]

    @property
    def all(self):
        return self.out + self.err


class Cli:
    """The command; each call is one run of it in this process."""

    def __init__(self, capfd):
        self._capfd = capfd

    def __call__(self, *args, status=0):
        self._capfd.readouterr()
        ended = main([str(arg) for arg in args])
        said = Said(ended, *self._capfd.readouterr())
        assert ended == status, said.all
        return said

    def add(self, code, simulator, customer=BLUE_FERRY, *, active=True, **fields):
        """Add a configuration for a simulator; gives its id."""
        given = {"channel": code, "customer": customer, "active": active}
        file = Path(os.environ["COURSEWIRE_DATA_DIR"]) / f"{code}.json"
        file.write_text(json.dumps({**given, **simulator.sample_config(), **fields}))
        return self("config", "add", "--file", file).out.strip()


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """An environment that knows nothing of the developer's installation."""
    for name in list(os.environ):
        if name.startswith("COURSEWIRE_") and not name.startswith("COURSEWIRE_TEST_"):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    monkeypatch.setenv("COURSEWIRE_DATA_DIR", str(home))
    monkeypatch.setenv("COURSEWIRE_ALLOW_INSECURE_URLS", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.chdir(tmp_path)
    return home


@pytest.fixture
def bare(environment, capfd):
    """The command where nothing was set up yet."""
    log = logging.getLogger("coursewire")
    level = log.level
    yield Cli(capfd)
    log.setLevel(level)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """A folder with key and database, and the sample bundle loaded. Made once, copied for each test."""
    folder = tmp_path_factory.mktemp("prepared") / "home"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COURSEWIRE_")}
    for args in (["init"], ["load", str(sample_bundle())]):
        run(*args, environment={**environment, "COURSEWIRE_DATA_DIR": str(folder)}).check_returncode()
    return folder


@pytest.fixture
def cli(bare, environment, prepared):
    """The command in an installation that has the sample bundle."""
    shutil.copytree(prepared, environment)
    return bare


@pytest.fixture
def simulate():
    """Starts simulators by channel code."""
    with ExitStack() as stack:

        def start(code):
            module, _, name = SIMULATORS[code].partition(":")
            return stack.enter_context(getattr(import_module(module), name)().running())

        yield start


@pytest.fixture
def xapi(simulate):
    return simulate("XAPI")


COMMAND = Path(sys.executable).with_name("coursewire")


def run(*args, environment=None, **options):
    """The command in a process of its own."""
    return subprocess.run(
        [COMMAND, *map(str, args)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )
