from __future__ import annotations

import httpx
import pytest

from coursewire.toolkit.responses import (
    dig,
    dig_object,
    error_text,
    is_done,
    is_missing,
    read_json,
    read_object,
    rows_by,
)


def answered(status, body=b"", **options):
    request = httpx.Request("GET", "https://lms.example.com/api/x?key=1")
    how = {"json": body} if not isinstance(body, bytes) else {"content": body}
    return httpx.Response(status, request=request, **how, **options)


def test_only_an_object_is_read_as_one():
    assert read_object(httpx.Response(200, json={"a": 1})) == {"a": 1}
    for other in (b"", b"[1]", b"null", b"<html>"):
        assert read_object(httpx.Response(200, content=other)) == {}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": "no"}, "no"),
        ({"error": {"code": "X1", "message": "no"}}, "X1: no"),
        ({"error": {"code": "X1", "message": {"lang": "en", "value": "no"}}}, "X1: no"),
        (
            {"errors": [{"title": "Bad Request", "detail": "no"}, {"detail": "nor that"}]},
            "Bad Request: no; nor that",
        ),
        ({"errors": [{"title": "Conflict"}]}, "Conflict"),
        ({"errors": [{"message": "no"}]}, "no"),
        ({"errors": [{"id": "7"}]}, '[{"id": "7"}]'),
        ({"errors": ["no"]}, '["no"]'),
        ({"errors": {"field": "no"}}, '{"field": "no"}'),
        ({"errors": [], "error": None}, ""),
        ({"error": {"description": "no"}}, "no"),
        ({"status": 400}, "status 400"),
        ({"status": "404", "message": "no such course"}, "no such course"),
        ({"status": 200, "message": "fine"}, ""),
        ({"status": "Success", "error": None}, ""),
        ({"data": {"errors": "deep"}}, ""),
        ([{"error": "in a list"}], ""),
        (None, ""),
    ],
)
def test_the_words_of_an_error_whatever_its_shape(body, words):
    assert error_text(body) == words


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"data": [{"status": "ok"}, {"error": "deep"}]}, "deep"),
        ({"exception": "e", "message": "no"}, "no"),
        ({"value": {"Fault": {"x": 1}}}, "{'Fault': {'x': 1}}"),
        ({"errors": [], "errorMessage": None, "data": {"id": 1}}, ""),
        ("error", ""),
        (None, ""),
    ],
)
def test_an_error_inside_an_answer_is_found_however_deep(body, words):
    assert error_text(body, deep=True) == words


@pytest.mark.parametrize(
    ("status", "body", "missing"),
    [
        (404, {"errors": []}, True),
        (410, b"", True),
        (404, b"<html>no such page</html>", False),
        (404, ["x"], False),
        (400, {"errors": []}, False),
        (200, {}, False),
    ],
)
def test_only_the_lmss_own_404_says_that_something_is_not_there(status, body, missing):
    assert is_missing(answered(status, body)) is missing


@pytest.mark.parametrize(
    ("status", "body", "yes"),
    [
        (200, {"id": 1}, True),
        (200, [], True),
        (204, b"", True),
        (201, b" ", True),
        (200, b"", False),
        (200, b"<html>log in</html>", False),
        (200, b'"text"', False),
        (200, {"results": [{"error": "no"}]}, False),
        (200, {"status": 400}, False),
        (302, b"", False),
        (400, {}, False),
    ],
)
def test_what_says_yes(status, body, yes):
    assert is_done(answered(status, body)) is yes


def test_an_lms_may_say_how_its_own_404_looks():
    assert is_missing(answered(404, {"errors": []}), "errors")
    assert not is_missing(answered(404, {"message": "no route"}), "errors")
    assert not is_missing(answered(404), "errors")


def test_what_stands_below_names():
    data = {"user": {"contact": {"email": "pat@example.org"}}, "list": [1]}

    assert dig(data, "user", "contact", "email") == "pat@example.org"
    assert dig(data) == data
    assert dig(data, "user", "other", "email") is None
    assert dig(data, "list", "email") is None
    assert dig(None, "user") is None


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ({"results": [{"ref": "b", "ok": 1}, {"ref": "a"}]}, {"a": {"ref": "a"}, "b": {"ref": "b", "ok": 1}}),
        ({"results": [{"ref": "a", "ok": 1}, {"ref": "a", "ok": 2}]}, {"a": {"ref": "a", "ok": 2}}),
        ({"results": ["a", None, {"ref": ["a"]}, {"ref": None}, {"id": "a"}]}, {}),
        ({"results": None}, {}),
        ({"results": {"ref": "a"}}, {}),
        ([{"ref": "a"}], {}),
        (b"<html>", {}),
    ],
)
def test_rows_of_a_bulk_call_are_found_by_their_key(body, rows):
    assert rows_by(answered(200, body), "results", by="ref") == rows


@pytest.mark.parametrize(
    ("data", "found"),
    [({"a": {"b": {"c": 1}}}, {"c": 1}), ({"a": {"b": [1]}}, {}), ({"a": None}, {}), ({}, {}), ("text", {})],
)
def test_an_object_further_down_is_found_or_empty(data, found):
    assert dig_object(data, "a", "b") == found


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"]
)
def test_json_is_read_in_each_encoding_of_unicode(encoding):
    content = '{"name": "Übergänge 自然"}'.encode(encoding)
    assert read_json(httpx.Response(200, content=content)) == {"name": "Übergänge 自然"}


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"\xef\xbb\xbf", b"\xff\xfe<\x00", b"\xff\xfe\xd8", b"\x00"]
)
def test_what_is_no_json_is_none(content):
    assert read_json(httpx.Response(200, content=content)) is None
