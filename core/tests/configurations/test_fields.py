from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field, SecretStr

from coursewire.configurations.fields import FieldInfo, describe
from coursewire.model.channel import Channel
from coursewire.model.configuration import ChannelConfig


def test_the_fields_of_a_channel_come_first_in_words(acme: Channel) -> None:
    fields = {info.name: info for info in describe(acme.config)}
    assert list(fields) == [
        "acme_base_url",
        "client_id",
        "client_secret",
        "scale",
        "rounding",
        "minutes",
        "token_url",
        "extra",
        *ChannelConfig.model_fields,
    ]
    assert fields["acme_base_url"] == FieldInfo(
        name="acme_base_url",
        type="URL",
        required=True,
        default=None,
        secret=False,
        help="Address of the Acme site.",
    )
    assert fields["client_secret"] == FieldInfo(
        name="client_secret",
        type="secret",
        required=True,
        default=None,
        secret=True,
        help="Application secret.",
    )
    assert fields["minutes"].default == 30
    assert fields["extra"].default == {}
    assert fields["catalogs_to_transmit"].default == []
    assert {name: info.type for name, info in fields.items()} == {
        "acme_base_url": "URL",
        "client_id": "text",
        "client_secret": "secret",
        "scale": "one of percent, points",
        "rounding": "one of up, down",
        "minutes": "whole number",
        "token_url": "URL",
        "extra": "object",
        "display_name": "text",
        "idp_id": "text",
        "dry_run_mode_enabled": "yes or no",
        "transmission_chunk_size": "whole number",
        "catalogs_to_transmit": "list of UUID",
        "disable_learner_data_transmissions": "yes or no",
        "completion_policy": "one of passed, evidence, pacing",
        "learner_id": "one of sso, email, employee_id, launch",
        "include_inactive_learners": "yes or no",
        "send_in_progress": "yes or no",
        "resend_outcomes": "one of changed, improved, never",
        "show_course_price": "yes or no",
    }


def test_every_common_field_has_help() -> None:
    assert [info.name for info in describe(ChannelConfig) if not info.help] == []


class Odd(ChannelConfig):
    secret: SecretStr = SecretStr("CANARY")
    derived: str = Field(default_factory=lambda data: data["display_name"])
    when: datetime | None = None
    either: int | str | bool = 1
    only: Literal["x"] = "x"
    anything: object = None
    share: float = 0.5


def test_unusual_fields() -> None:
    fields = {info.name: info for info in describe(Odd)}
    assert fields["secret"].default is None
    assert fields["derived"].default is None
    assert not fields["derived"].required
    assert fields["when"].type == "instant"
    assert fields["either"].type == "whole number or text or yes or no"
    assert fields["only"].type == "one of x"
    assert fields["anything"].type == "any"
    assert fields["share"].type == "number"
    assert "CANARY" not in repr(describe(Odd))
