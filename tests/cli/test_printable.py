"""Texts of others steer no terminal, forge no line, and are no formula."""

from __future__ import annotations

import io
import json
import logging
import os
import stat

import pytest

from coursewire.cli import output
from coursewire.errors import ConfigurationError
from coursewire.observability.logs import TEXT, LineFormatter
from coursewire.printable import in_json, one_line
from coursewire.storage.audit.export import _cell

HOSTILE = [
    "\x1b]0;title\x07",
    "\x1b[31mred",
    "\x9b31m",
    "a\x08\x08b",
    "bell\x07",
    "over\rwritten",
    "\x7f",
    "\u202ereversed",
    "\u2066isolated\u2069",
    "first\nerror: forged",
    "first\u2028error: forged",
    "\x85next",
    "\ud83d",
]
WAYS = {
    "put": output.put,
    "note": output.note,
    "check": lambda text: output.put_check(False, text, text),
    "table": lambda text: output.put_table(("a", text), [(text, "b")]),
    "rows": lambda text: output.put_rows({"a": 30, "b": 0}, [(text, text)], header=False),
    "pairs": lambda text: output.put_pairs({"name": text}),
    "error": lambda text: output.show_error(ConfigurationError(text, where=text, why=text, next_step=text)),
    "json": lambda text: output.put_json({"text": text.encode("utf-8", "replace").decode()}),
    "progress": lambda text: output._plain_progress(text)("phase", 10, 10),
}


def unsafe(text):
    """The characters that should not be there, ours apart."""
    return [
        character
        for character in text
        if (ord(character) < 32 and character != "\n")
        or 127 <= ord(character) < 160
        or character in "\u2028\u2029\u200e\u200f\u061c"
        or 0x202A <= ord(character) <= 0x202E
        or 0x2066 <= ord(character) <= 0x2069
    ]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("way", WAYS)
def test_no_way_to_the_terminal_lets_controls_through(way, text, capfd):
    output._console.cache_clear()
    WAYS[way](text)
    said = "".join(capfd.readouterr())
    assert said.strip()
    assert unsafe(said) == []
    assert not any(line.startswith("error: forged") for line in said.splitlines())


@pytest.mark.parametrize("text", HOSTILE)
def test_a_log_line_is_one_line(text):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter(TEXT))
    try:
        raise ValueError(text)
    except ValueError as error:
        caught = (type(error), error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "p", 1, "said %s", (text,), caught)
    handler.emit(record)
    first, *others = stream.getvalue().rstrip("\n").split("\n")
    assert first.startswith("ERROR x: said")
    assert all(line.startswith("| ") for line in others)
    assert unsafe(stream.getvalue()) == []


@pytest.mark.parametrize("text", [*HOSTILE, "=1+1", " =1+1", "@x", "\t=1", "＝1"])
def test_a_cell_of_csv_is_one_line_and_no_formula(text):
    cell = _cell(text)
    assert unsafe(cell.replace("\t", "")) == []
    assert "\n" not in cell
    assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝"))


def test_json_stays_the_same_data():
    data = {"a": "\x9b\u202e\x7f é ✓"}
    line = in_json(json.dumps(data, ensure_ascii=False).encode())
    assert json.loads(line) == data
    assert unsafe(line.decode()) == []


def test_texts_for_people_stay_as_they_are():
    for text in ("Größe – „gut“ ✓ 日本語 🙂", "tab\tbed", "עברית"):
        assert one_line(text) == text


def test_an_exported_file_is_for_us_only(cli, environment, tmp_path):
    cli("init")
    old = os.umask(0)
    try:
        path = tmp_path / "log.jsonl"
        for _ in range(2):
            cli("audit", "export", "--output", path)
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            path.chmod(0o666)
        databases = [each for each in environment.rglob("*.db*") if each.is_file()]
        assert databases
        assert {stat.S_IMODE(each.stat().st_mode) for each in databases} == {0o600}
    finally:
        os.umask(old)


def test_the_doctor_says_that_insecure_urls_are_allowed(cli, environment, monkeypatch):
    cli("init")
    monkeypatch.setenv("COURSEWIRE_ALLOW_INSECURE_URLS", "1")
    said = cli("doctor").out
    assert "COURSEWIRE_ALLOW_INSECURE_URLS" in said
