"""A request for runs, the configurations that it means, and a job for each.

The command, REST, the console, the schedule and events all ask in this form, through
:class:`coursewire.host.Host`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coursewire.errors import ConfigurationError
from coursewire.pipeline.content_job import ContentJob
from coursewire.pipeline.outcome_job import OutcomeJob

if TYPE_CHECKING:
    from uuid import UUID

    from coursewire.configurations.configuration import Configuration, Ready, Refused
    from coursewire.installation import Installation
    from coursewire.model.kinds import Kind
    from coursewire.plugins.registry import LoadedChannel


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A request to plan or transmit: the kind, and the configurations that it means.

    Attributes:
        kind: The kind.
        channel: Only configurations of this channel, a code in any case; None for all channels.
        customer: Only configurations of this customer, a UUID; None for all customers.
        config: Only this configuration, an id or its beginning; None for all that are active.
        learner: Only this learner's outcomes, a username; None for everybody's.
        course: Only outcomes in this course or run, a key; None for all courses.
        force: Send what is unchanged, too, and heed no pause.
        confirm_retire: The number of items that each run may retire without being stopped by the guard; content only.
        actor: A name for who asks, for the log of jobs.

    Raises:
        ConfigurationError: An option does not go with the kind.
    """

    kind: Kind
    channel: str | None = None
    customer: UUID | str | None = None
    config: UUID | str | None = None
    learner: str | None = None
    course: str | None = None
    force: bool = False
    confirm_retire: int | None = None
    actor: str = "host"

    def __post_init__(self) -> None:
        if self.kind.is_outcome and self.confirm_retire is not None:
            raise ConfigurationError(
                "confirm_retire is for content", why="no outcome is ever retired", next_step="Leave it out."
            )
        if not self.kind.is_outcome and (self.learner is not None or self.course is not None):
            raise ConfigurationError(
                "learner and course are for outcomes",
                why="content is not about single learners",
                next_step="Leave them out.",
            )

    def job(self, installation: Installation, configuration: Configuration) -> ContentJob | OutcomeJob:
        """Make the job for one configuration; it is not run yet.

        Args:
            installation: The installation on which it works.
            configuration: The configuration; whether it may run is found out when the job begins.
        """
        if not self.kind.is_outcome:
            return ContentJob(
                installation,
                configuration,
                force=self.force,
                confirm_retire=self.confirm_retire,
                actor=self.actor,
            )
        return OutcomeJob(
            installation,
            configuration,
            self.kind,
            force=self.force,
            learner=self.learner,
            course=self.course,
            actor=self.actor,
        )


@dataclass(frozen=True, slots=True)
class Selection:
    """The configurations that a request means, in the order of their creation.

    Attributes:
        request: The request.
        ready: The configurations that may run, with their validated settings.
        refused: The configurations that may not run, and why.
        left_out: The configurations whose channel does not take the kind.
    """

    request: RunRequest
    ready: tuple[Ready, ...]
    refused: tuple[Refused, ...]
    left_out: tuple[Configuration, ...] = field(default=())

    def jobs(self, installation: Installation) -> list[ContentJob | OutcomeJob]:
        """Make a job for each configuration that may run, in their order."""
        jobs = []
        for ready in self.ready:
            job = self.request.job(installation, ready.configuration)
            job.note_fit(ready.config)
            jobs.append(job)
        return jobs


def select(installation: Installation, request: RunRequest) -> Selection:
    """Find the active configurations that a request means, or the one that it names.

    Args:
        installation: The installation whose configurations are looked through.
        request: The kind and the filters.

    Raises:
        ConfigurationError: None is meant, none can run, or one was named whose channel does not take the kind.
        UnknownChannelError: There is no such channel.
        ChannelLoadError: The channel cannot be used.
    """
    kind, channel, customer, config = request.kind, request.channel, request.customer, request.config
    channels = {each.channel.code: each for each in installation.channels}
    found = installation.configurations.find(str(config)) if config else None
    if channel:
        named = [installation.channels.get(channel.upper())]
    else:
        named = [channels[found.channel]] if found and found.channel in channels else []
    refuse_other_kinds(kind, named or list(channels.values()))
    code = named[0].channel.code if channel else None
    runnable = installation.configurations.runnable(
        {code: each.channel for code, each in channels.items()},
        channel=code,
        customer=str(customer) if customer else None,
        uuids=[found.uuid] if found else None,
    )
    others = {code for code, each in channels.items() if not each.channel.capabilities.takes(kind)}
    meant = [each.configuration for each in runnable.ready]
    meant += [each.configuration for each in runnable.refused]
    selection = Selection(
        request,
        tuple(each for each in runnable.ready if each.configuration.channel not in others),
        tuple(each for each in runnable.refused if each.configuration.channel not in others),
        tuple(each for each in meant if each.channel in others),
    )
    if not selection.ready and not selection.refused:
        raise _nothing(kind, {"channel": code, "customer": customer, "config": config}, selection)
    return selection


def refuse_other_kinds(kind: Kind, channels: Sequence[LoadedChannel]) -> None:
    """Refuse a kind that none of the channels sends.

    Raises:
        ConfigurationError: None of them takes this kind.
    """
    if any(each.channel.capabilities.takes(kind) for each in channels):
        return
    codes = [each.channel.code for each in channels]
    who = f"channel {codes[0]} does not send" if len(codes) == 1 else "no installed channel sends"
    answers = [
        f"{each.channel.code}: {getattr(each.channel.capabilities, kind.value).value}" for each in channels
    ]
    raise ConfigurationError(
        f"{who} {kind.value}",
        where=", ".join(each.where for each in channels),
        why="; ".join(answers),
        next_step="Send another kind, or install a channel that takes this one.",
    )


def _nothing(kind: Kind, named: dict[str, object], selection: Selection) -> ConfigurationError:
    if selection.left_out:
        names = ", ".join(f"{each.display_name} ({each.short_id})" for each in selection.left_out)
        return ConfigurationError(
            f"no active configuration takes {kind.value}",
            where=names,
            why="their channels do not send it",
            next_step="`coursewire config add` adds a configuration of a channel that does.",
        )
    meant = " ".join(f"--{name} {value}" for name, value in named.items() if value)
    return ConfigurationError(
        f"no active configuration fits {meant}" if meant else "there is no active configuration",
        next_step="`coursewire config list` shows what there is; `coursewire config add` adds one, "
        "`coursewire config activate` makes one active.",
    )
