"""The pages of the installed channels: version, capabilities, limits, and conformance."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import orjson
from fastapi import Response
from starlette.requests import Request

from coursewire.plugins.describe import capabilities_in_words, limits_in_words
from coursewire.service.authorization import Access, GuardedRouter, needs
from coursewire.service.console.site import CONSOLE, go, render
from coursewire.service.rights import Right

if TYPE_CHECKING:
    from coursewire.plugins.registry import LoadedChannel

router = GuardedRouter(prefix=f"{CONSOLE}/channels", include_in_schema=False)

LONGEST_RUN_S = 300
WORDS_KEPT = 4000


@dataclass(slots=True)
class Conformance:
    """The result of the suite for one channel, or that the suite is running."""

    running: bool = True
    summary: dict[str, Any] = field(default_factory=dict)
    failed: list[dict[str, Any]] = field(default_factory=list)
    fault: str = ""


@router.get("")
def channels(request: Request, access: Annotated[Access, needs(Right.READ)]) -> Response:
    """Show the installed channels."""
    registry = access.installation.channels
    shown = [_shown(request, each) for each in registry]
    return render(request, "channels.html", caller=access.caller, report=registry.report, channels=shown)


@router.get("/{code}/conformance")
def conformance(code: str, request: Request, access: Annotated[Access, needs(Right.READ)]) -> Response:
    """Show the part of the page that changes while the suite of one channel runs."""
    loaded = access.installation.channels.get(code.upper())
    return render(request, "conformance_part.html", caller=access.caller, each=_shown(request, loaded))


def _shown(request: Request, loaded: LoadedChannel) -> dict[str, Any]:
    channel = loaded.channel
    reports: dict[str, Conformance] = request.app.state.conformance
    return {
        "code": channel.code,
        "title": channel.title,
        "version": loaded.version,
        "docs_url": channel.docs_url,
        "capabilities": capabilities_in_words(channel).items(),
        "limits": limits_in_words(channel).items(),
        "conformance": reports.get(channel.code),
        "has_simulator": channel.simulator is not None,
    }


@router.post("/{code}/conformance")
async def check(code: str, request: Request, access: Annotated[Access, needs(Right.OPERATE)]) -> Response:
    """Run the suite against the channel's simulator, in a process of its own; the page tells when it is done."""
    access.demand_all()
    loaded = access.installation.channels.get(code.upper())
    reports: dict[str, Conformance] = request.app.state.conformance
    known = reports.get(loaded.channel.code)
    if known is None or not known.running:
        report = reports[loaded.channel.code] = Conformance()
        request.app.state.host.background.watch(asyncio.create_task(_run(loaded.channel.code, report)))
    return go(request, f"/channels#{loaded.channel.code}")


async def _run(code: str, report: Conformance) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "coursewire", "conformance", code, "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(LONGEST_RUN_S):
            told, wrong = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        report.running, report.fault = False, f"it took longer than {LONGEST_RUN_S} s"
        return
    rows = [orjson.loads(line) for line in told.splitlines()]
    summary = rows[-1] if rows and "conformant" in rows[-1] else {}
    report.running, report.summary = False, summary
    report.failed = [row for row in rows if row.get("outcome") == "failed"]
    if not summary:
        report.fault = wrong.decode("utf-8", "replace").strip()[-WORDS_KEPT:] or "it ended without a word"
