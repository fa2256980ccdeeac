"""The hook caller of one channel: core calls its hooks through it, and what they answer is checked here.

Implementations are asked in this order, and the first answer that is not None counts: the operators' hooks,
the channel, core's defaults. Wrappers go around all of them.
"""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy

from coursewire.errors import ContractError, CoursewireError, NotExportableError, SendError
from coursewire.hooks import PROJECT, SPECS
from coursewire.model.addresses import is_web_address
from coursewire.model.inbound import CodeGrant, InboundRoute
from coursewire.model.kinds import Kind
from coursewire.model.payload import Batch, JsonObject, Operation, Payload, RemoteItem, Result
from coursewire.model.reasons import find_reason
from coursewire.plugins.defaults import CoreDefaults, items_limit, wire_bytes
from coursewire.plugins.faults import codes_of, describe
from coursewire.plugins.plain_data import a_kind, find_non_json
from coursewire.plugins.trace import trace_calls
from coursewire.plugins.wrong_field import Facts, find_wrong_field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import httpx
    import typer

    from coursewire.model.channel import Channel
    from coursewire.model.configuration import ChannelConfig
    from coursewire.model.content import ContentItem
    from coursewire.model.instant import Moment
    from coursewire.model.outcomes import LastReported, Outcome
    from coursewire.model.session import Session, Tokens

LOG = logging.getLogger("coursewire.hooks")

T = TypeVar("T")

CORE = "core's defaults"

_OPTIONAL_ADDRESSES = ("image_url", "card_image_url", "marketing_url")


@dataclass(frozen=True, slots=True)
class Plugin:
    """An object that implements hooks, and its name for messages."""

    where: str
    hooks: object


@dataclass(frozen=True, slots=True)
class Sending:
    """The decision of the operators' hooks about a batch.

    Attributes:
        batch: What may leave; None when all of it is held back.
        held: The payloads that stay here, in their order.
        reason: For people: why they stay, and which hook is behind it; "" when none does.
    """

    batch: Batch | None
    held: tuple[Payload, ...] = ()
    reason: str = ""


