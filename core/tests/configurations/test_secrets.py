from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from coursewire.configurations.secrets import SecretBox, new_key
from coursewire.errors import SecretKeyError
from coursewire.settings import Settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("COURSEWIRE_SECRET_KEY", raising=False)
    return Settings(data_dir=tmp_path / "data")


def test_round_trip_byte_for_byte() -> None:
    box = SecretBox([new_key()])
    plain = b"  p\x00ss \xff\n"
    assert box.decrypt(box.encrypt(plain)) == plain
    assert plain not in box.encrypt(plain)


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    old, new = new_key(), new_key()
    written = SecretBox([old]).encrypt(b"x")
    both = SecretBox([new, old])
    assert both.decrypt(written) == b"x"
    assert SecretBox([new]).decrypt(both.encrypt(b"y")) == b"y"
    renewed = both.renew(written)
    assert renewed is not None
    assert SecretBox([new]).decrypt(renewed) == b"x"
    assert both.renew(renewed) is None


def test_a_foreign_key_is_named_as_the_cause() -> None:
    written = SecretBox([new_key()]).encrypt(b"x")
    for call in (SecretBox([new_key()]).decrypt, SecretBox([new_key()]).renew):
        with pytest.raises(SecretKeyError, match="COURSEWIRE_SECRET_KEY or the key file"):
            call(written)


def test_keys_from_the_setting(settings: Settings) -> None:
    old, new = new_key(), new_key()
    box = SecretBox.open(Settings(data_dir=settings.data_dir, secret_key=f"{new}, {old}"))
    assert box.decrypt(SecretBox([old]).encrypt(b"x")) == b"x"
    assert SecretBox([new]).decrypt(box.encrypt(b"x")) == b"x"


@pytest.mark.parametrize(
    "wrong", ["CANARY", "CANARY" * 8, "CANÄRY", "A" * 43, "A" * 43 + "é", "CANARY\udcff"]
)
def test_what_is_no_key_is_refused_without_showing_it(settings: Settings, wrong: str) -> None:
    with pytest.raises(SecretKeyError) as error:
        SecretBox.open(Settings(data_dir=settings.data_dir, secret_key=f"{new_key()},{wrong}"))
    text = str(error.value)
    assert "setting secret_key, key 2" in text
    assert "44 characters" in text
    assert "coursewire config new-key" in text
    assert "CAN" not in text
    assert error.value.__context__ is None


def test_neither_setting_nor_file(settings: Settings) -> None:
    with pytest.raises(
        SecretKeyError, match=r"COURSEWIRE_SECRET_KEY is not set and .*secret\.key does not exist"
    ):
        SecretBox.open(settings)


def test_a_blank_setting_holds_no_key(settings: Settings) -> None:
    with pytest.raises(SecretKeyError, match="there is no secret key"):
        SecretBox.open(Settings(data_dir=settings.data_dir, secret_key=" , "))


def test_the_key_file_is_private_and_made_once(settings: Settings) -> None:
    path = settings.secret_key_file
    SecretBox.create_key_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    before = path.read_bytes()
    box = SecretBox.open(settings)
    assert SecretBox.open(settings).decrypt(box.encrypt(b"x")) == b"x"
    with pytest.raises(SecretKeyError, match="there already"):
        SecretBox.create_key_file(path)
    assert path.read_bytes() == before


def test_a_file_may_hold_several_keys(settings: Settings) -> None:
    old, new = new_key(), new_key()
    SecretBox.create_key_file(settings.secret_key_file)
    settings.secret_key_file.write_text(f"{new}\n{old}\n")
    box = SecretBox.open(settings)
    assert box.decrypt(SecretBox([old]).encrypt(b"x")) == b"x"
    assert SecretBox([new]).decrypt(box.encrypt(b"x")) == b"x"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_key_file_that_others_may_use_is_refused(settings: Settings, mode: int) -> None:
    SecretBox.create_key_file(settings.secret_key_file)
    settings.secret_key_file.chmod(mode)
    with pytest.raises(SecretKeyError) as error:
        SecretBox.open(settings)
    assert error.value.next_step == f"chmod 600 {settings.secret_key_file}"
    assert f"{mode:04o}" in str(error.value)


def test_a_read_only_key_file_is_fine(settings: Settings) -> None:
    SecretBox.create_key_file(settings.secret_key_file)
    settings.secret_key_file.chmod(0o400)
    SecretBox.open(settings)


def test_a_key_file_of_another_user_is_refused(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    SecretBox.create_key_file(settings.secret_key_file)
    us = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: us + 1)
    with pytest.raises(SecretKeyError, match=f"its owner is user {us}"):
        SecretBox.open(settings)


def test_a_key_file_that_is_not_text(settings: Settings) -> None:
    SecretBox.create_key_file(settings.secret_key_file)
    settings.secret_key_file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SecretKeyError, match="not text"):
        SecretBox.open(settings)


def test_a_folder_in_place_of_the_key_file(settings: Settings) -> None:
    settings.secret_key_file.mkdir(parents=True)
    with pytest.raises(SecretKeyError, match=r"cannot be read.*directory"):
        SecretBox.open(settings)


def test_a_file_in_place_of_the_data_folder(settings: Settings) -> None:
    settings.data_dir.write_text("")
    with pytest.raises(SecretKeyError, match="cannot be written"):
        SecretBox.create_key_file(settings.secret_key_file / "deeper")


def test_a_box_shows_nothing() -> None:
    key = new_key()
    box = SecretBox([key])
    assert repr(box) == str(box) == "<SecretBox>"
    assert not hasattr(box, "__dict__")
