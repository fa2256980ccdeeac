"""Learners whose account at the LMS is inactive: who they are here, and the end of their membership.

The channel lists the accounts (hook ``list_inactive_learners``). :func:`find_inactive_learners` matches them with the
customer's learners and changes nothing; :func:`unlink_inactive_learners` unlinks those who are still linked.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import uuid4

from coursewire.errors import ConfigurationError, GuardError, IncompleteListError, SendError
from coursewire.model.identity import BY_HAND, FROM_LAUNCH
from coursewire.pipeline.rules.guard import Guard
from coursewire.pipeline.rules.identity import identify
from coursewire.sources.database import DatabaseSource, learners_of, linked_elsewhere, unlink
from coursewire.storage.audit.jobs import note_done
from coursewire.storage.identity_links import IdentityLinks

if TYPE_CHECKING:
    from coursewire.configurations.configuration import Configuration
    from coursewire.installation import Installation
    from coursewire.model.configuration import ChannelConfig
    from coursewire.model.content import Customer
    from coursewire.model.identity import Identity
    from coursewire.model.results import LearnerFacts
    from coursewire.plugins.registry import LoadedChannel

log = logging.getLogger("coursewire.learners")


class InactiveState(StrEnum):
    """A learner whose account at the LMS is inactive, as far as the installation knows them."""

    LINKED = "linked"
    """The learner still belongs to the customer."""
    NOT_LINKED = "not linked"
    """The learner's membership has ended already."""
    AMBIGUOUS = "ambiguous"
    """Several learners of the customer have this id."""
    UNKNOWN = "unknown"
    """No learner of the customer has this id."""
    UNLINKED = "unlinked"
    """The membership was ended now."""


@dataclass(slots=True)
class InactiveLearner:
    """One inactive account at the LMS.

    Attributes:
        remote_id: The learner's id at the LMS.
        username: The learner at the platform; "" unless the id is that of exactly one.
        state: The membership of the learner here.
        other_customers: The number of other customers to which the learner is linked, as far as the source knows.
    """

    remote_id: str
    username: str = ""
    state: InactiveState = InactiveState.UNKNOWN
    other_customers: int = 0


@dataclass(slots=True)
class InactiveLearners:
    """The inactive accounts at one configuration's LMS.

    Attributes:
        configuration: The configuration whose LMS was asked.
        learners: The accounts, in the order in which the LMS lists them.
        linked: The number of the customer's learners that are linked.
        error: Why the list at the LMS could not be read to its end; None when it was.
    """

    configuration: Configuration
    learners: list[InactiveLearner] = field(default_factory=list)
    linked: int = 0
    error: IncompleteListError | SendError | None = None

    def counts(self) -> Counter[str]:
        """Return the number of accounts in each state."""
        return Counter(learner.state.value for learner in self.learners)

    def to_unlink(self) -> list[InactiveLearner]:
        """Return the accounts whose learners are still linked."""
        return [learner for learner in self.learners if learner.state is InactiveState.LINKED]


async def find_inactive_learners(
    installation: Installation,
    configuration: Configuration,
    *,
    on_progress: Callable[[int], None] | None = None,
) -> InactiveLearners:
    """List the learners whose account at the LMS is inactive, and find out who they are; change nothing.

    Args:
        installation: The installation.
        configuration: The configuration whose LMS is asked; it may be a draft.
        on_progress: Called with the number of accounts read so far.

    Returns:
        The accounts. Where the list could not be read to its end, those that were read, and the error.

    Raises:
        ConfigurationError: The channel cannot list inactive learners, the configuration is incomplete, or the source
            does not know the customer.
        SourceError: The source could not answer.
    """
    channel = _listing_channel(installation, configuration)
    config = installation.configurations.load(configuration.uuid, channel.channel)
    customer = await installation.source.customer(configuration.customer)
    if customer is None:
        raise ConfigurationError(
            f"customer {configuration.customer} is not known to the source",
            where=configuration.where,
            next_step="Load the customer, or remove the configuration.",
        )
    found = InactiveLearners(configuration)
    remote_ids: list[str] = []
    try:
        async with installation.session(channel, config, configuration.uuid) as session:
            async for remote_id in channel.hook_caller.list_inactive_learners(session):
                remote_ids.append(remote_id)
                if on_progress is not None:
                    on_progress(len(remote_ids))
    except (IncompleteListError, SendError) as error:
        found.error = error
    learners = await _learners(installation, customer.uuid)
    found.linked = sum(learner.linked for learner in learners)
    links = await asyncio.to_thread(
        IdentityLinks(installation.engine, configuration.uuid).with_origin, BY_HAND, FROM_LAUNCH
    )
    found.learners = _identified(remote_ids, config, customer, learners, links)
    await _count_other_customers(installation, customer.uuid, found.to_unlink())
    return found


