"""``coursewire preview`` of outcomes: as for an LMS that has the courses and was told nothing yet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from coursewire.cli.output import because, note, put_json
from coursewire.model.configuration import ChannelConfig
from coursewire.model.content import Customer
from coursewire.model.payload import Kind
from coursewire.model.reasons import Reason
from coursewire.pipeline.export.evaluation import Examined
from coursewire.pipeline.export.outcomes import OutcomeExport
from coursewire.plugins.registry import LoadedChannel
from coursewire.sources.bundle_source import BundleSource
from coursewire.storage.audit.records import Held

NOBODY = UUID(int=0)
"""Stands for the configuration, which is not stored."""


@dataclass(frozen=True, slots=True)
class Untouched:
    """What our tables would say of an LMS that has the courses and was told of no result.

    Attributes:
        courses: The content that it has, by key.
    """

    courses: Mapping[str, Held]
    configuration: UUID = NOBODY

    def held(self, keys: Sequence[str]) -> dict[str, Held]:
        """Those of the keys that the LMS has."""
        return {key: self.courses[key] for key in keys if key in self.courses}

    def of_enrollments(self, _enrollments: Sequence[str]) -> dict[str, Any]:
        """No records."""
        return {}

    def fetch(self, _usernames: Sequence[str]) -> dict[str, Any]:
        """No links."""
        return {}


async def preview_outcomes(
    source: BundleSource,
    channel: LoadedChannel,
    config: ChannelConfig,
    kind: Kind,
    *,
    customer: str,
    keys: Sequence[str],
    only: Sequence[str] | None,
    now: datetime,
) -> int:
    """Print the payloads of the outcomes that would go, and on stderr why the others would not.

    Args:
        source: The bundle.
        channel: The channel.
        config: The configuration.
        kind: Of outcomes.
        customer: The customer's UUID; "" for every customer of the bundle.
        keys: Of the content that the LMS has.
        only: Only the outcomes with these keys; None for all.
        now: The present instant.

    Returns:
        How many lines and outcomes could not be taken.
    """
    faults = (Reason.NOT_EXPORTABLE, Reason.CHANNEL_FAULT)
    told = Untouched(await _courses(source, channel, config, keys))
    left, met = 0, set()
    async for one in _examined(source, channel, config, kind, customer, told, now):
        key = _key(one)
        if only and key not in only:
            continue
        met.add(key)
        payload = one.prepared.payload if one.prepared else None
        if payload is not None:
            put_json({"key": key, "operation": payload.operation.value, "payload": payload.body})
            continue
        fault = one.reason in faults
        left += fault
        note(f"{key} ({one.title}): {because(one.reason, one.steps[-1].message)}", style="red" * fault)
    for key in only or ():
        if key not in met:
            left += 1
            note(f"{key}: no outcome in the bundle has this key", style="red")
    for problem in await source.problems():
        left += 1
        note(f"refused: {problem}", style="red")
    return left


async def _courses(
    source: BundleSource, channel: LoadedChannel, config: ChannelConfig, keys: Sequence[str]
) -> dict[str, Held]:

    types = channel.channel.capabilities.content_types
    return {
        item.content_key: Held(channel.hook_caller.remote_key(config, item), present=True)
        async for page in source.content(keys)
        for item in page
        if item.content_type in types
    }


async def _examined(
    source: BundleSource,
    channel: LoadedChannel,
    config: ChannelConfig,
    kind: Kind,
    customer: str,
    told: Untouched,
    now: datetime,
) -> AsyncIterator[Examined]:
    for each in await _customers(source, customer):
        export = _export(source, channel, config, kind, each, told, now)
        async for page in export.examined():
            for one in page:
                yield one


async def _customers(source: BundleSource, customer: str) -> list[Customer]:
    found = await source.customers()
    return [each for each in found if not customer or each.uuid == customer]


def _export(
    source: BundleSource,
    channel: LoadedChannel,
    config: ChannelConfig,
    kind: Kind,
    customer: Customer,
    told: Untouched,
    now: datetime,
) -> OutcomeExport:

    return OutcomeExport(
        kind=kind,
        channel=channel,
        config=config,
        customer=customer,
        source=source,
        records=cast("Any", told),
        content=cast("Any", told),
        links=cast("Any", told),
        now=now,
    )


def _key(one: Examined) -> str:
    """The enrollment's id; with a blank and the subsection's for an assessment."""
    return f"{one.facts.id} {one.part.subsection_id}" if one.part else one.facts.id
