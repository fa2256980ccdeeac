"""The parts that ``coursewire plan`` and ``transmit`` share: the request, and the rows of its configurations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import typer

from coursewire.cli.host import actor
from coursewire.cli.output import because, note
from coursewire.configurations.configuration import Configuration
from coursewire.errors import CoursewireError
from coursewire.model.kinds import Kind
from coursewire.model.reasons import Reason
from coursewire.pipeline.selection import RunRequest, Selection

Force = Annotated[bool, typer.Option("--force", help="Send what is unchanged, too, and heed no pause.")]


def run_request(
    kind: Kind,
    *,
    channel: str | None,
    customer: UUID | None,
    config: str | None,
    learner: str | None,
    course: str | None,
    force: bool,
    confirm_retire: int | None = None,
) -> RunRequest:
    """Put the options of a command together, as :class:`coursewire.host.Host` takes them.

    Raises:
        BadParameter: An option does not go with the kind.
    """
    if kind.is_outcome and confirm_retire is not None:
        raise typer.BadParameter("--confirm-retire is for content; no outcome is ever retired")
    if not kind.is_outcome and (learner is not None or course is not None):
        raise typer.BadParameter("--learner and --course are for what is about learners, not for content")
    return RunRequest(
        kind,
        channel=channel,
        customer=customer,
        config=config,
        learner=learner,
        course=course,
        force=force,
        confirm_retire=confirm_retire,
        actor=actor(),
    )


def note_left_out(selection: Selection) -> None:
    """Say on stderr which configurations cannot take part, since their channel does not take the kind."""
    for each in selection.left_out:
        what = f"{each.channel} does not take {selection.request.kind.value}"
        note(f"{each.display_name} ({each.short_id}) is left out: {what}.", style="dim")


def left_out_rows(selection: Selection) -> list[dict[str, Any]]:
    """Return the stable form of the configurations that are left out."""
    return [
        {"configuration": each.uuid, "channel": each.channel, "customer": each.customer}
        for each in selection.left_out
    ]


def note_nothing(request: RunRequest) -> None:
    """Say on stderr that no outcome of the learner was found at all."""
    about = f"{request.learner} in {request.course}" if request.course else str(request.learner)
    note(f"{about}: {because(Reason.ENROLLMENT_UNKNOWN)}", style="yellow")


def failed_row(configuration: Configuration, error: CoursewireError | None) -> dict[str, Any]:
    """Return the stable form of a run or plan that has no summary.

    Args:
        configuration: The configuration.
        error: The error with which it ended; None when it ended without one.
    """
    return {
        "configuration": configuration.uuid,
        "channel": configuration.channel,
        "customer": configuration.customer,
        "job": None,
        "exit_status": error.exit_status if error else 0,
        "error": str(error) if error else None,
    }


def sum_up(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> dict[str, int]:
    """Return the totals of the named counts over all rows."""
    return {name: sum(count_of(row.get(name, 0)) for row in rows) for name in names}


def count_of(value: Any) -> int:
    """Return a count as it is, or the sum of counts by reason."""
    return sum(value.values()) if isinstance(value, dict) else int(value)
