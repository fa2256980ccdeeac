"""What a channel's own command works with: a configuration, its courses, and a way to print."""

import asyncio
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

import coursewire as cw
from coursewire.sources.sample import sample_bundle
from coursewire_canvas.client import list_remote
from coursewire_canvas.config import CanvasConfig
from coursewire_xapi.config import XapiConfig

FIELDS = {
    "endpoint": "https://lrs.example.com",
    "key": "k",
    "secret": {"env": "NOT_SET"},
    "site_domain": "learn.example.org",
}


async def titles_of(opened):
    keys = await opened.catalog_keys()
    return keys, {item.content_key: item.title async for page in opened.content(keys) for item in page}


class TestAStoredConfiguration:
    def test_courses_and_what_was_sent(self, cli, simulate):
        canvas = simulate("CANVAS")
        at_canvas = cli.add("CANVAS", canvas)
        with cw.open_configuration(CanvasConfig, at_canvas[:8], read_only=True) as opened:
            assert (str(opened.uuid), opened.config.code) == (at_canvas, "CANVAS")
            keys, titles = asyncio.run(titles_of(opened))
            assert opened.sent_keys() == []
        assert set(keys) >= set(titles)
        assert "RiverU+BOAT101" in titles

        cli("transmit", "content", "--config", at_canvas)

        with cw.open_configuration(CanvasConfig, at_canvas) as opened:
            sent = opened.sent_keys()
        assert "RiverU+BOAT101" in sent
        assert set(sent) < set(titles)  # Canvas takes no programs
        assert len(sent) == len(canvas.items)

    def test_a_session_speaks_to_the_lms(self, cli, simulate):
        canvas = simulate("CANVAS")
        at_canvas = cli.add("CANVAS", canvas)

        async def ask(opened):
            async with opened.session() as session:
                return await session.get("/api/v1/accounts/1")

        with cw.open_configuration(CanvasConfig, at_canvas) as opened:
            asyncio.run(ask(opened))
        assert [each.path for each in canvas.seen][-1:] == ["/api/v1/accounts/1"]

    def test_one_of_another_channel_is_refused(self, cli, simulate):
        at_canvas = cli.add("CANVAS", simulate("CANVAS"))
        with (
            pytest.raises(cw.ConfigurationError, match="for channel CANVAS, not for XAPI") as refused,
            cw.open_configuration(XapiConfig, at_canvas),
        ):
            pass
        assert "--channel XAPI" in refused.value.next_step

    def test_one_that_nobody_knows_is_refused(self, cli):
        with pytest.raises(cw.ConfigurationError, match="ffff"), cw.open_configuration(XapiConfig, "ffff"):
            pass


@pytest.mark.usefixtures("environment")
def test_a_configuration_file_over_a_bundle(tmp_path):
    file = tmp_path / "xapi.json"
    file.write_text(json.dumps({"channel": "XAPI", **FIELDS}))
    with cw.open_configuration_file(XapiConfig, file, sample_bundle()) as opened:
        keys, titles = asyncio.run(titles_of(opened))
    assert (opened.customer, opened.config.site_domain) == ("", "learn.example.org")
    assert len(keys) == len(titles) > 1


class TestOutput:
    def say(self, output):
        output.row({"key": "é", "units": 3})
        output.text("é: 3 units")
        output.table(("key", "units"), [("é", 3)], empty="Nothing.")
        output.table(("key",), [], empty="Nothing.")
        output.note("One is missing.", failed=True)
        with output.progress("catalogue") as show:
            show(10, 10)

    def test_for_a_person(self, capfd):
        self.say(cw.CommandOutput())
        out, err = capfd.readouterr()
        assert out.splitlines()[0] == "é: 3 units"
        assert out.splitlines()[-1] == "Nothing."
        assert "{" not in out
        assert err.splitlines() == ["One is missing.", "catalogue items: 10 of 10"]

    def test_for_a_program(self, capfd):
        self.say(cw.CommandOutput(json=True))
        out, err = capfd.readouterr()
        assert [json.loads(line) for line in out.splitlines()] == [{"key": "é", "units": 3}]
        assert err.splitlines() == ["One is missing.", "catalogue items: 10 of 10"]


class TestTheGuide:
    """The commands of the how-to guide, with Canvas in the place of its made-up LMS."""

    PAGE = Path(__file__).parents[2] / "docs/how-to/channel-commands.md"

    @pytest.fixture
    def run(self, monkeypatch):
        acme, guide = ModuleType("coursewire_acme.plugin"), ModuleType("guide")
        acme.AcmeConfig, acme.list_remote = CanvasConfig, list_remote
        monkeypatch.setitem(sys.modules, "coursewire_acme", ModuleType("coursewire_acme"))
        monkeypatch.setitem(sys.modules, "coursewire_acme.plugin", acme)
        blocks = re.findall(r"```python\n(.*?)```", self.PAGE.read_text(encoding="utf-8"), re.DOTALL)
        exec(compile("\n".join(blocks), self.PAGE.name, "exec"), vars(guide))
        return lambda *args: CliRunner().invoke(guide.channel_commands(), list(map(str, args)))

    def test_titles_to_a_file(self, run, cli, simulate, tmp_path):
        config, file = cli.add("CANVAS", simulate("CANVAS")), tmp_path / "titles.txt"

        done = run("titles", "--config", config[:8], "--output", file, "--json")

        assert done.exit_code == 0, done.output
        lines = file.read_text().splitlines()
        assert "RiverU+BOAT101" in {line.partition("\t")[0] for line in lines}
        refused = run("titles", "--config", config, "--output", tmp_path / "none" / "titles.txt")
        assert isinstance(refused.exception, cw.SetupError)
        assert refused.exception.exit_status == 2

    @pytest.mark.usefixtures("environment")
    def test_titles_of_a_bundle(self, run, simulate, tmp_path):
        file, output, empty = tmp_path / "canvas.json", tmp_path / "titles.txt", tmp_path / "empty"
        file.write_text(json.dumps({"channel": "CANVAS", **simulate("CANVAS").sample_config()}))
        arguments = ("titles", "--config", file, "--output", output, "--bundle")

        done = run(*arguments, sample_bundle())
        assert done.exit_code == 0, done.output
        assert len(output.read_text().splitlines()) > 1

        empty.mkdir()
        (empty / "content.jsonl").write_text("")
        assert isinstance(run(*arguments, empty).exception, cw.ConfigurationError)

    def test_what_is_missing_at_the_lms(self, run, cli, simulate):
        canvas = simulate("CANVAS")
        config = cli.add("CANVAS", canvas)
        cli("transmit", "content", "--config", config)
        assert run("missing", "--config", config).exit_code == 0

        canvas.lose("RiverU+BOAT101")

        done = run("missing", "--config", config)
        assert done.exit_code == 1, done.output
