"""hooks.md and a page for every hook, from the specifications and from docs/examples/hooks.

An example is a module with the name of the hook. Its docstring says when the hook is called; the rest is shown, and
run by tests/docs/test_hook_examples.py.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from coursewire.hooks import PROJECT, SPECS
from coursewire.model.channel import PLUGIN_API
from coursewire.plugins.defaults import CoreDefaults
from coursewire.plugins.loading import load_channels
from coursewire.plugins.registry import Registry
from docs.generate.channels import folders
from docs.generate.markdown import code, one_line, page, sections, table

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "hooks"

INTRO = """\
The hooks of plugin API {api}, called through [pluggy](https://pluggy.readthedocs.io/). A channel implements what makes it
differ from core's defaults; an operator may add hooks of their own and wrap those of any channel. Mark a function with
`@coursewire.hookimpl`. It may leave out arguments that it does not need. One that names an argument or a hook which is not here
is refused when it is loaded.

Where only the first answer counts, the operators' hooks are asked first, then the channel, then core's default; None
means "no answer". A function marked `hookimpl(wrapper=True)` goes around all of them.

The examples are about Lighthouse, an LMS that does not exist. They run in our tests."""

WHO = {
    "ChannelSpecs": ("Declaration", "Implemented by every channel."),
    "ExporterSpecs": ("Exporter", "Implemented by channels, over core's defaults."),
    "TransmitterSpecs": ("Transmitter", "Core has defaults; a channel overrides them where its LMS differs."),
    "ClientSpecs": ("Client", "Implemented by channels."),
    "HostSpecs": ("Host", "Implemented by channels that have any."),
    "OperatorSpecs": (
        "Operator",
        "Implemented by operators: in a package (entry point group `coursewire.hooks`) or in the file that the setting `hooks_file` names. See [how-to](../how-to/operator-hooks.md).",
    ),
}

ARGUMENTS = {
    "config": "The configuration that is run: the channel's own model, valid, its secrets among the fields.",
    "item": "The course, program or pathway.",
    "confirmed": "The payload that the LMS last confirmed; empty when nothing was.",
    "completion": "A learner's result in a course, with what the LMS knows learner and course by.",
    "assessment": "A learner's result in one subsection, with what the LMS knows learner and course by.",
    "enrollment": "That a learner has joined a course run, or has left it, with what the LMS knows both by.",
    "tokens": "Where tokens of this configuration are kept and asked for.",
    "session": "Speaks HTTP to the LMS: retries, rates, tokens and log are its business.",
    "batch": "Payloads of one configuration, in the order planned.",
    "key": "The key that the LMS knows the item by.",
    "response": "The answer, read to its end.",
    "job": "Facts about the job: `uuid`, `kind`, `configuration`, `channel`, `customer`.",
    "results": "One for each payload of the batch, in its order.",
    "payload": "The item as it was sent. Those of outcomes hold learners' data.",
    "result": "What the LMS said about it.",
    "summary": "Counts by what happened, reasons, seconds, the error if there was one.",
}
"""What an argument is where the specification does not say more."""


def pages() -> dict[str, str]:
    """The index and the pages."""
    index = []
    made = {}
    registry = load_channels()
    for spec in SPECS:
        title, who = WHO[spec.__name__]
        hooks = list(hooks_of(spec))
        rows = [(f"[`{name}`](hooks/{name}.md)", first_sentence(each.__doc__)) for name, each in hooks]
        text = " ".join(sections(spec.__doc__)[0].split())
        index += [f"## {title}", f"{text} {who}", table(("hook", "what it is for"), rows)]
        for name, function in hooks:
            made[f"hooks/{name}.md"] = _page(name, function, title, registry)
    return {"hooks.md": page("Hooks", INTRO.format(api=PLUGIN_API), *index), **made}


def hooks_of(spec: type) -> Iterator[tuple[str, Any]]:
    """The hooks of one group, as they stand in the module."""
    for name, function in vars(spec).items():
        if hasattr(function, f"{PROJECT}_spec"):
            yield name, function


def first_sentence(docstring: str | None) -> str:
    """What stands before the first full stop that ends a sentence, or the first colon, of a docstring."""
    return re.split(r"(?<=[.;])\s", one_line(docstring))[0]


def signature_of(function: Any) -> str:
    """The head of the function that implements a hook, with all its arguments."""
    signature = inspect.signature(function)
    shown = [
        f"{each.name}: {each.annotation}" for each in signature.parameters.values() if each.name != "self"
    ]
    word = "async def" if _is_async(function) else "def"
    line = f"{word} {function.__name__}({', '.join(shown)}) -> {signature.return_annotation}"
    if len(line) <= 100:
        return line
    arguments = "".join(f"    {each},\n" for each in shown)
    return f"{word} {function.__name__}(\n{arguments}) -> {signature.return_annotation}"


def _is_async(function: Any) -> bool:
    """Tell whether implementations are written with ``async def``: as coroutines, or as async generators."""
    generates = str(inspect.signature(function).return_annotation).startswith("AsyncIterator")
    return inspect.iscoroutinefunction(function) or generates


def example_of(name: str) -> tuple[str, str]:
    """When a hook is called, and its example."""
    source = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    module = ast.parse(source)
    docstring = ast.get_docstring(module)
    assert docstring, f"the example of {name} does not say when the hook is called"
    return docstring, "\n".join(source.splitlines()[module.body[0].end_lineno :]).strip("\n")


def _page(name: str, function: Any, group: str, registry: Registry) -> str:
    text, parts = sections(function.__doc__)
    options = getattr(function, f"{PROJECT}_spec")
    kinds = [
        "async" if _is_async(function) else "",
        "the first answer counts" if options["firstresult"] else "every implementation is called",
        "core has a default" if hasattr(CoreDefaults, name) else "",
    ]
    said = dict(parts.get("Args", ()))
    arguments = [
        (code(each.name), code(each.annotation), said.get(each.name) or ARGUMENTS[each.name])
        for each in inspect.signature(function).parameters.values()
        if each.name != "self"
    ]
    returns = " ".join(": ".join(filter(None, each)) for each in parts.get("Returns", ()))
    when, example = example_of(name)
    return page(
        name,
        f"```python\n{signature_of(function)}\n```",
        f"*{', '.join(filter(None, kinds))}*",
        text,
        "## Arguments" if arguments else "",
        table(("argument", "type", "meaning"), arguments),
        f"Returns: {returns}" if returns else "",
        "\n".join(
            f"- Raises [{code(error)}](../errors.md#{error.lower()}): {why}"
            for error, why in parts.get("Raises", ())
        ),
        "## When it is called",
        when,
        "## Example",
        f"```python\n{example}\n```",
        "## See also",
        _others(name, group, registry),
    )


def _others(name: str, group: str, registry: Registry) -> str:
    known = folders()
    users = [
        f"[{row.title}](../channels/{row.code.lower()}.md)"
        for row in registry.report
        if name in row.hooks and row.code and row.distribution in known
    ]
    lines = [f"- [All hooks](../hooks.md), of which this is one of the group *{group}*"]
    if users:
        lines.append(f"- Channels that implement it: {', '.join(sorted(users))}")
    if group == "Operator":
        lines.append("- How to [add your own code to runs](../../how-to/operator-hooks.md)")
    return "\n".join(lines)
