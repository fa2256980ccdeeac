"""``Host``: Coursewire inside another Python service, or a script.

::

    async with Host() as host:
        ended = await host.transmit("content", channel="ACME")

The command, the REST API, the console, the schedule and events call what is here and only show it. Nothing here needs
FastAPI: only :meth:`Host.asgi` and :meth:`Host.serving` want the extra ``service``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from coursewire.errors import ConfigurationError, CoursewireError, CredentialsError, SetupError
from coursewire.installation import Installation
from coursewire.model.kinds import OUTCOMES, Kind
from coursewire.model.reasons import Surface
from coursewire.pipeline.content_job import ContentJob
from coursewire.pipeline.outcome_job import OutcomeJob
from coursewire.pipeline.plan import Plan
from coursewire.pipeline.runners.background import BackgroundJobs
from coursewire.pipeline.runners.inline import Ended
from coursewire.pipeline.selection import RunRequest, Selection, select
from coursewire.pipeline.triggers import Triggers, jobs_about

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from fastapi import FastAPI

    from coursewire.configurations.configuration import Configuration
    from coursewire.configurations.rotation import RotationReport
    from coursewire.configurations.store import Configurations
    from coursewire.operations.history import History
    from coursewire.operations.inactive import InactiveLearners
    from coursewire.operations.key_import import ImportedKeys
    from coursewire.operations.learners import Learners
    from coursewire.operations.status import ConfigurationStatus
    from coursewire.pipeline.job import Job
    from coursewire.pipeline.runners.background import Watched
    from coursewire.pipeline.transmit.run import Progress
    from coursewire.plugins.registry import LoadedChannel, LoadRow, Registry
    from coursewire.service.inbound import LearnerOf
    from coursewire.settings import Settings
    from coursewire.sources.database import LoadReport
    from coursewire.storage.audit.records import Records
    from coursewire.storage.audit.states import State


class Host:
    """An installation of Coursewire as a part of this process.

    Use it as a context manager, with ``with`` or ``async with``. The jobs that it starts run in the event loop of
    whoever calls; at most a few at once, more wait for their turn.

    Args:
        settings: The settings of the installation; read from the environment and the settings file when left out.
        installation: An installation that is open already, in place of settings. Whoever opened it closes it.

    Attributes:
        installation: The installation.
        background: The jobs that this process runs, and how far they are.

    Raises:
        SettingsError: The settings cannot be used.
    """

    def __init__(self, settings: Settings | None = None, *, installation: Installation | None = None) -> None:
        self.installation = installation or Installation(settings)
        self.background = BackgroundJobs()
        self._closes = installation is None
        self._triggers = Triggers(self.background)

    def __enter__(self) -> Self:
        with self._plain_words():
            _ = self.installation.engine
        self.background.reopen()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End every job after the requests under way, wait for them, and let go of the database."""
        await self.background.aclose()
        self.close()

    def close(self) -> None:
        """Let go of the database. Jobs must have ended; :meth:`aclose` sees to that."""
        if self._closes:
            self.installation.close()

    @property
    def settings(self) -> Settings:
        """The settings of the installation."""
        return self.installation.settings

    @property
    def channels(self) -> Registry:
        """The installed channels that can be used, by ``get(CODE)`` or one by one."""
        return self.installation.channels

    @property
    def load_report(self) -> Sequence[LoadRow]:
        """One row for each channel and hook that was found: loaded, skipped or failed, with the reason."""
        return self.installation.channels.report

    @property
    def configurations(self) -> Configurations:
        """The customers' settings for channels: list, add, update, activate, remove."""
        return self.installation.configurations

    @cached_property
    def history(self) -> History:
        """The history: jobs, attempts, and what became of single items."""
        from coursewire.operations.history import History  # noqa: PLC0415 - loads SQLAlchemy

        return History(self.installation)

    @cached_property
    def learners(self) -> Learners:
        """The links between learners and their ids at LMSs."""
        from coursewire.operations.learners import Learners  # noqa: PLC0415 - loads SQLAlchemy

        return Learners(self.installation)

    async def status(
        self, *, channel: str | None = None, customer: UUID | str | None = None
    ) -> list[ConfigurationStatus]:
        """Return how configurations stand, in the order of their creation.

        Args:
            channel: Only configurations of this channel, a code in any case; None for all.
            customer: Only configurations of this customer, a UUID; None for all.

        Raises:
            UnknownChannelError: There is no such channel.
            SourceError: The source could not answer.
            DatabaseError: The database cannot be used.
        """
        from coursewire.operations.status import statuses  # noqa: PLC0415 - loads SQLAlchemy

        with self._plain_words():
            only = str(customer) if customer else None
            return await statuses(self.installation, channel=channel, customer=only)

    def state_of(self, configuration: Configuration) -> str:
        """Return what runs make of a configuration, in a word, and what is wrong.

        Returns:
            ``active``, ``draft``, ``needs reconnect``, ``credentials refused``, ``invalid`` or ``removed``; where something is wrong, a colon
            and the fault come after the word.
        """
        from coursewire.operations.status import state_of  # noqa: PLC0415 - loads SQLAlchemy

        return state_of(self.installation, configuration)

    async def customer_names(self, customers: Iterable[str]) -> dict[str, str]:
        """Return the names that the source has for customers, by UUID.

        Args:
            customers: UUIDs of the customers. One that the source does not know gets the beginning of its UUID.

        Raises:
            SourceError: The source could not answer.
        """
        from coursewire.operations.status import customer_names  # noqa: PLC0415 - loads SQLAlchemy

        return await customer_names(self.installation, customers)

    async def known_catalogs(self, customer: str) -> list[str] | None:
        """Return the UUIDs of a customer's catalogs; None when the source does not know the customer.

        Args:
            customer: UUID of the customer.

        Raises:
            SourceError: The source could not answer.
        """
        from coursewire.operations.status import known_catalogs  # noqa: PLC0415 - loads SQLAlchemy

        return await known_catalogs(self.installation, customer)

    def import_keys(self, configuration: Configuration, file: Path) -> ImportedKeys:
        """Take over the keys by which an LMS knows items already. Doing it again changes nothing.

        Args:
            configuration: The configuration of the LMS, of a channel that makes keys of its own.
            file: A CSV file with the columns ``internal_course_id`` (our key) and ``external_course_id`` (the LMS's).

        Raises:
            ConfigurationError: The channel sends our own keys, or the file cannot be read.
        """
        from coursewire.operations.key_import import import_keys  # noqa: PLC0415 - loads SQLAlchemy

        return import_keys(self.installation, configuration, file)

    def rotate_key(self) -> RotationReport:
        """Encrypt every stored secret with the first of the keys, so that the others can be removed.

        Raises:
            SecretKeyError: There is no key that can be used.
        """
        from coursewire.configurations.rotation import rotate  # noqa: PLC0415 - loads SQLAlchemy

        return rotate(self.installation.engine, self.installation.secrets)

    def load_bundle(self, bundle: Path, *, progress: Progress | None = None) -> LoadReport:
        """Load customers, catalogs, content and results into the embedded source. Loading again updates.

        Args:
            bundle: The folder of JSON-lines files.
            progress: Told how far it is; None to tell nobody.

        Returns:
            The counts of each file, and the lines that were refused.

        Raises:
            BundleError: There is no bundle, or nothing of it can be read.
        """
        from coursewire.sources.database import load_bundle  # noqa: PLC0415 - loads SQLAlchemy

        return load_bundle(self.installation.engine, bundle, progress=progress)

    # -- planning and transmitting ---------------------------------------------------------------

    async def plan(
        self,
        kind: Kind | str,
        *,
        channel: str | None = None,
        customer: UUID | str | None = None,
        config: UUID | str | None = None,
        learner: str | None = None,
        course: str | None = None,
        force: bool = False,
    ) -> list[Plan]:
        """Return what :meth:`transmit` would do, one plan a configuration. Nothing is written, nothing is sent.

        Args:
            kind: ``content``, ``completions``, ``assessments`` or ``enrollments``.
            channel: Only configurations of this channel, a code in any case.
            customer: Only configurations of this customer, a UUID.
            config: Only this configuration; the beginning of its id is enough.
            learner: Only this learner's outcomes, a username.
            course: Only outcomes in this course or run.
            force: Send what is unchanged, too, and heed no pause.

        Raises:
            ConfigurationError: None is meant, or an option does not go with the kind.
            UnknownChannelError: There is no such channel.
            DatabaseError: The database cannot be used.
        """
        request = RunRequest(_kind(kind), channel, customer, config, learner, course, force)
        return [plan async for plan in self.plans(await self.select(request))]

    async def transmit(
        self,
        kind: Kind | str,
        *,
        channel: str | None = None,
        customer: UUID | str | None = None,
        config: UUID | str | None = None,
        learner: str | None = None,
        course: str | None = None,
        confirm_retire: int | None = None,
        force: bool = False,
    ) -> list[Ended]:
        """Send what needs sending, and wait for it.

        When the task that waits is cancelled, the runs end after the requests under way, so that no answer is lost.

        Args:
            kind: ``content``, ``completions``, ``assessments`` or ``enrollments``.
            channel: Only configurations of this channel, a code in any case.
            customer: Only configurations of this customer, a UUID.
            config: Only this configuration; the beginning of its id is enough.
            learner: Only this learner's outcomes, a username.
            course: Only outcomes in this course or run.
            confirm_retire: Agree that up to so many items are retired by each run; content only.
            force: Send what is unchanged, too, and heed no pause.

        Returns:
            How each run ended, with its summary or its error; configurations that may not run are among them.

        Raises:
            ConfigurationError: None is meant, or an option does not go with the kind.
            UnknownChannelError: There is no such channel.
            DatabaseError: The database cannot be used.
        """
        request = RunRequest(_kind(kind), channel, customer, config, learner, course, force, confirm_retire)
        selection = await self.select(request)
        refused = [
            Ended(request.job(self.installation, each.configuration), None, each.error)
            for each in selection.refused
        ]
        return refused + await self.run(selection)

    async def select(self, request: RunRequest) -> Selection:
        """Find the configurations that a request means: those that may run, those that may not, and those left out.

        Args:
            request: The kind, the filters and the options.

        Raises:
            ConfigurationError: None is meant.
            UnknownChannelError: There is no such channel.
            DatabaseError: The database cannot be used.
        """
        with self._plain_words():
            return await asyncio.to_thread(select, self.installation, request)

    async def plans(self, selection: Selection) -> AsyncIterator[Plan]:
        """Yield one plan for each selected configuration, refused ones first. Nothing is written, nothing is sent.

        A plan is made when it is asked for, so that the items of the one before can be read first.

        Args:
            selection: The answer of :meth:`select`.

        Raises:
            DatabaseError: The database cannot be used.
        """
        for refused in selection.refused:
            yield Plan(refused.configuration, selection.request.kind, error=refused.error)
        for job in selection.jobs(self.installation):
            yield await self.plan_job(job)

    async def plan_job(self, job: Job) -> Plan:
        """Return the plan of one job; one that cannot be made has its ``error``."""
        with self._plain_words():
            try:
                return await job.plan()
            except CoursewireError as error:
                return Plan(job.configuration, job.kind, error=error)

    async def run(
        self,
        selection: Selection,
        *,
        progress: Callable[[Configuration], Progress] | None = None,
        heed_signals: bool = False,
    ) -> list[Ended]:
        """Run a job for each selected configuration that may run, and wait for them.

        Args:
            selection: The answer of :meth:`select`.
            progress: Gives the callback that is told how far the run of a configuration is; None to tell nobody.
            heed_signals: End the runs after the requests under way on SIGTERM and SIGINT. For a process that does
                nothing else: signals belong to the process that this host is a part of.

        Returns:
            How each run ended, with its summary or its error.
        """
        jobs = selection.jobs(self.installation)
        if progress is not None:
            for job in jobs:
                job.progress = progress(job.configuration)
        name = self.settings.runner
        with self._plain_words():
            if name == "inline" and not heed_signals:
                return await self.wait([self.background.start(job).job.uuid for job in jobs])
            from coursewire.plugins.loading import load_named  # noqa: PLC0415 - seldom

            ended: list[Ended] = await load_named("coursewire.runners", name)().run(jobs)
            return ended

    # -- jobs in the background ------------------------------------------------------------------

    async def start(self, request: RunRequest, configuration: Configuration) -> Watched:
        """Start the job of one configuration in this event loop, and return at once; :meth:`wait` waits for it.

        Args:
            request: The request, whose filters are not looked at.
            configuration: The configuration, whether or not the request's filters mean it.

        Raises:
            ConfigurationError: The configuration may not run.
            SourceError: The source could not say who the customer is.
        """
        job = request.job(self.installation, configuration)
        with self._plain_words():
            await job.prepare()
        return self.background.start(job)

    def start_all(self, selection: Selection) -> list[Watched]:
        """Start a job for each selected configuration that may run, in this event loop, and return at once."""
        return [self.background.start(job) for job in selection.jobs(self.installation)]

    def stop(self, job: UUID) -> bool:
        """Let a job of this process end after the requests under way; False when it does not run here."""
        return self.background.stop(job)

    async def wait(self, jobs: Iterable[UUID]) -> list[Ended]:
        """Wait until jobs that were started in this event loop have ended.

        Args:
            jobs: Ids as :meth:`learner_changed` or :meth:`start` gave them; one that nobody remembers is left out.

        Returns:
            How each of them ended, in their order.
        """
        asked = list(jobs)
        await self.background.wait(asked)
        return [
            Ended(found.job, found.summary, found.error)
            for uuid in asked
            if (found := self.background.find(uuid))
        ]

    async def learner_changed(
        self, username: str, course: str, *, actor: str = "event", message: str = ""
    ) -> list[UUID]:
        """Take note that a learner passed, was graded, enrolled or left: what differs at the LMSs goes out.

        It starts jobs in this event loop and returns at once; :meth:`wait` waits for them. It may be called twice,
        late, or out of order: how things stand is read from the source.

        Args:
            username: The learner's username at the source.
            course: The key of the course run, or of the course.
            actor: A name for who says so, for the log of jobs.
            message: The id of the message that said so; one that came before starts nothing. "" when there is none.

        Returns:
            The ids of the jobs; none when nothing follows from it.

        Raises:
            SourceError: The source does not answer.
            DatabaseError: The database cannot be used.
        """
        if self._triggers.has_seen(message):
            return []
        with self._plain_words():
            jobs = await jobs_about(self.installation, username, course, actor=actor)
            started = [self._triggers.start(job, username, course) for job in jobs]
        self._triggers.remember(message)
        return started

    # -- looking ---------------------------------------------------------------------------------

    async def why(
        self,
        configuration: Configuration,
        *,
        item: str | None = None,
        learner: str | None = None,
        course: str | None = None,
        kind: Kind | None = None,
        on: Surface = Surface.COMMAND_LINE,
    ) -> list[dict[str, Any]]:
        """Explain why something is sent or not, decision by decision. Nothing is written and nothing is sent.

        Args:
            configuration: The configuration that it is about.
            item: The content key of the item that is meant; None for outcomes.
            learner: The username of the learner whose outcomes are meant.
            course: The key of the course or run whose outcomes are meant.
            kind: The kind of the outcomes; None for every kind that the channel takes.
            on: Where the explanation is read, which decides the next steps in it.

        Returns:
            One explanation for the item, or for each outcome; see :func:`coursewire.pipeline.why.why_outcome`.

        Raises:
            ConfigurationError: The configuration cannot run.
            SourceError: The source could not answer.
        """
        from coursewire.pipeline.why import why_content, why_outcome  # noqa: PLC0415 - seldom asked

        with self._plain_words():
            if item is not None:
                return [await why_content(ContentJob(self.installation, configuration), item, on=on)]
            if kind is not None:
                kinds = [kind]
            else:
                capabilities = self.channels.get(configuration.channel).channel.capabilities
                # Of a channel that takes no outcomes, the first kind says so.
                kinds = [each for each in OUTCOMES if capabilities.takes(each)] or [OUTCOMES[0]]
            found = []
            for each in kinds:
                job = OutcomeJob(self.installation, configuration, each, learner=learner, course=course)
                found += await why_outcome(job, on=on)
            return found

    def records(self, configuration: UUID, kind: Kind) -> Records[Any]:
        """Return the records of what an LMS holds, or was told.

        Args:
            configuration: The configuration's id.
            kind: The kind of the records.
        """
        from coursewire.storage.audit.records import records_of  # noqa: PLC0415 - loads SQLAlchemy

        return records_of(self.installation.engine, configuration, kind)

    def retry(
        self,
        configuration: UUID,
        kind: Kind,
        *,
        states: Sequence[State],
        keys: Sequence[str] | None = None,
        actor: str = "host",
        reason: str = "",
    ) -> int:
        """Let the next run try items again, without pause and even if the LMS refused them before.

        Args:
            configuration: The configuration's id.
            kind: The kind of the items.
            states: Only items in these states.
            keys: Only these items, by the keys of their records; None for all.
            actor: A name for who asks, for the log.
            reason: Why, in words, for the log.

        Returns:
            The number of items that go again.

        Raises:
            ConfigurationError: Items in one of the states cannot be tried again.
        """
        from coursewire.storage.audit.requeue import REQUEUEABLE, requeue  # noqa: PLC0415 - loads SQLAlchemy

        if wrong := sorted({state.value for state in states} - {state.value for state in REQUEUEABLE}):
            raise ConfigurationError(
                f"items that are {' or '.join(wrong)} cannot be tried again",
                why="nothing about them failed or waits",
                next_step=f"Choose among: {', '.join(state.value for state in REQUEUEABLE)}.",
            )
        with self._plain_words():
            return requeue(
                self.installation.engine,
                configuration,
                states=states,
                keys=keys,
                actor=actor,
                reason=reason,
                now=self.installation.clock(),
                kind=kind,
            )

    async def check(self, configuration: Configuration, *, actor: str = "host") -> list[str]:
        """Try the connection to the LMS, the way of real requests, with harmless ones.

        A configuration whose credentials were refused may run again afterwards, and the next run tries again what was
        refused or blocked. A refusal is stored, with the next try.

        Args:
            configuration: A draft or an active one.
            actor: A name for who asks, for the configuration's history.

        Returns:
            Sentences that say what works. They hold no secret.

        Raises:
            SendError: The connection does not work; the error says why.
            ConfigurationError: The configuration is incomplete.
        """
        from coursewire.storage.audit.requeue import end_pauses  # noqa: PLC0415 - loads SQLAlchemy

        installation, uuid = self.installation, configuration.uuid
        with self._plain_words():
            channel: LoadedChannel = installation.channels.get(configuration.channel)
            config = await asyncio.to_thread(installation.configurations.load, uuid, channel.channel)
            try:
                async with installation.session(channel, config, uuid) as session:
                    works = await channel.hook_caller.check_connection(session)
                    sentences = [session.redactor(text) for text in works]
            except CredentialsError as error:
                await asyncio.to_thread(installation.configurations.note_refusal, uuid, error, actor=actor)
                raise
            await asyncio.to_thread(installation.configurations.clear_reconnect, uuid, actor=actor)
            await asyncio.to_thread(end_pauses, installation.engine, uuid, now=installation.clock())
        return sentences

    # -- learners who have left ------------------------------------------------------------------

    async def inactive_learners(
        self, configuration: Configuration, *, on_progress: Callable[[int], None] | None = None
    ) -> InactiveLearners:
        """List the learners whose account at the LMS is inactive, and who they are here. Nothing is changed.

        Args:
            configuration: The configuration whose LMS is asked, a draft or an active one.
            on_progress: Called with the number of accounts read so far.

        Returns:
            The accounts; see :func:`coursewire.operations.inactive.find_inactive_learners`.

        Raises:
            ConfigurationError: The channel cannot list inactive learners, the configuration is incomplete, or the
                source does not know the customer.
            SourceError: The source could not answer.
        """
        from coursewire.operations.inactive import find_inactive_learners  # noqa: PLC0415 - seldom asked

        with self._plain_words():
            return await find_inactive_learners(self.installation, configuration, on_progress=on_progress)

    def unlink_inactive_learners(
        self, found: InactiveLearners, *, actor: str = "host", confirm: int | None = None
    ) -> int:
        """End the membership of inactive learners who are still linked, at this customer and at no other.

        Args:
            found: The answer of :meth:`inactive_learners`.
            actor: A name for who asks, for the list of jobs.
            confirm: The number of learners that may be unlinked although the guard would stop it.

        Returns:
            The number of learners that were unlinked; 0 where the list was not read to its end.

        Raises:
            ConfigurationError: The source's learners cannot be changed from here.
            GuardError: So many are not unlinked without a person's agreement.
        """
        from coursewire.operations.inactive import unlink_inactive_learners  # noqa: PLC0415 - seldom asked

        with self._plain_words():
            return unlink_inactive_learners(self.installation, found, actor=actor, confirm=confirm)

    # -- the service -----------------------------------------------------------------------------

    def asgi(self, *, learner_of: LearnerOf | None = None) -> FastAPI:
        """Return REST API, inbound endpoints and console, as an application to mount below any path.

        Its jobs are this host's, which ends them in :meth:`aclose`. The runs of the schedule begin while
        :meth:`serving` is entered, or while the application is served by itself.

        Args:
            learner_of: Takes a request and says which learner is signed in at the platform, a username, "" for
                nobody; a function or a coroutine function. Left out, the setting ``learner_header`` counts.

        Raises:
            SetupError: The extra ``service`` is not installed.
            DatabaseError: The database cannot be used.
        """
        with self._plain_words(), _extra():
            from coursewire.service.app import create_app  # noqa: PLC0415 - the extra

            return create_app(self, learner_of=learner_of)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Begin the runs of the setting ``schedule`` when their time has come, as long as the context is entered.

        Raises:
            SetupError: The extra ``service`` is not installed.
            SettingsError: A time of the schedule cannot be read.
        """
        with _extra():
            from coursewire.service.schedule import Schedule  # noqa: PLC0415 - the extra
        schedule = Schedule(self)
        schedule.begin()
        try:
            yield
        finally:
            schedule.end()

    # -- inside ----------------------------------------------------------------------------------

    @contextmanager
    def _plain_words(self) -> Iterator[None]:
        """Turn the database driver's errors into ours."""
        from coursewire.storage.database.driver_errors import database_errors  # noqa: PLC0415 - loads SQLAlchemy

        with database_errors(self.settings.database_url):
            yield


def _kind(kind: Kind | str) -> Kind:
    try:
        return Kind(kind)
    except ValueError:
        raise ConfigurationError(
            f"there is no kind {kind!r}", next_step=f"Take one of: {', '.join(each.value for each in Kind)}."
        ) from None


@contextmanager
def _extra() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise SetupError(
            "the host service is not installed",
            why=f"there is no module {error.name}",
            next_step="Run: pip install 'coursewire[service]'",
        ) from None
