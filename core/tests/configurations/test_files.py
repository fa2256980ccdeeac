from __future__ import annotations

import json
from pathlib import Path

import pytest

from coursewire.configurations.files import read_file, write_template
from coursewire.configurations.store import Configurations
from coursewire.errors import ConfigurationError
from coursewire.model.channel import Channel

CUSTOMER = "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e1111"


def write(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "sap.json"
    path.write_text(text, encoding=encoding)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_file_is_read(tmp_path: Path, encoding: str) -> None:
    content = {"channel": " SAP ", "customer": CUSTOMER, "active": True, "key": "é", "secret": {"env": "S"}}
    file = read_file(write(tmp_path, json.dumps(content, ensure_ascii=False), encoding))
    assert (file.channel, file.customer, file.active) == ("SAP", CUSTOMER, True)
    assert file.fields == {"key": "é", "secret": {"env": "S"}}


def test_a_file_is_a_draft_unless_it_says_otherwise(tmp_path: Path) -> None:
    assert read_file(write(tmp_path, '{"channel": "SAP", "customer": "c"}')).active is False


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"channel": "SAP",\n "secret": "CANARY" "x": 1}',
            r"sap\.json, line 2, column 21\): it is not JSON",
        ),
        ('{"secret": "CANARY', "line 1, column 12"),
        ("", "line 1, column 1"),
        ('["CANARY"]', "not a JSON object"),
        ('{"a": "CANARY", "b": 1, "a": "CANARY"}', "'a' stands there twice"),
        ('{"a": {"env": "CANARY", "env": "CANARY"}}', "'env' stands there twice"),
        ('{"a": NaN}', "NaN is not JSON"),
        ('{"customer": "CANARY"}', r"field channel\): it is missing or not text"),
        ('{"channel": 5, "customer": "CANARY"}', "field channel"),
        ('{"channel": "SAP", "customer": " "}', "field customer"),
        ('{"channel": "SAP", "customer": "c", "active": "CANARY"}', "field active.*not true or false"),
        ("[" * 100_000, "recursion|line 1"),
    ],
)
def test_a_wrong_file_is_refused_without_showing_it(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as error:
        read_file(write(tmp_path, text))
    assert "CANARY" not in str(error.value)
    assert error.value.__context__ is None
    assert str(tmp_path / "sap.json") in str(error.value)


def test_other_encodings_and_missing_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        read_file(write(tmp_path, "{}", "utf-16"))
    with pytest.raises(ConfigurationError, match="No such file"):
        read_file(tmp_path / "none.json")


def test_fields_do_not_show(tmp_path: Path) -> None:
    file = read_file(write(tmp_path, '{"channel": "SAP", "customer": "c", "secret": "CANARY"}'))
    assert "CANARY" not in repr(file)


def test_a_template_names_every_field_and_becomes_a_draft(
    tmp_path: Path, store: Configurations, acme: Channel, parrot: Channel
) -> None:
    for channel in (acme, parrot):
        text = write_template(channel)
        content = json.loads(text)
        assert content.keys() - {"channel", "customer", "active"} == channel.config.model_fields.keys()
        with pytest.raises(ConfigurationError, match="field customer"):
            read_file(write(tmp_path, text))
        file = read_file(write(tmp_path, json.dumps({**content, "customer": CUSTOMER})))
        draft = store.add(channel, file.customer, file.fields, actor="ada")
        required = {name for name, info in channel.config.model_fields.items() if info.is_required()}
        validity = store.validity(draft.uuid, channel)
        assert set(validity.missing) | set(validity.incorrect) == required
    content = json.loads(write_template(acme))
    assert content["client_secret"] == {"env": "ACME_CLIENT_SECRET"}
    assert content["acme_base_url"] == ""
    assert (content["minutes"], content["scale"], content["token_url"]) == (30, "percent", None)
    assert json.loads(write_template(parrot))["token"] is None
