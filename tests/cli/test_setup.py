"""init, load, channels, doctor."""

import json
import shutil
import sqlite3
import stat

import pytest

from coursewire.sources.sample import sample_bundle


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_init_makes_everything_once(bare, environment):
    first = bare("init", "--json").last
    key = (environment / "secret.key").read_text()
    assert first["data_dir_made"]
    assert first["key_made"]
    assert first["migrations"]
    assert mode(environment / "secret.key") == 0o600
    assert mode(environment / "coursewire.db") == 0o600
    assert mode(environment) == 0o700
    again = bare("init", "--json").last
    assert (again["data_dir_made"], again["key_made"], again["migrations"]) == (False, False, [])
    assert again["schema"] == first["schema"]
    assert (environment / "secret.key").read_text() == key


def test_init_tells_what_it_did_and_what_comes_next(bare, environment):
    said = bare("init").out
    for part in (str(environment), "secret key", "made", "Keep a copy", "database", "coursewire load"):
        assert part in said
    assert "made" not in bare("init").out


def test_init_takes_a_key_from_the_environment(bare, environment, monkeypatch):
    monkeypatch.setenv("COURSEWIRE_SECRET_KEY", bare("config", "new-key").out.strip())
    assert bare("init", "--json").last["secret_key"] == "COURSEWIRE_SECRET_KEY"
    assert not (environment / "secret.key").exists()


@pytest.mark.parametrize(
    ("variable", "value", "code"),
    [
        ("COURSEWIRE_SECRET_KEY", "swordfish", "secret-key"),
        ("COURSEWIRE_DATABASE_URL", "sqlite:////nowhere/at/all.db", "database"),
        ("COURSEWIRE_DATA_DIR", "/proc/coursewire", "settings"),
        ("COURSEWIRE_LEASE_SECONDS", "soon", "settings"),
        ("COURSEWIRE_DATABSE_URL", "sqlite:///x.db", "settings"),
    ],
)
def test_init_says_what_is_wrong_with_a_setting(bare, environment, monkeypatch, variable, value, code):
    monkeypatch.setenv(variable, value)
    said = bare("init", "--json", status=2)
    assert said.error["code"] == code
    assert said.error["next_step"]
    assert "swordfish" not in said.all


def test_without_init_every_command_says_to_run_it(bare, environment):
    assert "coursewire init" in bare("status", status=2).err
    environment.mkdir()
    sqlite3.connect(environment / "coursewire.db").close()
    assert "coursewire init" in bare("status", status=2).err


def test_load_reports_each_file_and_loading_again_changes_nothing(bare):
    bare("init")
    first = bare("load", sample_bundle(), "--json").last
    assert first["files"]["content"] == {"new": 29, "changed": 0, "unchanged": 0, "refused": 0}
    again = bare("load", sample_bundle(), "--json").last
    assert again["files"]["content"]["unchanged"] == 29
    table = bare("load", sample_bundle()).out
    assert "content" in table
    assert "29" in table


