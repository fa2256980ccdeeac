"""Discovery: installed plugins are imported one by one. Whatever an import does, the others go on."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from stevedore.extension import Extension, ExtensionManager

from coursewire.model.channel import PLUGIN_API
from coursewire.plugins.api_versions import REMEDY, missing_name
from coursewire.plugins.faults import place, text_of
from coursewire.plugins.registry import HOOKS, LoadRow, LoadState, where

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from pathlib import Path

    from coursewire.model.channel import Channel


@dataclass(slots=True)
class Found:
    """The plugin that was found under one entry point, and what has become of it so far."""

    row: LoadRow
    plugin: Any = None
    channel: Channel | None = None

    @property
    def loaded(self) -> bool:
        """True until something speaks against it."""
        return self.row.state is LoadState.LOADED

    def fail(self, reason: str) -> None:
        """Take it out, and say why and what to do."""
        self.row = replace(self.row, state=LoadState.FAILED, reason=reason)


class _Unloadable(Exception):  # noqa: N818
    """Carries what stevedore would let pass: a plugin that exits or asserts while it is imported."""


class PluginImporter(ExtensionManager[Any]):
    """Imports the entry points of one group.

    stevedore lists entry points from caches: those have lost their distribution, and the one on disk can
    miss a reinstallation of the same version. So they are listed here from the metadata as it is now.
    """

    def __init__(self, group: str, wanted: Callable[[EntryPoint], bool]) -> None:
        self.found: list[Found] = []
        self._wanted = wanted
        super().__init__(
            group, on_load_failure_callback=lambda _manager, entry, error: self._note_failure(entry, error)
        )
        loaded = {id(extension.entry_point): extension.plugin for extension in self.extensions}
        for entry in self._entries:
            if id(entry) in loaded:
                self.found.append(Found(_row(group, entry), loaded[id(entry)]))

    def list_entry_points(self) -> list[EntryPoint]:
        """The entry points that are wanted, each with its distribution."""
        self._entries = [
            entry for entry in sorted_entries(entry_points(group=self.namespace)) if self._wanted(entry)
        ]
        return self._entries

    def _load_one_plugin(self, ep: EntryPoint, *invoke: Any) -> Extension[Any] | None:
        try:
            return super()._load_one_plugin(ep, *invoke)
        except (AssertionError, SystemExit) as error:
            raise _Unloadable from error

    def _note_failure(self, entry: EntryPoint, error: BaseException) -> None:
        cause = error.__cause__ if isinstance(error, _Unloadable) and error.__cause__ else error
        found = Found(_row(self.namespace, entry))
        found.fail(_import_reason(cause, entry.module, distribution_of(entry)[0]))
        self.found.append(found)


def find_installed(group: str, allowed: Collection[str] | None = None) -> list[Found]:
    """Import what a group's entry points name, except those that are not allowed."""
    folded = None if allowed is None else {name.casefold() for name in allowed}

    def is_allowed(entry: EntryPoint) -> bool:
        names = {entry.name.casefold(), distribution_of(entry)[0].casefold()}
        return folded is None or bool(folded & names)

    found = PluginImporter(group, is_allowed).found
    for entry in entry_points(group=group):
        if not is_allowed(entry):
            reason = f"It is not among the allowed channels. Add {entry.name!r} to them to use it."
            found.append(Found(replace(_row(group, entry), state=LoadState.SKIPPED, reason=reason)))
    return sorted(found, key=lambda each: (each.row.distribution, each.row.name))


def find_file(path: Path) -> Found:
    """Import a file of hooks under a module name of its own."""
    found = Found(LoadRow(HOOKS, str(path), "", "", LoadState.LOADED))
    module_name = f"coursewire_hooks_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None or not path.is_file():
        found.fail(f"There is no Python file {path}. Write its path with the ending .py, or leave it out.")
        return found
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # where dataclasses and models look up their annotations
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - an operator's file may raise anything
        del sys.modules[module_name]
        found.fail(_import_reason(error, module_name, ""))
        return found
    found.plugin = module
    return found


def _import_reason(error: BaseException, module: str, distribution: str) -> str:
    at = f" at {place(error)}" if place(error) else ""
    offender = distribution or "The file"
    if missing := missing_name(error):
        return f"It uses {missing}{at}, which plugin API {PLUGIN_API} of this core does not have. {REMEDY}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        if error.name.partition(".")[0] != module.partition(".")[0]:
            return (
                f"A dependency of it is missing: there is no module {error.name!r}{at}. "
                f"Install what offers that module{f', or reinstall {distribution}' if distribution else ''}."
            )
        if not at or module == error.name or module.startswith(f"{error.name}."):
            return (
                f"Its entry point names the module {module!r}, but {error.name!r} is not there. "
                f"Reinstall {distribution}."
            )
    if isinstance(error, AttributeError) and not at:
        return (
            f"Its entry point names something that is not there: {text_of(error)}. Reinstall {distribution}."
        )
    if isinstance(error, SystemExit):
        return f"{offender} ends the program when it is imported{at}. Report this to its authors."
    return (
        f"Importing it raised {type(error).__name__}{at}: {text_of(error) or 'without a word'}. "
        f"{'Reinstall it or report this to its authors' if distribution else 'Mend the file'}."
    )


def sorted_entries(entries: Iterable[EntryPoint]) -> list[EntryPoint]:
    """In an order that does not hang on that of ``sys.path``."""
    return sorted(entries, key=lambda entry: (distribution_of(entry), entry.name))


def distribution_of(entry: EntryPoint) -> tuple[str, str]:
    """Name and version of the distribution that offers an entry point; empty where it has lost them."""
    dist = entry.dist
    if dist is None or not (dist.read_text("METADATA") or dist.read_text("PKG-INFO")):
        return "", ""  # half uninstalled: asking for its metadata may raise
    return dist.metadata["Name"], dist.metadata["Version"]


def label_of(entry: EntryPoint) -> str:
    """Name an entry point and who offers it, for messages."""
    return where(entry.name, *distribution_of(entry))


def _row(group: str, entry: EntryPoint) -> LoadRow:
    return LoadRow(group, entry.name, *distribution_of(entry), LoadState.LOADED)
