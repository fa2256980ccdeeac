from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from coursewire.errors import SettingsError
from coursewire.settings import Settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("COURSEWIRE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_defaults_follow_the_data_folder(tmp_path: Path) -> None:
    settings = Settings.load(data_dir=tmp_path)
    assert settings.database_url == f"sqlite:///{tmp_path / 'coursewire.db'}"
    assert settings.secret_key_file == tmp_path / "secret.key"
    assert settings.channels is None
    assert (settings.source, settings.runner) == ("database", "inline")
    assert (settings.guard_share, settings.guard_number, settings.guard_floor) == (0.2, 100, 5)
    assert (settings.retention_days, settings.lease_seconds, settings.log_level) == (90, 60, "INFO")
    assert not settings.allow_insecure_urls


def test_the_data_folder_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings.load().data_dir.is_relative_to(tmp_path)


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "coursewire.toml").write_text(
        'lease_seconds = 90\nlog_level = "debug"\nchannels = ["sap", "canvas"]\n'
    )
    assert Settings.load().channels == ("sap", "canvas")
    monkeypatch.setenv("COURSEWIRE_LEASE_SECONDS", "120")
    monkeypatch.setenv("COURSEWIRE_CHANNELS", "moodle, xapi,")
    monkeypatch.setenv("COURSEWIRE_LOG_LEVEL", "")  # empty is not set
    settings = Settings.load()
    assert (settings.lease_seconds, settings.log_level) == (120, "DEBUG")
    assert settings.channels == ("moodle", "xapi")
    assert Settings.load(lease_seconds=7).lease_seconds == 7


def test_paths_in_a_named_file_start_at_its_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "cw.toml").write_text(
        'hooks_file = "hooks.py"\nsecret_key_file = "~/k"\n', encoding="utf-8-sig"
    )
    monkeypatch.setenv("COURSEWIRE_SETTINGS", str(folder / "cw.toml"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    settings = Settings.load()
    assert settings.hooks_file == folder / "hooks.py"
    assert settings.secret_key_file == tmp_path / "home" / "k"
    monkeypatch.setenv("COURSEWIRE_DATA_DIR", "~/data")
    assert Settings.load().data_dir == tmp_path / "home" / "data"


def test_an_unknown_name_in_the_file_suggests_the_nearest(tmp_path: Path) -> None:
    file = tmp_path / "coursewire.toml"
    file.write_text("lease_secs = 5\n")
    with pytest.raises(SettingsError) as error:
        Settings.load()
    assert "lease_secs" in str(error.value)
    assert "did you mean 'lease_seconds'?" in str(error.value)
    assert str(file) in str(error.value)


def test_errors_name_every_setting_and_its_origin_but_no_value(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "coursewire.toml").write_text('retention_days = "CANARY-1"\nqqq = 1\n')
    monkeypatch.setenv("COURSEWIRE_LEASE_SECONDS", "CANARY-2")
    with pytest.raises(SettingsError) as error:
        Settings.load(guard_share=3)
    text = str(error.value)
    assert text.startswith("4 settings cannot be used")
    assert f"retention_days (file {tmp_path / 'coursewire.toml'})" in text
    assert "lease_seconds (environment variable COURSEWIRE_LEASE_SECONDS)" in text
    assert "guard_share (given by the caller)" in text
    assert "qqq" in text
    assert "CANARY" not in text
    assert error.value.__context__ is None


def test_a_problem_of_the_data_folder_is_named_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"a setting cannot be used: data_dir \(given by the caller\)"):
        Settings.load(data_dir=5)


def test_a_misspelt_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSEWIRE_TEST_POSTGRESQL", "not ours")
    Settings.load()
    monkeypatch.setenv("COURSEWIRE_DATABSE_URL", "sqlite:///CANARY")
    with pytest.raises(SettingsError, match="did you mean COURSEWIRE_DATABASE_URL") as error:
        Settings.load()
    assert "CANARY" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"a = = 1", "not TOML.*line 1"),
        (b"a = '\xff'", "not UTF-8"),
    ],
)
def test_a_file_that_is_not_one(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "coursewire.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=why):
        Settings.load()


def test_a_named_file_must_exist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COURSEWIRE_SETTINGS", str(tmp_path / "none.toml"))
    with pytest.raises(SettingsError, match=r"No such file.*COURSEWIRE_SETTINGS"):
        Settings.load()


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSEWIRE_SECRET_KEY", "CANARY-KEY")
    monkeypatch.setenv("COURSEWIRE_DATABASE_URL", "postgresql://u:CANARY-PASSWORD@h/d")
    settings = Settings.load()
    assert settings.database_url == "postgresql://u:CANARY-PASSWORD@h/d"
    assert "CANARY" not in repr(settings) + str(settings)


def test_reading_settings_loads_no_heavy_library() -> None:
    code = (
        "import sys, coursewire.settings as s; s.Settings.load();"
        "sys.exit(', '.join({'sqlalchemy', 'cryptography', 'httpx', 'pluggy'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
