"""The command ``coursewire canvas duplicate-assignments``: it finds, and on request removes, assignments that exist twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated

import typer

import coursewire as cw
from coursewire_canvas.api import by_integration_id, refused
from coursewire_canvas.config import CanvasConfig
from coursewire_canvas.gradebook import assignments

commands = typer.Typer(rich_markup_mode=None)


@dataclass(slots=True)
class Findings:
    """Assignments that exist twice."""

    surplus: list[tuple[str, cw.JsonObject]] = field(default_factory=list)
    """Course key and surplus assignment, one pair for each."""
    removed: int = 0
    """Number of surplus assignments that were deleted."""
    failures: list[str] = field(default_factory=list)
    """Sentences about courses that could not be read and assignments that could not be deleted."""


async def find_duplicates(session: cw.Session, course_keys: Iterable[str], *, apply: bool) -> Findings:
    """Look through courses for assignments that share an integration id.

    The newest of each is kept, which is also the one that grades are written to. Assignments without an integration id
    are an instructor's, and are not looked at.

    Args:
        session: A session on the Canvas.
        course_keys: Integration ids of the courses.
        apply: Delete the surplus assignments; otherwise nothing is changed.
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
        except cw.CoursewireError as error:
            found.failures.append(f"{key}: {error}")
    return found


async def _delete(session: cw.Session, course: str, surplus: cw.JsonObject, found: Findings) -> None:
    response = await session.delete(f"/api/v1/courses/{course}/assignments/{surplus['id']}")
    if response.is_success:
        found.removed += 1
    else:
        found.failures.append(f"assignment {surplus['id']}: {refused(session, response).message}")


@commands.command("duplicate-assignments")
def duplicate_assignments(
    config: Annotated[str, typer.Option("--config", metavar="ID", help="The configuration.")],
    apply: Annotated[
        bool, typer.Option("--apply", help="Delete the older ones, with the grades in them.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
) -> None:
    """List assignments that exist more than once under one integration id; the newest counts.

    Only the courses that this configuration has sent are looked at.
    """
    output = cw.CommandOutput(json=json)
    with cw.open_configuration(CanvasConfig, config) as opened:
        found = asyncio.run(_find_sent(opened, apply=apply))
    for key, surplus in found.surplus:
        output.row(
            {
                "course": key,
                "assignment": surplus["id"],
                "name": surplus.get("name"),
                "integration_id": surplus["integration_id"],
                "updated_at": surplus.get("updated_at"),
            }
        )
        output.text(
            f"{key}: assignment {surplus['id']} {surplus.get('name')!r} of {surplus.get('updated_at')} is an older "
            f"one for {surplus['integration_id']}"
        )
    for failure in found.failures:
        output.note(f"Failed: {failure}", failed=True)
    done = f"{found.removed} deleted" if apply else "nothing was changed (--apply deletes them)"
    output.row({"surplus": len(found.surplus), "deleted": found.removed, "failed": len(found.failures)})
    output.text(f"{len(found.surplus)} surplus, {done}, {len(found.failures)} failed.")
    raise typer.Exit(1 if found.failures else 0)


async def _find_sent(opened: cw.StoredConfiguration[CanvasConfig], *, apply: bool) -> Findings:
    async with opened.session() as session:
        return await find_duplicates(session, opened.sent_keys(), apply=apply)
