"""Distributions as importlib.metadata finds them: a folder of metadata and a module, on the path."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HEADER = """
from coursewire import hookimpl
from coursewire.model.channel import Capabilities, Channel, Support
from coursewire.model.configuration import ChannelConfig
from coursewire.model.payload import Result, ResultKind

class Config(ChannelConfig):
    pass

CAN = Capabilities(content=Support.FULL)
"""

HOOKS = """
@hookimpl
def authenticate(config): ...
@hookimpl
async def check_connection(session): return []
@hookimpl
def export_content(item): return {"id": item.content_key}
@hookimpl
async def send_content(batch): return [Result(ResultKind.ACCEPTED) for _ in batch.payloads]
"""


class Site:
    """A folder of installed distributions, each of one module."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.distributions: set[str] = set()

    def add(
        self,
        distribution: str,
        source: str,
        *,
        version: str = "1.0.0",
        group: str = "coursewire.channels",
        target: str = "{module}",
        name: str = "",
    ) -> str:
        """Install a distribution; its entry point is named as the distribution ends. Returns the module."""
        module = distribution.replace("-", "_") + f"_{self.folder.stat().st_ino}"
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        self.distributions.add(distribution)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        name = name or distribution.rpartition("-")[2]
        (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {target.format(module=module)}\n")
        (self.folder / f"{module}.py").write_text(source)
        return module

    def remove(self, distribution: str) -> None:
        for info in self.folder.glob(f"{distribution.replace('-', '_')}-*.dist-info"):
            shutil.rmtree(info)

    def channel(
        self, code: str, *, can: str = "CAN", hooks: str = HOOKS, api: str = ">=2.0,<3", extra: str = ""
    ) -> str:
        """The source of a channel that sends content."""
        return f"""{HEADER}
@hookimpl
def declare_channel():
    return Channel(
        code={code!r}, title="{code} title", config=Config, capabilities={can}, requires_api={api!r}
    )
{hooks}
{extra}
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    yield Site(folder)
    for module in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[module], "__file__", "")):
            del sys.modules[module]
