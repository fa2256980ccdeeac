"""Settings of the installation, from the environment and a TOML file.

A setting ``lease_seconds`` is the environment variable ``COURSEWIRE_LEASE_SECONDS`` or the key ``lease_seconds`` of
the file that ``COURSEWIRE_SETTINGS`` names, else of ``coursewire.toml`` in the working folder. The environment
wins. This module loads neither SQLAlchemy nor cryptography, since every command reads the settings.
"""

from __future__ import annotations

import os
import tomllib
from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import time
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self
from uuid import UUID
from zoneinfo import ZoneInfo

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, InitSettingsSource, NoDecode, SettingsConfigDict

from coursewire.errors import SettingsError
from coursewire.model.kinds import Kind
from coursewire.suggest import did_you_mean

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails
    from pydantic_settings import PydanticBaseSettingsSource

PREFIX = "COURSEWIRE_"
FILE_VARIABLE = PREFIX + "SETTINGS"
DEFAULT_FILE = "coursewire.toml"

_PATHS = ("data_dir", "secret_key_file", "hooks_file")


class QuietHours(NamedTuple):
    """From when to when nothing begins, in local time; "to" may be on the next day."""

    begin: time
    end: time


class ScheduledRun(BaseModel):
    """One recurring run: ``kind = "content"``, ``cron = "15 2 * * *"``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    cron: str
    timezone: str = "UTC"
    jitter_s: int = Field(default=0, ge=0)
    quiet_hours: tuple[QuietHours, ...] = ()
    channel: str | None = None
    customer: UUID | None = None

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"there is no time zone {value!r}; write one such as Europe/Paris") from None
        return value

    @field_validator("quiet_hours", mode="before")
    @classmethod
    def _read_hours(cls, value: Any) -> Any:
        texts = [value] if isinstance(value, str) else value
        return [_quiet_hours(each) if isinstance(each, str) else each for each in texts]


def _quiet_hours(text: str) -> QuietHours:
    begin, _, end = text.partition("-")
    try:
        hours = QuietHours(time.fromisoformat(begin.strip()), time.fromisoformat(end.strip()))
    except ValueError:
        raise ValueError(f'{text!r} are no hours; write them such as "08:00-18:00"') from None
    if hours.begin == hours.end:
        raise ValueError(f"{text!r} are no hours: they end when they begin")
    return hours


class Settings(BaseSettings):
    """The settings of one installation. Read them with :meth:`load`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    data_dir: Path = Field(default_factory=lambda: platformdirs.user_data_path("coursewire", appauthor=False))
    """Folder for what belongs to the installation: the embedded database, the key file."""
    database_url: str = Field(
        default_factory=lambda data: f"sqlite:///{data['data_dir'] / 'coursewire.db'}", repr=False
    )
    """SQLAlchemy URL of the database. It may hold a password, so that it is not for printing."""
    secret_key: SecretStr | None = None
    """Key that protects stored secrets; several with commas between, of which the first encrypts."""
    secret_key_file: Path = Field(default_factory=lambda data: data["data_dir"] / "secret.key")
    """File with the key, read when ``secret_key`` is not set. Mode 0600."""
    allow_insecure_urls: bool = False
    """Take plain http and private addresses for LMSs: for tests and simulators."""
    channels: Annotated[tuple[str, ...] | None, NoDecode] = None
    """Names of the entry points that may be loaded as channels; all that are installed when not set."""
    hooks_file: Path | None = None
    """Python file with an operator's own hooks."""
    source: str = Field(default="database", min_length=1)
    """Entry point of the source of customers, catalogs and learners."""
    runner: str = Field(default="inline", min_length=1)
    """Entry point of the runner of jobs."""
    enrollment_data: str = Field(default="database", min_length=1)
    """The data backend of the Enrollment API: an entry point, or a dotted path to a module, class or function."""
    default_course_mode: str = Field(default="audit", min_length=1)
    """Mode of an enrollment for which nobody names one, and of a course run that offers none."""
    enrollment_details_cache_s: float = Field(default=60, ge=0)
    """Seconds for which the Enrollment API's details of a course run may be old."""
    guard_share: float = Field(default=0.2, ge=0, le=1)
    """A run that would retire more than this share of what the LMS holds stops until a person confirms."""
    guard_number: int = Field(default=100, ge=0)
    """A run that would retire more items than this stops until a person confirms."""
    guard_floor: int = Field(default=5, ge=0)
    """Up to so many retirements never stop a run."""
    retention_days: int = Field(default=90, gt=0)
    """Days for which transmissions and jobs are kept."""
    lease_seconds: int = Field(default=60, ge=5)
    """Seconds after which the lease of a process that died lapses."""
    public_url: str = ""
    """The address at which people and LMSs reach `coursewire serve`, such as https://coursewire.example.com; what a request says
    when not set."""
    learner_header: str = ""
    """Header in which a proxy names the learner who is signed in at the platform. Set it only where nobody but that
    proxy can reach the service."""
    oidc_issuer: str = ""
    """OpenID Connect provider by which people may sign in to the console, such as https://login.example.com; needs
    the extra ``oidc``."""
    oidc_client_id: str = ""
    """The id under which the provider knows this installation."""
    oidc_client_secret: SecretStr | None = None
    """Secret of this installation at the provider; none for a public client."""
    oidc_scopes: str = "openid email"
    """The scopes that the provider is asked for."""
    oidc_name_claim: str = Field(default="email", min_length=1)
    """Claim that is the account's name here."""
    events_secret: SecretStr | None = None
    """Secret that signs events (Standard Webhooks, ``whsec_...``); several with commas between while one replaces
    another. Without it no events are taken."""
    schedule: tuple[ScheduledRun, ...] = ()
    """Runs that `coursewire serve` starts by itself: tables of the settings file, or JSON."""
    log_format: Literal["text", "json"] = "text"
    """Lines for people, or a JSON object a line for programs that collect logs."""
    traces: bool = False
    """Make OpenTelemetry spans of requests, jobs, calls to LMSs and statements; needs the extra ``otel``. Where they go
    is said by the variables ``OTEL_EXPORTER_OTLP_ENDPOINT`` and the like."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least severity of messages that are written to the log."""

    @field_validator("channels", mode="before")
    @classmethod
    def _split_text(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_capitals(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator(*_PATHS)
    @classmethod
    def _expand_home(cls, value: Path | None) -> Path | None:
        return value.expanduser() if value is not None else None

    @field_validator("events_secret")
    @classmethod
    def _is_long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        for part in _parts(value):
            try:
                length = len(b64decode(part.removeprefix("whsec_") + "=="))
            except ValueError:
                length = 0
            if not 24 <= length <= 64:
                raise ValueError("write 24 to 64 random bytes in base64, with whsec_ before them")
        return value

    @property
    def events_secrets(self) -> tuple[SecretStr, ...]:
        """The secrets of ``events_secret``, one by one."""
        return tuple(SecretStr(part) for part in _parts(self.events_secret))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - not in use; pydantic calls by name
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the file."""
        return init_settings, env_settings, InitSettingsSource(settings_cls, _read_file(settings_file()))

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Read the settings.

        Args:
            overrides: Settings that win over environment and file.

        Raises:
            SettingsError: A setting is unknown or has a value that cannot be used, or the file cannot be
                read. The message names each one and where it came from, never its value.
        """
        _refuse_misspelt(os.environ, cls.model_fields)
        try:
            return cls(**overrides)
        except ValidationError as error:
            problems = error.errors(include_input=False, include_url=False, include_context=False)
        # Outside the handler: the validation error holds the values, and no traceback should lead to it.
        lines = [
            _explain(str(problem["loc"][0]), problem["type"], _inside(problem), overrides, cls.model_fields)
            for problem in problems
            if problem["type"] != "default_factory_not_called"  # follows from another problem of the list
        ]
        raise SettingsError(
            "a setting cannot be used" if len(lines) == 1 else f"{len(lines)} settings cannot be used",
            why="; ".join(lines),
            next_step="Correct it where it comes from.",
        )


def _parts(value: SecretStr | None) -> list[str]:
    text = value.get_secret_value() if value else ""
    return [part.strip() for part in text.split(",") if part.strip()]


def settings_file() -> Path | None:
    """Return the settings file that is in force: the one named in the environment, else the default if it is there."""
    named = os.environ.get(FILE_VARIABLE)
    if named:
        return Path(named).expanduser()
    default = Path(DEFAULT_FILE)
    return default.absolute() if default.exists() else None


def _read_file(path: Path | None) -> dict[str, Any]:
    """Read the file; relative paths in it start at its own folder."""
    if path is None:
        return {}
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        why, step = error.strerror or "it cannot be read", f"Correct {FILE_VARIABLE}, or write the file."
    except UnicodeDecodeError:
        why, step = "it is not UTF-8 text", "Save it as UTF-8."
    except tomllib.TOMLDecodeError as error:
        why, step = f"it is not TOML: {error.args[0]}", "Correct the file."
    else:
        for name in _PATHS:
            if isinstance(found.get(name), str):
                found[name] = path.absolute().parent / Path(found[name]).expanduser()
        return found
    raise SettingsError("the settings file cannot be used", where=str(path), why=why, next_step=step)


def _explain(
    name: str, kind: str, message: str, overrides: Mapping[str, Any], known: Mapping[str, Any]
) -> str:
    if name in overrides:
        origin = "given by the caller"
    elif PREFIX + name.upper() in {variable.upper() for variable in os.environ}:
        origin = f"environment variable {PREFIX}{name.upper()}"
    else:
        origin = f"file {settings_file()}"
    if kind == "extra_forbidden":
        return f"{name} ({origin}): there is no such setting; {did_you_mean(name, known)}"
    return f"{name} ({origin}): {message}"


def _inside(problem: ErrorDetails) -> str:
    """Return what is wrong, and where in a setting of several parts: the second run's time zone is ``1.timezone``."""
    message = problem["msg"].removeprefix("Value error, ")
    path = ".".join(map(str, problem["loc"][1:]))
    return f"{path}: {message}" if path else message


def _refuse_misspelt(environ: Mapping[str, str], known: Mapping[str, Any]) -> None:
    """Refuse a variable that is nearly a setting: it would be ignored, and a default used in its place.

    Variables that resemble no setting are none of our business: other programs use the prefix too.
    """
    names: Sequence[str] = [name.upper() for name in known] + [FILE_VARIABLE.removeprefix(PREFIX)]
    for variable in environ:
        name = variable.upper().removeprefix(PREFIX)
        if not variable.upper().startswith(PREFIX) or name in names:
            continue
        near = get_close_matches(name, names, n=1, cutoff=0.88)
        if near:
            raise SettingsError(
                f"there is no setting {name.lower()!r}",
                where=f"environment variable {variable}",
                why=f"did you mean {PREFIX}{near[0]}?",
                next_step="Rename the variable, or remove it.",
            )
