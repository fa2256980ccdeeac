"""A customer's catalogue as files: for commands of channels whose LMS imports files, too.

A channel says what becomes of an item (``build``) and how that is packed into a file (``pack``).
"""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar, cast
from urllib.parse import quote

import typer

from coursewire.errors import SetupError
from coursewire.model.configuration import ChannelConfig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

    from coursewire.model.content import ContentItem
    from coursewire.model.instant import Moment
    from coursewire.sources.base import Source

ConfigOrFile = Annotated[
    str, typer.Option("--config", metavar="ID", help="The configuration; with --bundle, a file of one.")
]
OutputFolder = Annotated[
    Path, typer.Option("--output", metavar="DIR", help="Folder that the files go into; made if missing.")
]
FromBundle = Annotated[
    Path | None, typer.Option("--bundle", metavar="DIR", help="Take the courses from this bundle.")
]

C = TypeVar("C", bound=ChannelConfig)
Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class CatalogueFile:
    """A file to be written.

    Attributes:
        content: All of it.
        suffix: The end of its name, such as ``.xml``.
        counts: What is in it, in the plural: ``{"units": 3}``.
    """

    content: bytes
    suffix: str
    counts: Mapping[str, int]


@dataclass
class CatalogueExport(Generic[C, Part]):
    """One command's way to make files of a catalogue.

    Attributes:
        model: Configuration model of the channel.
        build: Makes an item's part. What raises NotExportableError, ContractError or ValidationError is named
            with the reason, and the others go on.
        pack: Makes a file of parts, under the key of their item, or of the customer ("all" without one).
        together: Name of the one file for all items; "" for a file for each.
    """

    model: type[C]
    build: Callable[[C, ContentItem, Moment], Part]
    pack: Callable[[C, str, Sequence[Part]], CatalogueFile]
    together: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)

    def run(
        self, config: str, bundle: Path | None, output: Path, keys: Sequence[str] | None, *, json: bool
    ) -> None:
        """Write the files and say what became of each item; nothing is sent.

        Args:
            config: Beginning of a configuration's id; with ``bundle`` a file, whose customer may be left out.
            bundle: Where the items are; None for the installation's source.
            output: Folder of the files, which are named by their keys, percent-encoded.
            keys: Only these items; None or empty for all that the configuration's catalogs hold.
            json: Print a line of JSON for each file, and for each item without one.

        Raises:
            typer.Exit: With 1, where an item has no file.
            CoursewireError: The items cannot be read, or a file cannot be written.
        """
        from coursewire.cli.common import run_to_end

        run_to_end(self._write(config, bundle, output, keys or ()))
        self._show(output, json=json)
        if self.left:
            raise typer.Exit(1)

    async def _write(self, config: str, bundle: Path | None, output: Path, only: Sequence[str]) -> None:
        from coursewire.cli.output import progress
        from coursewire.model.instant import Moment, utc_now

        moment = Moment(utc_now())
        parts: list[Part] = []
        async with _opened(self.model, config, bundle) as (model, customer, source, held):
            wanted = [key for key in held if not only or key in only]
            self.left.update((key, "no catalog holds it") for key in only if key not in held)
            missing = dict.fromkeys(wanted, "a catalog holds it, and the source does not have it")
            with progress() as track:
                show, done = track("catalogue"), 0
                async for page in source.content(wanted):
                    for item in page:
                        missing.pop(item.content_key, None)
                        with self._faults_of(item.content_key):
                            part = self.build(model, item, moment)
                            if self.together:
                                parts.append(part)
                            else:
                                made = self.pack(model, item.content_key, [part])
                                self._put(output, item.content_key, made)
                    show("items", done := done + len(page), len(wanted))
            self.left.update(missing)
            if parts:
                with self._faults_of(self.together):
                    self._put(output, self.together, self.pack(model, customer or "all", parts))

    @contextmanager
    def _faults_of(self, key: str) -> Iterator[None]:
        """Name what cannot become a file, and go on."""
        from pydantic import ValidationError

        from coursewire.errors import ContractError, NotExportableError

        try:
            yield
        except (NotExportableError, ContractError) as error:
            self.left[key] = str(error)
        except ValidationError as error:
            words = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
            self.left[key] = "; ".join(words)

    def _put(self, output: Path, key: str, made: CatalogueFile) -> None:
        path = output / f"{quote(key, safe='+')}{made.suffix}"
        try:
            output.mkdir(parents=True, exist_ok=True)
            path.write_bytes(made.content)
        except OSError as error:
            raise SetupError(
                f"{path} cannot be written",
                why=error.strerror or type(error).__name__,
                next_step="Give a folder that you may write to, with --output DIR.",
            ) from error
        self.rows.append({"key": key, "file": str(path), **made.counts})

    def _show(self, output: Path, *, json: bool) -> None:
        from coursewire.cli.output import note, put, put_json

        if json:
            for row in [*self.rows, *({"key": key, "reason": reason} for key, reason in self.left.items())]:
                put_json(row)
            return
        names = dict.fromkeys(name for row in self.rows for name in row if name not in ("key", "file"))
        inside = [_count(sum(row.get(name, 0) for row in self.rows), name) for name in names]
        put(f"{_count(len(self.rows), 'files')} in {output}{', with ' if inside else ''}{', '.join(inside)}.")
        for key, reason in self.left.items():
            note(f"{key}: {reason}", style="red")


def _count(number: int, nouns: str) -> str:
    return f"{number:,} {nouns.removesuffix('s') if number == 1 else nouns}"


@asynccontextmanager
async def _opened(
    channel: type[C], config: str, bundle: Path | None
) -> AsyncIterator[tuple[C, str, Source, list[str]]]:
    """The configuration, its customer, where the items are, and the keys that its catalogs hold."""
    from coursewire.cli.common import channel_of, find_configuration, open_installation
    from coursewire.cli.preview import keys_in, model_of, read_config
    from coursewire.pipeline.export.catalogs import wanted_keys
    from coursewire.plugins.loading import load_channels
    from coursewire.settings import Settings
    from coursewire.sources.bundle_source import BundleSource

    if bundle is not None:
        settings = Settings.load()
        loaded = load_channels(allowed=settings.channels).get(channel.code)
        file = read_config(Path(config), loaded)
        model = model_of(file, loaded, settings, where=config)
        source = BundleSource(bundle)
        # It lacks a source's answers about learners, which nobody asks for here.
        yield (
            cast("C", model),
            file.customer,
            cast("Source", source),
            await keys_in(source, model, file.customer),
        )
        return
    with open_installation(read_only=True) as installation:
        found = find_configuration(installation, config)
        stored = installation.configurations.load(found.uuid, channel_of(installation, channel.code).channel)
        held = await wanted_keys(installation.source, stored, found.customer)
        yield cast("C", stored), found.customer, installation.source, held
