"""``Host``: Coursewire inside another Python service, or a script.

::

    async with Host() as host:
        ended = await host.transmit("content", channel="CANVAS")

Nothing here needs FastAPI: only :meth:`Host.asgi` and :meth:`Host.serving` want the extra ``service``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Self
from uuid import UUID

from coursewire.errors import ConfigurationError, CoursewireError, SetupError
from coursewire.installation import Installation
from coursewire.model.payload import Kind
from coursewire.pipeline.making import make_job
from coursewire.pipeline.plan import Plan
from coursewire.pipeline.runners.background import BackgroundJobs
from coursewire.pipeline.runners.inline import Ended
from coursewire.pipeline.triggers import Triggers, jobs_about

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from fastapi import FastAPI

    from coursewire.configurations.configuration import Configuration
    from coursewire.configurations.rotation import RotationReport
    from coursewire.configurations.store import Configurations
    from coursewire.operations.history import History
    from coursewire.operations.key_import import ImportedKeys
    from coursewire.operations.learners import Learners
    from coursewire.operations.status import ConfigurationStatus
    from coursewire.pipeline.job import Job
    from coursewire.pipeline.selection import Selection
    from coursewire.plugins.registry import LoadRow, Registry
    from coursewire.service.inbound import LearnerOf
    from coursewire.settings import Settings

ACTOR = "host"


class Host:
    """An installation of Coursewire as a part of this process.

    Use it as a context manager, with ``with`` or ``async with``. The jobs that it starts run in the event loop of
    whoever calls; at most a few at once, more wait for their turn.

    Args:
        settings: Of the installation; read from the environment and the settings file when left out.

    Raises:
        SettingsError: The settings cannot be used.
    """

    def __init__(self, settings: Settings | None = None, *, installation: Installation | None = None) -> None:
        self.installation = installation or Installation(settings)
        self._work = BackgroundJobs()
        self._hints = Triggers()

    def __enter__(self) -> Self:
        with self._plain_words():
            _ = self.installation.engine
        self._work.reopen()
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
        await self._work.aclose()
        self.close()

    def close(self) -> None:
        """Let go of the database. Jobs must have ended; :meth:`aclose` sees to that."""
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
        """What was tried, and what came of it: jobs, attempts, and the history of single items."""
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
            ``active``, ``draft``, ``needs reconnect``, ``invalid`` or ``removed``; where something is wrong, a colon
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

    def load_bundle(self, bundle: Path, *, progress: LoadProgress | None = None) -> LoadReport:
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
        with self._plain_words():
            kind = _kind(kind)
            selection = await self._select(kind, channel, customer, config)
            jobs = [
                self._job(ready.configuration, kind, learner=learner, course=course, force=force)
                for ready in selection.ready
            ]
            plans = [Plan(each.configuration, kind, error=each.error) for each in selection.refused]
            for job in jobs:
                try:
                    plans.append(await job.plan())
                except CoursewireError as error:
                    plans.append(Plan(job.configuration, kind, error=error))
            return plans

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
        with self._plain_words():
            kind = _kind(kind)
            selection = await self._select(kind, channel, customer, config)

            def job_of(configuration: Configuration) -> Job:
                return self._job(
                    configuration,
                    kind,
                    learner=learner,
                    course=course,
                    confirm_retire=confirm_retire,
                    force=force,
                )

            refused = [Ended(job_of(each.configuration), None, each.error) for each in selection.refused]
            return refused + await self._run([job_of(each.configuration) for each in selection.ready])

    async def learner_changed(self, username: str, course: str) -> list[UUID]:
        """Say that a learner passed, was graded, enrolled or left: what differs at the LMSs goes out.

        It starts jobs in this event loop and returns at once; :meth:`wait` waits for them. It is a hint: how things
        stand is read from the source, so that it may come twice, late, or out of order.

        Args:
            username: The learner.
            course: Key of the course run, or of the course.

        Returns:
            The jobs; none when nothing follows from it.

        Raises:
            SourceError: The source does not answer.
            DatabaseError: The database cannot be used.
        """
        with self._plain_words():
            jobs = await jobs_about(self.installation, username, course, actor="event")
            return [self._hints.start(self._work, job, username, course) for job in jobs]

    async def wait(self, jobs: Iterable[UUID]) -> list[Ended]:
        """Wait until jobs that were started in this event loop have ended.

        Args:
            jobs: As :meth:`learner_changed` gave them; one that nobody remembers is left out.
        """
        asked = list(jobs)
        await self._work.wait(asked)
        return [
            Ended(found.job, found.summary, found.error) for uuid in asked if (found := self._work.find(uuid))
        ]

    def asgi(self, *, learner_of: LearnerOf | None = None) -> FastAPI:
        """REST API, inbound endpoints and console, as an application to mount below any path.

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

            return create_app(self.installation, learner_of=learner_of, work=self._work, hints=self._hints)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Within it the runs of the setting ``schedule`` begin when their time has come.

        Raises:
            SetupError: The extra ``service`` is not installed.
            SettingsError: A time of the schedule cannot be read.
        """
        with _extra():
            from coursewire.service.schedule import Schedule  # noqa: PLC0415 - the extra
        schedule = Schedule(self.installation, self._work.start)
        schedule.begin()
        try:
            yield
        finally:
            schedule.end()

    # -- inside ----------------------------------------------------------------------------------

    @contextmanager
    def _plain_words(self) -> Iterator[None]:
        from coursewire.storage.database.driver_errors import database_errors  # noqa: PLC0415 - loads SQLAlchemy

        with database_errors(self.settings.database_url):
            yield

    async def _select(
        self, kind: Kind, channel: str | None, customer: UUID | str | None, config: UUID | str | None
    ) -> Selection:
        from coursewire.pipeline.selection import select  # noqa: PLC0415 - when it is asked for

        return await asyncio.to_thread(
            select, self.installation, kind, channel=channel, customer=customer, config=config
        )

    def _job(
        self,
        configuration: Configuration,
        kind: Kind,
        *,
        learner: str | None = None,
        course: str | None = None,
        confirm_retire: int | None = None,
        force: bool = False,
    ) -> Job:
        try:
            job = make_job(
                self.installation,
                configuration,
                kind,
                force=force,
                confirm_retire=confirm_retire,
                learner=learner,
                course=course,
            )
        except ValueError as error:
            raise ConfigurationError(
                f"{kind.value} cannot be asked for in this way", why=str(error), next_step="Leave it out."
            ) from None
        job.actor = ACTOR
        return job

    async def _run(self, jobs: list[Job]) -> list[Ended]:
        name = self.settings.runner
        if name != "inline":
            from coursewire.plugins.loading import load_named  # noqa: PLC0415 - seldom

            ended: list[Ended] = await load_named("coursewire.runners", name)().run(jobs)
            return ended
        # The inline runner listens for signals, which belong to the process that this host is a part of.
        return await self.wait([self._work.start(job).job.uuid for job in jobs])


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
