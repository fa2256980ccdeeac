"""plugin-api.md and capabilities.md: every public name of ``import coursewire``, and what a channel declares."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

import coursewire as cw
from coursewire.model.channel import Capabilities, Channel, Idempotency, Limits, Rate, RetireStrategy, Support
from coursewire.model.instant import Moment
from docs.generate.markdown import code, page, prose, sections, table
from docs.generate.sources import members

INTRO = """\
What authors of channels and programs use, by one name: `import coursewire as cw`. What may change in it, and how, is in
[the plugin API and its versions](../explanation/plugin-api.md). Hooks have [pages of their own](hooks.md); errors are listed
[with what core does about each](errors.md), capabilities and limits [with their defaults](capabilities.md)."""

DECLARED = """\
What `declare_channel` gives. Core believes it: it never tries out what is not declared. The conformance suite checks what follows
from it, and [channels](channels/README.md) compares what ours declare."""

TYPES = {
    "ApiPath": "Type of a field: a path below the address of the LMS, never a URL.",
    "Filled": "Beside the type of a field: a blank value counts as missing, so that a draft may have it and an active configuration not.",
    "hookimpl": "Marks a function as the implementation of a [hook](hooks.md).",
    "JsonObject": "Type: a JSON object as plain data, `dict[str, Any]`.",
    "LmsUrl": "Type of the one field of a configuration that is the LMS's address; `config.lms_url` gives it, whatever its name.",
    "Outcome": "Type: a completion, an assessment or an enrollment.",
    "Results": "Type: results by key, or by id, as the methods of `cw.ItemWriter` give them.",
    "Secret": "Type of a field that is stored encrypted and never printed.",
    "TRIED_AGAIN": "For `cw.ReasonInfo`: later runs try again by themselves, after a pause or after any change before its end.",
    "UNTIL_CHANGED": "For `cw.ReasonInfo`: the refusal stands until what is sent is different, or a person asks for another attempt.",
    "Text": "Type of a field: a line of at most 255 characters, without blanks around it.",
}
"""Names that are no class and no function, so that they have no docstring of their own."""

ELSEWHERE = {"Capabilities", "Channel", "Limits", "Rate", "Support", "Idempotency", "RetireStrategy"}


def pages() -> dict[str, str]:
    """Both pages."""
    things = {name: getattr(cw, name) for name in sorted(cw.__all__, key=str.lower) if name != "__version__"}
    types = [(code(f"cw.{name}"), TYPES[name]) for name in things if name in TYPES]
    classes = {
        name: thing
        for name, thing in things.items()
        if inspect.isclass(thing) and name not in TYPES and name not in ELSEWHERE
    }
    functions = {name: thing for name, thing in things.items() if inspect.isfunction(thing)}
    errors = {name: thing for name, thing in classes.items() if issubclass(thing, Exception)}
    others = [(name, thing) for name, thing in classes.items() if name not in errors]
    return {
        "plugin-api.md": page(
            "The names of the plugin API",
            INTRO,
            "## Functions",
            *(part for name, each in functions.items() for part in _function(f"cw.{name}", each)),
            "## Classes",
            *(part for name, each in others for part in _class(f"cw.{name}", each)),
            *_class("Moment", Moment),
            "## Other names",
            table(("name", "meaning"), types),
            "## Errors",
            ", ".join(f"[`cw.{name}`](errors.md#{name.lower()})" for name in errors),
        ),
        "capabilities.md": page(
            "Capabilities and limits",
            DECLARED,
            *(
                part
                for each in (Channel, Capabilities, Limits, Rate)
                for part in (f"## {each.__name__}", prose(each.__doc__), _fields(each))
            ),
            *(
                part
                for each in (Support, Idempotency, RetireStrategy)
                for part in (f"## {each.__name__}", prose(each.__doc__), _members(each))
            ),
        ),
    }


def _fields(model: type[BaseModel]) -> str:
    said = members(model)
    rows = [
        (code(name), _default(field.default), " ".join(said.get(name, "").split()))
        for name, field in model.model_fields.items()
    ]
    return table(("field", "default", "meaning"), rows)


def _list(rows: list[tuple[str, str]]) -> str:
    return "Fields: " + ", ".join(name for name, _ in rows) + "."


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "**required**"
    if isinstance(value, BaseModel):
        return code(f"{type(value).__name__}()")
    if isinstance(value, frozenset):
        return ", ".join(code(str(each)) for each in sorted(value))
    return code(value if isinstance(value, str) else repr(value)) if value not in ((), {}, None, "") else "–"


def _members(each: Any) -> str:
    said = members(each)
    rows = [(code(f"{each.__name__}.{m.name}"), m.value, " ".join(said[m.name].split())) for m in each]
    if not any(said.values()):
        return table(("member", "in words"), [row[:2] for row in rows])
    return table(("member", "in words", "meaning"), rows)


def _function(name: str, function: Any) -> Iterator[str]:
    text, parts = sections(function.__doc__)
    yield f"### {name}"
    yield f"```python\n{name}{_signature(function)}\n```"
    yield text
    for heading, first in (("Args", "argument"), ("Raises", "raises")):
        rows = [(code(entry), " ".join(said.split())) for entry, said in parts.get(heading, ())]
        yield table((first, "meaning"), rows)
    for entry, said in parts.get("Returns", ()):
        yield f"Returns: {entry + ': ' if entry else ''}{' '.join(said.split())}"


def _signature(function: Any) -> str:
    signature = inspect.signature(function)
    plain = [_plain(each) for each in signature.parameters.values()]
    text = str(signature.replace(parameters=plain, return_annotation=_Written(signature.return_annotation)))
    if len(text) < 90:
        return text.replace("'", '"')
    parts: list[str] = []
    for each in signature.parameters.values():
        if each.kind is each.KEYWORD_ONLY and "*" not in parts and not any(p.startswith("*") for p in parts):
            parts.append("*")
        parts.append(str(_plain(each)))
    returns = signature.return_annotation
    return "(\n" + "".join(f"    {part},\n" for part in parts).replace("'", '"') + f") -> {returns}"


def _plain(parameter: inspect.Parameter) -> inspect.Parameter:
    """Its annotation as it is written, without quotes; a function by its name, not its place in memory."""
    default = parameter.default
    if inspect.isfunction(default):
        default = _Written(default.__name__)
    return parameter.replace(annotation=_Written(parameter.annotation), default=default)


class _Written:
    def __init__(self, text: object) -> None:
        self._text = str(text)

    def __repr__(self) -> str:
        return self._text


def _class(name: str, each: type) -> Iterator[str]:
    owner = each
    text, parts = sections(each.__doc__)
    yield f"### {name}"
    yield text
    for heading, first in (("Args", "argument"), ("Attributes", "attribute")):
        rows = [(code(entry), " ".join(said.split())) for entry, said in parts.get(heading, ())]
        yield table((first, "meaning"), rows)
    if hasattr(each, "__members__"):
        yield _members(each)
        return
    if issubclass(each, BaseModel):
        yield _fields(each)
    elif is_dataclass(each) and "Attributes" not in parts:
        said = members(owner)
        rows = [(code(field.name), " ".join(said.get(field.name, "").split())) for field in fields(each)]
        yield table(("field", "meaning"), rows) if any(said.values()) else _list(rows)
    rows = [
        (code(member), prose(inspect.getdoc(what)).partition("\n\n")[0].replace("\n", " "))
        for member, what in vars(each).items()
        if not member.startswith(("_", "model_"))
        and (inspect.isfunction(what) or isinstance(what, property | classmethod))
        and inspect.getdoc(what)
    ]
    yield table(("method or property", "meaning"), rows)
