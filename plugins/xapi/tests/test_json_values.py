"""Numbers of statements, and what is left out of them."""

import json
from decimal import Decimal

import pytest

from coursewire_xapi.json_values import number, without_none


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
