"""The options and arguments that several commands share, as types of parameters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from coursewire.model.kinds import Kind


def _instant(text: str | datetime) -> datetime:
    """Read an instant with a time zone; it is returned in UTC."""
    try:
        instant = datetime.fromisoformat(str(text))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not an instant; write it as 2026-01-31T12:00:00Z") from None
    if instant.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no time zone; write it with Z or an offset such as +02:00")
    return instant.astimezone(UTC)


def _uuid(text: str | UUID) -> UUID:
    """Read a UUID in any of its usual forms."""
    try:
        return UUID(str(text))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a UUID") from None


Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
KindArgument = Annotated[
    Kind, typer.Argument(metavar="KIND", help="content, completions, assessments or enrollments.")
]
ChannelCode = Annotated[
    str | None, typer.Option("--channel", metavar="CODE", help="Only configurations of this channel.")
]
Customer = Annotated[
    UUID | None,
    typer.Option("--customer", parser=_uuid, metavar="UUID", help="Only configurations of this customer."),
]
Config = Annotated[
    str | None,
    typer.Option(
        "--config", metavar="ID", help="Only this configuration; the beginning of its id is enough."
    ),
]
ConfigNeeded = Annotated[
    str, typer.Option("--config", metavar="ID", help="The configuration; the beginning of its id is enough.")
]
ConfigId = Annotated[
    str,
    typer.Argument(metavar="ID", help="The configuration's id; its beginning is enough.", show_default=False),
]
Keys = Annotated[
    list[str] | None, typer.Option("--key", metavar="KEY", help="Only this item; may be repeated.")
]
Learner = Annotated[
    str | None, typer.Option("--learner", metavar="USERNAME", help="Only this learner's outcomes.")
]
LearnerNeeded = Annotated[str, typer.Option("--learner", metavar="USERNAME", help="The learner's username.")]
Course = Annotated[
    str | None,
    typer.Option("--course", metavar="KEY", help="Only outcomes in this course, or in this run of one."),
]
Subsection = Annotated[
    str | None, typer.Option("--subsection", metavar="ID", help="Only this subsection's assessment.")
]
OnlyKind = Annotated[
    Kind | None,
    typer.Option("--kind", metavar="KIND", help="content, completions, assessments or enrollments."),
]
Instant = Annotated[
    datetime | None,
    typer.Option("--at", parser=_instant, metavar="INSTANT", help="The present instant of this run."),
]
Since = Annotated[
    datetime | None,
    typer.Option("--since", parser=_instant, metavar="INSTANT", help="Only what is not older than this."),
]
Limit = Annotated[int, typer.Option("--limit", min=1, metavar="N", help="At most so many, the newest first.")]
