"""What commands share: the installation they work on, who runs them, and the configurations they mean."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import UUID

from coursewire.configurations.configuration import Configuration
from coursewire.installation import Installation
from coursewire.model.content import Catalog, Customer
from coursewire.model.payload import Kind
from coursewire.observability.logs import set_up_logs
from coursewire.observability.tracing import send_away
from coursewire.plugins.registry import LoadedChannel
from coursewire.settings import Settings
from coursewire.storage.audit.records import ContentRecords, OutcomeRecords, Records
from coursewire.storage.database.driver_errors import database_errors

T = TypeVar("T")


@contextmanager
def open_installation(*, read_only: bool = False, settings: Settings | None = None) -> Iterator[Installation]:
    """The installation that the settings describe, with a driver's complaints in plain words.

    Raises:
        CoursewireError: Whatever the block raises, or what is wrong with the settings or the database.
    """
    settings = settings or Settings.load()
    set_up_logs(settings)
    if settings.traces:
        send_away()
    installation = Installation(settings, read_only=read_only)
    try:
        with database_errors(settings.database_url):
            yield installation
    finally:
        installation.close()


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in an event loop of its own."""
    return asyncio.run(work)


def actor() -> str:
    """Who runs the command, for histories."""
    try:
        return getpass.getuser()
    except OSError:  # a container's user without a name
        return "command"


def takes(kind: Kind, channel: LoadedChannel) -> bool:
    """Tell whether a channel transmits this kind."""
    return bool(getattr(channel.channel.capabilities, kind.value).usable)


def records_of(installation: Installation, configuration: Configuration, kind: Kind) -> Records[Any]:
    """The records of one kind of a configuration."""
    if kind is Kind.CONTENT:
        return ContentRecords(installation.engine, configuration.uuid)
    return OutcomeRecords(installation.engine, configuration.uuid, kind)


def outcome_keys(
    installation: Installation, configuration: Configuration, kind: Kind, learner: str, course: str
) -> list[str]:
    """The keys of a learner's records in a course, or in a run of it, as the source knows the enrollments.

    Raises:
        SourceError: The source could not answer.
    """

    async def ask() -> list[str]:
        pages = installation.source.enrollments(
            configuration.customer, username=learner, course_run_key=course
        )
        return [facts.id async for page in pages for facts in page]

    records = OutcomeRecords(installation.engine, configuration.uuid, kind)
    found = records.of_enrollments(run_to_end(ask()))
    return [record.key for some in found.values() for record in some]


def channel_of(installation: Installation, code: str) -> LoadedChannel:
    """An installed channel by its code in any case.

    Raises:
        UnknownChannelError: There is none; the message names the nearest.
        ChannelLoadError: It cannot be used.
    """
    return installation.channels.get(code.upper())


def find_configuration(installation: Installation, text: str) -> Configuration:
    """A configuration by the beginning of its id.

    Raises:
        ConfigurationError: None begins so, or several do.
    """
    return installation.configurations.find(text)


def ask_source(installation: Installation, customer: str) -> tuple[Customer | None, list[Catalog]]:
    """The customer and its catalogs, as the source knows them.

    Raises:
        SourceError: The source could not answer.
    """

    async def ask() -> tuple[Customer | None, list[Catalog]]:
        found = await installation.source.customer(customer)
        return found, await installation.source.catalogs(customer) if found else []

    return run_to_end(ask())


def customer_names(installation: Installation, customers: set[str]) -> dict[str, str]:
    """What the source calls these customers; the UUID's beginning where it does not know one."""

    async def ask() -> dict[str, str]:
        found = {uuid: await installation.source.customer(uuid) for uuid in sorted(customers)}
        return {uuid: one.name if one and one.name else uuid[:8] for uuid, one in found.items()}

    return run_to_end(ask())


def short(uuid: UUID | str | None) -> str:
    """The beginning of a UUID, which is enough for every command."""
    return str(uuid)[:8] if uuid else ""
