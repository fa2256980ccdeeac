"""A configuration as a JSON file: ``{"channel": "ACME", "customer": "UUID", "active": true, ...fields}``."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from coursewire.configurations.fields import describe
from coursewire.errors import ConfigurationError
from coursewire.model.channel import Channel


@dataclass(frozen=True, slots=True)
class ConfigurationFile:
    """The content of a configuration file, before it is checked against the channel's model.

    Attributes:
        channel: Code of the channel.
        customer: The customer's UUID as text, unchecked.
        active: Value of ``active``; False if the file leaves it out.
        fields: All other members, secrets among them, so that they must not be printed.
    """

    channel: str
    customer: str
    active: bool
    fields: dict[str, Any] = field(repr=False)


def read_file(path: Path, *, customer_needed: bool = True) -> ConfigurationFile:
    """Read a configuration file; a byte order mark is ignored.

    Args:
        path: The file.
        customer_needed: True to refuse a file without a customer; otherwise its customer is "".

    Raises:
        ConfigurationError: The file cannot be read, is not a JSON object, names something twice, or
            lacks channel or customer. The message says where and shows no value.
    """
    try:
        return _read(_parse(path.read_bytes(), path), path, customer_needed)
    except OSError as error:
        why = error.strerror or "it cannot be read"
    raise _error(str(path), why, "Correct the path or the rights of the file.")


def write_template(channel: Channel) -> str:
    """Return the text of an example file with every field, and its default where it has one.

    A required field is empty, and a required secret refers to an environment variable.
    """
    content: dict[str, Any] = {"channel": channel.code, "customer": "", "active": False}
    for info in describe(channel.config):
        if info.secret:
            content[info.name] = {"env": f"{channel.code}_{info.name.upper()}"} if info.required else None
        else:
            content[info.name] = "" if info.required else info.default
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


class _DuplicateKeyError(Exception):
    """A JSON object has a member twice, of which JSON would silently take the last."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        seen: set[str] = set()
        raise _DuplicateKeyError(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
    return content


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _parse(raw: bytes, path: Path) -> Any:
    where, step = str(path), "Correct the file."
    try:
        return json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_unique, parse_constant=_not_json)
    except UnicodeDecodeError:
        why, step = "it is not UTF-8 text", "Save it as UTF-8."
    except json.JSONDecodeError as error:
        where, why = f"{path}, line {error.lineno}, column {error.colno}", f"it is not JSON: {error.msg}"
    except _DuplicateKeyError as error:
        why, step = f"the field {error.args[0]!r} stands there twice", "Keep one of them."
    except (ValueError, RecursionError) as error:
        why = str(error)
    # Outside the handlers: a decoding error holds the whole text, secrets and all.
    raise _error(where, why, step)


def _read(content: Any, path: Path, customer_needed: bool) -> ConfigurationFile:
    if not isinstance(content, dict):
        raise _error(str(path), "it is not a JSON object", "Write one object: { ... }.")
    fields = dict(content)
    texts = {}
    for name in ("channel", "customer"):
        value = fields.pop(name, None)
        if value is None and name == "customer" and not customer_needed:
            value = ""
        elif not isinstance(value, str) or not value.strip():
            raise _error(f"{path}, field {name}", "it is missing or not text", f"Fill in {name!r}.")
        texts[name] = value.strip()
    active = fields.pop("active", False)
    if not isinstance(active, bool):
        raise _error(f"{path}, field active", "it is not true or false", "Write true or false.")
    return ConfigurationFile(texts["channel"], texts["customer"], active, fields)


def _error(where: str, why: str, next_step: str) -> ConfigurationError:
    return ConfigurationError(
        "the configuration file cannot be used", where=where, why=why, next_step=next_step
    )
