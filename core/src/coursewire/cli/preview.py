"""``coursewire preview``: payloads from a bundle, without a database and without a network."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from coursewire.cli.installed import installed_channels
from coursewire.cli.options import Instant, Keys, KindArgument
from coursewire.cli.output import because, note, put_json
from coursewire.model.instant import utc_now
from coursewire.operations.preview import BundlePreview, PreviewItem
from coursewire.settings import Settings


def preview(
    kind: KindArgument,
    channel: Annotated[str, typer.Option("--channel", metavar="CODE", help="Code of the channel.")],
    config: Annotated[
        Path,
        typer.Option("--config", metavar="FILE", help="As for `config add`; the customer may be left out."),
    ],
    bundle: Annotated[Path, typer.Option("--bundle", metavar="DIR", help="The bundle with the items.")],
    keys: Keys = None,
    at: Instant = None,
    _json: Annotated[bool, typer.Option("--json", help="Errors as JSON, too; payloads always are.")] = False,
) -> None:
    """Print payloads from a bundle, one JSON object a line.

    Nothing is stored and nothing is sent. Each line is {"key", "operation", "payload"}, as for an LMS that has
    nothing yet; for outcomes, as for one that has the courses. With a customer in the file only its catalogs and
    learners are shown, else everything in the bundle. The key of an outcome is the enrollment's id, with a blank
    and the subsection's id for an assessment. What would not go is listed on stderr with the reason; what cannot
    be exported makes the exit status 1.
    """
    opened = BundlePreview.open(Settings.load(), installed_channels(), channel, config, bundle, kind=kind)

    async def show_all() -> int:
        faults = 0
        async for item in opened.items(kind, only=keys, now=at or utc_now()):
            faults += item.is_fault
            _put_item(item)
        return faults

    if asyncio.run(show_all()):
        raise typer.Exit(1)


def _put_item(item: PreviewItem) -> None:
    if item.operation is not None:
        put_json({"key": item.key, "operation": item.operation.value, "payload": item.payload})
        return
    said = because(item.reason, item.message) if item.reason else item.message
    name = f"{item.key} ({item.title})" if item.title else item.key
    note(f"{name}: {said}" if name else said, style="red" if item.is_fault else "")
