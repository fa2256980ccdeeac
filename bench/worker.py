"""One measured step in a process of its own, so that memory and imports of the steps do not mix."""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web
from sqlalchemy import event, select

from bench import floor
from coursewire.configurations.secrets import SecretBox
from coursewire.installation import Installation
from coursewire.model.kinds import Kind
from coursewire.pipeline.content_job import ContentJob
from coursewire.pipeline.job import Job
from coursewire.pipeline.outcome_job import OutcomeJob
from coursewire.pipeline.runners.inline import InlineRunner, calm_collector
from coursewire.settings import Settings
from coursewire.sources.database.load import load_bundle
from coursewire.storage.tables.records import content_record


def installation(folder: Path) -> Installation:
    """The installation in a folder; its environment is set by the caller."""
    return Installation(Settings.load(data_dir=folder))


def prepare(folder: Path, bundle: Path) -> dict[str, Any]:
    """Database, key and content."""
    from coursewire.storage.database.engine import open_engine
    from coursewire.storage.database.schema import migrate

    settings = Settings.load(data_dir=folder)
    SecretBox.create_key_file(settings.secret_key_file)
    engine = open_engine(settings.database_url)
    migrate(engine)
    start = time.perf_counter()
    report = load_bundle(engine, bundle)
    return {
        "seconds": time.perf_counter() - start,
        "items": report.files["content"].new,
        "refused": report.refused,
    }


def simulate(code: str, folder: Path, *, keep_bodies: bool) -> None:
    """Run a channel's simulator until the process is ended; ``POST /_bench/enroll`` lets it know learners."""
    home = installation(folder).channels.get(code).channel.simulator
    assert home is not None
    module, _, name = home.partition(":")

    class Seeded(getattr(import_module(module), name)):  # type: ignore[misc]  # known at run time only
        def routes(self) -> list[web.RouteDef]:
            return [*super().routes(), web.post("/_bench/enroll", self.enroll)]

        async def enroll(self, request: web.Request) -> web.Response:
            for course, email in await request.json():
                self.gradebook.add_user(email)
                self.gradebook.enroll(course, email)
            self.seen.clear()
            return web.Response()

    async def serve() -> None:
        simulator = Seeded(keep_bodies=keep_bodies)
        await simulator.start()
        print(orjson.dumps({"url": simulator.url, "fields": simulator.sample_config()}).decode(), flush=True)
        await asyncio.Event().wait()

    asyncio.run(serve())


def configure(folder: Path, code: str, customer: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Add an active configuration."""
    here = installation(folder)
    channel = here.channels.get(code).channel
    added = here.configurations.add(channel, customer, fields, active=True, actor="bench")
    return {"configuration": str(added.uuid)}


def transmit(folder: Path, kind: Kind = Kind.CONTENT) -> dict[str, Any]:
    """Transmit once; seconds of the job alone, statements, and the peak of this process's memory."""
    here = installation(folder)
    statements = 0

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    # What a command has loaded before its job begins is not the job's.

    assert here.source
    assert here.secrets

    stored = here.configurations.list(active=True)
    jobs: list[Job] = [
        ContentJob(here, each) if kind is Kind.CONTENT else OutcomeJob(here, each, kind) for each in stored
    ]
    assert here.channels.codes()
    event.listen(here.engine, "before_cursor_execute", count)
    calm_collector()  # as the command does
    start = time.perf_counter()
    ended = asyncio.run(InlineRunner().run(jobs))
    seconds = time.perf_counter() - start
    for each in ended:
        if each.error:
            raise each.error
    summaries = [each.summary.as_dict() for each in ended if each.summary]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "statements": statements, "peak_mb": peak, "summary": summaries[0]}


def measure_floor(folder: Path, code: str, url: str, fields: dict[str, Any]) -> dict[str, Any]:
    """The same bodies by bare aiohttp, the same rows in bulk."""
    here = installation(folder)
    with here.engine.connect() as connection:
        query = select(content_record.c.content_key, content_record.c.confirmed_payload)
        payloads = [(key, body.encode()) for key, body in connection.execute(query)]
    posting = asyncio.run(floor.post(url, code, payloads, fields))
    inserting = floor.insert_rows(here.engine, folder)
    return {"posting": posting, "inserting": inserting, "seconds": posting + inserting}


def measure_outcome_floor(folder: Path, code: str, url: str, fields: dict[str, Any]) -> dict[str, Any]:
    """The same requests by bare aiohttp, the same rows in bulk."""
    here = installation(folder)
    connections = here.channels.get(code).channel.limits.concurrency
    posting = asyncio.run(floor.repeat(url, code, fields, connections))
    inserting = floor.insert_rows(here.engine, folder)
    return {"posting": posting, "inserting": inserting, "seconds": posting + inserting}


def main() -> None:
    """Run the step that the arguments name, and print what it measured as JSON."""
    step, folder, *rest = sys.argv[1:]
    home = Path(folder)
    match step:
        case "prepare":
            answer = prepare(home, Path(rest[0]))
        case "simulate":
            simulate(rest[0], home, keep_bodies="keep" in rest)
            return
        case "configure":
            answer = configure(home, rest[0], rest[1], orjson.loads(rest[2]))
        case "transmit":
            answer = transmit(home, *map(Kind, rest))
        case "floor":
            answer = measure_floor(home, rest[0], rest[1], orjson.loads(rest[2]))
        case "outcome-floor":
            answer = measure_outcome_floor(home, rest[0], rest[1], orjson.loads(rest[2]))
        case "fill":
            from bench.million import fill

            answer = fill(installation(home), int(rest[0]), orjson.loads(rest[1]))
        case _:
            raise SystemExit(f"no step {step!r}")
    print(orjson.dumps(answer).decode())


if __name__ == "__main__":
    main()
