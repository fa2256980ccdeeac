"""``coursewire why``: every decision on the way of an outcome or an item, in the order of a run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from coursewire.cli.host import open_host
from coursewire.cli.options import ConfigNeeded, Course, Json, Learner, OnlyKind, Subsection
from coursewire.cli.output import put, put_check, put_json
from coursewire.configurations.configuration import Configuration
from coursewire.errors import ConfigurationError
from coursewire.model.kinds import Kind


def why(
    config: ConfigNeeded,
    learner: Learner = None,
    course: Course = None,
    subsection: Subsection = None,
    kind: OnlyKind = None,
    item: Annotated[
        str | None, typer.Option("--item", metavar="KEY", help="This content item, not an outcome.")
    ] = None,
    json: Json = False,
) -> None:
    """Tell why something is sent or not, and what to do next.

    Every decision on its way is shown, in the order of a run. Give --learner and --course for outcomes, or --item for content. Nothing is written and nothing is sent.
    """
    is_content = item is not None and (learner, course, subsection, kind) == (None,) * 4
    is_outcome = item is None and learner is not None and course is not None
    if not is_content and not (is_outcome and kind is not Kind.CONTENT):
        raise typer.BadParameter("give --learner and --course, or --item alone")
    with open_host(read_only=True) as host:
        found = host.configurations.find(config)
        if subsection is not None and kind is None:
            kind = Kind.ASSESSMENTS
        explanations = asyncio.run(host.why(found, item=item, learner=learner, course=course, kind=kind))
    if subsection is not None:
        explanations = _of_subsection(found, explanations, subsection)
    for each in explanations:
        if json:
            put_json(each)
        else:
            _put(each)


def _of_subsection(
    configuration: Configuration, explanations: list[dict[str, Any]], subsection: str
) -> list[dict[str, Any]]:
    """Return the explanations of one subsection; all of them where none is about a subsection.

    Raises:
        ConfigurationError: The explanations are about other subsections.
    """
    chosen = [each for each in explanations if each["subsection"] == subsection]
    if not chosen and any(each["subsection"] for each in explanations):
        raise ConfigurationError(
            f"the course has no subsection {subsection!r} for this learner",
            where=configuration.where,
            why="there are: " + ", ".join(each["subsection"] for each in explanations),
            next_step="Take one of these; they are compared letter by letter.",
        )
    return chosen or explanations


def _put(explanation: dict[str, Any]) -> None:

    about = (
        explanation["title"] or explanation["key"] or f"{explanation['learner']} · {explanation['course']}"
    )
    put(f"{about} ({explanation['kind']} at {explanation['channel']})", style="bold")
    for step in explanation["decisions"]:
        details = ", ".join(_details(step["details"]))
        said = f"{step['step']}: {_words(step)}" if step["reason"] else step["step"]
        put_check(step["passed"], f"{said} [{details}]" if details else said, step["next_step"])
    answer = explanation["answer"]
    if explanation["operation"]:
        put(f"It goes out with the next run, as {explanation['operation']}: {_words(answer)}.", style="green")
    elif answer["reason"] == "unchanged":
        put(f"Nothing is to be done: {_words(answer)}.", style="green")
    else:
        put(f"It is not sent: {_words(answer)}.", style="yellow")
    for attempt in explanation["attempts"]:
        put(f"{attempt['at'][:19]}Z {attempt['operation']}: {attempt['result']}", style="dim", indent=2)
        for text in (attempt["reason"], attempt["message"]):
            if text:
                put(text, style="dim", indent=4)
    put()


def _details(details: dict[str, Any]) -> Iterator[str]:
    """Yield names with values, also those of nested details; what is not known is left out."""
    for name, value in details.items():
        if isinstance(value, dict):
            yield from _details({f"{name} {inner}": each for inner, each in value.items()})
        elif isinstance(value, list):
            yield f"{name}: {', '.join(map(str, value))}"
        elif value not in (None, ""):
            yield f"{name}: {value}"


def _words(decision: dict[str, str]) -> str:
    """Return the reason of a decision in words, with its code and message."""
    text, reason, message = decision["text"], decision["reason"], decision["message"]
    said = f"{text} ({reason})" if text else reason
    return f"{said}: {message}" if message else said
