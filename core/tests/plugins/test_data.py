"""Data files of a package."""

import sys

import pytest

from coursewire.plugins.data import packaged_data


def test_a_file_of_a_package_is_read_as_plain_data(tmp_path, monkeypatch):
    package = tmp_path / "made_up_channel"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "words.json").write_text('{"grüße": ["a", 1, null]}', encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    assert packaged_data("made_up_channel", "words.json") == {"grüße": ["a", 1, None]}
    with pytest.raises(FileNotFoundError):
        packaged_data("made_up_channel", "other.json")
    sys.modules.pop("made_up_channel", None)
