"""Cassettes: conversations with a real LMS, recorded once without secrets, replayed in every test run.

::

    def test_a_course_is_created(cassettes):
        player = cassettes(plugin, values={"canvas_account_id": "17"})

        results = player.play("create", lambda session: plugin.send_content(session, batch))

``pytest --record-cassettes tenant.json`` records against a tenant; the file is one that ``coursewire config
add`` takes, and may hold the tenant's own ``values`` under that name. ``pytest --record-cassettes simulator``
records against the channel's simulator. Without the option nothing is recorded, and nothing leaves.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import httpx
import pytest

from coursewire.configurations.files import read_file
from coursewire.configurations.secret_values import SecretValue
from coursewire.http.opening import open_draft_session
from coursewire.http.redact import MASK, SHORTEST
from coursewire.model.configuration import INSECURE_URLS, ChannelConfig
from coursewire.model.instant import Clock, utc_now
from coursewire.plugins.loading import load_channel_object
from coursewire.plugins.simulators import make_simulator
from coursewire.testing.cassette_replay import Replaying, UnrecordedRequestError, again, bytes_of, same
from coursewire.testing.scrubbing import LMS_HOST, Scrubber, Scrubbing

if TYPE_CHECKING:
    from coursewire.http.session import HttpSession
    from coursewire.model.session import Session
    from coursewire.testing.simulator import Simulator

SIMULATOR = "simulator"
"""The value of ``--record-cassettes`` that records against the channel's simulator."""

INSECURE_VARIABLE = "COURSEWIRE_ALLOW_INSECURE_URLS"
"""``1`` lets a tenant have a private address, or plain http."""

T = TypeVar("T")


