"""settings.md: the settings of an installation, from the model with the docstrings of its attributes."""

from __future__ import annotations

import types
import typing
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from coursewire.settings import DEFAULT_FILE, FILE_VARIABLE, PREFIX, Settings
from docs.generate.markdown import code, page, prose, table

INTRO = f"""\
A setting `lease_seconds` is the environment variable `{PREFIX}LEASE_SECONDS`, or the key `lease_seconds` of a TOML
file: the one that `{FILE_VARIABLE}` names, else `{DEFAULT_FILE}` in the working folder. The environment wins. Relative
paths in the file start at its own folder. An unknown key in the file is an error, and so is a variable that is nearly
the name of a setting; the message names the one that was probably meant."""

OTHERS = {
    FILE_VARIABLE: "Path of the settings file.",
    "COURSEWIRE_DEBUG": "`1` lets a fault of the program end with its traceback instead of a message.",
    "COURSEWIRE_TRACE_HOOKS": "`1` writes every hook call to standard error: names and kinds, no values.",
    "COURSEWIRE_TEST_POSTGRESQL": "For the tests: URL of a PostgreSQL server on which databases may be made.",
    "COURSEWIRE_TEST_MARIADB": "For the tests: URL of a MariaDB or MySQL server on which databases may be made.",
    "COURSEWIRE_TEST_DEMAND_DATABASES": "For the tests: `1` makes the two above compulsory.",
}
"""Variables that are no settings."""

FILE = """\
    # coursewire.toml
    database_url = "postgresql+psycopg://coursewire@db.example.org/coursewire"
    secret_key_file = "secret.key"
    channels = ["sap", "canvas"]
    guard_number = 50

Secrets are better kept out of the file: give the database's password and the secret key by the environment."""

_NAMES = {Path: "path", str: "text", bool: "`1` or `0`", int: "whole number", float: "number"}


def pages() -> dict[str, str]:
    """The page."""
    parts = [INTRO, "## Settings"]
    parts += [_setting(name, field) for name, field in Settings.model_fields.items()]
    parts += ["## A settings file", FILE, "## Other variables"]
    parts.append(table(("variable", "meaning"), [(code(name), text) for name, text in OTHERS.items()]))
    return {"settings.md": page("Settings", *parts)}


def _setting(name: str, field: FieldInfo) -> str:
    facts = [
        ("variable", code(PREFIX + name.upper())),
        ("value", _type(field)),
        ("default", _default(field)),
    ]
    rows = [f"- {label}: {text}" for label, text in facts]
    return "\n\n".join((f"### {name}", prose(field.description), "\n".join(rows)))


def _type(field: FieldInfo) -> str:
    annotation = field.annotation
    if isinstance(annotation, types.UnionType):
        (annotation,) = (part for part in typing.get_args(annotation) if part is not type(None))
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        text = "one of " + ", ".join(map(code, typing.get_args(annotation)))
    elif origin is tuple:
        text = "names with commas between; in the file a list"
    elif annotation is SecretStr:
        text = "text, a secret"
    else:
        text = _NAMES[typing.cast("Any", annotation)]
    bounds = [
        f"{word} {getattr(limit, sign)}"
        for limit in field.metadata
        for sign, word in _BOUNDS
        if hasattr(limit, sign)
    ]
    return ", ".join([text, *bounds])


_BOUNDS = (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than"))


def _default(field: FieldInfo) -> str:
    if field.default_factory is None:
        return "none" if field.default is None else code(_plain(field.default))
    if not field.default_factory_takes_validated_data:
        assert field.get_default(call_default_factory=True) == platformdirs.user_data_path(
            "coursewire", appauthor=False
        )
        return "`coursewire` in the user's data folder; on Linux `~/.local/share/coursewire`"
    data = {"data_dir": Path("DATA_DIR")}
    made = field.get_default(call_default_factory=True, validated_data=data)
    return f"{code(Path(made).as_posix() if isinstance(made, Path) else made)}, with `data_dir` for DATA_DIR"


def _plain(value: object) -> object:
    return int(value) if isinstance(value, bool) else value
