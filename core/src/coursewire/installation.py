"""One installation: its settings, database, channels, configurations and source, each made on first use."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from coursewire.model.instant import Clock, utc_now

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from sqlalchemy import Engine

    from coursewire.configurations.secrets import SecretBox
    from coursewire.configurations.store import Configurations
    from coursewire.enrollment import EnrollmentApi
    from coursewire.http.retry import Sleep
    from coursewire.http.session import HttpSession
    from coursewire.model.configuration import ChannelConfig
    from coursewire.plugins.registry import LoadedChannel, Registry
    from coursewire.settings import Settings
    from coursewire.sources.base import Source


class Installation:
    """The settings, database, channels, configurations and source that commands and jobs share.

    Args:
        settings: The settings; read from the environment and the settings file when left out.
        read_only: Refuse every write to the database, for plans and dry runs.
        clock: Tells the time; tests give one of their own.
        sleep: Waits a number of seconds between the tries of a request; tests give one that does not.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        read_only: bool = False,
        clock: Clock = utc_now,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        if settings is None:
            from coursewire.settings import Settings  # noqa: PLC0415 - heavy, seldom left out

            settings = Settings.load()
        self.settings = settings
        self.read_only = read_only
        self.clock = clock
        self.sleep = sleep
        if settings.traces:
            from coursewire.observability.tracing import is_on, switch_on  # noqa: PLC0415 - seldom asked for

            if not is_on():
                switch_on()

    @cached_property
    def engine(self) -> Engine:
        """The database, at the schema of this release.

        Raises:
            DatabaseError: It is missing, cannot be opened, or has another schema.
        """
        from coursewire.storage.database.engine import open_engine  # noqa: PLC0415 - loads SQLAlchemy
        from coursewire.storage.database.schema import require_current  # noqa: PLC0415

        engine = open_engine(self.settings.database_url, read_only=self.read_only)
        if self.settings.traces:
            from coursewire.observability.tracing import watch_engine  # noqa: PLC0415 - as above

            watch_engine(engine)
        require_current(engine)
        return engine

    @cached_property
    def secrets(self) -> SecretBox:
        """The box that opens stored secrets.

        Raises:
            SecretKeyError: The key is missing or unusable.
        """
        from coursewire.configurations.secrets import SecretBox  # noqa: PLC0415 - loads cryptography

        return SecretBox.open(self.settings)

    @cached_property
    def channels(self) -> Registry:
        """The installed channels, and the report of loading them."""
        from coursewire.plugins.loading import load_channels  # noqa: PLC0415 - loads every plugin

        return load_channels(allowed=self.settings.channels, hooks_file=self.settings.hooks_file)

    @cached_property
    def configurations(self) -> Configurations:
        """The customers' settings for channels."""
        from coursewire.configurations.store import Configurations  # noqa: PLC0415

        return Configurations(
            self.engine,
            lambda: self.secrets,
            clock=self.clock,
            insecure_urls=self.settings.allow_insecure_urls,
        )

    @cached_property
    def source(self) -> Source:
        """The source that the settings name.

        Raises:
            SettingsError: No such source is installed.
        """
        from coursewire.plugins.loading import load_named  # noqa: PLC0415

        made: Source = load_named("coursewire.sources", self.settings.source)(self.engine)
        return made

    @cached_property
    def enrollment(self) -> EnrollmentApi:
        """The Enrollment API over the backend that the settings name."""
        from coursewire.enrollment import EnrollmentApi  # noqa: PLC0415

        return EnrollmentApi(self.engine, self.settings, clock=self.clock)

    @asynccontextmanager
    async def session(
        self, channel: LoadedChannel, config: ChannelConfig, configuration: UUID
    ) -> AsyncIterator[HttpSession]:
        """Open an HTTP session for one configuration, and close it at the end of the context.

        Args:
            channel: The configuration's channel, whose hooks authenticate.
            config: The configuration's settings, secrets filled in.
            configuration: The configuration's id.
        """
        from coursewire.http.opening import open_session  # noqa: PLC0415 - loads httpx and aiohttp

        hook_caller = channel.hook_caller
        async with open_session(
            channel=channel.channel,
            config=config,
            configuration=configuration,
            authenticate=lambda tokens: hook_caller.authenticate(config, tokens),
            read_slow_down=lambda response: hook_caller.read_slow_down(config, response),
            engine=self.engine,
            box=self.secrets,
            insecure_urls=self.settings.allow_insecure_urls,
            clock=self.clock,
            sleep=self.sleep,
        ) as session:
            yield session

    def forget(self, username: str) -> dict[str, int]:
        """Forget a learner, in every table: rows deleted or scrubbed, by table.

        Raises:
            LeaseHeldError: Outcomes are being sent.
        """
        from coursewire.storage.privacy import forget  # noqa: PLC0415

        return forget(self.engine, username, now=self.clock())

    def close(self) -> None:
        """Let go of the database."""
        if "engine" in self.__dict__:
            self.engine.dispose()
            if self.read_only:
                from coursewire.storage.database.engine import remove_side_files  # noqa: PLC0415 - as above

                remove_side_files(self.engine)
