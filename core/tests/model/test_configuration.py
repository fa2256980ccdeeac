"""The rules for an LMS's URL, and what counts as a secret."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar
from uuid import uuid4

import pytest
from pydantic import Field, SecretBytes, SecretStr, TypeAdapter, ValidationError, create_model

from coursewire.model.channel import Rate
from coursewire.model.configuration import (
    INSECURE_URLS,
    UNSTORABLE,
    ChannelConfig,
    LmsUrl,
    OptionalUrl,
)


class Config(ChannelConfig):
    code: ClassVar[str] = "X"
    url: LmsUrl
    one: SecretStr | None = None
    two: Annotated[SecretBytes, Field(min_length=1)] = SecretBytes(b"x")
    three: dict[str, SecretStr] = Field(default_factory=dict)


def problem(url: object, *, insecure: bool = False) -> tuple[str, str]:
    with pytest.raises(ValidationError) as error:
        Config.model_validate({"url": url}, context={INSECURE_URLS: insecure})
    (one,) = error.value.errors()
    return one["type"], one["msg"]


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://lms.example.com", "https://lms.example.com"),
        ("https://lms.example.com/", "https://lms.example.com"),
        (" https://lms.example.com/sub/dir// ", "https://lms.example.com/sub/dir"),
        ("HTTPS://LMS.example.com:8443/x", "HTTPS://LMS.example.com:8443/x"),
        ("https://8.8.8.8", "https://8.8.8.8"),
        ("https://[2606:4700:4700::1111]/x", "https://[2606:4700:4700::1111]/x"),
        ("https://bücher.example", "https://bücher.example"),
    ],
)
def test_urls_that_are_taken(url: str, kept: str) -> None:
    assert Config(url=url).url == kept


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("lms.example.com", "absolute URL"),
        ("//lms.example.com", "absolute URL"),
        ("https://", "absolute URL"),
        ("https:lms.example.com", "absolute URL"),
        ("", "absolute URL"),
        ("ftp://lms.example.com", "'ftp' is not http or https"),
        ("file:///etc/passwd", "absolute URL"),
        ("https://lms.example.com:99999", "[Pp]ort"),
        ("https://lms.example.com:port", "[Pp]ort"),
        ("https://[::1", "Invalid IPv6 URL"),
        ("https://lms example.com", "no blanks"),
        ("https://lms.example.com\\evil", "no blanks, control characters or backslashes"),
        ("https://lms.exa\tmple.com", "no blanks"),
        ("https://" + "x" * 250 + ".example", "at most 255"),
    ],
)
@pytest.mark.parametrize("insecure", [False, True])
def test_urls_that_never_are(url: str, why: str, insecure: bool) -> None:
    _, message = problem(url, insecure=insecure)
    assert re.search(why, message), message


@pytest.mark.parametrize(
    "url",
    [
        "https://user:pass@lms.example.com",
        "https://user@lms.example.com",
        "https://@lms.example.com",
        "https://user:pa/ss@lms.example.com",
        "user:pass@lms.example.com",
        "https://lms.example.com/?token=1",
        "https://lms.example.com#part",
    ],
)
@pytest.mark.parametrize("insecure", [False, True])
def test_what_may_hold_a_credential_is_marked(url: str, insecure: bool) -> None:
    assert problem(url, insecure=insecure)[0] == UNSTORABLE


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "lms.localhost",
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "[::1]",
        "[fd00::1]",
        "[fe80::1]",
        "[::ffff:10.0.0.1]",
    ],
)
def test_private_addresses_need_leave(host: str) -> None:
    assert "private or local address" in problem(f"https://{host}/x")[1]
    config = Config.model_validate({"url": f"https://{host}/x"}, context={INSECURE_URLS: True})
    assert config.url == f"https://{host}/x"


def test_plain_http_needs_leave() -> None:
    assert "plain http is refused" in problem("http://lms.example.com")[1]
    assert Config.model_validate({"url": "http://lms.example.com"}, context={INSECURE_URLS: True})


def test_secret_fields_are_found_wherever_they_stand() -> None:
    assert Config.secret_fields() == {"one", "two", "three"}


def test_catalogs_come_as_text_or_list_without_doubles() -> None:
    one, two = uuid4(), uuid4()
    for given in (f"{one},, {two} ,{one}", [one, str(two), one]):
        assert Config(url="https://x.example.com", catalogs_to_transmit=given).catalogs_to_transmit == (
            one,
            two,
        )
    with pytest.raises(ValidationError):
        Config(url="https://x.example.com", catalogs_to_transmit=5)


def test_the_only_lms_url_among_the_fields_is_the_base_url() -> None:
    assert Config(url="https://x.example.com/").lms_url == "https://x.example.com"


@pytest.mark.parametrize(
    "fields", [{}, {"one": (LmsUrl, "https://a.example"), "two": (LmsUrl, "https://b.example")}]
)
def test_a_channel_with_none_or_several_must_say_where_its_lms_is(fields: dict[str, Any]) -> None:
    made = create_model("Made", __base__=ChannelConfig, **fields)
    with pytest.raises(NotImplementedError, match="define the property lms_url"):
        _ = made().lms_url


def test_errors_do_not_repeat_what_was_given() -> None:
    with pytest.raises(ValidationError) as error:
        Config(url="https://x.example.com", one=5, unknown="CANARY")
    assert "CANARY" not in str(error.value)


def test_a_field_may_say_how_many_calls_a_rate_has():
    class Metered(Config):
        daily_calls: int = 500

    vendor = {
        "default": Rate(calls=10_000, seconds=86_400, negotiable=True, setting="daily_calls"),
        "import": Rate(calls=1, seconds=300),
    }

    rates = Metered(url="https://lms.example.com").rates(vendor)

    assert rates["default"] == vendor["default"].model_copy(update={"calls": 500})
    assert rates["import"] == vendor["import"]


@pytest.mark.parametrize("blank", ["", "  ", None])
def test_a_url_that_need_not_be_there_may_be_blank(blank):
    assert TypeAdapter(OptionalUrl).validate_python(blank) is None
