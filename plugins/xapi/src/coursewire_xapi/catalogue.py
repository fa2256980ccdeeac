"""The courses of a customer's catalogs as files, each with its reason where a course cannot be one."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import quote

import typer
from pydantic import ValidationError

import coursewire as cw
from coursewire_xapi.config import XapiConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class CatalogueFile:
    """One file to write.

    Attributes:
        content: All bytes of the file.
        suffix: The end of its name, such as ``.xml``.
        counts: Numbers of the things in it, by their plural: ``{"units": 3}``.
    """

    content: bytes
    suffix: str
    counts: Mapping[str, int]


@dataclass
class CatalogueExport(Generic[Part]):
    """One run of a command that makes files of a catalogue.

    Attributes:
        build: Makes the part of one item. An item for which it raises NotExportableError or ValidationError
            has no file, but a reason.
        pack: Makes a file of parts. Its key is that of the item, or that of the customer ("all" without one) where
            all parts go into one file.
        output: Folder of the files, made if missing; a file has the key's name, percent-encoded.
        together: Name of the one file for all items; "" for a file for each.
        rows: The files written so far: key, path, counts.
        left: Reasons of the items without a file, by key.
    """

    build: Callable[[XapiConfig, cw.ContentItem, cw.Moment], Part]
    pack: Callable[[XapiConfig, str, Sequence[Part]], CatalogueFile]
    output: Path
    together: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)

    def run(
        self, config: str, bundle: Path | None, keys: Sequence[str] | None = None, *, json: bool = False
    ) -> None:
        """Write the files and print what became of each item; nothing is sent.

        Args:
            config: The beginning of a configuration's id; with ``bundle`` the path of a configuration file.
            bundle: Bundle to take the items from; None for the installation's source.
            keys: Keys of the items; None or empty for all items of the configuration's catalogs.
            json: Print one line of JSON for each file, and for each item without one.

        Raises:
            typer.Exit: With status 1, where an item has no file.
            CoursewireError: The items cannot be read, or a file cannot be written.
        """
        printer = cw.CommandOutput(json=json)
        with _opened(config, bundle) as opened:
            asyncio.run(self._write(opened, keys or (), printer))
        self._show(printer)
        if self.left:
            raise typer.Exit(1)

    async def _write(
        self, opened: cw.OpenConfiguration[XapiConfig], only: Sequence[str], printer: cw.CommandOutput
    ) -> None:
        moment = cw.Moment(cw.utc_now())
        held = await opened.catalog_keys()
        wanted = [key for key in held if not only or key in only]
        self.left.update((key, "no catalog holds it") for key in only if key not in held)
        missing = dict.fromkeys(wanted, "a catalog holds it, and the source does not have it")
        parts: list[Part] = []
        with printer.progress("catalogue") as show:
            done = 0
            async for page in opened.content(wanted):
                for item in page:
                    missing.pop(item.content_key, None)
                    with self._faults_of(item.content_key):
                        part = self.build(opened.config, item, moment)
                        if self.together:
                            parts.append(part)
                        else:
                            made = self.pack(opened.config, item.content_key, [part])
                            self._put(item.content_key, made)
                done += len(page)
                show(done, len(wanted))
        self.left.update(missing)
        if parts:
            with self._faults_of(self.together):
                self._put(self.together, self.pack(opened.config, opened.customer or "all", parts))

    @contextmanager
    def _faults_of(self, key: str) -> Iterator[None]:
        try:
            yield
        except cw.NotExportableError as error:
            self.left[key] = str(error)
        except ValidationError as error:
            words = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
            self.left[key] = "; ".join(words)

    def _put(self, key: str, made: CatalogueFile) -> None:
        path = self.output / f"{quote(key, safe='+')}{made.suffix}"
        try:
            self.output.mkdir(parents=True, exist_ok=True)
            path.write_bytes(made.content)
        except OSError as error:
            raise cw.SetupError(
                f"{path} cannot be written",
                why=error.strerror or type(error).__name__,
                next_step="Give a folder that you may write to, with --output DIR.",
            ) from error
        self.rows.append({"key": key, "file": str(path), **made.counts})

    def _show(self, printer: cw.CommandOutput) -> None:
        for row in self.rows:
            printer.row(row)
        for key, reason in self.left.items():
            printer.row({"key": key, "reason": reason})
        names = dict.fromkeys(name for row in self.rows for name in row if name not in ("key", "file"))
        inside = [_count(sum(row.get(name, 0) for row in self.rows), name) for name in names]
        contents = f", with {', '.join(inside)}" if inside else ""
        printer.text(f"{_count(len(self.rows), 'files')} in {self.output}{contents}.")
        if not printer.json:
            for key, reason in self.left.items():
                printer.note(f"{key}: {reason}", failed=True)


def _count(number: int, nouns: str) -> str:
    return f"{number:,} {nouns.removesuffix('s') if number == 1 else nouns}"


def _opened(config: str, bundle: Path | None) -> AbstractContextManager[cw.OpenConfiguration[XapiConfig]]:
    if bundle is not None:
        return cw.open_configuration_file(XapiConfig, Path(config), bundle)
    return cw.open_configuration(XapiConfig, config, read_only=True)