class HookCaller:
    """Calls the hooks of one channel.

    Every method raises :class:`ContractError` when a hook raises anything but an error of ours, or answers
    with something that is not what its specification says; the message names the plugin and its version.
    After ``send_content`` and ``send_outcomes`` such an error leaves the batch in doubt.

    Attributes:
        where: The plugin with its version, for messages.
        undeclared: Reason codes that hooks gave and nobody declared, each with the hook that gave it first. They are
            logged, and the results that carry them count all the same.
    """

    def __init__(
        self, channel: Channel, plugin: Plugin, operators: Sequence[Plugin] = (), *, trace: bool = False
    ) -> None:
        self.where = plugin.where
        self._limits = channel.limits
        self._reasons = channel.reasons
        self.undeclared: dict[str, str] = {}
        self._remote_keys = channel.capabilities.remote_keys
        self._manager = new_manager()
        self._names: dict[int, str] = {}
        for each in (Plugin(CORE, CoreDefaults(channel)), plugin, *operators):
            if not self._manager.is_registered(each.hooks):
                # Named by identity: two plugins may well call themselves the same.
                self._manager.register(each.hooks, name=str(id(each.hooks)))
                self._names[id(each.hooks)] = each.where
        self._hooks = self._manager.hook
        if trace:
            trace_calls(self._manager, self.where)

    def implements(self, hook: str) -> bool:
        """True when somebody, be it core, answers this hook."""
        return bool(getattr(self._hooks, hook).get_hookimpls())

    # -- exporter --------------------------------------------------------------------------------

    def export_content(
        self, config: ChannelConfig, item: ContentItem, moment: Moment, remote_key: str | None = None
    ) -> JsonObject:
        """Return the payload of one content item, as plain data; without a key it goes by what ``remote_key`` says.

        Raises:
            NotExportableError: The LMS demands something that the item lacks, the address for learners leads elsewhere
                than to the web, or the exporter fails because of one field, which is named.
        """

        def export(tried: ContentItem) -> JsonObject:
            key = self.remote_key(config, tried) if remote_key is None else remote_key
            body = self._call("export_content", config=config, item=tried, moment=moment, remote_key=key)
            return self._plain("export_content", body)

        return self._exported(_with_web_addresses(item), export)

    def export_retirement(self, config: ChannelConfig, confirmed: Mapping[str, Any]) -> JsonObject:
        """The payload that retires an item, as plain data."""
        return self._plain(
            "export_retirement", self._call("export_retirement", config=config, confirmed=confirmed)
        )

    def export_outcome(self, kind: Kind, config: ChannelConfig, outcome: Outcome) -> JsonObject:
        """Return the payload of one outcome of a kind, as plain data; raises as :meth:`export_content` does."""
        hook = kind.info.export_hook

        def export(tried: Outcome) -> JsonObject:
            return self._plain(hook, self._call(hook, config=config, **{kind.noun: tried}))

        return self._exported(outcome, export)

    def remote_key(self, config: ChannelConfig, item: ContentItem) -> str:
        """The key that the LMS knows the item by; never empty."""
        key = self._typed("remote_key", self._call("remote_key", config=config, item=item), str)
        if not key:
            raise self._broken("remote_key", "it returned an empty key")
        if not re.fullmatch(self._remote_keys, key):
            raise self._broken("remote_key", f"it returned {key[:60]!r}, which does not fit remote_keys")
        return key

    # -- transmitter -----------------------------------------------------------------------------

    def make_batches(
        self, config: ChannelConfig, kind: Kind, operation: Operation | None, payloads: Sequence[Payload]
    ) -> list[Batch]:
        """Group one page of payloads into batches.

        Every payload is in exactly one batch, no batch is empty, and each keeps to the limits of channel
        and configuration; outcomes of a batch are alike in the first member of ``Limits.outcomes_by``. Bytes are counted in canonical JSON; a single payload above the limit of bytes
        goes alone, and the LMS says what it thinks of it.
        """
        hook = "make_batches"
        made = self._call(hook, config=config, kind=kind, operation=operation, payloads=payloads)
        if isinstance(made, str | bytes | dict) or not hasattr(made, "__iter__"):
            raise self._wrong_type(hook, made, "batches")
        try:
            batches = list(made)
        except CoursewireError:
            raise
        except Exception as error:
            raise self._raised(hook, error) from error
        most_items = items_limit(self._limits, config, kind)
        waiting = {id(payload) for payload in payloads}
        for batch in batches:
            if not isinstance(batch, Batch):
                raise self._wrong_type(hook, batch, "batches")
            if not 0 < len(batch) <= most_items:
                raise self._broken(
                    hook, f"it made a batch of {len(batch)} where 1 to {most_items} may travel"
                )
            if batch.operation != operation:
                raise self._broken(hook, f"it made a batch for {batch.operation} where {operation} was asked")
            for payload in batch.payloads:
                if id(payload) not in waiting:
                    raise self._broken(
                        hook, f"the payload {payload.key} was not handed in, or is there twice"
                    )
                waiting.remove(id(payload))
            self._check_bytes(batch)
            if kind is not Kind.CONTENT:
                self._check_together(batch)
        if waiting:
            raise self._broken(hook, f"{len(waiting)} of {len(payloads)} payloads are in no batch")
        return batches

    def should_transmit(
        self,
        config: ChannelConfig,
        outcome: Outcome,
        record: Mapping[str, Any] | None,
        last_reported: LastReported | None = None,
    ) -> bool:
        """Tell whether an outcome that differs from what was confirmed goes out again."""
        answer = self._call(
            "should_transmit", config=config, outcome=outcome, record=record, last_reported=last_reported
        )
        return self._typed("should_transmit", answer, bool)

    # -- client ----------------------------------------------------------------------------------

    def authenticate(self, config: ChannelConfig, tokens: Tokens) -> httpx.Auth:
        """The way in which requests of this configuration prove who we are."""
        import httpx  # noqa: PLC0415 - not needed to list or preview

        answer = self._call("authenticate", config=config, tokens=tokens)
        return self._typed("authenticate", answer, httpx.Auth)

    async def send(self, session: Session, kind: Kind, batch: Batch) -> list[Result]:
        """Send one batch of a kind: one result per payload, in the order of the batch."""
        hook = kind.info.send_hook
        return self._results(hook, batch, await self._acall(hook, session, batch=batch))

    async def find_remote(self, session: Session, key: str) -> RemoteItem | None:
        """Look one item up; None when it is surely not there."""
        found = await self._acall("find_remote", session, key=key)
        return found if found is None else self._typed("find_remote", found, RemoteItem)

    async def list_remote(self, session: Session) -> list[RemoteItem]:
        """All items at the LMS that are ours."""
        return self._list_of("list_remote", await self._acall("list_remote", session), RemoteItem)

    async def list_inactive_learners(self, session: Session) -> AsyncIterator[str]:
        """Yield the ids of the learners whose account at the LMS is inactive, each once."""
        hook = "list_inactive_learners"
        pending = self._call(hook, session=session)
        if not isinstance(pending, AsyncIterator):
            raise self._wrong_type(hook, pending, "an async iterator")
        seen: set[str] = set()
        with self._translated(hook, session):
            async for learner in pending:
                if self._typed(hook, learner, str) not in seen:
                    seen.add(learner)
                    yield learner

    async def check_connection(self, session: Session) -> list[str]:
        """Try the way of real requests: one sentence for each thing that works."""
        said = self._list_of("check_connection", await self._acall("check_connection", session), str)
        return list(map(_redactor(session), said))

    def read_slow_down(self, config: ChannelConfig, response: httpx.Response) -> float | None:
        """Seconds to wait when the answer means "slow down"; None when it does not."""
        seconds = self._call("read_slow_down", config=config, response=response)
        if seconds is None:
            return None
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds >= 0:
            raise self._broken("read_slow_down", "it returned something else than seconds or None")
        return float(seconds)

    # -- host ------------------------------------------------------------------------------------

    def oauth_application(self) -> CodeGrant | None:
        """Return how an administrator grants access; None where the channel needs no grant."""
        grant = self._call("oauth_application")
        return None if grant is None else self._typed("oauth_application", grant, CodeGrant)

    def inbound_routes(self) -> list[InboundRoute]:
        """Return the endpoints of the channel and of operators' hooks."""
        return [
            route
            for routes in self._call("inbound_routes")
            for route in self._list_of("inbound_routes", routes, InboundRoute)
        ]

    def channel_commands(self) -> list[typer.Typer]:
        """Commands that the channel and operators' hooks add."""
        return list(self._call("channel_commands"))

    # -- operators -------------------------------------------------------------------------------

    def job_started(self, job: Mapping[str, Any]) -> None:
        """Tell that a job begins. A hook that raises is logged and stops nothing."""
        self._notify("job_started", job=job)

    def batch_sending(self, job: Mapping[str, Any], batch: Batch) -> Sending:
        """Ask whether a batch may leave, and in which form.

        A hook may change bodies or leave payloads out. A body that is changed here keeps the fingerprint
        of the body that was planned, or else every later run would think that the item differs. When a
        hook raises or answers nonsense, the whole batch is held back.
        """
        try:
            answer = self._call("batch_sending", job=job, batch=batch)
            if answer is None:
                return Sending(None, batch.payloads, f"held back by {self._authors('batch_sending')}")
            return self._permitted(batch, self._typed("batch_sending", answer, Batch))
        except CoursewireError as error:
            LOG.warning("A batch of %d is held back. %s", len(batch), error)
            return Sending(None, batch.payloads, str(error))

    def batch_sent(self, job: Mapping[str, Any], batch: Batch, results: Sequence[Result]) -> None:
        """Tell that a batch has its results. A hook that raises is logged and stops nothing."""
        self._notify("batch_sent", job=job, batch=batch, results=results)

    def transmission_failed(self, job: Mapping[str, Any], payload: Payload, result: Result) -> None:
        """Tell that an item did not arrive. A hook that raises is logged and stops nothing."""
        self._notify("transmission_failed", job=job, payload=payload, result=result)

    def job_finished(self, job: Mapping[str, Any], summary: Mapping[str, Any]) -> None:
        """Tell that a job has ended. A hook that raises is logged and stops nothing."""
        self._notify("job_finished", job=job, summary=summary)

    # -- calling ---------------------------------------------------------------------------------

    def _call(self, hook: str, **arguments: Any) -> Any:
        try:
            return getattr(self._hooks, hook)(**arguments)
        except CoursewireError:
            raise
        except Exception as error:
            raise self._raised(hook, error) from error

    async def _acall(self, hook: str, session: Session, **arguments: Any) -> Any:
        # pluggy takes the coroutine for the first result, so that exactly one implementation runs.
        pending = self._call(hook, session=session, **arguments)
        if not inspect.isawaitable(pending):
            raise self._wrong_type(hook, pending, "a coroutine")
        with self._translated(hook, session):
            return await pending

    @contextmanager
    def _translated(self, hook: str, session: Session) -> Iterator[None]:
        """Hide secrets in an error of ours, and turn any other error into one about the hook's contract."""
        try:
            yield
        except CoursewireError as error:
            # It may quote an answer, and an LMS may repeat what it was sent.
            error.hide(_redactor(session))
            if isinstance(error, SendError):
                self._note_reason(hook, error.reason)
            raise
        except Exception as error:
            raise self._raised(hook, error) from error

    def _notify(self, hook: str, **arguments: Any) -> None:
        # One plugin at a time, so that one that raises does not silence the others.
        authors = [implementation.plugin for implementation in getattr(self._hooks, hook).get_hookimpls()]
        for author in authors:
            others = [plugin for plugin in authors if plugin is not author]
            try:
                self._manager.subset_hook_caller(hook, others)(**arguments)
            except Exception as error:  # noqa: BLE001 - whatever it is, the job goes on
                LOG.warning(
                    "Hook %s of %s raised and was passed over: %s",
                    hook,
                    self._names[id(author)],
                    describe(error),
                )

    @staticmethod
    def _exported(facts: Facts, export: Callable[[Facts], JsonObject]) -> JsonObject:
        """Export an item or outcome; where that fails because of one field of it, the field is named."""
        try:
            return export(facts)
        except ContractError as error:
            raised = error.__cause__ if isinstance(error.__cause__, Exception) else error
            wrong = find_wrong_field(facts, export, raised)
            if wrong is None:
                raise
            raise NotExportableError(
                wrong.path,
                f"it is {wrong.kind}, which the channel cannot read ({error.why})",
                next_step="Correct it at the source.",
            ) from error

    # -- checking --------------------------------------------------------------------------------

    def _plain(self, hook: str, body: Any) -> JsonObject:
        if type(body) is not dict:
            raise self._wrong_type(hook, body, "a dict")
        foreign = find_non_json(body)
        if foreign:
            raise self._broken(hook, f"the payload is not plain data: {foreign}")
        return body

    def _typed(self, hook: str, answer: Any, kind: type[T]) -> T:
        if not isinstance(answer, kind):
            raise self._wrong_type(hook, answer, kind.__name__)
        return answer

    def _list_of(self, hook: str, answer: Any, kind: type) -> list[Any]:
        if not isinstance(answer, list):
            raise self._wrong_type(hook, answer, f"a list of {kind.__name__}")
        for each in answer:
            self._typed(hook, each, kind)
        return answer

    def _results(self, hook: str, batch: Batch, answer: Any) -> list[Result]:
        results = self._list_of(hook, answer, Result)
        if len(results) != len(batch):
            raise self._broken(hook, f"it returned {len(results)} results for {len(batch)} payloads")
        for result in results:
            self._note_reason(hook, result.reason)
        return results

    def _note_reason(self, hook: str, code: str) -> None:
        """Log a reason code that nobody declared, once; what carries it goes on as it is."""
        if code and code not in self.undeclared and find_reason(code, self._reasons) is None:
            self.undeclared[code] = hook
            LOG.warning(
                "%s gives the reason %r in %s, which neither core nor the channel declares, so that nobody can "
                "explain it. Declare it in Channel(reasons=...).",
                self._authors(hook),
                code,
                hook,
            )

    def _check_bytes(self, batch: Batch) -> None:
        most = self._limits.batch_bytes
        if most and len(batch) > 1 and (size := sum(map(wire_bytes, batch.payloads))) > most:
            raise self._broken("make_batches", f"it made a batch of {size} bytes where {most} may travel")

    def _check_together(self, batch: Batch) -> None:
        # A channel that declares outcomes_by reads the course, say, from the first payload of a batch.
        for name in self._limits.outcomes_by[:1]:
            if any(payload.body[name] != batch.payloads[0].body[name] for payload in batch.payloads):
                raise self._broken("make_batches", f"it made a batch of outcomes that differ in {name!r}")

    def _permitted(self, asked: Batch, answer: Batch) -> Sending:
        planned = {payload.key: payload for payload in asked.payloads}
        leaving = []
        for payload in answer.payloads:
            original = planned.pop(payload.key, None)
            if original is None:
                raise self._broken("batch_sending", f"it added the payload {payload.key}")
            if payload is not original:
                self._plain("batch_sending", payload.body)
                payload = replace(original, body=payload.body)  # noqa: PLW2901
            leaving.append(payload)
        held = tuple(planned.values())
        reason = f"held back by {self._authors('batch_sending')}" if held else ""
        return Sending(replace(asked, payloads=tuple(leaving)) if leaving else None, held, reason)

    # -- naming ----------------------------------------------------------------------------------

    def _authors(self, hook: str) -> str:
        implementations = getattr(self._hooks, hook).get_hookimpls()[::-1]
        names = [self._names[id(implementation.plugin)] for implementation in implementations]
        return ", ".join(dict.fromkeys(name for name in names if name != CORE)) or self.where

    def _raised(self, hook: str, error: Exception) -> ContractError:
        implementations = getattr(self._hooks, hook).get_hookimpls()
        by_code = {
            inspect.unwrap(implementation.function).__code__: implementation
            for implementation in implementations
        }
        for code in codes_of(error.__traceback__):
            if code in by_code:
                culprit = self._names[id(by_code[code].plugin)]
                return self._broken(hook, f"it raised {describe(error)}", culprit)
        return self._broken(hook, f"it raised {describe(error)}")

    def _wrong_type(self, hook: str, answer: object, due: str) -> ContractError:
        if answer is None and not self.implements(hook):
            return self._broken(hook, "the channel does not implement it")
        return self._broken(hook, f"it returned {a_kind(answer)} where {due} is due")

    def _broken(self, hook: str, why: str, culprit: str | None = None) -> ContractError:
        return ContractError(
            f"hook {hook} broke its contract",
            where=culprit or self._authors(hook),
            why=why,
            next_step="This is a fault of the plugin: report it to its authors.",
        )


def new_manager(*specs: type) -> pluggy.PluginManager:
    """A plugin manager that knows these specifications; all of ours when none is named."""
    manager = pluggy.PluginManager(PROJECT)
    for spec in specs or SPECS:
        manager.add_hookspecs(spec)
    return manager


def _with_web_addresses(item: ContentItem) -> ContentItem:
    """Return an item whose addresses lead to the web; a picture or a page of information that does not is left out.

    Raises:
        NotExportableError: The address at which learners enroll would run something instead.
    """
    if item.enrollment_url and not is_web_address(item.enrollment_url):
        raise NotExportableError(
            "enrollment_url",
            "it is not the address of a web page",
            next_step="Correct it at the source: it begins with https:// or http://.",
        )
    wrong = [field for field in _OPTIONAL_ADDRESSES if not is_web_address(item.text(field) or "")]
    return item.model_copy(update=dict.fromkeys(wrong)) if wrong else item


def _redactor(session: Session) -> Callable[[str], str]:
    """Return the redactor that knows the secrets of a session; a session that is not core's own has none."""
    return getattr(session, "redactor", str)
