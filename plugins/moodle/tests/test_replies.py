"""Replies in JSON, with and without noise before them, and in Moodle's XML."""

from __future__ import annotations

import httpx
import pytest

from coursewire_moodle.replies import error_code, read_json, read_reply, read_xml


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (b'{"a": 1}\n', ({"a": 1}, "")),
        (b"Warning: x\nin y\n[1]", ([1], "Warning: x\nin y")),
        (b'{\n"a": 1\n}', ({"a": 1}, "")),
        (b"<html>", None),
        (b"", None),
    ],
)
def test_data_is_found_behind_what_was_printed_before(content, read):
    assert read_json(content) == read


SINGLE = "<SINGLE>{}</SINGLE>".format


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (SINGLE('<KEY name="a"><VALUE>&eacute;&amp;</VALUE></KEY>'), {"a": "é&"}),
        ('<MULTIPLE><SINGLE><KEY name="a"><VALUE/></KEY></SINGLE></MULTIPLE>', [{"a": ""}]),
        ('<MULTIPLE><VALUE>1</VALUE><VALUE null="null"/></MULTIPLE>', ["1", None]),
        (SINGLE('<KEY name="a"><MULTIPLE/></KEY><KEY name="b"/>'), {"a": [], "b": None}),
        ("<VALUE>0</VALUE>", "0"),
        ("", None),
    ],
)
def test_xml_that_spells_out_data_is_read_as_data(text, read):
    assert read_xml(f"<RESPONSE>{text}</RESPONSE>".encode()) == (read, "")


def test_an_error_in_xml_reads_like_one_in_json():
    text = '<EXCEPTION class="E"><ERRORCODE>x</ERRORCODE><MESSAGE>m</MESSAGE><DEBUGINFO/></EXCEPTION>'
    data = {"exception": "E", "class": "E", "errorcode": "x", "message": "m", "debuginfo": None}
    assert read_xml(text.encode()) == (data, "")


@pytest.mark.parametrize("text", ["<RESPONSE><broken", "<html/>"])
def test_what_is_not_moodles_xml_is_no_reply(text):
    assert read_xml(text.encode()) is None


def test_either_format_is_read_whichever_was_asked_for():
    assert read_reply(b' <?xml version="1.0"?><RESPONSE><VALUE>5</VALUE></RESPONSE> ') == ("5", "")
    assert read_reply(b" 5 ") == (5, "")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'{"exception":"x","errorcode":"invalidtoken"}', "invalidtoken"),
        (b'<?xml version="1.0"?><EXCEPTION><ERRORCODE>invalidtoken</ERRORCODE></EXCEPTION>', "invalidtoken"),
        (b'{"exception":"Error","message":"m"}', ""),
        (b'["errorcode"]', ""),
        (b"<html>errorcode", ""),
        (b"[]", ""),
    ],
)
def test_the_code_of_an_error_is_read_from_either_format(content, code):
    assert error_code(httpx.Response(200, content=content)) == code
