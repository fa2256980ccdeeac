"""``coursewire canvas duplicate-assignments``: finds, and on request removes, assignments that exist twice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer

from coursewire.errors import ConfigurationError, CoursewireError
from coursewire.installation import Installation
from coursewire.storage.audit.records import ContentRecords
from coursewire_canvas.answers import by_integration_id, refused
from coursewire_canvas.config import CanvasConfig
from coursewire_canvas.gradebook import assignments

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coursewire.configurations.configuration import Configuration
    from coursewire.model.payload import JsonObject
    from coursewire.model.session import Session

app = typer.Typer(rich_markup_mode=None)


@dataclass(slots=True)
class Findings:
    """Assignments that exist twice: course key and the surplus one; and what went wrong, course by course."""

    surplus: list[tuple[str, JsonObject]] = field(default_factory=list)
    removed: int = 0
    failures: list[str] = field(default_factory=list)


async def find_duplicates(session: Session, course_keys: Iterable[str], *, apply: bool) -> Findings:
    """Look through the courses for assignments that share an integration id.

    The newest of each is kept, which is also the one that grades are written to. Assignments without an
    integration id are an instructor's, and are not looked at.

    Args:
        session: On the Canvas.
        course_keys: Integration ids of the courses.
        apply: Delete what is found; otherwise nothing is changed.
    """
    found = Findings()
    for key in course_keys:
        course = by_integration_id(key)
        try:
            for same in (await assignments(session, course)).values():
                for surplus in same[1:]:
                    found.surplus.append((key, surplus))
                    if apply:
                        await _delete(session, course, surplus, found)
        except CoursewireError as error:
            found.failures.append(f"{key}: {error}")
    return found


async def _delete(session: Session, course: str, surplus: JsonObject, found: Findings) -> None:
    response = await session.delete(f"/api/v1/courses/{course}/assignments/{surplus['id']}")
    if response.is_success:
        found.removed += 1
    else:
        found.failures.append(f"assignment {surplus['id']}: {refused(session, response).message}")


@app.command("duplicate-assignments")
def duplicate_assignments(
    config: Annotated[str, typer.Option("--config", metavar="ID", help="The configuration.")],
    apply: Annotated[
        bool, typer.Option("--apply", help="Delete the older ones, with the grades in them.")
    ] = False,
) -> None:
    """List assignments that exist more than once under one integration id; the newest counts.

    Only the courses that this configuration has sent are looked at.
    """
    installation = Installation()
    try:
        found = asyncio.run(_look(installation, installation.configurations.find(config), apply=apply))
    finally:
        installation.close()
    for key, surplus in found.surplus:
        typer.echo(
            f"{key}: assignment {surplus['id']} {surplus.get('name')!r} of {surplus.get('updated_at')} is an older "
            f"one for {surplus['integration_id']}"
        )
    for failure in found.failures:
        typer.echo(f"Failed: {failure}", err=True)
    done = f"{found.removed} deleted" if apply else "nothing was changed (--apply deletes them)"
    typer.echo(f"{len(found.surplus)} surplus, {done}, {len(found.failures)} failed.")
    raise typer.Exit(1 if found.failures else 0)


async def _look(installation: Installation, configuration: Configuration, *, apply: bool) -> Findings:
    if configuration.channel != CanvasConfig.code:
        raise ConfigurationError(
            f"configuration {configuration.uuid} is not one for Canvas",
            where=configuration.channel,
            next_step="Name one of `coursewire config list --channel CANVAS`.",
        )
    channel = installation.channels.get(configuration.channel)
    config = installation.configurations.load(configuration.uuid, channel.channel)
    keys: list[str] = []
    records = ContentRecords(installation.engine, configuration.uuid)
    records.scan(lambda seen: keys.append(seen.key) if seen.present else None)
    async with installation.session(channel, config, configuration.uuid) as session:
        return await find_duplicates(session, keys, apply=apply)
