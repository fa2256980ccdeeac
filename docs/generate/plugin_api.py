"""plugin-api.md and capabilities.md: every public name of ``import coursewire``, and what a channel declares."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

import coursewire as cw
from coursewire.errors import CoursewireError
from coursewire.model.channel import Capabilities, Channel, Idempotency, Limits, Rate, RetireStrategy, Support
from docs.generate.markdown import code, example, page, prose, sections, table
from docs.generate.sources import assignments, members, origins, stub_groups

INTRO = """\
What authors of channels and programs use, by one name: `import coursewire as cw`. What may change in it, and how, is in
[the plugin API and its versions](../explanation/plugin-api.md). Hooks have [pages of their own](hooks.md); errors are listed
[with what core does about each](errors.md), capabilities and limits [with their defaults](capabilities.md)."""

DECLARED = """\
What `declare_channel` gives. Core believes it: it never tries out what is not declared. The conformance suite checks what follows
from it, and [channels](channels/README.md) compares what ours declare."""

ELSEWHERE = {"Capabilities", "Channel", "Limits", "Rate", "Support", "Idempotency", "RetireStrategy"}


def pages() -> dict[str, str]:
    """Return both pages."""
    return {
        "plugin-api.md": page(
            "The names of the plugin API",
            INTRO,
            *(part for title, names in stub_groups(cw).items() for part in _group(title, names)),
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


def _group(title: str, names: list[str]) -> Iterator[str]:
    """Yield the section of one question of an author: constants and types, functions, classes; errors are elsewhere."""
    things = {name: getattr(cw, name) for name in names}
    yield f"## {title}"
    values = [
        name for name, thing in things.items() if not inspect.isclass(thing) and not inspect.isfunction(thing)
    ]
    yield table(("name", "meaning"), [(code(f"cw.{name}"), _below(name)) for name in values])
    declared = [name for name in names if name in ELSEWHERE]
    yield _links(declared, "capabilities.md")
    errors = [name for name, thing in things.items() if _is_error(thing)]
    yield _links(errors, "errors.md")
    for name, thing in things.items():
        if inspect.isfunction(thing):
            yield from _function(f"cw.{name}", thing)
    for name, thing in things.items():
        if inspect.isclass(thing) and name not in ELSEWHERE and name not in errors:
            yield from _class(f"cw.{name}", thing)


def _is_error(thing: object) -> bool:
    return inspect.isclass(thing) and issubclass(thing, CoursewireError)


def _links(names: list[str], target: str) -> str:
    linked = ", ".join(f"[`cw.{name}`]({target}#{name.lower()})" for name in names)
    return f"On a page of their own: {linked}." if linked else ""


def _below(name: str) -> str:
    """Return the text below the assignment of a constant or a type alias, which has no docstring of its own."""
    module = origins(cw)[name]
    text = assignments(module).get(name)
    if not text:
        raise ValueError(
            f"{module.__name__}.{name} is public: explain it by a docstring below its assignment"
        )
    return " ".join(text.split())


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
    yield f"```python\n{name}{signature(function)}\n```"
    yield text
    for heading, first in (("Args", "argument"), ("Raises", "raises")):
        rows = [(code(entry), " ".join(said.split())) for entry, said in parts.get(heading, ())]
        yield table((first, "meaning"), rows)
    for entry, said in parts.get("Returns", ()):
        yield f"Returns: {entry + ': ' if entry else ''}{' '.join(said.split())}"
    yield example(function.__doc__)


def signature(function: Any) -> str:
    """Return a function's signature as it is written, over several lines when it is long."""
    found = inspect.signature(function)
    plain = [_plain(each, function) for each in found.parameters.values()]
    text = str(found.replace(parameters=plain, return_annotation=_Written(found.return_annotation)))
    if len(text) < 90:
        return text.replace("'", '"')
    parts: list[str] = []
    for each in found.parameters.values():
        if each.kind is each.KEYWORD_ONLY and "*" not in parts and not any(p.startswith("*") for p in parts):
            parts.append("*")
        parts.append(str(_plain(each, function)))
    returns = found.return_annotation
    return "(\n" + "".join(f"    {part},\n" for part in parts).replace("'", '"') + f") -> {returns}"


def _plain(parameter: inspect.Parameter, owner: Any) -> inspect.Parameter:
    """Return a parameter with its annotation as it is written, without quotes.

    A default that is a function or a constant of the module is shown by its name: what ``repr`` makes of it may differ
    from one process to the next.
    """
    default = parameter.default
    constants = [name for name, value in vars(inspect.getmodule(owner)).items() if value is default]
    if inspect.isfunction(default) or (isinstance(default, frozenset) and constants):
        default = _Written(constants[0] if constants else default.__name__)
    return parameter.replace(annotation=_Written(parameter.annotation), default=default)


class _Written:
    def __init__(self, text: object) -> None:
        self._text = str(text)

    def __repr__(self) -> str:
        return self._text


def _public_members(each: type) -> dict[str, Any]:
    """Return what a class defines, and what it has from bases that are not public themselves."""
    bases = [base for base in reversed(each.__mro__) if base is each or base.__name__.startswith("_")]
    return {name: member for base in bases for name, member in vars(base).items()}


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
        for member, what in _public_members(each).items()
        if not member.startswith(("_", "model_"))
        and (inspect.isfunction(what) or isinstance(what, property | classmethod))
        and inspect.getdoc(what)
    ]
    yield table(("method or property", "meaning"), rows)
    yield example(each.__doc__)