def unlink_inactive_learners(
    installation: Installation, found: InactiveLearners, *, actor: str, confirm: int | None = None
) -> int:
    """End the membership of the learners that are still linked, at this customer and at no other.

    What was done is noted among the jobs, with counts only, in the same transaction. The learners' state becomes
    ``unlinked``.

    Args:
        installation: The installation.
        found: The answer of :func:`find_inactive_learners`.
        actor: A name for who does it, for the list of jobs.
        confirm: The number of learners a person has agreed to, above the guard.

    Returns:
        The number of learners that were unlinked: 0 where the list was not read to its end.

    Raises:
        ConfigurationError: The source's learners cannot be changed from here.
        GuardError: So many are not unlinked without a person's agreement.
    """
    if found.error is not None:
        return 0
    configuration, settings, leavers = found.configuration, installation.settings, found.to_unlink()
    if not isinstance(installation.source, DatabaseSource):
        raise ConfigurationError(
            f"the source {settings.source!r} cannot be changed from here",
            where=configuration.where,
            next_step="Run the command without --apply, and unlink the learners where the source has them from.",
        )
    guard = Guard(settings.guard_share, settings.guard_number, settings.guard_floor)
    if guard.stops(len(leavers), found.linked) and len(leavers) > (confirm or 0):
        raise GuardError(
            f"{len(leavers)} of the customer's {found.linked} linked learners would be unlinked; nobody was",
            where=configuration.where,
            why=f"the guard stops at {guard.share:.0%}, at {guard.number}, and at everybody",
            next_step=f"If they have all left, add `--confirm {len(leavers)}`.",
        )
    if not leavers:
        return 0
    with installation.engine.begin() as connection:
        unlink(connection, configuration.customer, [learner.username for learner in leavers])
        note_done(
            connection,
            uuid4(),
            kind="unlink",
            configuration=configuration.uuid,
            actor=actor,
            options={"confirm": confirm},
            summary=found.counts() | {InactiveState.UNLINKED.value: len(leavers)},
            now=installation.clock(),
        )
    for learner in leavers:
        learner.state = InactiveState.UNLINKED
    log.info(
        "%d learners were unlinked from customer %s: their accounts at %s are inactive",
        len(leavers),
        configuration.customer,
        configuration.channel,
    )
    return len(leavers)


def _listing_channel(installation: Installation, configuration: Configuration) -> LoadedChannel:
    """Return the configuration's channel.

    Raises:
        ConfigurationError: It cannot list inactive learners.
    """
    channel = installation.channels.get(configuration.channel)
    if channel.channel.capabilities.list_inactive_learners.usable:
        return channel
    able = [
        each.channel.code
        for each in installation.channels
        if each.channel.capabilities.list_inactive_learners.usable
    ]
    raise ConfigurationError(
        f"the channel {channel.channel.code} cannot tell which learners are inactive at the LMS",
        where=configuration.where,
        why=f"list_inactive_learners: {channel.channel.capabilities.list_inactive_learners}",
        next_step=f"Take a configuration of one of these channels: {', '.join(able) or 'none is installed'}.",
    )


async def _learners(installation: Installation, customer: str) -> list[LearnerFacts]:
    """Return the customer's learners; of a source other than the embedded one, those who are enrolled."""
    if isinstance(installation.source, DatabaseSource):
        return await asyncio.to_thread(learners_of, installation.engine, customer)
    found: dict[str, LearnerFacts] = {}
    async for page in installation.source.enrollments(customer, with_subsections=False):
        found.update((facts.learner.username, facts.learner) for facts in page)
    return list(found.values())


def _identified(
    remote_ids: Iterable[str],
    config: ChannelConfig,
    customer: Customer,
    learners: Sequence[LearnerFacts],
    links: Mapping[str, Identity],
) -> list[InactiveLearner]:
    """Match ids at the LMS with learners, by the ids under which the configuration reports their results."""
    owners: defaultdict[str, list[LearnerFacts]] = defaultdict(list)
    for learner in learners:
        if value := identify(config, customer, learner, links.get(learner.username)).value:
            owners[value].append(learner)

    def match(remote_id: str) -> InactiveLearner:
        found = owners.get(remote_id, [])
        if len(found) != 1:
            return InactiveLearner(
                remote_id, state=InactiveState.AMBIGUOUS if found else InactiveState.UNKNOWN
            )
        state = InactiveState.LINKED if found[0].linked else InactiveState.NOT_LINKED
        return InactiveLearner(remote_id, found[0].username, state)

    return [match(remote_id) for remote_id in remote_ids]


async def _count_other_customers(
    installation: Installation, customer: str, leavers: Sequence[InactiveLearner]
) -> None:
    """Fill in to how many other customers learners are linked; only the embedded source knows."""
    if not isinstance(installation.source, DatabaseSource):
        return
    names = [learner.username for learner in leavers]
    counts = await asyncio.to_thread(linked_elsewhere, installation.engine, customer, names)
    for learner in leavers:
        learner.other_customers = counts.get(learner.username, 0)
