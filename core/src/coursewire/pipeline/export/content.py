"""Exporting content: from the catalogs and the records to the payloads that need sending.

:meth:`ContentExport.worklist` compares keys and versions and holds nothing but keys. :meth:`ContentExport.evaluations`
then takes each key that needs a look through one list of decisions, page by page. What is decided on the way is kept,
so that ``coursewire why`` tells what a run does, not what it is thought to do.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
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
from coursewire.pipeline.export.catalogs import CatalogUnion, chosen_catalogs
from coursewire.pipeline.export.evaluation import ContentEvaluation, Decision
from coursewire.pipeline.export.prepared import PAGE_ITEMS, NotBuiltError, Prepared, build
from coursewire.pipeline.rules.decide import Action, ItemAction, action_for, compare
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
class Worklist:
    """The keys that a run has to look at, and counts of the others.

    Attributes:
        union: The keys that the catalogs hold.
        evaluate: Keys whose payload must be built, with the reason code; new ones last, in the source's order.
        retire: Keys to retire.
        withdraw: Keys that never reached the LMS and are no longer wanted.
        left: Items that are left as they are, counted by reason code.
        present: The number of items that the LMS holds now.
    """

    union: CatalogUnion
    evaluate: dict[str, str] = field(default_factory=dict)
    retire: list[str] = field(default_factory=list)
    withdraw: list[str] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)
    present: int = 0

    def __len__(self) -> int:
        return len(self.evaluate) + len(self.retire) + len(self.withdraw)

    def add(self, key: str, what: ItemAction) -> None:
        """Put a key where its action belongs; one that is left is counted."""
        match what.action:
            case Action.EVALUATE:
                self.evaluate[key] = what.reason
            case Action.RETIRE:
                self.retire.append(key)
            case Action.WITHDRAW:
                self.withdraw.append(key)
            case Action.LEAVE if what.reason:
                self.left[what.reason] += 1


class ContentExport:
    """The content of one configuration at one moment.

    Args:
        channel: The channel.
        config: The configuration's settings.
        customer: The customer's UUID.
        source: The source of catalogs and items.
        records: The records of what the LMS holds.
        now: The run's instant.
        force: Send what is unchanged, too, and heed no pause.
        feed: The feed in which content is published; None where content is sent.
        key_map: The keys that the LMS knows items by; None where it knows them by ours.
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
        self._can = channel.channel.capabilities
        self._hooks = channel.hook_caller
        self._config = config
        self._customer = customer
        self._source = source
        self._records = records
        self._now = now
        self._force = force
        self._context = export_context(channel, config)
        self._way: tuple[Callable[[ContentEvaluation], Decision], ...] = (
            self._item,
            self._payload,
            self._comparison,
        )
        self._way_out: tuple[Callable[[ContentEvaluation], Decision], ...] = (
            self._retirement,
            self._retirement_payload,
        )

    # -- which items need a look -----------------------------------------------------------------

    async def worklist(self) -> Worklist:
        """Compare what the catalogs hold with what we believe the LMS holds.

        Raises:
            SourceError: The source could not even say which catalogs there are.
            ConfigurationError: The configuration names a catalog that is not the customer's.
        """
        worklist = Worklist(await self.catalog_union())
        await asyncio.to_thread(self._compare_all, worklist)
        return worklist

    async def catalog_union(self) -> CatalogUnion:
        """Return the keys that the catalogs hold; raises as :meth:`worklist` does."""
        catalogs = await chosen_catalogs(self._source, self._config, self._customer)
        known = await asyncio.to_thread(self._known)
        union = CatalogUnion(catalogs)
        for catalog in catalogs:
            mine = known.get(catalog.uuid, {})
            union.add(await self._source.diff(catalog, mine), mine)
        return union

    def _known(self) -> dict[str, dict[str, str]]:
        known: dict[str, dict[str, str]] = {}

        def visit(summary: RecordSummary) -> None:
            if summary.state != State.RETIRED:
                for catalog in _catalog_list(summary.catalogs):
                    known.setdefault(catalog, {})[summary.key] = summary.source_version or ""

        self._records.scan(visit)
        return known

    def _compare_all(self, worklist: Worklist) -> None:
        union = worklist.union
        recorded: set[str] = set()

        def visit(summary: RecordSummary) -> None:
            if summary.key in union:
                recorded.add(summary.key)
            worklist.present += summary.present
            worklist.add(summary.key, self.action_for(summary, union))

        self._records.scan(visit)
        reason = self.reason_for_new
        worklist.evaluate.update((key, reason) for key in union.versions if key not in recorded)

    @property
    def reason_for_new(self) -> str:
        """The reason code of why an item without a record is looked at."""
        return Reason.FORCED if self._force else Reason.NEW

    def action_for(self, summary: RecordSummary, union: CatalogUnion) -> ItemAction:
        """Decide about a recorded item without looking at it; nothing goes while a catalog cannot answer."""
        what = action_for(
            summary,
            wanted_version=union.versions.get(summary.key),
            context=self._context,
            now=self._now,
            force=self._force,
        )
        if what.action in (Action.RETIRE, Action.WITHDRAW) and not union.reliable:
            return ItemAction(Action.LEAVE, Reason.SOURCE_FAILED)
        return what

    # -- looking at them, page by page -----------------------------------------------------------

    async def pages(self, worklist: Worklist) -> AsyncIterator[list[Prepared]]:
        """Look at every key that needs it, page by page: retirements, then the wanted items."""
        async for page in self.evaluations(worklist):
            yield [one.prepared for one in page if one.prepared is not None]

    async def evaluations(self, worklist: Worklist) -> AsyncIterator[list[ContentEvaluation]]:
        """Yield what :meth:`pages` yields, with the decisions that led there."""
        for keys in batched(worklist.retire, PAGE_ITEMS):
            yield await self._retirements(keys)
        for keys in batched(worklist.withdraw, PAGE_ITEMS):
            yield await self._withdrawals(keys)
        for keys in batched(worklist.evaluate, PAGE_ITEMS):
            yield await self._wanted_items(keys, worklist)

    async def _wanted_items(self, keys: Sequence[str], worklist: Worklist) -> list[ContentEvaluation]:
        records = await asyncio.to_thread(self._records.fetch, keys)
        items: dict[str, ContentItem] = {}
        async for some in self._source.content(keys, page_items=PAGE_ITEMS):
            items.update((item.content_key, item) for item in some)
        given = await self._given_keys(records, keys)
        page: list[ContentEvaluation] = []
        for key in keys:
            record = records.get(key) or ContentRecord(
                configuration=self._records.configuration, content_key=key, remote_key=key
            )
            record.catalogs = worklist.union.catalogs_of(key)
            one = ContentEvaluation(
                record=record,
                why_evaluated=worklist.evaluate[key],
                item=items.get(key),
                version=worklist.union.versions[key],
                given_key=given.get(key),
                moment=Moment(self._now),
            )
            page.append(one)
        await asyncio.to_thread(self._evaluate, page)
        if self._can.wants_confirmed and not self._force:
            await self._add_confirmed(page)
        return page

    def _evaluate(self, page: Sequence[ContentEvaluation]) -> None:
        """Decide about the items of a page and build their payloads: work for a thread, where descriptions are long."""
        for one in page:
            one.follow(self._way)
            one.prepared = self._leave(one) if one.reason else self._plan(one)

    async def _add_confirmed(self, page: Sequence[ContentEvaluation]) -> None:
        """Put what the LMS last confirmed beside every update, unless something was tried since."""
        updates = {
            item.payload.key: item
            for item in (one.prepared for one in page)
            if item is not None
            and item.payload is not None
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
        """Return the keys by which the LMS knows items already, where keys are mapped: imported, or given before."""
        if self._key_map is None:
            return {}
        held = (record for record in records.values() if record.present or record.confirmed_at is not None)
        imported = await asyncio.to_thread(self._key_map.fetch, keys)
        return {**{record.key: record.remote_key for record in held}, **imported}

    # -- the way of one wanted item --------------------------------------------------------------

    def _item(self, one: ContentEvaluation) -> Decision:
        item, record = one.item, one.record
        if item is None:
            return Decision("item", Reason.WAITING_FOR_SOURCE)
        record.content_type = item.content_type.value
        record.title = item.title or ""
        details = {"type": record.content_type}
        if item.content_type not in self._can.content_types:
            return Decision("item", Reason.TYPE_NOT_SUPPORTED, details=details)
        return Decision("item", details=details)

    def _payload(self, one: ContentEvaluation) -> Decision:
        item, record = one.item, one.record
        assert item is not None

        def make() -> JsonObject:
            remote_key = one.given_key or self._hooks.remote_key(self._config, item)
            body = self._hooks.export_content(self._config, item, one.moment, remote_key)
            record.remote_key = remote_key
            return body

        return _build(one, "payload", make)

    def _comparison(self, one: ContentEvaluation) -> Decision:
        verdict = compare(
            one.record, one.fingerprint, context=self._context, now=self._now, force=self._force
        )
        return Decision("comparison", "" if isinstance(verdict, Event) else verdict)

    def _plan(self, one: ContentEvaluation) -> Prepared:
        record = one.record
        record.happen(Event.PLAN_UPDATE if record.present else Event.PLAN_CREATE)
        record.export_context = self._context
        return _to_send(
            one, one.why_evaluated, version=one.version, examine_again_at=one.moment.next_change_at
        )

    def _leave(self, one: ContentEvaluation) -> Prepared:
        """Leave an item, and note how far the source's version of it is dealt with."""
        last = one.decisions[-1]
        if last.name == "comparison":
            return self._keep(one, last.reason)
        settled = last.reason in (Reason.TYPE_NOT_SUPPORTED, Reason.NOT_EXPORTABLE)
        return self._set_aside(one, version=one.version if settled else "")

    def _set_aside(self, one: ContentEvaluation, *, version: str) -> Prepared:
        """Leave an item of which there is no payload; it goes when there is."""
        record, last = one.record, one.decisions[-1]
        if record.operation is None or record.state is State.OFFERED:
            record.happen(Event.PLAN_UPDATE if record.present else Event.PLAN_CREATE)
        record.reason, record.message = str(last.reason), last.message or None
        record.source_version = version or None
        record.export_context = self._context
        record.examine_again_at = None
        return Prepared(
            record, None, last.reason, last.message, version=version, changed=True, title=one.title
        )

    def _keep(self, one: ContentEvaluation, reason: str) -> Prepared:
        """Leave an item whose payload is at the LMS already, or waits there."""
        record = one.record
        if reason == Reason.UNCHANGED and record.state is not State.CONFIRMED:
            record.happen(Event.KEEP)
            record.reason = record.message = None
            record.attempts = 0
        record.source_version = one.version or None
        record.export_context = self._context
        record.examine_again_at = one.moment.next_change_at
        return Prepared(record, None, reason, version=one.version, changed=True, title=one.title)

    # -- the way of one that is not wanted any more ----------------------------------------------

    async def _withdrawals(self, keys: Sequence[str]) -> list[ContentEvaluation]:
        records = await asyncio.to_thread(self._records.fetch, keys)
        page = []
        for record in records.values():
            record.happen(Event.WITHDRAW)
            record.reason = Reason.WITHDRAWN
            one = self._gone(record, Reason.WITHDRAWN)
            one.decisions.append(Decision("withdrawal", Reason.WITHDRAWN))
            one.prepared = Prepared(record, None, Reason.WITHDRAWN, changed=True, title=one.title)
            page.append(one)
        return page

    async def _retirements(self, keys: Sequence[str]) -> list[ContentEvaluation]:
        records = await asyncio.to_thread(self._records.fetch, keys)
        confirmed: dict[str, dict[str, Any]] = await asyncio.to_thread(self._records.confirmed_payloads, keys)
        if self._feed is not None:
            confirmed |= await asyncio.to_thread(self._feed.bodies, keys)  # published is later than confirmed
        unknown = [key for key in keys if key not in confirmed]
        async for some in self._source.content(unknown, page_items=PAGE_ITEMS):
            # Sent, but never confirmed: the LMS may hold it. Say again what was said, then take it away.
            for item in some:
                try:
                    known_as = records[item.content_key].remote_key
                    body = await asyncio.to_thread(
                        self._hooks.export_content, self._config, item, Moment(self._now), known_as
                    )
                except (NotExportableError, ContractError):
                    continue
                confirmed[item.content_key] = body
        page = []
        for key in keys:
            one = self._gone(records[key], Reason.LEFT_CATALOG)
            one.body = confirmed.get(key, {})
            one.follow(self._way_out)
            one.prepared = (
                self._set_aside(one, version="") if one.reason else _to_send(one, one.why_evaluated)
            )
            page.append(one)
        return page

    def _gone(self, record: ContentRecord, reason: str) -> ContentEvaluation:
        return ContentEvaluation(record=record, why_evaluated=reason, item=None, moment=Moment(self._now))

    def _retirement(self, one: ContentEvaluation) -> Decision:
        one.record.happen(Event.PLAN_RETIRE)
        one.record.catalogs = ()
        one.record.export_context = self._context
        return Decision("retirement", "" if self._can.retire_strategies else Reason.RETIRE_NOT_SUPPORTED)

    def _retirement_payload(self, one: ContentEvaluation) -> Decision:
        confirmed = one.body
        return _build(one, "payload", lambda: self._hooks.export_retirement(self._config, confirmed))


def _build(one: ContentEvaluation, name: str, make: Callable[[], JsonObject]) -> Decision:
    try:
        one.body, one.canonical = build(make)
    except NotBuiltError as error:
        return Decision(name, error.reason, error.message)
    one.fingerprint = digest(one.canonical)
    return Decision(name, details={"fingerprint": one.fingerprint})


def _to_send(
    one: ContentEvaluation, reason: str, *, version: str = "", examine_again_at: datetime | None = None
) -> Prepared:
    record = one.record
    record.wanted_fingerprint = one.fingerprint
    record.not_before_at = None
    assert record.operation is not None
    payload = Payload(
        record.content_key,
        record.operation,
        one.body,
        one.fingerprint,
        record.remote_key,
        record.remote_id,
        one.title,
    )
    return Prepared(
        record,
        payload,
        reason,
        canonical=one.canonical,
        version=version,
        examine_again_at=examine_again_at,
        title=one.title,
    )


def export_context(channel: LoadedChannel, config: ChannelConfig) -> str:
    """Return the digest of what a payload depends on beside the item: the configuration and the plugin's version."""
    settings = config.model_dump(mode="json", exclude=set(config.secret_fields()))
    text = canonical_json([channel.channel.code, channel.distribution, channel.version, settings])
    return hashlib.sha256(text).hexdigest()[:16]


@lru_cache(maxsize=64)
def _catalog_list(text: str) -> tuple[str, ...]:
    """Read the ``catalogs`` column: a run sees a handful of different values, thousands of times."""
    return tuple(orjson.loads(text))
