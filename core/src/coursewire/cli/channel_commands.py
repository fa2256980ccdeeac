"""The tools of a channel's own command: one configuration, the courses of its customer, and a way to print.

A channel adds commands with the hook ``channel_commands``. A whole one::

    import asyncio

    import typer

    import coursewire as cw

    commands = typer.Typer()

    @commands.command()
    def titles(
        config: Annotated[str, typer.Option("--config")], json: Annotated[bool, typer.Option("--json")] = False
    ) -> None:
        \"\"\"List the titles of the courses that a configuration sends.\"\"\"
        output = cw.CommandOutput(json=json)

        async def look(opened: cw.OpenConfiguration[AcmeConfig]) -> None:
            async for page in opened.content(await opened.catalog_keys()):
                for item in page:
                    output.row({"key": item.content_key, "title": item.title})
                    output.text(f"{item.content_key}: {item.title}")

        with cw.open_configuration(AcmeConfig, config, read_only=True) as opened:
            asyncio.run(look(opened))
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from coursewire.cli.host import open_host
from coursewire.cli.output import note, progress, put, put_json, put_table
from coursewire.errors import ConfigurationError
from coursewire.installation import Installation
from coursewire.model.configuration import ChannelConfig
from coursewire.model.content import ContentItem
from coursewire.model.session import Session
from coursewire.operations.preview import BundlePreview
from coursewire.pipeline.export.catalogs import wanted_keys
from coursewire.plugins.loading import load_channels
from coursewire.plugins.registry import LoadedChannel
from coursewire.settings import Settings
from coursewire.sources.base import Source
from coursewire.storage.audit.records import ContentRecords

C = TypeVar("C", bound=ChannelConfig)


@dataclass(frozen=True)
class OpenConfiguration(Generic[C]):
    """A configuration that a channel's command works on; :func:`open_configuration_file` gives one.

    Attributes:
        config: The validated settings.
        customer: UUID of the customer; "" where a configuration file leaves it out.
    """

    config: C
    customer: str
    _source: Source

    async def catalog_keys(self) -> list[str]:
        """Return the keys of all content items in the configuration's catalogs, whether they were sent or not.

        Raises:
            ConfigurationError: The configuration names a catalog that the customer does not have.
            SourceError: The source could not answer.
        """

        return await wanted_keys(self._source, self.config, self.customer)

    def content(self, keys: Sequence[str]) -> AsyncIterator[list[ContentItem]]:
        """Read content items from the source, in pages of a few hundred.

        Args:
            keys: Keys of the items. A key that the source does not have is left out of the pages.

        Raises:
            SourceError: The source could not answer.
        """
        return self._source.content(keys)


@dataclass(frozen=True)
class StoredConfiguration(OpenConfiguration[C]):
    """A configuration of this installation that a channel's command works on; see :func:`open_configuration`.

    Attributes:
        uuid: Id of the configuration.
    """

    uuid: UUID
    _installation: Installation
    _channel: LoadedChannel

    def sent_keys(self) -> list[str]:
        """Return the keys of the content items that the LMS holds, as our records have it."""

        keys: list[str] = []
        records = ContentRecords(self._installation.engine, self.uuid)
        records.scan(lambda record: keys.append(record.key) if record.present else None)
        return keys

    def session(self) -> AbstractAsyncContextManager[Session]:
        """Open the HTTP session that the channel's hooks are given: ``async with opened.session() as session``."""
        return self._installation.session(self._channel, self.config, self.uuid)


@dataclass(frozen=True)
class _BundleConfiguration(OpenConfiguration[C]):
    """A configuration file over a bundle; without a customer the whole bundle is its catalog."""

    _preview: BundlePreview

    async def catalog_keys(self) -> list[str]:
        return await self._preview.keys()