@pytest.fixture
def bundle(tmp_path):
    folder = tmp_path / "bundle"
    shutil.copytree(sample_bundle(), folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return folder


def append(bundle, name, *lines):
    with (bundle / name).open("a") as file:
        file.writelines(line + "\n" for line in lines)


@pytest.mark.parametrize(
    ("file", "line", "parts"),
    [
        ("content.jsonl", "this is no JSON", ["content.jsonl:30", "not JSON"]),
        ("content.jsonl", '{"content_type": "course", "title": "No key"}', ["content.jsonl:30", "'key'", "missing"]),
        (
            "catalogs.jsonl",
            json.dumps({"uuid": "0" * 8 + "-0000-0000-0000-" + "0" * 12, "customer": "1" * 8 + "-1111-1111-1111-" + "1" * 12, "content_keys": []}),
            ["catalogs.jsonl:4", "customer"],
        ),
    ],
)  # fmt: skip
def test_a_bad_line_is_named_and_the_others_are_loaded(bare, bundle, file, line, parts):
    bare("init")
    append(bundle, file, line)
    said = bare("load", bundle, status=1)
    for part in parts:
        assert part in said.err
    assert bare("load", bundle, "--json", status=1).last["refused"] == 1


def test_many_bad_lines_are_counted_and_json_lists_them_all(bare, bundle):
    bare("init")
    append(bundle, "content.jsonl", *["{"] * 25)
    said = bare("load", bundle, status=1)
    assert said.err.count("refused: ") == 20
    assert "and 5 more" in said.err
    rows = bare("load", bundle, "--json", status=1).rows
    assert [row["refused"]["line"] for row in rows[:-1]] == list(range(30, 55))
    assert rows[-1]["refused"] == 25


@pytest.mark.parametrize("content", [None, "", "{\n{\n"])
def test_nothing_that_can_be_read_ends_with_2(bare, tmp_path, content):
    bare("init")
    folder = tmp_path / "bundle"
    if content is not None:
        folder.mkdir()
        (folder / ("content.jsonl" if content else "other.txt")).write_text(content)
    bare("load", folder, status=2)


def test_a_loaded_bundle_of_another_source_is_mentioned(bare, monkeypatch):
    bare("init")
    monkeypatch.setenv("COURSEWIRE_SOURCE", "openedx")
    assert "'openedx'" in bare("load", sample_bundle()).err


def test_channels_are_listed(bare):
    rows = {row["code"]: row for row in bare("channels", "--json").rows}
    assert rows["SAP"]["state"] == "loaded"
    assert "send_content" in rows["CANVAS"]["hooks"]
    table = bare("channels").out
    assert "SAP SuccessFactors Learning" in table


def test_channels_tell_why_one_is_not_loaded(bare, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSEWIRE_CHANNELS", "canvas")
    (tmp_path / "hooks.py").write_text("import nowhere_to_be_found")
    monkeypatch.setenv("COURSEWIRE_HOOKS_FILE", str(tmp_path / "hooks.py"))
    rows = {row["name"]: row for row in bare("channels", "--json").rows}
    assert rows["sap"]["state"] == "skipped"
    said = bare("channels").out
    assert "nowhere_to_be_found" in said
    assert "sap" in said


def test_doctor_finds_nothing_wrong(cli):
    said = cli("doctor").out
    assert "✗" not in said
    rows = {row["name"]: row for row in cli("doctor", "--json").rows}
    assert all(row["good"] for row in rows.values())
    assert rows.keys() >= {
        "settings",
        "secret key",
        "database",
        "SAP",
        "configurations",
        "source",
        "clock",
        "disk",
    }


def finding(cli, name):
    (row,) = [row for row in cli("doctor", "--json", status=1).rows if row["name"] == name]
    assert not row["good"]
    return row


def test_doctor_sees_a_key_file_that_others_may_read(cli, environment):
    (environment / "secret.key").chmod(0o644)
    assert "chmod" in finding(cli, "secret key")["next_step"]


def test_doctor_sees_a_missing_database_and_asks_nothing_of_it(cli, environment):
    (environment / "coursewire.db").unlink()
    assert "coursewire init" in finding(cli, "database")["next_step"]
    assert "source" not in cli("doctor", status=1).out


def test_doctor_sees_wrong_settings(cli, monkeypatch):
    monkeypatch.setenv("COURSEWIRE_GUARD_SHARE", "all")
    assert "guard_share" in finding(cli, "settings")["text"]


def test_doctor_sees_channels_that_cannot_be_used(cli, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSEWIRE_CHANNELS", "none")
    assert "pip install" in finding(cli, "channels")["next_step"]
    monkeypatch.setenv("COURSEWIRE_HOOKS_FILE", str(tmp_path / "missing.py"))
    assert "missing.py" in cli("doctor", status=1).out


def test_doctor_sees_an_active_configuration_that_cannot_run(cli, canvas, monkeypatch):
    cli.add("CANVAS", canvas)
    monkeypatch.delenv("COURSEWIRE_ALLOW_INSECURE_URLS")
    assert "canvas_base_url" in finding(cli, "configurations")["text"]


def test_doctor_sees_an_unknown_source(cli, monkeypatch):
    monkeypatch.setenv("COURSEWIRE_SOURCE", "databse")
    assert "database" in finding(cli, "source")["next_step"]
