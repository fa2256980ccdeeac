"""What ``coursewire plan`` and ``transmit`` have in common: their options, their selection and their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import typer

from coursewire.cli.output import (
    because,
    note,
)
from coursewire.configurations.configuration import Configuration
from coursewire.errors import CoursewireError
from coursewire.installation import Installation
from coursewire.model.payload import Kind
from coursewire.model.reasons import Reason
from coursewire.pipeline import selection
from coursewire.pipeline.content_job import ContentJob
from coursewire.pipeline.making import make_job
from coursewire.pipeline.outcome_job import OutcomeJob
from coursewire.pipeline.selection import Selection
from coursewire.pipeline.transmit.run import Progress

Force = Annotated[bool, typer.Option("--force", help="Send what is unchanged, too, and heed no pause.")]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be transmitted, and for whom.

    Attributes:
        kind: What.
        channel: Only configurations of this channel, a code in any case.
        customer: Only configurations of this customer.
        config: Only this configuration, the beginning of its id.
        learner: Only this learner's outcomes.
        course: Only outcomes in this course or run.
        force: Send what is unchanged, too.
        confirm_retire: How many retirements a person agreed to.

    Raises:
        BadParameter: An option that the kind does not have.
    """

    kind: Kind
    channel: str | None = None
    customer: UUID | None = None
    config: str | None = None
    learner: str | None = None
    course: str | None = None
    force: bool = False
    confirm_retire: int | None = None

    def __post_init__(self) -> None:
        if self.kind is Kind.CONTENT:
            if self.learner is not None or self.course is not None:
                raise typer.BadParameter(
                    "--learner and --course are for what is about learners, not for content"
                )
        elif self.confirm_retire is not None:
            raise typer.BadParameter("--confirm-retire is for content; no outcome is ever retired")

    def job(self, installation: Installation, configuration: Configuration) -> ContentJob | OutcomeJob:
        """A job for one configuration."""
        return make_job(
            installation,
            configuration,
            self.kind,
            force=self.force,
            confirm_retire=self.confirm_retire,
            learner=self.learner,
            course=self.course,
        )

    def run_job(
        self, installation: Installation, configuration: Configuration, *, actor: str, progress: Progress
    ) -> ContentJob | OutcomeJob:
        """A job that is to be run, and shows how far it is."""
        job = self.job(installation, configuration)
        job.actor, job.progress = actor, progress
        return job


def select(installation: Installation, asked: Asked) -> Selection:
    """The configurations that are meant.

    Raises:
        ConfigurationError: None is meant, none can run, or one was named whose channel does not take the kind.
    """
    return selection.select(
        installation,
        asked.kind,
        channel=asked.channel,
        customer=asked.customer,
        config=asked.config,
    )


def left_out_rows(selection: Selection) -> list[dict[str, Any]]:
    """The stable form of what is left out."""
    return [
        {"configuration": each.uuid, "channel": each.channel, "customer": each.customer}
        for each in selection.left_out
    ]


def note_left_out(asked: Asked, selection: Selection) -> None:
    """Say on stderr which configurations cannot take part."""
    for each in selection.left_out:
        what = f"{each.channel} does not take {asked.kind.value}"
        note(f"{each.display_name} ({each.short_id}) is left out: {what}.", style="dim")


def note_nothing(asked: Asked) -> None:
    """Say that no outcome of the learner was found at all."""
    found = f"{asked.learner} in {asked.course}" if asked.course else str(asked.learner)
    note(f"{found}: {because(Reason.ENROLLMENT_UNKNOWN)}", style="yellow")


def failed_row(configuration: Any, error: CoursewireError | None) -> dict[str, Any]:
    """A run's row, as far as it is known without a summary."""
    return {
        "configuration": configuration.uuid,
        "channel": configuration.channel,
        "customer": configuration.customer,
        "job": None,
        "exit_status": error.exit_status if error else 0,
        "error": str(error) if error else None,
    }


def sum_up(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> dict[str, int]:
    """The totals of these counts over all rows."""
    return {name: sum(count_of(row.get(name, 0)) for row in rows) for name in names}


def count_of(value: Any) -> int:
    """Return a count as it is, or the sum of counts by reason."""
    return sum(value.values()) if isinstance(value, dict) else int(value)