@dataclass
class _StandingClock:
    """Stands at one instant, and moves only with the pauses of the session: recorded and replayed alike."""

    now: datetime
    really: bool = False

    def __call__(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(seconds if self.really else 0)


class Player:
    """Records and replays the cassettes of one channel; the fixture ``cassettes`` makes it.

    Args:
        plugin: The channel: what the entry point names.
        folder: Where the cassettes are.
        record: A tenant's configuration file, or ``simulator``; None to replay.
        scrubbing: What this channel's cassettes need beyond what is always scrubbed.
        values: Names to stand-ins of what a test needs to know of the tenant: a learner's id, an account. A
            configuration field's name stands for that field. Ask the player (``player["learner"]``): it gives
            the tenant's value, from ``values`` of its file, while recording, and the stand-in otherwise.
        secrets: Stand-ins for the secret fields of the configuration in a replay, where any text will not do.
        clock: The present instant, when recording begins.
    """

    def __init__(
        self,
        plugin: Any,
        folder: Path,
        *,
        record: str | None = None,
        scrubbing: Scrubbing | None = None,
        values: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self.loaded = load_channel_object(plugin)
        self.folder = folder
        self.record = record
        self.scrubbing = scrubbing or Scrubbing()
        self.secrets = dict(secrets or {})
        self.clock = clock
        self.values = dict(values or {})
        self._tenant = self._read_tenant() if record and record != SIMULATOR else None

    def __getitem__(self, name: str) -> str:
        """A value of the tenant while recording from it, its stand-in otherwise."""
        stand_in = self.values[name]
        return stand_in if self._tenant is None else str(self._tenant_value(name))

    def _tenant_value(self, name: str) -> Any:
        assert self._tenant is not None
        found = self._tenant["values"].get(name, self._tenant["fields"].get(name))
        if found is None:
            raise pytest.UsageError(f'{self.record} has no value {name!r}: add it under "values"')
        if len(str(found)) < SHORTEST:
            raise pytest.UsageError(
                f"the value {name!r} of {self.record} is too short to be found again: every {found!r} would be replaced. "
                "Leave it out of the values, and it stays as it is."
            )
        return found

    def _read_tenant(self) -> dict[str, Any]:
        assert self.record is not None
        file = read_file(Path(self.record), customer_needed=False)
        if file.channel != self.loaded.channel.code:
            pytest.skip(f"{self.record} is for channel {file.channel}")
        fields = dict(file.fields)
        values = fields.pop("values", {})
        for name in self.loaded.channel.config.secret_fields() & fields.keys():
            given = SecretValue.given(fields[name])
            fields[name] = given.resolve(os.environ) if given else None
        return {"fields": fields, "values": values}

    def play(
        self,
        name: str,
        work: Callable[[Session], Awaitable[T]],
        *,
        simulator: Simulator | None = None,
        **fields: Any,
    ) -> T:
        """Run ``work`` on a session, and give back what it gives back.

        Args:
            name: Of the cassette; its file is ``<name>.yaml``.
            work: Called with the session.
            simulator: What ``--record-cassettes simulator`` records from, not started; None for a fresh one of
                the channel's.
            fields: Configuration fields that differ from those recorded with, in every mode.

        Raises:
            UnrecordedRequestError: A replay sent a request that was not recorded, or left one out.

        A recording in which ``work`` raises is not kept; the cassette stays what it was. Call it from a test that
        is not async: it has an event loop of its own.
        """
        if self.record is None:
            return self._replay(name, work, fields)
        if self._tenant is not None:
            insecure = os.environ.get(INSECURE_VARIABLE) == "1"
            return self._record(name, work, {**self._tenant["fields"], **fields}, insecure=insecure)
        simulator = simulator or make_simulator(self.loaded)
        with simulator.running():
            return self._record(name, work, {**simulator.sample_config(), **fields}, insecure=True)

    def _record(
        self, name: str, work: Callable[[Session], Awaitable[T]], fields: dict[str, Any], *, insecure: bool
    ) -> T:
        config = self._config(fields, insecure=insecure)
        clock = _StandingClock(self.clock().replace(microsecond=0), really=self._tenant is not None)
        stand_ins = (
            {str(self._tenant_value(each)): to for each, to in self.values.items()} if self._tenant else {}
        )
        scrubber = Scrubber(self.scrubbing, stand_ins=stand_ins)
        scrubber.learn_host(urlsplit(config.lms_url).netloc, LMS_HOST)
        kept = _Kept(scrubber, clock.now, _kept_fields(config, fields))
        path = self.folder / f"{name}.yaml"

        async def run() -> T:
            async with self._session(config, clock, httpx.AsyncHTTPTransport(), insecure) as session:
                scrubber.mask_known = session.redactor.mask_known
                return await work(session)

        with _recorder(persister=kept, record_mode="all", record_on_exception=False).use_cassette(str(path)):
            return asyncio.run(run())

    def _replay(self, name: str, work: Callable[[Session], Awaitable[T]], fields: dict[str, Any]) -> T:
        path = self.folder / f"{name}.yaml"
        if not path.exists():
            raise UnrecordedRequestError(f"there is no cassette {path.name}. {again(path)}")
        kept = _load(path)
        config = self._config(
            {
                each: self.secrets.get(each, f"stand-in-for-{each}") if value == MASK else value
                for each, value in {**kept["configuration"], **fields}.items()
            }
        )
        clock = _StandingClock(datetime.fromisoformat(kept["recorded_at"]))
        scrubber = Scrubber(self.scrubbing)
        recorder = _recorder(record_mode="none", before_record_request=scrubber_of(scrubber))
        with recorder.use_cassette(str(path)) as cassette:
            transport = Replaying(cassette, path)

            async def run() -> T:
                async with self._session(config, clock, transport, insecure=False) as session:
                    scrubber.mask_known = session.redactor.mask_known
                    return await work(session)

            try:
                answer = asyncio.run(run())
            finally:
                transport.demand_known()  # whatever a client made of it
            transport.demand_all_sent()
            return answer

    def _config(self, fields: Mapping[str, Any], *, insecure: bool = False) -> ChannelConfig:
        model = self.loaded.channel.config
        return model.model_validate(dict(fields), context={INSECURE_URLS: insecure})

    def _session(
        self,
        config: ChannelConfig,
        clock: _StandingClock,
        transport: httpx.AsyncBaseTransport,
        insecure: bool,
    ) -> HttpSession:
        hook_caller = self.loaded.hook_caller
        return open_draft_session(
            channel=self.loaded.channel,
            config=config,
            authenticate=lambda tokens: hook_caller.authenticate(config, tokens),
            read_slow_down=lambda response: hook_caller.read_slow_down(config, response),
            insecure_urls=insecure,
            clock=clock,
            sleep=clock.sleep,
            transport=transport,  # httpx's own: the recorder would see aiohttp's requests twice
        )


def _kept_fields(config: ChannelConfig, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration to replay with: what was set, with a mark in place of each secret."""
    plain = config.model_dump(mode="json", include=set(fields))
    return {name: MASK if name in config.secret_fields() and fields[name] else plain[name] for name in plain}


# -- the file --------------------------------------------------------------------------------------


@dataclass
class _Kept:
    """Writes a cassette when all of it is known: a token that came late is taken out of what came early.

    A persister of vcrpy. Beside vcrpy's own keys the file has ``recorded_at`` and ``configuration``.
    """

    scrubber: Scrubber
    recorded_at: datetime
    configuration: dict[str, Any]

    def load_cassette(self, cassette_path: str, serializer: Any) -> Any:
        """Nothing: a recording begins afresh."""
        from vcr.persisters.filesystem import CassetteNotFoundError  # noqa: PLC0415 - see _recorder

        raise CassetteNotFoundError(cassette_path)

    def save_cassette(self, cassette_path: str, cassette_dict: dict[str, Any], serializer: Any) -> None:
        """Scrub everything twice, so that what was learnt late is known from the start, and write it."""
        from vcr.serialize import serialize  # noqa: PLC0415 - see _recorder

        for _ in range(2):
            requests = [self._request(each) for each in cassette_dict["requests"]]
            responses = [self._response(each) for each in cassette_dict["responses"]]
            configuration = self.scrubber.value("", self.configuration)
        text = serialize({"requests": requests, "responses": responses}, serializer)
        head = serializer.serialize(
            {"recorded_at": self.recorded_at.isoformat(), "configuration": configuration}
        )
        Path(cassette_path).parent.mkdir(parents=True, exist_ok=True)
        Path(cassette_path).write_text(head + text, encoding="utf-8")

    def _request(self, request: Any) -> Any:
        return scrubber_of(self.scrubber)(_copy(request))

    def _response(self, response: Mapping[str, Any]) -> dict[str, Any]:
        headers = self.scrubber.headers(response["headers"])
        name, kind = next(
            ((name, values[0]) for name, values in headers.items() if name.lower() == "content-type"),
            ("", ""),
        )
        body, kind = self.scrubber.body(response["body"]["string"], kind)
        if name:
            headers[name] = [kind]
        return {"status": response["status"], "headers": headers, "body": {"string": body}}


def _copy(request: Any) -> Any:
    return type(request)(request.method, request.uri, request.body, dict(request.headers))


def scrubber_of(scrubber: Scrubber) -> Callable[[Any], Any]:
    """A function that scrubs a request of vcrpy, in place."""

    def scrub(request: Any) -> Any:
        request.uri = scrubber.url(request.uri)
        headers = scrubber.headers(request.headers)
        name = next((each for each in headers if each.lower() == "content-type"), "")
        if request.body:
            request.body, kind = scrubber.body(bytes_of(request.body), headers.get(name, ""))
            if name:
                headers[name] = kind
        request.headers = headers
        return request

    return scrub


def _load(path: Path) -> dict[str, Any]:
    from vcr.serializers import yamlserializer  # noqa: PLC0415 - see _recorder

    content: dict[str, Any] = yamlserializer.deserialize(path.read_text(encoding="utf-8"))
    if not content.keys() >= {"recorded_at", "configuration"}:
        raise UnrecordedRequestError(f"{path.name} is not a cassette of this kit. {again(path)}")
    return content


def _recorder(*, persister: Any = None, **options: Any) -> Any:
    import vcr  # noqa: PLC0415 - 100 ms, and only installed with coursewire[testing]

    recorder = vcr.VCR(match_on=["exchange"], decode_compressed_response=True, **options)
    recorder.register_matcher("exchange", same)
    if persister is not None:
        recorder.register_persister(persister)
    return recorder


# -- pytest ----------------------------------------------------------------------------------------


def make_players(request: pytest.FixtureRequest) -> Callable[..., Player]:
    """The object of the fixture ``cassettes``: it makes a :class:`Player` for the folder beside the test module."""
    record = request.config.getoption("--record-cassettes")
    folder = request.path.parent / "cassettes"

    def make(plugin: Any, **options: Any) -> Player:
        return Player(plugin, options.pop("folder", folder), record=record, **options)

    return make
