"""Forms as PHP reads them."""

from __future__ import annotations

import httpx

from coursewire_moodle.forms import bracketed, with_field


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
