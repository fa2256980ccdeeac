"""What the guides of the service show is true: the event that is signed, the schedule, the pictures."""

from __future__ import annotations

import tomllib

import httpx
import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from coursewire.configurations.secrets import new_key
from coursewire.host import Host
from coursewire.installation import Installation
from coursewire.service.app import create_app
from coursewire.service.schedule import trigger_of
from coursewire.settings import ScheduledRun, Settings

SECRET = "whsec_" + "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2traw=="


@pytest.fixture
def client(tmp_path, engine):
    settings = Settings.load(
        data_dir=tmp_path,
        database_url=engine.url.render_as_string(hide_password=False),
        secret_key=new_key(),
        events_secret=SecretStr(SECRET),
    )
    installation = Installation(settings)
    with TestClient(create_app(Host(installation=installation))) as made:
        yield made
    installation.close()


def test_the_event_of_the_guide_is_taken(pages, read_blocks, client, monkeypatch):
    (block,) = (block for block in read_blocks(pages["docs/how-to/events.md"]) if block.language == "python")
    example = {}
    exec(block.text, example)
    answers = []

    def post(url, *, content, headers):
        found = client.post(
            url.removeprefix("https://coursewire.example.com"), content=content, headers=headers
        )
        answers.append(found.status_code)
        return found

    monkeypatch.setattr(httpx, "post", post)
    monkeypatch.setenv("COURSEWIRE_EVENTS_SECRET", SECRET)
    base = "https://coursewire.example.com"
    assert example["send"](base, "learner.passed", "ada", "course-v1:RiverU+C1+2026") == []
    assert answers == [202]
    monkeypatch.setenv("COURSEWIRE_EVENTS_SECRET", "whsec_" + "b" * 43 + "=")
    with pytest.raises(Exception, match="401"):
        example["send"](base, "learner.passed", "ada", "course-v1:RiverU+C1+2026")


def test_the_types_of_the_guide_are_those_that_are_taken(pages):
    from typing import get_args

    from coursewire.service.events import Event

    for each in get_args(Event.model_fields["type"].annotation):
        assert f"`{each}`" in pages["docs/how-to/events.md"]


def test_the_schedule_of_the_guide_can_be_read(pages, read_blocks):
    (block,) = (block for block in read_blocks(pages["docs/how-to/serve.md"]) if block.language == "toml")
    runs = [ScheduledRun.model_validate(each) for each in tomllib.loads(block.text)["schedule"]]
    assert [each.kind for each in runs] == ["content", "completions"]
    assert len(runs[1].quiet_hours) == 2
    for each in runs:
        trigger_of(each)


def test_the_pictures_of_the_console_are_there(pages, root):
    text = pages["docs/how-to/console.md"]
    for name in ("console-overview.png", "console-plan.png"):
        assert f"(../images/{name})" in text
        assert (root / "docs" / "images" / name).read_bytes().startswith(b"\x89PNG")
