"""Fifty people and programs that look at a running host service, page after page."""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from coursewire.model.kinds import Kind
from coursewire.model.payload import ResultKind
from coursewire.service.authorization import SESSION_COOKIE
from coursewire.service.paging import API, cursor_of

VIEWERS = 50
THINK_S = (0.5, 1.5)
"""What a viewer waits between an answer and the next page: a second, more or less."""

Make = Callable[["Viewer"], str]


@dataclass(slots=True)
class Viewer:
    """One who looks, and what they have seen so far: where their next pages come from."""

    headers: dict[str, str]
    dice: random.Random
    transmissions: int
    configurations: list[dict[str, Any]] = field(default_factory=list)
    items: list[tuple[str, str]] = field(default_factory=list)
    outcomes: list[tuple[str, str, str]] = field(default_factory=list)
    learners: list[str] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)

    async def look_around(self, session: aiohttp.ClientSession) -> None:
        """Learn what there is to look at."""

        async def ask(path: str) -> Any:
            async with session.get(f"{API}{path}", headers=self.headers) as answer:
                answer.raise_for_status()
                return await answer.json()

        self.configurations = await ask("/configurations")
        content = (await ask("/content-records?limit=200"))["items"]
        self.items = [(row["configuration"], row["content_key"]) for row in content]
        outcomes = (await ask("/outcome-records?limit=200"))["items"]
        self.outcomes = [(row["configuration"], row["kind"], row["outcome_key"]) for row in outcomes]
        self.learners = [row["username"] for row in outcomes]
        self.jobs = [row["uuid"] for row in (await ask("/jobs?limit=100"))["items"]]

    @property
    def configuration(self) -> str:
        """One of the configurations within reach."""
        return str(self.dice.choice(self.configurations)["uuid"])

    @property
    def customer(self) -> str:
        """A customer within reach."""
        return str(self.dice.choice(self.configurations)["customer"])

    @property
    def deep(self) -> str:
        """A place far from the newest attempt."""
        return cursor_of(self.dice.randrange(1, self.transmissions))

    @property
    def deep_record(self) -> str:
        """The same among records."""
        return cursor_of(self.dice.randrange(1, 50_000))

    @property
    def since(self) -> str:
        """An instant of the last quarter."""
        at = datetime.now(UTC) - timedelta(hours=self.dice.choice((1, 24, 24 * 7, 24 * 60)))
        return f"{at:%Y-%m-%dT%H:%M:%SZ}"

    @property
    def result(self) -> str:
        """A result, as often a rare one as a frequent one."""
        return self.dice.choice(list(ResultKind)).value.replace(" ", "%20")


def _item(viewer: Viewer) -> str:
    configuration, key = viewer.dice.choice(viewer.items)
    return f"/console/configurations/{configuration}/content/item?key={key.replace('+', '%2B')}"


def _outcome(viewer: Viewer) -> str:
    configuration, kind, key = viewer.dice.choice(viewer.outcomes)
    return f"/console/configurations/{configuration}/{kind}/item?key={key}"


def _of_item(viewer: Viewer) -> str:
    return viewer.dice.choice(viewer.items)[1].replace("+", "%2B")


PAGES: dict[str, Make | str] = {
    "console: overview": "/console/",
    "console: configurations": "/console/configurations",
    "console: configuration": lambda v: f"/console/configurations/{v.configuration}",
    "console: jobs": "/console/jobs",
    "console: job": lambda v: f"/console/jobs/{v.dice.choice(v.jobs)}",
    "console: job, its moving part": lambda v: f"/console/jobs/{v.dice.choice(v.jobs)}/part",
    "console: content records": "/console/records",
    "console: outcome records": "/console/records?what=outcomes",
    "console: records by state": lambda v: (
        f"/console/records?what={v.dice.choice(('content', 'outcomes'))}&configuration={v.configuration}"
        f"&state={v.dice.choice(('confirmed', 'rejected', 'blocked'))}"
    ),
    "console: records, search": lambda v: (
        f"/console/records?what=outcomes&search={v.dice.choice(v.learners)[: v.dice.choice((3, 9, 14))]}"
    ),
    "console: records, deep": lambda v: f"/console/records?after={v.deep_record}",
    "console: item with its history": _item,
    "console: outcome with its history": _outcome,
    "console: transmissions": "/console/transmissions",
    "console: transmissions by result": lambda v: f"/console/transmissions?result={v.result}",
    "console: transmissions, both": lambda v: (
        f"/console/transmissions?result={v.result}&configuration={v.configuration}"
    ),
    "console: transmissions of a job": lambda v: f"/console/transmissions?job={v.dice.choice(v.jobs)}",
    "console: transmissions of an item": lambda v: f"/console/transmissions?item={_of_item(v)}",
    "console: transmissions, deep": lambda v: f"/console/transmissions?after={v.deep}",
    "console: learners": "/console/learners",
    "console: channels": "/console/channels",
    "console: preview": lambda v: f"/console/configurations/{v.configuration}/preview",
    "console: plan": lambda v: f"/console/configurations/{v.configuration}/plan/content",
    "api: channels": f"{API}/channels",
    "api: channel": f"{API}/channels/canvas",
    "api: configurations": f"{API}/configurations",
    "api: configuration": lambda v: f"{API}/configurations/{v.configuration}",
    "api: history of a configuration": lambda v: f"{API}/configurations/{v.configuration}/history",
    "api: customers": f"{API}/customers",
    "api: catalogs": lambda v: f"{API}/customers/{v.customer}/catalogs",
    "api: content records": f"{API}/content-records",
    "api: content records by reason": f"{API}/content-records?reason=missing-field",
    "api: content records, search": lambda v: (
        f"{API}/content-records?search={_of_item(v)[: v.dice.choice((4, 14))]}"
    ),
    "api: content records, 500": lambda v: f"{API}/content-records?limit=500&after={v.deep_record}",
    "api: outcome records": f"{API}/outcome-records",
    "api: outcome records by kind": lambda v: (
        f"{API}/outcome-records?kind={v.dice.choice((*Kind,))}&state={v.dice.choice(('failed', 'confirmed'))}"
    ),
    "api: outcome records, search": lambda v: (
        f"{API}/outcome-records?search={v.dice.choice((v.dice.choice(v.learners)[:10], _of_item(v)))}"
    ),
    "api: transmissions": f"{API}/transmissions",
    "api: transmissions of a configuration": lambda v: (
        f"{API}/transmissions?configuration={v.configuration}&after={v.deep}"
    ),
    "api: transmissions by kind": lambda v: f"{API}/transmissions?kind={v.dice.choice((*Kind,))}",
    "api: transmissions by result": lambda v: f"{API}/transmissions?result={v.result}&after={v.deep}",
    "api: transmissions since": lambda v: f"{API}/transmissions?since={v.since}",
    "api: transmissions, three filters": lambda v: (
        f"{API}/transmissions?since={v.since}&configuration={v.configuration}&result={v.result}"
    ),
    "api: transmissions of a job": lambda v: (
        f"{API}/transmissions?job={v.dice.choice(v.jobs)}&result={v.result}"
    ),
    "api: transmissions of an item": lambda v: f"{API}/transmissions?item={_of_item(v)}",
    "api: transmissions, 500": lambda v: f"{API}/transmissions?limit=500&after={v.deep}",
    "api: export (first bytes)": lambda v: (
        f"{API}/transmissions/export?format={v.dice.choice(('csv', 'jsonl'))}"
        + v.dice.choice(("", f"&configuration={v.configuration}"))
    ),
    "api: jobs": f"{API}/jobs",
    "api: jobs by kind": lambda v: (
        f"{API}/jobs?kind={v.dice.choice((*Kind,))}&configuration={v.configuration}"
    ),
    "api: job": lambda v: f"{API}/jobs/{v.dice.choice(v.jobs)}",
    "api: unmatched learners": f"{API}/learners/unmatched",
    "api: unmatched of a configuration": lambda v: (
        f"{API}/learners/unmatched?configuration={v.configuration}&limit=5"
    ),
    "metrics": "/metrics",
    "readyz": "/readyz",
}
"""Every page that a viewer can look at and every list of the API, with filters and far pages."""

