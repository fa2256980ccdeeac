"""What the how-to guides show is run here: the hooks against a simulator, the units, the numbers."""

import asyncio
import json
import tomllib

import pytest

from coursewire.configurations.secrets import new_key
from coursewire.installation import Installation
from coursewire.pipeline.content_job import ContentJob
from coursewire.pipeline.runners.inline import InlineRunner
from coursewire.settings import Settings
from coursewire_canvas.simulator import CanvasSimulator

CUSTOMER = "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e1111"


@pytest.fixture
def guide(pages):
    return pages["docs/how-to/operator-hooks.md"]


@pytest.fixture
def hooked(guide, read_blocks, tmp_path, engine, monkeypatch):
    """An installation with the hooks of the guide; its working folder is ``tmp_path``."""
    (block,) = (block for block in read_blocks(guide) if block.language == "python")
    file = tmp_path / "hooks.py"
    file.write_text(block.text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    settings = Settings.load(
        data_dir=tmp_path,
        database_url=engine.url.render_as_string(hide_password=False),
        secret_key=new_key(),
        allow_insecure_urls=True,
        hooks_file=file,
    )
    installation = Installation(settings)
    yield installation
    installation.close()


def test_the_hooks_of_the_guide_do_what_it_says(hooked, shelf, tmp_path, capsys):
    for key in ("RiverU+ONE", "RiverU+DRAFT-2", "RiverU+BAD"):
        shelf.add(key)
    shelf.courses["RiverU+BAD"]["title"] = "x" * 200
    shelf.load()
    with CanvasSimulator().running() as canvas:
        channel = hooked.channels.get("CANVAS").channel
        configuration = hooked.configurations.add(
            channel, CUSTOMER, canvas.sample_config(), active=True, actor="test"
        )
        job = ContentJob(hooked, hooked.configurations.get(configuration.uuid))
        (ended,) = asyncio.run(InlineRunner().run([job]))
    assert ended.error is None
    assert ended.summary.waiting == {"held-by-hook": 1}
    assert set(canvas.items) == {"RiverU+ONE", "RiverU+BAD"}
    assert canvas.items["RiverU+ONE"]["name"] == "Course RiverU+ONE (River University)"
    (run,) = map(json.loads, (tmp_path / "runs.jsonl").read_text().splitlines())
    assert (run["channel"], run["created"], run["waiting"]) == ("CANVAS", 2, 1)
    assert capsys.readouterr().out == ""  # nothing was refused


def test_a_refusal_is_said_by_the_hook_of_the_guide(hooked, capsys):
    from coursewire.model.payload import Operation, Payload, Result, ResultKind

    hook_caller = hooked.channels.get("CANVAS").hook_caller
    payload = Payload("RiverU+ONE", Operation.CREATE, {}, "f" * 40, "RiverU+ONE")
    for kind in (ResultKind.REJECTED, ResultKind.TRY_LATER):
        hook_caller.transmission_failed({"channel": "CANVAS"}, payload, Result(kind, "invalid"))
    assert capsys.readouterr().out == "CANVAS refused RiverU+ONE: invalid\n"


def test_the_package_of_the_guide_is_in_the_right_group(guide, read_blocks):
    (block,) = (block for block in read_blocks(guide) if block.language == "toml")
    assert list(tomllib.loads(block.text)["project"]["entry-points"]) == ["coursewire.hooks"]


def test_the_guard_page_has_the_real_numbers(pages):
    text = pages["docs/how-to/retire-and-guard.md"]
    for name in ("guard_number", "guard_share", "guard_floor"):
        default = Settings.model_fields[name].default
        assert f"#{name})" in text
        assert f"({default})" in text.partition(f"#{name})")[2].partition("\n-")[0]


def test_each_guide_is_in_the_index(pages):
    index = pages["docs/how-to/README.md"]
    guides = {name.rpartition("/")[2] for name in pages if name.startswith("docs/how-to/")}
    assert {guide for guide in guides if f"]({guide})" not in index} == {"README.md"}
