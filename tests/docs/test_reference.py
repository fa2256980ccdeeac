"""The generated pages are what the code says now, and nothing public lacks its section."""

import re
import subprocess
import sys

import pytest
import typer

import coursewire as cw
from coursewire import errors
from coursewire.cli.app import app
from coursewire.cli.lazy import LazyCommand
from coursewire.configurations.fields import describe
from coursewire.model.configuration import ChannelConfig
from coursewire.model.reasons import REASONS
from coursewire.plugins.loading import load_channels
from coursewire.settings import PREFIX, Settings
from coursewire.storage.audit.states import Event, State
from coursewire.storage.tables import metadata


@pytest.fixture
def reference(pages):
    return {
        name.removeprefix("docs/reference/"): text
        for name, text in pages.items()
        if name.startswith("docs/reference/")
    }


def headings(text):
    return set(re.findall(r"^#+ (.+)$", text, re.MULTILINE))


def first_cells(text):
    return {cell.strip() for cell in re.findall(r"^\| (.+?) \|", text, re.MULTILINE)}


def run_docs(root, environment, *args):
    return subprocess.run(
        [sys.executable, "-m", "docs", *args],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_generated_pages_are_up_to_date(root, clean_environment):
    done = run_docs(root, {**clean_environment, "PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo"}, "--check")
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


def test_each_command_has_its_section(reference):
    def names(group, path):
        for name, listed in group.commands.items():
            command = listed.load() if isinstance(listed, LazyCommand) else listed
            if hasattr(command, "commands"):
                yield from names(command, f"{path} {name}")
            else:
                yield f"{path} {name}"

    wanted = set(names(typer.main.get_command(app), "coursewire"))
    assert {"coursewire transmit", "coursewire audit list", "coursewire config rotate-key"} <= wanted
    assert wanted - headings(reference["commands.md"]) == set()


def test_each_setting_has_its_section(reference):
    assert Settings.model_fields.keys() - headings(reference["settings.md"]) == set()
    for name in Settings.model_fields:
        assert f"`{PREFIX}{name.upper()}`" in reference["settings.md"]


def test_each_variable_that_the_code_reads_is_listed(root, reference):
    named = {
        variable
        for path in (root / "core" / "src").rglob("*.py")
        for variable in re.findall(r"\bCOURSEWIRE_[A-Z_]*[A-Z]\b", path.read_text(encoding="utf-8"))
    }
    assert "COURSEWIRE_TRACE_HOOKS" in named
    assert {name for name in named if f"`{name}`" not in reference["settings.md"]} == set()


def test_each_reason_has_its_row_with_a_text(reference):
    codes = {re.sub(r".*`(.+)`$", r"\1", cell) for cell in first_cells(reference["reasons.md"])}
    assert REASONS.keys() - codes == set()


def test_each_error_has_its_section(reference):
    classes = {
        name for name, each in vars(errors).items() if isinstance(each, type) and issubclass(each, Exception)
    }
    assert classes - headings(reference["errors.md"]) == set()


def table_below(text, heading):
    """The first cells of the table below a heading, as names."""
    part = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| \[`(\w+)`\]", part, re.MULTILINE)


def test_no_error_is_missing_in_the_tables(reference):
    text = reference["errors.md"]
    every = [
        name for name, each in vars(errors).items() if isinstance(each, type) and issubclass(each, Exception)
    ]
    assert sorted(table_below(text, "What each means to core")) == sorted(every)
    sending = {name for name in every if issubclass(getattr(errors, name), errors.SendError)} - {"SendError"}
    raised = set(table_below(text, "Which one to raise in a channel"))
    assert raised == sending | {"NotExportableError", "IncompleteListError"}
    groups = {base.__name__ for name in every for base in getattr(errors, name).__bases__} - {"Exception"}
    assert set(table_below(text, "How to catch broadly")) == groups
    questions = text.partition("## Which one to raise")[2].partition("| class |")[0]
    assert {name for name in raised if f"`{name}`" not in questions} == {"IncompleteListError"}


def test_each_table_is_explained(reference):
    text = reference["records.md"]
    assert metadata.tables.keys() - headings(text) == set()
    for name in metadata.tables:
        assert not re.search(rf"\| \[`{name}`\]\(#{name}\) \|\s*\|", text), f"one row of {name} is what?"
    for name, table in metadata.tables.items():
        section = text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        for column in table.columns:
            (row,) = re.findall(rf"^\| `{column.name}` .*$", section, re.MULTILINE)
            assert ("**yes**" in row) is bool(column.info.get("personal")), row
            if not name.startswith(("source_", "enrollment_")):
                assert not row.endswith("|  |"), f"{name}.{column.name} is not explained"


def test_each_state_and_event_is_there(reference):
    codes = {cell.strip("`") for cell in first_cells(reference["states.md"])}
    assert {*map(str, State), *map(str, Event)} - codes == set()


def test_each_channel_has_a_page_with_all_its_fields(reference):
    loaded = [each for each in load_channels() if each.distribution.startswith("coursewire-")]
    assert loaded
    for each in loaded:
        text = reference[f"channels/{each.channel.code.lower()}.md"]
        fields = {cell.strip("`") for cell in first_cells(text)}
        own = {field.name for field in describe(each.channel.config)} - ChannelConfig.model_fields.keys()
        assert own - fields == set()
    shared = {cell.strip("`") for cell in first_cells(reference["channels/README.md"])}
    assert ChannelConfig.model_fields.keys() - shared == set()


def test_each_name_of_the_plugin_api_is_explained(reference):
    text, declared = reference["plugin-api.md"], headings(reference["capabilities.md"])
    said = {f"cw.{name}" for name in cw.__all__ if name in declared}
    said |= headings(text) | {cell.strip("`") for cell in first_cells(text)}
    said |= set(re.findall(r"\[`(cw\.\w+)`\]\(errors.md", text))
    assert {f"cw.{name}" for name in cw.__all__} <= said
