"""hooks.md: every hook that a channel or an operator may implement, from the specifications."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from coursewire.channels.defaults import CoreDefaults
from coursewire.hookspecs import PROJECT, SPECS
from coursewire.model.channel import PLUGIN_API
from docs.generate.markdown import code, page, sections, table

INTRO = """\
The hooks of plugin API {api}, called through [pluggy](https://pluggy.readthedocs.io/). A channel implements what makes it
differ from core's defaults; an operator may add hooks of their own and wrap those of any channel. Mark a function with
`@coursewire.hookimpl`. It may leave out arguments that it does not need. One that names an argument or a hook which is not here
is refused when it is loaded.

Where only the first answer counts, the operators' hooks are asked first, then the channel, then core's default; None
means "no answer". A function marked `hookimpl(wrapper=True)` goes around all of them."""

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


def pages() -> dict[str, str]:
    """The page."""
    index = [
        (WHO[spec.__name__][0], ", ".join(f"[`{name}`](#{name})" for name, _ in hooks_of(spec)))
        for spec in SPECS
    ]
    parts = [INTRO.format(api=PLUGIN_API), table(("group", "hooks"), index)]
    for spec in SPECS:
        title, who = WHO[spec.__name__]
        text = sections(spec.__doc__)[0]
        parts += [f"## {title}", f"{' '.join(text.split())} {who}"]
        parts += [_section(name, function) for name, function in hooks_of(spec)]
    return {"hooks.md": page("Hooks", *parts)}


def hooks_of(spec: type) -> Iterator[tuple[str, Any]]:
    """The hooks of one group, as they stand in the module."""
    for name, function in vars(spec).items():
        if hasattr(function, f"{PROJECT}_spec"):
            yield name, function


def _section(name: str, function: Any) -> str:
    text, parts = sections(function.__doc__)
    options = getattr(function, f"{PROJECT}_spec")
    signature = inspect.signature(function)
    shown = ", ".join(
        f"{each.name}: {each.annotation}" for each in signature.parameters.values() if each.name != "self"
    )
    word = "async def" if inspect.iscoroutinefunction(function) else "def"
    kinds = [
        "async" if word != "def" else "",
        "the first answer counts" if options["firstresult"] else "every implementation is called",
    ]
    kinds.append("core has a default" if hasattr(CoreDefaults, name) else "")
    lines = [
        f"- {label}: {' '.join(filter(None, (_entry(each) for each in parts[label])))}"
        for label in ("Returns",)
        if label in parts
    ]
    raises = [f"- Raises {code(error)}: {why}" for error, why in parts.get("Raises", ())]
    return "\n\n".join(
        part
        for part in (
            f"### {name}",
            f"```python\n{word} {name}({shown}) -> {signature.return_annotation}\n```",
            f"*{', '.join(filter(None, kinds))}*",
            text,
            table(("argument", "meaning"), [(code(each), why) for each, why in parts.get("Args", ())]),
            "\n".join(lines + raises),
        )
        if part
    )


def _entry(entry: tuple[str, str]) -> str:
    return ": ".join(filter(None, entry))
