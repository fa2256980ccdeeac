"""Codes instead of statuses: what they mean, and what is missing by name."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from coursewire.errors import BlockedError, CredentialsError, RejectedError, SendError, UnreachableError
from coursewire.toolkit.forms import bracketed, with_field
from coursewire.toolkit.refusals import Preflight, coded_error, worded_error
from coursewire.toolkit.responses import read_noisy
from coursewire.toolkit.xml_replies import XmlNames

TABLE = {"norights": ["blocked", "Ask."], "token*": ["credentials"], "down": ["later"], "": ["unclear"]}
NAMES = XmlNames(record="STRUCT", member="VAR", name="name", many="ARRAY", value="TEXT")


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        ("norights", BlockedError, "norights"),
        ("tokenover", CredentialsError, "tokenover"),
        ("down", UnreachableError, "down"),
        ("", SendError, "lms-error"),
        ("other", RejectedError, "other"),
    ],
)
def test_a_code_says_what_a_refusal_is(code, kind, reason):
    error = coded_error(TABLE, code, "it was refused", "Nein")
    assert (type(error), error.reason, error.why) == (kind, reason, "Nein")
    assert error.next_step == ("Ask." if code == "norights" else "")


def test_an_error_of_ones_own_takes_its_words_from_a_table():
    error = worded_error({"no-place": ["blocked", "no place {n}", "See {n}."]}, "no-place", n=4)
    assert (type(error), error.what, error.next_step) == (BlockedError, "no place 4", "See 4.")
    assert error.reason == "no-place"


def test_a_preflight_names_all_that_is_missing_at_once():
    async def refused(error):
        raise error

    async def main():
        preflight = Preflight()
        preflight.demand("nothing is missing", "")
        assert await preflight.tried("read", asyncio.sleep(0, "rows")) == "rows"
        assert await preflight.tried("write", refused(BlockedError("no", reason="norights"))) is None
        assert await preflight.tried("make", refused(RejectedError("a blank name"))) is None
        preflight.expect({"see": False, "hear": True})
        with pytest.raises(BlockedError) as caught:
            preflight.demand("rights are lacking", "Give them.")
        assert (caught.value.why, caught.value.next_step) == ("write (norights), see", "Give them.")
        with pytest.raises(UnreachableError):
            await preflight.tried("read", refused(UnreachableError("down")))

    asyncio.run(main())


def test_nested_data_goes_into_the_names_of_a_forms_fields():
    data = {"a": 1, "rows": [{"id": 5, "tags": ["x", "y"]}, 7], "none": [], "o": {"k": None}}
    assert bracketed(data) == {
        "a": "1",
        "rows[0][id]": "5",
        "rows[0][tags][0]": "x",
        "rows[0][tags][1]": "y",
        "rows[1]": "7",
        "o[k]": "None",
    }


def test_a_field_is_put_before_a_form():
    request = httpx.Request("POST", "https://lms.example.com/x", data={"a": "1"})
    request.extensions["mark"] = 1
    again = with_field(request, "token", "s&é")
    assert again.content == b"token=s%26%C3%A9&a=1"
    assert again.headers["content-length"] == str(len(again.content))
    assert again.headers["content-type"] == request.headers["content-type"]
    assert (again.extensions["mark"], request.content) == (1, b"a=1")


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
    assert read_noisy(content) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('<R><STRUCT><VAR name="a"><TEXT>&eacute;&amp;</TEXT></VAR></STRUCT></R>', {"a": "é&"}),
        ('<R><ARRAY><STRUCT><VAR name="a"><TEXT/></VAR></STRUCT></ARRAY></R>', [{"a": ""}]),
        ('<R><ARRAY><TEXT>1</TEXT><TEXT null="null"/></ARRAY></R>', ["1", None]),
        ('<R><STRUCT><VAR name="a"><ARRAY/></VAR><VAR name="b"/></STRUCT></R>', {"a": [], "b": None}),
        ('<R class="E"><CODE>x</CODE><MORE/></R>', {"class": "E", "code": "x", "more": None}),
        ("<R/>", None),
    ],
)
def test_xml_that_spells_out_data_is_read_as_data(text, read):
    assert NAMES.read(text.encode()) == {"R": read}


def test_what_is_no_xml_is_not_read():
    assert NAMES.read(b"<R><broken") is None
