"""``coursewire canvas duplicate-assignments``, with a database on disk and over real HTTP."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer
from aiohttp import web
from typer.testing import CliRunner, Result

from coursewire.configurations.secrets import new_key
from coursewire.errors import ConfigurationError
from coursewire.installation import Installation
from coursewire.model.instant import utc_now
from coursewire.settings import Settings
from coursewire.storage.audit.records import ContentRecord, ContentRecords
from coursewire.storage.audit.states import State
from coursewire.storage.database.engine import open_engine
from coursewire.storage.database.schema import migrate
from coursewire_canvas import plugin
from coursewire_canvas.simulator import CanvasSimulator

QUIZ = "block-v1:RiverU+BOT101+type@sequential+block@quiz"


@contextmanager
def opened() -> Iterator[Installation]:
    installation = Installation()
    try:
        yield installation
    finally:
        installation.close()


@pytest.fixture
def configuration(canvas: CanvasSimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A configuration that has sent the courses a, b and c, and retired d."""
    monkeypatch.setenv("COURSEWIRE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COURSEWIRE_SECRET_KEY", new_key())
    monkeypatch.setenv("COURSEWIRE_ALLOW_INSECURE_URLS", "1")
    engine = open_engine(Settings.load().database_url)
    migrate(engine)
    engine.dispose()
    with opened() as installation:
        added = installation.configurations.add(
            plugin.CHANNEL, str(uuid.uuid4()), canvas.sample_config(), active=True, actor="test"
        )
        records = [
            ContentRecord(
                configuration=added.uuid,
                content_key=key,
                remote_key=key,
                state=State.CONFIRMED if key != "d" else State.RETIRED,
                present=key != "d",
            )
            for key in "abcd"
        ]
        ContentRecords(installation.engine, added.uuid).save(records, now=utc_now())
    for key in "abcd":
        canvas.add_course(key, workflow_state="available")
    return str(added.uuid)


def run(*arguments: str) -> Result:
    own = typer.Typer()
    own.add_typer(plugin.channel_commands())
    own.command("other")(lambda: None)
    return CliRunner().invoke(own, ["duplicate-assignments", *arguments])


def deletions(canvas: CanvasSimulator) -> int:
    return sum(seen.method == "DELETE" for seen in canvas.seen)


def test_the_report_names_the_older_ones_and_changes_nothing(
    canvas: CanvasSimulator, configuration: str
) -> None:
    gradebook = canvas.gradebook
    old = [gradebook.add_assignment("a", "a"), gradebook.add_assignment("a", "a")]
    gradebook.add_assignment("a", "a")
    gradebook.add_assignment("a", None)
    gradebook.add_assignment("a", None)
    gradebook.add_assignment("b", QUIZ)
    gradebook.add_assignment("d", "d")
    gradebook.add_assignment("d", "d")

    result = run("--config", configuration[:8])

    assert result.exit_code == 0
    assert {str(one["id"]) for one in old} <= set(result.stdout.replace(":", " ").split())
    assert "2 surplus, nothing was changed" in result.stdout
    assert deletions(canvas) == 0


def test_the_newest_is_kept_on_any_page_and_those_without_an_id_are_not_touched(
    canvas: CanvasSimulator, configuration: str
) -> None:
    gradebook = canvas.gradebook
    for _ in range(150):
        gradebook.add_assignment("a", None)
    newest = gradebook.add_assignment("a", "a", updated_at="2030-01-01T00:00:00Z")
    gradebook.add_assignment("a", "a", updated_at="2020-01-01T00:00:00Z")
    gradebook.add_assignment("b", QUIZ)
    last = gradebook.add_assignment("b", QUIZ)

    result = run("--config", configuration, "--apply")

    assert result.exit_code == 0
    assert "2 surplus, 2 deleted, 0 failed" in result.stdout
    kept = [one["id"] for one in gradebook.assignments.values() if one["integration_id"]]
    assert kept == [newest["id"], last["id"]]
    assert len(gradebook.assignments) == 152


def test_what_cannot_be_deleted_or_read_is_reported_and_the_rest_goes_on(
    canvas: CanvasSimulator, configuration: str
) -> None:
    gradebook = canvas.gradebook
    stays = gradebook.add_assignment("a", "a")
    for course in ("a", "c", "c"):
        gradebook.add_assignment(course, course)

    def interfere(request: web.Request) -> web.Response | None:
        if request.path.endswith(f"/assignments/{stays['id']}"):
            return web.json_response({"errors": [{"message": "it is locked"}]}, status=400)
        return web.Response(status=500) if "sis_integration_id:b/" in request.path else None

    canvas.interfere = interfere

    result = run("--config", configuration, "--apply")

    assert result.exit_code == 1
    assert "2 surplus, 1 deleted, 2 failed" in result.stdout
    assert "it is locked" in result.stderr
    assert "Failed: b:" in result.stderr
    assert len(gradebook.assignments) == 3


def test_json_has_a_line_for_each_and_one_for_the_sum(canvas: CanvasSimulator, configuration: str) -> None:
    old = canvas.gradebook.add_assignment("a", "a")
    canvas.gradebook.add_assignment("a", "a")

    result = run("--config", configuration, "--json")

    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert lines[0] == {
        "course": "a",
        "assignment": old["id"],
        "name": old["name"],
        "integration_id": "a",
        "updated_at": old["updated_at"],
    }
    assert lines[1:] == [{"surplus": 1, "deleted": 0, "failed": 0}]


def test_a_configuration_of_another_channel_is_refused(
    configuration: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coursewire_canvas.config.CanvasConfig.code", "OTHER")

    result = run("--config", configuration)

    assert isinstance(result.exception, ConfigurationError)


def test_the_one_that_is_kept_is_the_one_that_grades_go_to(
    canvas: CanvasSimulator, configuration: str
) -> None:
    canvas.gradebook.add_assignment("a", "a")
    newest = canvas.gradebook.add_assignment("a", "a")

    run("--config", configuration, "--apply")

    assert list(canvas.gradebook.assignments) == [newest["id"]]