@contextmanager
def open_configuration(
    model: type[C], config: str, *, read_only: bool = False
) -> Iterator[StoredConfiguration[C]]:
    """Open a stored configuration of the channel, for one command.

    Args:
        model: Configuration model of the channel; a configuration of another channel is refused.
        config: Id of the configuration, or the beginning of it, as the operator typed it.
        read_only: Refuse every write to the database.

    Raises:
        ConfigurationError: No configuration has this id, several have, or it belongs to another channel.
        DatabaseError: The database cannot be used.

    Example:
        ::

            with cw.open_configuration(AcmeConfig, config, read_only=True) as opened:
                keys = opened.sent_keys()
    """

    with open_host(read_only=read_only) as host:
        installation = host.installation
        found = installation.configurations.find(config)
        if found.channel != model.code:
            raise ConfigurationError(
                f"configuration {found.uuid} is for channel {found.channel}, not for {model.code}",
                where=found.where,
                next_step=f"Name one of `coursewire config list --channel {model.code}`.",
            )
        channel = installation.channels.get(model.code)
        stored = cast("C", installation.configurations.load(found.uuid, channel.channel))
        yield StoredConfiguration(
            stored, found.customer, installation.source, found.uuid, installation, channel
        )


@contextmanager
def open_configuration_file(model: type[C], file: Path, bundle: Path) -> Iterator[OpenConfiguration[C]]:
    """Open a configuration file over a bundle of courses: no database, no network, no secrets needed.

    Args:
        model: Configuration model of the channel; a file for another channel is refused.
        file: Configuration as ``coursewire config add`` takes it; its customer may be left out, and then every
            item of the bundle counts as being in the customer's catalogs.
        bundle: Folder of the bundle.

    Raises:
        ConfigurationError: The file cannot be read, is not valid, or is for another channel.
        BundleError: There is no bundle.

    Example:
        ::

            with cw.open_configuration_file(AcmeConfig, file, bundle) as opened:
                settings = opened.config
    """

    settings = Settings.load()
    channels = load_channels(allowed=settings.channels)
    opened = BundlePreview.open(settings, channels, model.code, file, bundle)
    # A bundle cannot answer a source's questions about learners; nothing here asks them.
    source = cast("Source", opened.source)
    yield _BundleConfiguration(cast("C", opened.config), opened.customer, source, opened)


@dataclass(frozen=True, slots=True)
class CommandOutput:
    """The output of a channel's command: for a person, or as JSON lines for a program.

    Results go to stdout, notes and progress to stderr. A command says a result in both forms and needs no branch::

        output.row({"key": key, "units": 3})
        output.text(f"{key}: 3 units")

    Attributes:
        json: True for JSON lines, as ``--json`` asks for.
    """

    json: bool = False

    def row(self, data: Mapping[str, Any]) -> None:
        """Print one JSON object as one line; nothing for a person."""

        if self.json:
            put_json(data)

    def text(self, text: str) -> None:
        """Print one paragraph for a person; nothing with ``json``."""

        if not self.json:
            put(text)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str = "") -> None:
        """Print a table that fits the terminal, for a person; nothing with ``json``.

        Args:
            columns: Headings of the columns.
            rows: Cells, as many in each row as there are headings.
            empty: Text in place of a table without rows.
        """

        if not self.json:
            put_table(columns, rows, empty=empty)

    def note(self, text: str, *, failed: bool = False) -> None:
        """Print one paragraph on stderr, in both forms of output.

        Args:
            text: The paragraph to print.
            failed: Show it in the colour of a failure.
        """

        note(text, style="red" if failed else "")

    @contextmanager
    def progress(self, label: str) -> Iterator[Callable[[int, int], None]]:
        """Show on stderr how far the work is: a bar on a terminal, a line now and then elsewhere.

        Args:
            label: Noun for the work, such as ``"catalogue"``.

        Returns:
            A function to call with the number of items done so far, and of all items (0 if unknown).
        """

        with progress() as track:
            show = track(label)
            yield lambda done, total: show("items", done, total)
