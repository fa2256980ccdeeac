"""A check of everything that runs need: settings, key, database, channels, configurations, source, clock and disk."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC

from sqlalchemy import func, select

from coursewire.errors import CoursewireError
from coursewire.installation import Installation
from coursewire.plugins.registry import LoadState
from coursewire.settings import Settings, settings_file
from coursewire.storage.database.driver_errors import database_errors, describe
from coursewire.storage.database.schema import schema_state

FREE_BYTES = 500 * 2**20
"""The free disk space, in bytes, below which there is a warning."""

CLOCK_LIMIT_S = 120
"""The difference of clocks, in seconds, above which tokens look expired or not yet valid."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        name: A name of what was checked.
        good: True when it is as it must be.
        text: What was found, in words.
        next_step: The next thing to do; "" when there is nothing to do.
    """

    name: str
    good: bool
    text: str
    next_step: str = ""


def diagnose() -> Iterator[Finding]:
    """Yield one finding after the other; without readable settings there is no second one."""
    try:
        settings = Settings.load()
    except CoursewireError as error:
        yield _bad("settings", error)
        return
    file = settings_file()
    yield Finding("settings", True, f"read from the environment{f' and {file}' if file else ''}")
    if settings.allow_insecure_urls:
        yield Finding(
            "insecure URLs",
            True,
            "warning: COURSEWIRE_ALLOW_INSECURE_URLS is set, so that LMSs may have plain http and private addresses",
            "Unset it, except for tests and simulators.",
        )
    installation = Installation(settings, read_only=True)
    failed: set[str] = set()
    try:
        for name, check in _CHECKS.items():
            if "database" in failed and name in _NEED_DATABASE:
                continue
            try:
                with database_errors(settings.database_url):
                    yield from check(name, installation)
            except CoursewireError as error:
                failed.add(name)
                yield _bad(name, error)
    finally:
        installation.close()


def _bad(name: str, error: CoursewireError) -> Finding:
    text = error.what + (f" ({error.where})" if error.where else "") + (f": {error.why}" if error.why else "")
    return Finding(name, False, text, error.next_step)


def _key(name: str, installation: Installation) -> Iterator[Finding]:
    settings = installation.settings
    assert installation.secrets
    where = str(settings.secret_key_file) if settings.secret_key is None else "COURSEWIRE_SECRET_KEY"
    yield Finding(name, True, where)


def _database(name: str, installation: Installation) -> Iterator[Finding]:

    state = schema_state(installation.engine)
    yield Finding(name, True, f"{describe(installation.settings.database_url)}, schema {state.current}")


def _channels(name: str, installation: Installation) -> Iterator[Finding]:

    for row in installation.channels.report:
        good = row.state is not LoadState.FAILED
        yield Finding(
            row.code or row.name,
            good,
            f"{row.distribution} {row.version}".strip() + f" {row.state.value}",
            row.reason,
        )
    if not len(installation.channels):
        yield Finding(name, False, "none can be used", "Install one: pip install coursewire-canvas")


def _configurations(name: str, installation: Installation) -> Iterator[Finding]:
    known = {each.channel.code: each.channel for each in installation.channels}
    runnable = installation.configurations.runnable(known)
    for refused in runnable.refused:
        yield _bad(name, refused.error)
    if not runnable.refused:
        yield Finding(name, True, f"{len(runnable.ready)} active, all of them can run")


def _source(name: str, installation: Installation) -> Iterator[Finding]:

    async def ask() -> None:
        await installation.source.customer("00000000-0000-0000-0000-000000000000")

    asyncio.run(ask())
    yield Finding(name, True, f"{installation.settings.source} answers")


def _clock(name: str, installation: Installation) -> Iterator[Finding]:
    """Compare our clock with the database server's; an embedded database has ours."""
    now = installation.clock()
    if installation.engine.dialect.name != "sqlite":
        with installation.engine.connect() as connection:
            there = connection.execute(select(func.now())).scalar_one()
        off = abs((there.replace(tzinfo=there.tzinfo or UTC) - now).total_seconds())
        if off > CLOCK_LIMIT_S:
            text = f"it differs from the database server's by {off:.0f} s"
            yield Finding(name, False, text, "Synchronise both clocks.")
            return
    yield Finding(name, True, f"{now:%Y-%m-%d %H:%M:%S} UTC")


def _disk(name: str, installation: Installation) -> Iterator[Finding]:

    folder = installation.settings.data_dir
    if not folder.is_dir():
        yield Finding(name, False, f"there is no folder {folder}", "Run `coursewire init`.")
        return
    free = shutil.disk_usage(folder).free
    good = free >= FREE_BYTES
    step = "" if good else "Free some space, for instance with `coursewire audit prune`."
    yield Finding(name, good, f"{free / 2**30:.1f} GB free in {folder}", step)


_CHECKS: dict[str, Callable[[str, Installation], Iterator[Finding]]] = {
    "secret key": _key,
    "database": _database,
    "channels": _channels,
    "configurations": _configurations,
    "source": _source,
    "clock": _clock,
    "disk": _disk,
}

_NEED_DATABASE = frozenset({"configurations", "source", "clock"})
