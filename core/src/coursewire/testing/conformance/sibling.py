"""Exporting in another process, to see that it gives the same there. Run with ``python -m``; it reads JSON."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from coursewire.errors import NotExportableError
from coursewire.model.configuration import INSECURE_URLS
from coursewire.model.content import ContentItem
from coursewire.model.instant import Moment
from coursewire.model.kinds import Kind
from coursewire.plugins.loading import load_channel_object
from coursewire.testing.conformance.made_up import (
    NOW,
    SAMPLES,
    SCRIPTS,
    content_data,
)

if TYPE_CHECKING:
    from coursewire.model.channel import Channel
    from coursewire.model.outcomes import Outcome
    from coursewire.plugins.registry import LoadedChannel

TIMEOUT_S = 60


def work(channel: Channel, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the exports of both processes, as plain data."""
    can = channel.capabilities
    items = []
    if can.content.usable:
        kinds = sorted(can.content_types)
        items = [content_data(number, kind) for number, kind in enumerate(kinds)]
        items += [content_data(f"S{n}", kinds[0], title=text) for n, text in enumerate(SCRIPTS.values())]
    return {
        "config": dict(fields),
        "items": items,
        "outcomes": {
            kind.value: sample().model_dump(mode="json")
            for kind, sample in SAMPLES.items()
            if can.takes(kind)
        },
    }


def export_all(loaded: LoadedChannel, work: Mapping[str, Any]) -> list[Any]:
    """The payload of everything, or the field that cannot be sent, in order."""
    hook_caller = loaded.hook_caller
    config = loaded.channel.config.model_validate(work["config"], context={INSECURE_URLS: True})
    items = map(ContentItem.model_validate, work["items"])
    calls: list[Callable[[], Any]] = [
        *(partial(hook_caller.export_content, config, item, Moment(NOW)) for item in items),
        *(
            partial(hook_caller.export_outcome, Kind(kind), config, _outcome(Kind(kind), one))
            for kind, one in work["outcomes"].items()
        ),
    ]
    payloads = []
    for call in calls:
        try:
            payloads.append(call())
        except NotExportableError as error:
            payloads.append({"not exportable": error.field})
    plain: list[Any] = json.loads(json.dumps(payloads))
    return plain


def _outcome(kind: Kind, fields: Mapping[str, Any]) -> Outcome:
    return type(SAMPLES[kind]()).model_validate(fields)


def address_of(plugin: object) -> dict[str, str] | None:
    """Return the way in which another process finds a channel; None for an object that it could not make."""
    home = plugin if isinstance(plugin, ModuleType) else inspect.getmodule(type(plugin))
    name = "" if isinstance(plugin, ModuleType) else type(plugin).__qualname__
    if home is None or "<locals>" in name or getattr(home, "__file__", None) is None:
        return None
    if name and vars(plugin):
        return None  # it was made with arguments, or changed since
    return {"module": home.__name__, "file": str(home.__file__), "object": name}


def start(address: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start the other process: with another hash seed, in another zone and locale."""
    other = {
        "PYTHONHASHSEED": "20260301",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "TZ": "Pacific/Kiritimati",
        "LC_ALL": "C",
    }
    return subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-X", "utf8", "-m", __name__, json.dumps(dict(address))],
        env={**os.environ, **other},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def ask(process: subprocess.Popen[str], work: Mapping[str, Any]) -> list[Any]:
    """Let the other process do the work.

    Raises:
        RuntimeError: It failed; the message is what it said.
    """
    said, complaint = process.communicate(json.dumps(work), timeout=TIMEOUT_S)
    if process.returncode:
        raise RuntimeError(f"the other process failed: {complaint.strip()[-800:]}")
    answered: list[Any] = json.loads(said)
    return answered


def _find(address: Mapping[str, str]) -> object:
    try:
        home = importlib.import_module(address["module"])
    except ModuleNotFoundError:
        spec = importlib.util.spec_from_file_location(address["module"], address["file"])
        assert spec is not None
        assert spec.loader is not None
        home = sys.modules[address["module"]] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(home)
    found: Any = home
    for part in filter(None, address["object"].split(".")):
        found = getattr(found, part)
    return found() if address["object"] else found


def main() -> None:
    """Read the work from standard input, and write the payloads to standard output."""
    loaded = load_channel_object(_find(json.loads(sys.argv[1])))
    sys.stdout.write(json.dumps(export_all(loaded, json.load(sys.stdin))))


if __name__ == "__main__":
    main()
