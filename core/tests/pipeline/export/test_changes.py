"""Naming what changed, leaving out what is unknown, and numbers."""

import json
from decimal import Decimal

import pytest

from coursewire.pipeline.export.changes import MOST, changed_fields, number, without_none


@pytest.mark.parametrize(
    ("before", "after", "paths"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, ["a"]),
        ({"a": 1}, {"b": 1}, ["a", "b"]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, ["a.c"]),
        ({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 1}, {"b": 3}]}, ["a[1].b"]),
        ({"a": [1]}, {"a": [1, 2]}, ["a"]),
        ({"a": None}, {"a": 0}, ["a"]),
    ],
)
def test_paths(before, after, paths):
    assert changed_fields(before, after) == paths


def test_a_payload_in_which_everything_changed_is_not_listed_whole():
    assert len(changed_fields({str(n): 0 for n in range(100)}, {str(n): 1 for n in range(100)})) == MOST


@pytest.mark.parametrize(
    ("share", "scaled", "raw"),
    [
        ("0", "0", "0"), ("1", "1", "100"), ("1.00", "1", "100"), ("0.57", "0.57", "57"), ("0.29", "0.29", "29"),
        ("0.875", "0.875", "87.5"), ("0.3333", "0.3333", "33.33"), ("0.005", "0.005", "0.5"),
    ],
)  # fmt: skip
def test_numbers_are_what_they_say(share, scaled, raw):
    assert (json.dumps(number(Decimal(share))), json.dumps(number(Decimal(share) * 100))) == (scaled, raw)


def test_only_what_is_none_is_left_out():
    assert without_none(a=None, b=0, c="", d=[], e=False) == {"b": 0, "c": "", "d": [], "e": False}
