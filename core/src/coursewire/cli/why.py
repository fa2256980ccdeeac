"""``coursewire why``: every decision on the way of an outcome or an item, in the order of a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from coursewire.cli.common import (
    channel_of,
    find_configuration,
    open_installation,
    run_to_end,
    takes,
)
from coursewire.cli.options import ConfigNeeded, Course, Json, Learner, OnlyKind, Subsection
from coursewire.cli.output import put, put_check, put_json
from coursewire.configurations.configuration import Configuration
from coursewire.errors import ConfigurationError
from coursewire.installation import Installation
from coursewire.model.payload import OUTCOMES, Kind
from coursewire.pipeline.content_job import ContentJob
from coursewire.pipeline.outcome_job import OutcomeJob
from coursewire.pipeline.why import why_content, why_outcome


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
    with open_installation(read_only=True) as installation:
        found = find_configuration(installation, config)
        if item is not None:
            told = [_content(installation, found, item)]
        else:
            told = _outcomes(installation, found, str(learner), str(course), subsection, kind)
    for each in told:
        if json:
            put_json(each)
        else:
            _put(each)


def _content(installation: Installation, configuration: Configuration, item: str) -> dict[str, Any]:

    return run_to_end(why_content(ContentJob(installation, configuration), item))


def _outcomes(
    installation: Installation,
    configuration: Configuration,
    learner: str,
    course: str,
    subsection: str | None,
    kind: Kind | None,
) -> list[dict[str, Any]]:

    channel = channel_of(installation, configuration.channel)
    kinds = [kind] if kind else [Kind.ASSESSMENTS]
    if kind is None and subsection is None:
        # Of a channel that takes none of them, the completion tells so.
        kinds = [each for each in OUTCOMES if takes(each, channel)]
    told = []
    for each in kinds or [Kind.COMPLETIONS]:
        job = OutcomeJob(installation, configuration, each, learner=learner, course=course)
        told += run_to_end(why_outcome(job))
    if subsection is None:
        return told
    chosen = [each for each in told if each["subsection"] == subsection]
    if not chosen and any(each["subsection"] for each in told):
        raise ConfigurationError(
            f"the course has no subsection {subsection!r} for this learner",
            where=configuration.where,
            why="there are: " + ", ".join(each["subsection"] for each in told),
            next_step="Take one of these; they are compared letter by letter.",
        )
    return chosen or told


def _put(told: dict[str, Any]) -> None:

    about = told["title"] or told["key"] or f"{told['learner']} · {told['course']}"
    put(f"{about} ({told['kind']} at {told['channel']})", style="bold")
    for step in told["decisions"]:
        details = ", ".join(_details(step["details"]))
        said = f"{step['step']}: {_words(step)}" if step["reason"] else step["step"]
        put_check(step["passed"], f"{said} [{details}]" if details else said, step["next_step"])
    answer = told["answer"]
    if told["operation"]:
        put(f"It goes out with the next run, as {told['operation']}: {_words(answer)}.", style="green")
    elif answer["reason"] == "unchanged":
        put(f"Nothing is to be done: {_words(answer)}.", style="green")
    else:
        put(f"It is not sent: {_words(answer)}.", style="yellow")
    for attempt in told["attempts"]:
        put(f"{attempt['at'][:19]}Z {attempt['operation']}: {attempt['result']}", style="dim", indent=2)
        for text in (attempt["reason"], attempt["message"]):
            if text:
                put(text, style="dim", indent=4)
    put()


def _details(details: dict[str, Any]) -> Iterator[str]:
    """Names and values, those of nested ones too; what is not known is left out."""
    for name, value in details.items():
        if isinstance(value, dict):
            yield from _details({f"{name} {inner}": each for inner, each in value.items()})
        elif isinstance(value, list):
            yield f"{name}: {', '.join(map(str, value))}"
        elif value not in (None, ""):
            yield f"{name}: {value}"


def _words(decision: dict[str, str]) -> str:
    text, reason, message = decision["text"], decision["reason"], decision["message"]
    said = f"{text} ({reason})" if text else reason
    return f"{said}: {message}" if message else said
