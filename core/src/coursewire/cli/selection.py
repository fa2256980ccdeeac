"""What ``plan`` and ``transmit`` were asked for: the configurations that are meant, and a job for each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import typer

from coursewire.cli.options import KindName

if TYPE_CHECKING:
    from uuid import UUID

    from coursewire.config.configuration import Configuration, Ready, Refused
    from coursewire.jobs.content import ContentJob
    from coursewire.jobs.installation import Installation
    from coursewire.jobs.job import Progress
    from coursewire.jobs.outcomes import OutcomeJob


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
        if self.kind is KindName.CONTENT:
            from coursewire.jobs.content import ContentJob

            return ContentJob(
                installation, configuration, force=self.force, confirm_retire=self.confirm_retire
            )
        from coursewire.jobs.outcomes import OutcomeJob
        from coursewire.model.payload import Kind

        return OutcomeJob(
            installation,
            configuration,
            Kind(self.kind.value),
            force=self.force,
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


@dataclass(frozen=True, slots=True)
class Selection:
    """The configurations that are meant, in the order of their creation.

    Attributes:
        ready: These may run.
        refused: These may not, and why.
        left_out: Their channel does not take the kind.
    """

    ready: tuple[Ready, ...]
    refused: tuple[Refused, ...]
    left_out: tuple[Configuration, ...] = field(default=())

    def left_out_rows(self) -> list[dict[str, Any]]:
        """The stable form of what is left out."""
        return [
            {"configuration": each.uuid, "channel": each.channel, "customer": each.customer}
            for each in self.left_out
        ]


def select(installation: Installation, asked: Asked) -> Selection:
    """The configurations that are meant.

    Raises:
        ConfigurationError: None is meant, none can run, or one was named whose channel does not take the kind.
    """
    from coursewire.cli.common import channel_of, refuse_other_kinds, takes

    channels = {each.channel.code: each for each in installation.channels}
    found = installation.configurations.find(asked.config) if asked.config else None
    if asked.channel:
        named = [channel_of(installation, asked.channel)]
    else:
        named = [channels[found.channel]] if found and found.channel in channels else []
    refuse_other_kinds(asked.kind, named or list(channels.values()))
    code = named[0].channel.code if asked.channel else None
    runnable = installation.configurations.runnable(
        {code: each.channel for code, each in channels.items()},
        channel=code,
        customer=str(asked.customer) if asked.customer else None,
        uuids=[found.uuid] if found else None,
    )
    others = {code for code, each in channels.items() if not takes(asked.kind, each)}
    ready = [each.configuration for each in runnable.ready]
    meant = [*ready, *(each.configuration for each in runnable.refused)]
    selection = Selection(
        tuple(each for each in runnable.ready if each.configuration.channel not in others),
        tuple(each for each in runnable.refused if each.configuration.channel not in others),
        tuple(each for each in meant if each.channel in others),
    )
    if not selection.ready and not selection.refused:
        _refuse(asked, code, selection)
    return selection


def note_left_out(asked: Asked, selection: Selection) -> None:
    """Say on stderr which configurations cannot take part."""
    from coursewire.cli.output import note

    for each in selection.left_out:
        what = f"{each.channel} does not take {asked.kind.value}"
        note(f"{each.display_name} ({each.short_id}) is left out: {what}.", style="dim")


def _refuse(asked: Asked, code: str | None, selection: Selection) -> None:
    from coursewire.errors import ConfigurationError

    if selection.left_out:
        names = ", ".join(f"{each.display_name} ({each.short_id})" for each in selection.left_out)
        raise ConfigurationError(
            f"no active configuration takes {asked.kind.value}",
            where=names,
            why="their channels do not send it",
            next_step="`coursewire config add` adds a configuration of a channel that does.",
        )
    parts = [f"--channel {code}" if code else "", f"--customer {asked.customer}" if asked.customer else ""]
    parts += [f"--config {asked.config}" if asked.config else ""]
    meant = " ".join(filter(None, parts))
    raise ConfigurationError(
        f"no active configuration fits {meant}" if meant else "there is no active configuration",
        next_step="`coursewire config list` shows what there is; `coursewire config add` adds one, "
        "`coursewire config activate` makes one active.",
    )
