"""Every reason code that a channel of this repository writes is declared, by core or with the channel."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from coursewire.model.reasons import REASONS, Surface, explain, find_reason
from coursewire.plugins.loading import load_channels
from coursewire.plugins.registry import LoadedChannel

PLUGINS = Path(__file__).parents[1] / "plugins"
CHANNELS = [loaded for loaded in load_channels() if loaded.distribution.startswith("coursewire-")]
CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def sources(loaded: LoadedChannel) -> list[Path]:
    """Return the modules of a channel, without those that play the LMS, nor the other channel's of its package."""
    package = Path(str(loaded.channel.config.__module__).replace(".", "/")).parent
    (folder,) = PLUGINS.glob(f"*/src/{package}")
    shared = folder.parent.glob("*.py") if folder.name in ("v1", "v2") else ()
    return [path for path in (*folder.rglob("*.py"), *shared) if not path.name.startswith("simulat")]


def written_codes(tree: ast.AST) -> Iterator[str]:
    """Yield the texts that stand where a call takes a reason code, by themselves or by the name of a constant."""
    constants = {
        each.targets[0].id: each.value
        for each in ast.walk(tree)
        if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func).rpartition(".")[2]
        places = [word.value for word in node.keywords if word.arg == "reason"]
        if name in ("Result", "blocked", "_blocked", "fault"):
            places += node.args[1:2] if name == "Result" else node.args[:1]
        for part in (part for place in places for part in ast.walk(place)):
            text = constants.get(part.id) if isinstance(part, ast.Name) else part
            if isinstance(text, ast.Constant) and CODE.fullmatch(str(text.value)):
                yield text.value


@pytest.mark.parametrize("loaded", CHANNELS, ids=lambda loaded: loaded.channel.code)
def test_every_code_that_is_written_is_declared(loaded: LoadedChannel) -> None:
    rows = [info for info in loaded.channel.reasons if info.code != "*"]
    written = {
        code
        for path in sources(loaded)
        for code in written_codes(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert {code for code in written if find_reason(code, rows) is None} == set()


@pytest.mark.parametrize("loaded", CHANNELS, ids=lambda loaded: loaded.channel.code)
def test_what_a_channel_declares_is_its_own_and_helps_on_both_surfaces(loaded: LoadedChannel) -> None:
    own = loaded.channel.reasons
    assert {info.code for info in own} & REASONS.keys() == set()
    for info in own:
        assert explain(info.code, own) == (info.text, info.command_step)
        assert explain(info.code, own, on=Surface.CONSOLE) == (info.text, info.console_step)
