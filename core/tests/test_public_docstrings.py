"""Each public name is explained so that a stranger understands it; examples are run."""

from __future__ import annotations

import doctest
import inspect
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

import coursewire as cw

EMBEDDING = {"Host", "Installation"}
"""Names for programs that embed Coursewire, which are explained where embedding is."""

PUBLIC = {name: getattr(cw, name) for name in cw.__all__ if name not in EMBEDDING}

FUNCTIONS = {name: thing for name, thing in PUBLIC.items() if inspect.isfunction(thing)}
CLASSES = {name: thing for name, thing in PUBLIC.items() if inspect.isclass(thing)}
RIDDLE = re.compile(r"(What|Whether|How|Where|Which|Whose|Who|When)\b")
"""A noun that is paraphrased by a clause: "What was sent", for the payloads."""
FEWEST_WORDS = 3
"""An argument that is explained by fewer words is a fragment, such as "Asks." or "The answer."."""


def callables() -> Iterator[tuple[str, Any]]:
    """Public functions, and the public methods that public classes define or get from a private base."""
    yield from FUNCTIONS.items()
    for name, thing in CLASSES.items():
        bases = [base for base in reversed(thing.__mro__) if base is thing or base.__name__.startswith("_")]
        ours = [base for base in bases if base.__module__.startswith("coursewire")]
        for method, member in {name: member for base in ours for name, member in vars(base).items()}.items():
            function = getattr(member, "__func__", member)
            if not method.startswith("_") and inspect.isfunction(function):
                yield f"{name}.{method}", function


CALLABLES = dict(callables())


def sections(text: str) -> dict[str, dict[str, str]]:
    """The entries of ``Args``, ``Attributes`` and ``Raises`` of a docstring."""
    found: dict[str, dict[str, str]] = {}
    section, entry = None, None
    for line in inspect.cleandoc(text).splitlines():
        if heading := re.fullmatch(r"(Args|Attributes|Raises|Returns|Example|Yields):", line):
            section, entry = found.setdefault(heading[1], {}), None
        elif line and not line.startswith(" "):
            section = None
        elif section is not None and (named := re.match(r"    ([*\w]+): (.*)", line)):
            entry = named[1].lstrip("*")
            section[entry] = named[2]
        elif section is not None and entry and line.strip():
            section[entry] += " " + line.strip()
    return found


def faults_of(text: str) -> list[str]:
    faults = []
    first = inspect.cleandoc(text).partition("\n")[0]
    if RIDDLE.match(first):
        faults.append(f"the first line begins with a clause in place of a noun: {first}")
    said = sections(text)
    for section in ("Args", "Attributes", "Raises"):
        for name, meaning in said.get(section, {}).items():
            if len(meaning.split()) < FEWEST_WORDS:
                faults.append(f"{section}, {name}: a fragment: {meaning}")
            if RIDDLE.match(meaning) or meaning.startswith("Of "):
                faults.append(f"{section}, {name}: a clause in place of a noun: {meaning}")
            if not meaning.rstrip().endswith((".", "::", ":", ")")):
                faults.append(f"{section}, {name}: no full stop: {meaning}")
    return faults


def parameters(function: Any) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name not in {"self", "cls"}]


@pytest.mark.parametrize("name", CALLABLES)
def test_arguments_are_explained_in_whole_sentences(name):
    function = CALLABLES[name]
    text = function.__doc__ or ""
    assert text, "no docstring"
    assert faults_of(text) == []
    overrides = name not in FUNCTIONS and "See " not in text
    told = sections(text).get("Args", {})
    if name in FUNCTIONS or told or (overrides and len(parameters(function)) > 2):
        assert list(told) == parameters(function)


@pytest.mark.parametrize("name", CLASSES)
def test_classes_are_explained_in_whole_sentences(name):
    text = CLASSES[name].__doc__ or ""
    assert text, "no docstring"
    assert faults_of(text) == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_has_an_example(name):
    assert re.search(r"^\s+Example:$", FUNCTIONS[name].__doc__ or "", re.MULTILINE)


@pytest.mark.parametrize(
    "name", [name for name, thing in {**FUNCTIONS, **CLASSES}.items() if ">>>" in (thing.__doc__ or "")]
)
def test_examples_show_what_is_so(name):
    thing = PUBLIC[name]
    globs = {"cw": cw, "httpx": httpx}
    found = doctest.DocTestParser().get_doctest(inspect.getdoc(thing) or "", globs, name, None, 0)
    report: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(found, out=report.append)
    assert result.failed == 0, "".join(report)


@pytest.mark.parametrize(
    "name", [name for name, thing in {**FUNCTIONS, **CLASSES}.items() if "::\n" in (thing.__doc__ or "")]
)
def test_examples_of_code_can_be_compiled(name):
    text = inspect.getdoc(PUBLIC[name]) or ""
    blocks = re.findall(r"::\n\n((?: {4,}.*\n?|\n)+)", text + "\n")
    assert blocks
    for block in blocks:
        code = inspect.cleandoc("\n" + block)
        compile(code, name, "exec", flags=__import__("ast").PyCF_ALLOW_TOP_LEVEL_AWAIT)
