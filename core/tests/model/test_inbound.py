"""Reading requests from outside."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from coursewire.model.addresses import plain_path
from coursewire.model.inbound import (
    InboundAccess,
    InboundAnswer,
    InboundRefusal,
    InboundRequest,
    InboundRoute,
)


def request(**fields):
    return InboundRequest("GET", "https://host.example.com/x", **fields)


@pytest.mark.parametrize(
    ("header", "instant"),
    [
        ("Sat, 28 Feb 2026 00:00:00 GMT", datetime(2026, 2, 28, tzinfo=UTC)),
        ("Sat, 28 Feb 2026 02:00:00 +0200", datetime(2026, 2, 28, tzinfo=UTC)),
        ("Sat, 28 Feb 2026 00:00:00 -0000", datetime(2026, 2, 28, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
        ("Sat, 99 Feb 2026 00:00:00 GMT", None),
    ],
)
def test_what_the_caller_has(header, instant):
    assert request(headers={"if-modified-since": header}).modified_since == instant
    assert request().modified_since is None


def test_how_much_is_wanted():
    def count(text):
        return request(query=[("count", text)]).count("count", 100)

    assert (request().count("count", 100), count("7"), count("0"), count("9" * 5000)) == (100, 7, 0, 100)
    for wrong in ("-1", "1.0", "", " 1", "x", "１"):
        with pytest.raises(InboundRefusal) as refusal:
            count(wrong)
        assert refusal.value.status == 400


def test_texts_of_a_body():
    assert request(body=b'{"a": "x", "b": 1, "c": null}').texts() == {"a": "x"}
    for wrong in (b"", b"[]", b"null", b"\xff", b'"x"'):
        with pytest.raises(InboundRefusal):
            request(body=wrong).texts()


def test_a_body_does_not_show():
    assert "canary" not in repr(request(body=b"canary"))


async def _handler(_request, _desk):
    """Tell something.

    And more about it.
    """
    return InboundAnswer()


def test_a_route_is_summed_up_by_its_handler():
    assert InboundRoute("/x", _handler, InboundAccess.PUBLIC).summary == "Tell something."
    assert InboundRoute("/x", _handler, InboundAccess.PUBLIC, summary="Else").summary == "Else"


@pytest.mark.parametrize("path", ["/progress", "/services/api/v1/x-y_z.json", "/a/"])
def test_a_plain_path(path):
    assert plain_path(path) == path.rstrip("/")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//",
        "x",
        "//host/x",
        "https://host/x",
        "/a?b",
        "/a#b",
        "/a b",
        "/a\\b",
        "/../a",
        "/@host",
        "/%2e",
        "/a\n",
        "/" + "x" * 255,
    ],
)
def test_what_is_no_plain_path(path):
    with pytest.raises(ValueError, match="path"):
        plain_path(path)
