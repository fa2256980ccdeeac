"""The fields at which two payloads differ."""

import pytest

from coursewire.pipeline.export.changes import MOST, changed_fields


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
