"""Exporting content: from the catalogs and the records to the payloads that need sending.

:meth:`ContentExport.survey` compares keys and versions and holds nothing but keys. :meth:`ContentExport.pages`
then builds payloads page by page, for the keys that need a look.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson
from more_itertools import batched

from coursewire.errors import ContractError, NotExportableError
from coursewire.model.instant import Moment
from coursewire.model.payload import JsonObject, Operation, Payload, canonical_json, digest
from coursewire.model.reasons import Reason
from coursewire.pipeline.export.catalogs import Wanted, chosen_catalogs
from coursewire.pipeline.export.prepared import PAGE_ITEMS, NotBuiltError, Prepared, build
from coursewire.pipeline.rules.decide import Decision, compare, glance
from coursewire.storage.audit.records import ContentRecord, ContentRecords, RecordSummary
from coursewire.storage.audit.states import Event, State

if TYPE_CHECKING:
    from coursewire.model.configuration import ChannelConfig
    from coursewire.model.content import ContentItem
    from coursewire.plugins.registry import LoadedChannel
    from coursewire.sources.base import Source
    from coursewire.storage.feed import Feed
    from coursewire.storage.key_map import KeyMap


@dataclass(slots=True)
class Survey:
    """What a run has to look at: keys and counts only.

    Attributes:
        wanted: The wanted set.
        examine: Keys whose payload must be built, with the reason; new ones last, in the source's order.
        retire: Keys to retire.
        withdraw: Keys that never reached the LMS and are no longer wanted.
        left: How many items are left as they are, by reason.
        present: Items that the LMS holds now.
    """

    wanted: Wanted
    examine: dict[str, str] = field(default_factory=dict)
    retire: list[str] = field(default_factory=list)
    withdraw: list[str] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)
    present: int = 0


class ContentExport:
    """The content of one configuration at one moment.

    With a feed, the channel's content is offered; with a key map, its keys are mapped.
    """

    def __init__(
        self,
        *,
        channel: LoadedChannel,
        config: ChannelConfig,
        customer: str,
        source: Source,
        records: ContentRecords,
        now: datetime,
        force: bool = False,
        feed: Feed | None = None,
        key_map: KeyMap | None = None,
    ) -> None:
        self._feed = feed
        self._key_map = key_map
        self._channel = channel
        self._config = config
        self._customer = customer
        self._source = source
        self._records = records
        self._now = now
        self._force = force
        self._context = export_context(channel, config)

    async def survey(self) -> Survey:
        """Compare what the catalogs hold with what we believe the LMS holds.

        Raises:
            SourceError: The source could not even say which catalogs there are.
            ConfigurationError: The configuration names a catalog that is not the customer's.
        """
        survey = Survey(await self.wanted())
        await asyncio.to_thread(self._compare_all, survey)
        return survey

    async def wanted(self) -> Wanted:
        """What the catalogs hold; raises as :meth:`survey` does."""
        catalogs = await chosen_catalogs(self._source, self._config, self._customer)
        known = await asyncio.to_thread(self._known)
        wanted = Wanted(catalogs)
        for catalog in catalogs:
            mine = known.get(catalog.uuid, {})
            wanted.add(await self._source.diff(catalog, mine), mine)
        return wanted

    def _known(self) -> dict[str, dict[str, str]]:
        known: dict[str, dict[str, str]] = {}

        def visit(seen: RecordSummary) -> None:
            if seen.state != State.RETIRED:
                for catalog in _catalog_list(seen.catalogs):
                    known.setdefault(catalog, {})[seen.key] = seen.source_version or ""

        self._records.scan(visit)
        return known

    def _compare_all(self, survey: Survey) -> None:
        wanted = survey.wanted
        seen_keys: set[str] = set()

        def visit(seen: RecordSummary) -> None:
            key = seen.key
            version = wanted.versions.get(key)
            if version is not None:
                seen_keys.add(key)
            survey.present += seen.present
            action, reason = self.glance(seen, wanted)
            if action == "examine":
                survey.examine[key] = reason
            elif action == "retire":
                survey.retire.append(key)
            elif action == "withdraw":
                survey.withdraw.append(key)
            elif reason:
                survey.left[reason] += 1

        self._records.scan(visit)
        reason = Reason.FORCED if self._force else Reason.NEW
        survey.examine.update((key, reason) for key in wanted.versions if key not in seen_keys)

    def glance(self, seen: RecordSummary, wanted: Wanted) -> Decision:
        """Decide about a record without looking at the item; nothing goes while a catalog cannot answer."""
        decision = glance(
            seen,
            wanted_version=wanted.versions.get(seen.key),
            context=self._context,
            now=self._now,
            force=self._force,
        )
        if decision.action in ("retire", "withdraw") and not wanted.reliable:
            return Decision("leave", Reason.SOURCE_FAILED)
        return decision

    async def pages(self, survey: Survey) -> AsyncIterator[list[Prepared]]:
        """Look at every key that needs it, page by page: retirements, then the wanted items."""
        for keys in batched(survey.retire, PAGE_ITEMS):
            yield await self._retirements(keys)
        for keys in batched(survey.withdraw, PAGE_ITEMS):
            yield await self._withdrawals(keys)
        for keys in batched(survey.examine, PAGE_ITEMS):
            records = await asyncio.to_thread(self._records.fetch, keys)
            items: dict[str, ContentItem] = {}
            async for some in self._source.content(keys, page_items=PAGE_ITEMS):
                items.update((item.content_key, item) for item in some)
            given = await self._given_keys(records, keys)
            page = [
                self._examine(key, items.get(key), records.get(key), survey, given.get(key)) for key in keys
            ]
            if self._channel.channel.capabilities.wants_confirmed and not self._force:
                await self._add_confirmed(page)
            yield page

    async def _add_confirmed(self, page: Sequence[Prepared]) -> None:
        """Put what the LMS last confirmed beside every update, unless something was tried since."""
        updates = {
            item.payload.key: item
            for item in page
            if item.payload is not None
            and item.payload.operation is Operation.UPDATE
            and item.record.confirmed_fingerprint is not None
        }
        if not updates:
            return
        confirmed = await asyncio.to_thread(self._records.confirmed_payloads, list(updates))
        for key, body in confirmed.items():
            item = updates[key]
            assert item.payload is not None
            item.payload = replace(item.payload, confirmed=body)

    async def _given_keys(
        self, records: Mapping[str, ContentRecord], keys: Sequence[str]
    ) -> Mapping[str, str]:
        """By which keys the LMS knows items already, where keys are mapped: imported, or given before."""
        if self._key_map is None:
            return {}
        held = (record for record in records.values() if record.present or record.confirmed_at is not None)
        imported = await asyncio.to_thread(self._key_map.fetch, keys)
        return {**{record.key: record.remote_key for record in held}, **imported}

    def _examine(
        self,
        key: str,
        item: ContentItem | None,
        record: ContentRecord | None,
        survey: Survey,
        given_key: str | None,
    ) -> Prepared:
        record = record or ContentRecord(
            configuration=self._records.configuration, content_key=key, remote_key=key
        )
        record.catalogs = survey.wanted.catalogs_of(key)
        version = survey.wanted.versions[key]
        if item is None:
            return self._left(record, Reason.WAITING_FOR_SOURCE, version="")
        record.content_type = item.content_type.value
        record.title = item.title or ""
        if item.content_type not in self._channel.channel.capabilities.content_types:
            return self._left(record, Reason.TYPE_NOT_SUPPORTED, version=version)
        moment = Moment(self._now)

        def make() -> JsonObject:
            hook_caller = self._channel.hook_caller
            remote_key = given_key or hook_caller.remote_key(self._config, item)
            body = hook_caller.export_content(self._config, item, moment, remote_key)
            record.remote_key = remote_key
            return body

        try:
            body, canonical = build(make)
        except NotBuiltError as error:
            settled = version if error.reason == Reason.NOT_EXPORTABLE else ""
            return self._left(record, error.reason, version=settled, message=error.message)
        fingerprint = digest(canonical)
        verdict = compare(record, fingerprint, force=self._force)
        if not isinstance(verdict, Event):
            return self._keep(record, verdict, version, moment)
        record.happen(verdict)
        record.wanted_fingerprint = fingerprint
        record.export_context = self._context
        record.not_before_at = None
        assert record.operation is not None
        payload = Payload(
            key, record.operation, body, fingerprint, record.remote_key, record.remote_id, record.title
        )
        return Prepared(
            record,
            payload,
            survey.examine[key],
            canonical=canonical,
            version=version,
            examine_again_at=moment.next_change_at,
            title=record.title,
        )

    def _left(self, record: ContentRecord, reason: str, *, version: str, message: str = "") -> Prepared:
        if record.operation is None or record.state is State.OFFERED:
            record.happen(Event.PLAN_UPDATE if record.present else Event.PLAN_CREATE)
        record.reason, record.message = str(reason), message or None
        record.source_version = version or None
        record.export_context = self._context
        record.examine_again_at = None
        return Prepared(record, None, str(reason), message, version=version, changed=True, title=record.title)

    def _keep(self, record: ContentRecord, reason: str, version: str, moment: Moment) -> Prepared:
        if reason == Reason.UNCHANGED and record.state is not State.CONFIRMED:
            record.happen(Event.KEEP)
            record.reason = record.message = None
            record.attempts = 0
        record.source_version = version or None
        record.export_context = self._context
        record.examine_again_at = moment.next_change_at
        return Prepared(record, None, reason, version=version, changed=True, title=record.title)

    async def _withdrawals(self, keys: Sequence[str]) -> list[Prepared]:
        records = await asyncio.to_thread(self._records.fetch, keys)
        prepared = []
        for record in records.values():
            record.happen(Event.WITHDRAW)
            record.reason = str(Reason.WITHDRAWN)
            prepared.append(Prepared(record, None, Reason.WITHDRAWN, changed=True, title=record.title))
        return prepared

    async def _retirements(self, keys: Sequence[str]) -> list[Prepared]:
        records = await asyncio.to_thread(self._records.fetch, keys)
        confirmed: dict[str, dict[str, Any]] = await asyncio.to_thread(self._records.confirmed_payloads, keys)
        if self._feed is not None:
            confirmed |= await asyncio.to_thread(self._feed.bodies, keys)  # offered is later than confirmed
        unknown = [key for key in keys if key not in confirmed]
        async for page in self._source.content(unknown, page_items=PAGE_ITEMS):
            # Sent, but never confirmed: the LMS may hold it. Say again what was said, then take it away.
            for item in page:
                try:
                    known_as = records[item.content_key].remote_key
                    body = self._channel.hook_caller.export_content(
                        self._config, item, Moment(self._now), known_as
                    )
                except (NotExportableError, ContractError):
                    continue
                confirmed[item.content_key] = body
        return [self._retirement(records[key], confirmed.get(key)) for key in keys]

    def _retirement(self, record: ContentRecord, confirmed: Mapping[str, Any] | None) -> Prepared:
        record.happen(Event.PLAN_RETIRE)
        record.catalogs = ()
        if not self._channel.channel.capabilities.retire_strategies:
            return self._left(record, Reason.RETIRE_NOT_SUPPORTED, version="")
        try:
            body, canonical = build(
                lambda: self._channel.hook_caller.export_retirement(self._config, confirmed or {})
            )
        except NotBuiltError as error:
            return self._left(record, error.reason, version="", message=error.message)
        fingerprint = digest(canonical)
        record.wanted_fingerprint = fingerprint
        record.not_before_at = None
        payload = Payload(
            record.content_key,
            Operation.RETIRE,
            body,
            fingerprint,
            record.remote_key,
            record.remote_id,
            record.title,
        )
        return Prepared(record, payload, Reason.LEFT_CATALOG, canonical=canonical, title=record.title)


def export_context(channel: LoadedChannel, config: ChannelConfig) -> str:
    """Digest of what a payload depends on beside the item: the configuration and the plugin's version."""
    settings = config.model_dump(mode="json", exclude=set(config.secret_fields()))
    text = canonical_json([channel.channel.code, channel.distribution, channel.version, settings])
    return hashlib.sha256(text).hexdigest()[:16]


@lru_cache(maxsize=64)
def _catalog_list(text: str) -> tuple[str, ...]:
    """Read the ``catalogs`` column: a run sees a handful of different values, thousands of times."""
    return tuple(orjson.loads(text))