WHOLE = frozenset({"metrics"})
"""What needs the right for all customers."""


async def crowd(
    url: str, callers: dict[str, Any], *, transmissions: int, seconds: float, think: bool
) -> dict[str, Any]:
    """Let all of them look for a while.

    Returns:
        ``pages``: by name, the milliseconds that each look took until the body was there. ``faults``: of answers that
        were not 200, by name and status. ``seconds``: how long it lasted.
    """
    times: defaultdict[str, list[float]] = defaultdict(list)
    faults: defaultdict[str, int] = defaultdict(int)
    connector = aiohttp.TCPConnector(limit=VIEWERS + 5, keepalive_timeout=60)
    timeout = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(url, connector=connector, timeout=timeout) as session:
        viewers = _viewers(callers, transmissions)
        for each in viewers:
            await each.look_around(session)
        for name in PAGES:  # once before it counts: what the service keeps is there then
            await _look(session, viewers[0], name, defaultdict(list), faults)
        start = time.perf_counter()
        until = start + seconds
        await asyncio.gather(*(_walk(session, each, until, think, times, faults) for each in viewers))
        lasted = time.perf_counter() - start
    return {"pages": dict(times), "faults": dict(faults), "seconds": lasted}


def _viewers(callers: dict[str, Any], transmissions: int) -> list[Viewer]:
    everything, *some = callers["tokens"]
    headers = [{"Cookie": f"{SESSION_COOKIE}={callers['cookie']}"}] * 15
    headers += [{"Authorization": f"Bearer {everything}"}] * 5
    headers += [{"Authorization": f"Bearer {some[-1]}"}] * 10
    headers += [{"Authorization": f"Bearer {each}"} for each in some[:-1]]
    return [
        Viewer(each, random.Random(number), transmissions) for number, each in enumerate(headers[:VIEWERS])
    ]


async def _walk(
    session: aiohttp.ClientSession,
    viewer: Viewer,
    until: float,
    think: bool,
    times: dict[str, list[float]],
    faults: dict[str, int],
) -> None:
    everything = "Cookie" in viewer.headers
    if think:
        await asyncio.sleep(viewer.dice.uniform(0, THINK_S[1]))
    while True:
        names = [name for name in PAGES if everything or name not in WHOLE]
        viewer.dice.shuffle(names)
        for name in names:
            if time.perf_counter() >= until:
                return
            await _look(session, viewer, name, times, faults)
            if think:
                await asyncio.sleep(viewer.dice.uniform(*THINK_S))


async def _look(
    session: aiohttp.ClientSession,
    viewer: Viewer,
    name: str,
    times: dict[str, list[float]],
    faults: dict[str, int],
) -> None:
    page = PAGES[name]
    path = page if isinstance(page, str) else page(viewer)
    start = time.perf_counter()
    async with session.get(path, headers=viewer.headers, allow_redirects=False) as answer:
        if "export" in name:
            await answer.content.readany()
            times[name].append((time.perf_counter() - start) * 1000)
            answer.close()  # the rest lasts as long as the log is
        else:
            await answer.read()
            times[name].append((time.perf_counter() - start) * 1000)
        if answer.status != 200:
            faults[f"{name} {answer.status} {path}"] += 1
