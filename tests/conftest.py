"""What the tests that span packages share: databases, an installation, simulators, a bundle, clean environments."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, make_url

from coursewire.configurations.configuration import Configuration
from coursewire.configurations.secrets import new_key
from coursewire.installation import Installation
from coursewire.pipeline.content_job import ContentJob
from coursewire.pipeline.runners.inline import Ended, InlineRunner
from coursewire.settings import Settings
from coursewire.sources.database.load import load_bundle
from coursewire.testing.database import bare_database_url, database_url, engine, migrated_database
from coursewire.testing.simulator import Simulator
from coursewire_canvas.simulator import CanvasSimulator
from coursewire_sap.simulator import SapSimulator

__all__ = ["bare_database_url", "database_url", "engine", "migrated_database"]

collect_ignore = ["material"]
"""Projects of their own, which are tested where they are installed."""

CUSTOMER = "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e1111"
CATALOG = "2fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e2222"


def course(key: str, **changes: Any) -> dict[str, Any]:
    """One made-up course as a line of ``content.jsonl``."""
    return {
        "content_type": "course",
        "key": key,
        "uuid": f"{abs(hash_of(key)):032x}",
        "title": f"Course {key}",
        "short_description": "Short.",
        "full_description": f"<p>All about {key}.</p>",
        "image_url": f"https://images.example.org/{key}.jpg",
        "enrollment_url": f"https://portal.example.com/enroll/{key}",
        "course_runs": [],
        **changes,
    }


def hash_of(text: str) -> int:
    """A number that is the same in every process."""
    return int.from_bytes(text.encode()[-15:], "big")


class Shelf:
    """A bundle on disk that tests change and load again."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder = folder
        self.engine = engine
        self.courses: dict[str, dict[str, Any]] = {}
        self.ghosts: list[str] = []  # keys that the catalog names and the source lacks
        self.customer = {"uuid": CUSTOMER, "name": "Acme", "slug": "acme", "active": True}
        folder.mkdir()

    def fill(self, count: int) -> None:
        """Put ``count`` courses onto the shelf, and load it."""
        for number in range(count):
            self.add(f"RiverU+C{number:04}")
        self.load()

    def add(self, key: str) -> None:
        """Put one more course onto the shelf."""
        self.courses[key] = course(key)

    def load(self) -> None:
        """Write the bundle and load it."""
        keys = [*self.courses, *self.ghosts]
        catalog = {"uuid": CATALOG, "customer": CUSTOMER, "title": "All", "content_keys": keys}
        lines = {"customers": [self.customer], "catalogs": [catalog], "content": [*self.courses.values()]}
        for name, rows in lines.items():
            text = "".join(json.dumps(row) + "\n" for row in rows)
            (self.folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
        report = load_bundle(self.engine, self.folder)
        assert report.problems == []


@pytest.fixture
def installation(tmp_path: Path, engine: Engine) -> Iterator[Installation]:
    """An installation on the test's database."""
    settings = Settings.load(
        data_dir=tmp_path,
        database_url=engine.url.render_as_string(hide_password=False),
        secret_key=new_key(),
        allow_insecure_urls=True,
    )
    made = Installation(settings)
    yield made
    made.close()


@pytest.fixture
def shelf(tmp_path: Path, engine: Engine) -> Shelf:
    """An empty shelf of one customer with one catalog."""
    return Shelf(tmp_path / "bundle", engine)


@pytest.fixture(params=["SAP", "CANVAS"])
def simulator(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    """Each channel's simulator in turn."""
    made: Simulator = {"SAP": SapSimulator, "CANVAS": CanvasSimulator}[request.param]()
    with made.running():
        yield made


@pytest.fixture
def configure(installation: Installation) -> Callable[..., Configuration]:
    """Add an active configuration for a simulator."""

    def add(simulator: Simulator, **fields: Any) -> Configuration:
        channel = installation.channels.get(simulator.code).channel
        given = {**simulator.sample_config(), **fields}
        return installation.configurations.add(channel, CUSTOMER, given, active=True, actor="test")

    return add


@pytest.fixture
def transmit(installation: Installation) -> Callable[..., Ended]:
    """Run one content job to its end."""

    def run(configuration: Configuration, **options: Any) -> Ended:
        job = ContentJob(installation, installation.configurations.get(configuration.uuid), **options)
        (ended,) = asyncio.run(InlineRunner().run([job]))
        return ended

    return run


BUILD = """
import os, sys
from hatchling.build import build_wheel
target, *projects = sys.argv[1:]
for project in projects:
    os.chdir(project)
    build_wheel(target)
"""


def run_clean(
    program: Path | str, *args: str, status: int | None = 0, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run a program that sees nothing of the developer's settings."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "COURSE", "PYTEST"))
    }
    done = subprocess.run(
        [program, *args],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**environment, **options.pop("env", {})},
        check=False,
        timeout=300,
        **options,
    )
    assert status is None or done.returncode == status, done.stdout + done.stderr
    return done


class CleanPython:
    """An environment with pip and what is installed into it.

    It sees third-party packages through a folder of links to those of the environment that runs the tests, without
    anything of Coursewire: so nothing is downloaded, and what is found there can only come from what was installed.
    """

    def __init__(self, folder: Path, *, without: str = "") -> None:
        venv.create(folder / "venv", with_pip=True)
        self.bin = folder / "venv" / "bin"
        third_party = folder / "third-party"
        third_party.mkdir()
        for entry in Path(sysconfig.get_path("purelib")).iterdir():
            ours = "coursewire" in entry.name or entry.name.startswith("pip")
            if not ours and entry.suffix != ".pth" and not (without and without in entry.name):
                (third_party / entry.name).symlink_to(entry)
        site = Path(self.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
        (site / "third-party.pth").write_text(f"{third_party}\n")

    def run(self, *args: str, **options: Any) -> str:
        """Run its Python; gives what it printed."""
        return run_clean(self.bin / "python", *args, **options).stdout

    def pip(self, *args: str) -> None:
        """Run its pip."""
        self.run("-m", "pip", "--disable-pip-version-check", *args)

    def install(self, *wheels: Path) -> None:
        """Install these wheels and nothing else."""
        self.pip("install", "--no-index", "--no-deps", "--no-compile", *map(str, wheels))


@pytest.fixture(scope="session")
def clean_python() -> type[CleanPython]:
    """Makes an environment of its own in a folder."""
    return CleanPython


@pytest.fixture(scope="session")
def build_wheels() -> Callable[..., dict[str, Path]]:
    """Builds projects into a folder; gives the wheels of the folder by distribution."""

    def build(target: Path, *projects: Path) -> dict[str, Path]:
        # The build backend's own entry, as any front end calls it; one process for all saves seconds.
        run_clean(sys.executable, "-c", BUILD, str(target), *map(str, projects))
        return {path.name.partition("-")[0].replace("_", "-"): path for path in target.glob("*.whl")}

    return build


@pytest.fixture
def sqlite_alone(migrated_database: Callable[[str], str], tmp_path: Path) -> str:
    """A database of SQLite, for what stands above all that differs between databases."""
    path = tmp_path / "coursewire.db"
    shutil.copyfile(make_url(migrated_database("sqlite")).database or "", path)
    return f"sqlite:///{path}"


@pytest.fixture
def canvas() -> Iterator[CanvasSimulator]:
    """A running Canvas."""
    simulator = CanvasSimulator()
    with simulator.running():
        yield simulator


@pytest.fixture
def sap() -> Iterator[SapSimulator]:
    """A running SAP SuccessFactors."""
    simulator = SapSimulator()
    with simulator.running():
        yield simulator
