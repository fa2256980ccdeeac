"""The job that sends the content of one configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from coursewire.errors import GuardError
from coursewire.model.kinds import Kind
from coursewire.pipeline.export.content import ContentExport, Worklist
from coursewire.pipeline.job import Job, take_up
from coursewire.pipeline.plan import Plan
from coursewire.pipeline.rules.guard import Guard
from coursewire.storage.audit.records import ContentRecords
from coursewire.storage.feed import Feed
from coursewire.storage.key_map import KeyMap

if TYPE_CHECKING:
    from coursewire.pipeline.transmit.run import Run, Target


@dataclass
class ContentJob(Job):
    """A run of the content of one configuration.

    Attributes:
        confirm_retire: The number of retirements that a person agreed to; None when nobody was asked.
    """

    kind: Kind = field(default=Kind.CONTENT, init=False)
    confirm_retire: int | None = field(default=None, kw_only=True)

    @property
    def options(self) -> dict[str, Any]:
        """The options that it was asked for with."""
        return {"force": self.force, "confirm_retire": self.confirm_retire}

    @property
    def records(self) -> ContentRecords:
        """The records of what the LMS holds."""
        return ContentRecords(self.installation.engine, self.configuration.uuid)

    def export(self, target: Target) -> ContentExport:
        """Return the export that holds the catalogs against the records."""
        engine, uuid = self.installation.engine, self.configuration.uuid
        can = target.channel.channel.capabilities
        return ContentExport(
            channel=target.channel,
            config=target.config,
            customer=self.configuration.customer,
            source=self.installation.source,
            records=self.records,
            now=self.installation.clock(),
            force=self.force,
            feed=Feed(engine, uuid) if can.delivery == "pull" else None,
            key_map=KeyMap(engine, uuid) if can.mapped_keys else None,
        )

    async def _evaluate(self, target: Target, *, write: bool) -> Plan:
        export = self.export(target)
        worklist = await export.worklist()
        return Plan(
            self.configuration,
            self.kind,
            left={str(reason): count for reason, count in worklist.left.items()},
            failures=worklist.union.failures,
            present=worklist.present,
            total=len(worklist),
            wanted=worklist.union,
            guard=self._guard(worklist),
            prepared=export.pages(worklist),
            records=self.records,
        )

    def _guard(self, worklist: Worklist) -> GuardError | None:
        """Return the error that stops a run which would retire more than the settings allow; None when it may go."""
        settings = self.installation.settings
        guard = Guard(settings.guard_share, settings.guard_number, settings.guard_floor)
        retiring = len(worklist.retire)
        try:
            guard.check(
                retiring,
                worklist.present,
                confirmed=self.confirm_retire,
                where=self.where,
                how=f"coursewire transmit content --config {self.configuration.uuid} --confirm-retire {retiring}",
            )
        except GuardError as error:
            return error
        return None

    async def _transmit(self, run: Run) -> None:
        if run.channel.channel.capabilities.delivery == "push":
            await super()._transmit(run)
        else:
            await self._publish(run)

    async def _publish(self, run: Run) -> None:
        """Lay ready what an LMS that fetches by itself is to have; nothing is asked of the LMS."""
        from coursewire.pipeline.transmit.publish import Publisher  # noqa: PLC0415 - few LMSs fetch

        plan = await self._evaluate(run.target, write=True)
        pages = take_up(run, plan)
        await Publisher(run, Feed(self.installation.engine, self.configuration.uuid)).publish(pages)
        run.leave_rest()
