"""Payloads from a bundle, without a database and without a network: what would go to an LMS that has nothing yet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from coursewire.configurations.files import ConfigurationFile, read_file
from coursewire.configurations.secret_values import OpenedSecrets, SecretValue
from coursewire.configurations.validation import check, sort_out
from coursewire.errors import ConfigurationError, ContractError, NotExportableError
from coursewire.model.configuration import ChannelConfig
from coursewire.model.content import ContentItem, Customer
from coursewire.model.instant import Moment
from coursewire.model.kinds import Kind
from coursewire.model.payload import Operation
from coursewire.model.reasons import Reason
from coursewire.pipeline.export.catalogs import wanted_keys
from coursewire.pipeline.export.evaluation import OutcomeEvaluation
from coursewire.pipeline.export.outcomes import OutcomeExport
from coursewire.pipeline.selection import refuse_other_kinds
from coursewire.plugins.registry import LoadedChannel, Registry
from coursewire.settings import Settings
from coursewire.sources.base import Source
from coursewire.sources.bundle_source import BundleSource
from coursewire.storage.audit.records import Held

_NOBODY = UUID(int=0)
"""Stands for the id of the configuration, which is not stored."""

_FAULTS = (Reason.NOT_EXPORTABLE, Reason.CHANNEL_FAULT)


@dataclass(frozen=True, slots=True)
class PreviewItem:
    """One line of a preview: a payload, or why there is none.

    Attributes:
        key: The content key. Of an outcome: the enrollment's id, with a blank and the subsection's id for an
            assessment. "" for a line of the bundle that cannot be read.
        title: A name of the outcome for people; "" for content.
        operation: The operation that would be sent; None where nothing is.
        payload: The payload that would be sent; None where nothing is.
        reason: The reason code of why an outcome is not sent; "" for content, and where it is sent.
        message: More about why it is not sent; "" where it is.
        is_fault: True when something must be corrected; False when it is sent, or rightly left out.
    """

    key: str
    title: str = ""
    operation: Operation | None = None
    payload: Any = None
    reason: str = ""
    message: str = ""
    is_fault: bool = False


@dataclass(frozen=True, slots=True)
class BundlePreview:
    """A configuration file over a bundle.

    Attributes:
        channel: The channel.
        config: The validated settings of the file.
        customer: UUID of the customer; "" where the file leaves it out.
        source: The bundle.
    """

    channel: LoadedChannel
    config: ChannelConfig
    customer: str
    source: BundleSource

    @classmethod
    def open(
        cls,
        settings: Settings,
        channels: Registry,
        code: str,
        file: Path,
        bundle: Path,
        *,
        kind: Kind | None = None,
    ) -> BundlePreview:
        """Read a configuration file, for a bundle. Secrets' stand-ins will do, since nothing is sent.

        Args:
            settings: The settings of the installation; its database is not used.
            channels: The installed channels.
            code: The channel's code, in any case.
            file: A configuration as for ``coursewire config add``; the customer may be left out.
            bundle: The folder of the bundle.
            kind: The kind that is asked for; None when the channel need not take any.

        Raises:
            UnknownChannelError: There is no such channel.
            ConfigurationError: The channel does not take the kind, or the file cannot be read, is not valid, or is for another channel.
            BundleError: There is no bundle.
        """
        channel = channels.get(code.upper())
        if kind is not None:
            refuse_other_kinds(kind, [channel])
        read = _read_config(file, channel)
        return cls(
            channel,
            _validated(read, channel, settings, where=str(file)),
            read.customer.lower(),
            BundleSource(bundle),
        )

    async def keys(self) -> list[str]:
        """Return the keys that the customer's catalogs hold; without a customer those of everything in the bundle.

        Raises:
            ConfigurationError: The bundle lacks the customer, or a catalog that the configuration names.
            SourceError: A file of the bundle cannot be read.
        """
        if not self.customer:
            return await self.source.keys()
        if await self.source.customer(self.customer) is None:
            raise ConfigurationError(
                f"the bundle has no customer {self.customer}",
                next_step="Correct the customer of the file, or leave it out to see everything in the bundle.",
            )
        # A bundle lacks a source's answers about learners, which nobody asks for here.
        return await wanted_keys(cast("Source", self.source), self.config, self.customer)

    def items(
        self, kind: Kind, *, only: Sequence[str] | None = None, now: datetime
    ) -> AsyncIterator[PreviewItem]:
        """Yield what would be sent, and what would not, with the reason.

        Args:
            kind: The kind.
            only: Only items with these keys; None or empty for all.
            now: The present instant, aware.

        Raises:
            ConfigurationError: The channel does not take the kind, or as :meth:`keys`.
            SourceError: A file of the bundle cannot be read.
        """
        refuse_other_kinds(kind, [self.channel])
        return self._content(only, now) if kind is Kind.CONTENT else self._outcomes(kind, only, now)

    async def _content(self, only: Sequence[str] | None, now: datetime) -> AsyncIterator[PreviewItem]:
        async for line in self._refused_lines():
            yield line
        keys = await self.keys()
        for key in only or ():
            if key not in keys:
                yield PreviewItem(key, message="neither the catalogs nor the bundle have it", is_fault=True)
        async for page in self.source.content([key for key in keys if not only or key in only]):
            for item in page:
                yield self._content_item(item, now)

    def _content_item(self, item: ContentItem, now: datetime) -> PreviewItem:
        if item.content_type not in self.channel.channel.capabilities.content_types:
            message = f"the channel does not take content of type {item.content_type.value}"
            return PreviewItem(item.content_key, message=message)
        try:
            body = self.channel.hook_caller.export_content(self.config, item, Moment(now))
        except (NotExportableError, ContractError) as error:
            return PreviewItem(item.content_key, message=str(error), is_fault=True)
        return PreviewItem(item.content_key, operation=Operation.CREATE, payload=body)

    async def _outcomes(
        self, kind: Kind, only: Sequence[str] | None, now: datetime
    ) -> AsyncIterator[PreviewItem]:
        """Yield outcomes as for an LMS that has the courses and was told of no result yet."""
        records = _UntouchedRecords(await self._courses())
        met = set()
        for customer in await self.source.customers():
            if self.customer and customer.uuid != self.customer:
                continue
            async for page in self._export(kind, customer, records, now).evaluations():
                for one in page:
                    key = f"{one.facts.id} {one.part.subsection_id}" if one.part else one.facts.id
                    if not only or key in only:
                        met.add(key)
                        yield _outcome_item(key, one)
        for key in only or ():
            if key not in met:
                yield PreviewItem(key, message="no outcome in the bundle has this key", is_fault=True)
        async for line in self._refused_lines():
            yield line

    async def _refused_lines(self) -> AsyncIterator[PreviewItem]:
        for problem in await self.source.problems():
            yield PreviewItem("", message=f"refused: {problem}", is_fault=True)

    async def _courses(self) -> dict[str, Held]:
        types = self.channel.channel.capabilities.content_types
        return {
            item.content_key: Held(self.channel.hook_caller.remote_key(self.config, item), present=True)
            async for page in self.source.content(await self.keys())
            for item in page
            if item.content_type in types
        }

    def _export(
        self, kind: Kind, customer: Customer, records: _UntouchedRecords, now: datetime
    ) -> OutcomeExport:
        return OutcomeExport(
            kind=kind,
            channel=self.channel,
            config=self.config,
            customer=customer,
            source=self.source,
            records=cast("Any", records),
            content=cast("Any", records),
            links=cast("Any", records),
            now=now,
        )


def _outcome_item(key: str, one: OutcomeEvaluation) -> PreviewItem:
    payload = one.prepared.payload if one.prepared else None
    if payload is not None:
        return PreviewItem(key, one.title, payload.operation, payload.body)
    return PreviewItem(
        key,
        one.title,
        reason=str(one.reason),
        message=one.decisions[-1].message,
        is_fault=one.reason in _FAULTS,
    )


@dataclass(frozen=True, slots=True)
class _UntouchedRecords:
    """The records of an LMS that has the courses and was told of no result.

    Attributes:
        courses: The content that it has, by key.
        configuration: The id of the configuration, which is not stored.
    """

    courses: Mapping[str, Held]
    configuration: UUID = _NOBODY

    def held(self, keys: Sequence[str]) -> dict[str, Held]:
        """Return those of the keys that the LMS has."""
        return {key: self.courses[key] for key in keys if key in self.courses}

    def of_enrollments(self, _enrollments: Sequence[str]) -> dict[str, Any]:
        """Return no records."""
        return {}

    def of_lines(
        self, _courses: Sequence[str], _learners: Sequence[str], *, besides: Sequence[str]
    ) -> list[Any]:
        """Return no records of other enrollments, whatever enrollments are left out."""
        del besides
        return []

    def fetch(self, _usernames: Sequence[str]) -> dict[str, Any]:
        """Return no links."""
        return {}


def _read_config(path: Path, channel: LoadedChannel) -> ConfigurationFile:
    file = read_file(path, customer_needed=False)
    if file.channel.upper() != channel.channel.code:
        raise ConfigurationError(
            f"the file is for channel {file.channel}",
            where=str(path),
            next_step=f"Give --channel {file.channel}, or another file.",
        )
    return file


def _validated(
    file: ConfigurationFile, channel: LoadedChannel, settings: Settings, *, where: str
) -> ChannelConfig:
    model = channel.channel.config
    fields, given = sort_out(model, file.fields, where)
    secrets = {
        name: SecretValue("not needed for a preview")
        if value is not None and value.from_environment
        else value
        for name, value in given.items()
    }
    checked = check(
        model,
        {name: value for name, value in fields.items() if value is not None},
        OpenedSecrets().with_changes(secrets),
        insecure_urls=settings.allow_insecure_urls,
    )
    if checked.config is None:
        raise ConfigurationError(
            "the configuration is not valid",
            where=where,
            why=str(checked.validity),
            next_step="Correct the file.",
            missing=checked.validity.missing,
            incorrect=checked.validity.incorrect,
        )
    return checked.config
