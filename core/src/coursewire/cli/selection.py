"""What ``plan`` and ``transmit`` were asked for: the configurations that are meant, and a job for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from coursewire.cli.options import KindName

if TYPE_CHECKING:
    from uuid import UUID

    from coursewire.configurations.configuration import Configuration
    from coursewire.installation import Installation
    from coursewire.pipeline.content_job import ContentJob
    from coursewire.pipeline.outcome_job import OutcomeJob
    from coursewire.pipeline.selection import RunRequest, Selection
    from coursewire.pipeline.transmit.run import Progress


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

    kind: KindName
    channel: str | None = None
    customer: UUID | None = None
    config: str | None = None
    learner: str | None = None
    course: str | None = None
    force: bool = False
    confirm_retire: int | None = None

    def __post_init__(self) -> None:
        if self.kind is KindName.CONTENT:
            if self.learner is not None or self.course is not None:
                raise typer.BadParameter(
                    "--learner and --course are for what is about learners, not for content"
                )
        elif self.confirm_retire is not None:
            raise typer.BadParameter("--confirm-retire is for content; no outcome is ever retired")

    def job(self, installation: Installation, configuration: Configuration) -> ContentJob | OutcomeJob:
        """A job for one configuration."""
        return self.request().job(installation, configuration)

    def request(self) -> RunRequest:
        """Return what is asked, as :class:`coursewire.host.Host` takes it."""
        from coursewire.model.kinds import Kind
        from coursewire.pipeline.selection import RunRequest

        return RunRequest(
            Kind(self.kind.value),
            channel=self.channel,
            customer=self.customer,
            config=self.config,
            learner=self.learner,
            course=self.course,
            force=self.force,
            confirm_retire=self.confirm_retire,
        )

    def run_job(
        self, installation: Installation, configuration: Configuration, *, actor: str, progress: Progress
    ) -> ContentJob | OutcomeJob:
        """A job that is to be run, and shows how far it is."""
        job = self.job(installation, configuration)
        job.actor, job.progress = actor, progress
        return job


def left_out_rows(selection: Selection) -> list[dict[str, Any]]:
    """The stable form of what is left out."""
    return [
        {"configuration": each.uuid, "channel": each.channel, "customer": each.customer}
        for each in selection.left_out
    ]


def select(installation: Installation, asked: Asked) -> Selection:
    """The configurations that are meant.

    Raises:
        ConfigurationError: None is meant, none can run, or one was named whose channel does not take the kind.
    """
    from coursewire.pipeline import selection

    return selection.select(installation, asked.request())


def note_left_out(asked: Asked, selection: Selection) -> None:
    """Say on stderr which configurations cannot take part."""
    from coursewire.cli.output import note

    for each in selection.left_out:
        what = f"{each.channel} does not take {asked.kind.value}"
        note(f"{each.display_name} ({each.short_id}) is left out: {what}.", style="dim")
