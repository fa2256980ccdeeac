"""The state of configurations: what is at each LMS, what waits, and what failed and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from coursewire.configurations.configuration import Configuration
from coursewire.installation import Installation
from coursewire.model.kinds import OUTCOMES, Kind
from coursewire.model.reasons import CountedAs, counted_as
from coursewire.storage.audit import jobs
from coursewire.storage.audit.records import records_of
from coursewire.storage.audit.requeue import FAILED_STATES
from coursewire.storage.audit.states import State


@dataclass(frozen=True, slots=True)
class KindStatus:
    """The state of the items of one kind.

    Attributes:
        present: The number of items that the LMS holds, or was told of.
        retired: The number of items that were retired.
        waiting: Items that go with a later run, counted by reason code or state.
        skipped: Items that are not sent, counted by reason code.
        failed: Items that a person must look at, counted by reason code or state.
        in_doubt: The number of items of which nobody knows whether the LMS took them; none of the others counts them.
        last_job: The row of the newest run; None when there was none.
    """

    present: int
    retired: int
    waiting: Mapping[str, int]
    skipped: Mapping[str, int]
    failed: Mapping[str, int]
    in_doubt: int
    last_job: Mapping[str, Any] | None

    def as_dict(self) -> dict[str, Any]:
        """Return the stable form, as ``status --json`` prints it."""
        return {
            "present": self.present,
            "retired": self.retired,
            "waiting": self.waiting,
            "skipped": self.skipped,
            "failed": self.failed,
            "in_doubt": self.in_doubt,
            "last_job": self.last_job,
        }


@dataclass(frozen=True, slots=True)
class ConfigurationStatus:
    """The state of one configuration.

    Attributes:
        configuration: The configuration.
        customer_name: The name that the source has for its customer.
        state: The word of :func:`state_of`, and what is wrong.
        kinds: The status of each kind.
    """

    configuration: Configuration
    customer_name: str
    state: str
    kinds: Mapping[Kind, KindStatus]

    def as_dict(self) -> dict[str, Any]:
        """Return the stable form, as ``status --json`` prints it: content in it directly, outcomes by kind."""
        return {
            "configuration": self.configuration.uuid,
            "channel": self.configuration.channel,
            "customer": self.configuration.customer,
            "customer_name": self.customer_name,
            "name": self.configuration.display_name,
            "state": self.state,
            "needs_reconnect": self.configuration.needs_reconnect_reason,
            "failing_since": self.configuration.failing_since,
            "next_try_at": self.configuration.next_try_at,
            "failing": self.configuration.failing or None,
            **self.kinds[Kind.CONTENT].as_dict(),
            **{kind.value: self.kinds[kind].as_dict() for kind in OUTCOMES},
        }


async def statuses(
    installation: Installation, *, channel: str | None = None, customer: str | None = None
) -> list[ConfigurationStatus]:
    """Return how configurations stand, in the order of their creation.

    Args:
        installation: The installation.
        channel: Only configurations of this channel, a code in any case; None for all.
        customer: Only configurations of this customer, a UUID; None for all.

    Raises:
        UnknownChannelError: There is no such channel.
        SourceError: The source could not answer.
    """
    code = installation.channels.get(channel.upper()).channel.code if channel else None
    found = installation.configurations.list(channel=code, customer=customer)
    names = await customer_names(installation, {each.customer for each in found})
    return [
        ConfigurationStatus(
            each,
            names[each.customer],
            state_of(installation, each),
            {kind: _kind_status(installation, each, kind) for kind in Kind},
        )
        for each in found
    ]


def _kind_status(installation: Installation, configuration: Configuration, kind: Kind) -> KindStatus:
    present = retired = in_doubt = 0
    waiting, skipped, failed = Counter[str](), Counter[str](), Counter[str]()
    for state, reason, there, count in records_of(installation.engine, configuration.uuid, kind).counts():
        present += count if there else 0
        retired += count if state == State.RETIRED else 0
        if state == State.IN_DOUBT:
            in_doubt += count
        elif state in FAILED_STATES:
            failed[reason or state.replace(" ", "-")] += count
        elif state in (State.PLANNED, State.SENDING, State.OFFERED):
            waits = not reason or counted_as(reason) is CountedAs.WAITING
            (waiting if waits else skipped)[reason or state] += count
    last = jobs.recent(installation.engine, configurations=[configuration.uuid], kind=kind, limit=1)
    return KindStatus(
        present=present,
        retired=retired,
        waiting=dict(sorted(waiting.items())),
        skipped=dict(sorted(skipped.items())),
        failed=dict(sorted(failed.items())),
        in_doubt=in_doubt,
        last_job=last[0] if last else None,
    )


def state_of(installation: Installation, configuration: Configuration) -> str:
    """Return what runs make of a configuration, in a word, and what is wrong.

    Returns:
        ``active``, ``draft``, ``needs reconnect``, ``credentials refused``, ``invalid`` or ``removed``; where something is wrong, a colon
        and the fault come after the word.
    """
    if configuration.removed_at is not None:
        return "removed"
    channels = {each.channel.code: each.channel for each in installation.channels}
    if configuration.channel not in channels:
        return "invalid: the channel is not installed"
    validity = installation.configurations.validity(configuration.uuid, channels[configuration.channel])
    if not configuration.active:
        return "draft" if validity.valid else f"draft: {validity}"
    if not validity.valid:
        return f"invalid: {validity}"
    if configuration.needs_reconnect_since is not None:
        return "needs reconnect"
    return "active" if configuration.failing_since is None else "credentials refused"


async def customer_names(installation: Installation, customers: Iterable[str]) -> dict[str, str]:
    """Return the names that the source has for customers.

    Args:
        installation: The installation.
        customers: UUIDs of the customers.

    Returns:
        UUID to name; the beginning of the UUID where the source does not know the customer, or has no name.

    Raises:
        SourceError: The source could not answer.
    """
    found = {uuid: await installation.source.customer(uuid) for uuid in sorted(set(customers))}
    return {uuid: one.name if one and one.name else uuid[:8] for uuid, one in found.items()}


async def known_catalogs(installation: Installation, customer: str) -> list[str] | None:
    """Return the UUIDs of a customer's catalogs.

    Args:
        installation: The installation.
        customer: UUID of the customer.

    Returns:
        The UUIDs; None when the source does not know the customer.

    Raises:
        SourceError: The source could not answer.
    """
    if await installation.source.customer(customer) is None:
        return None
    return [catalog.uuid for catalog in await installation.source.catalogs(customer)]
