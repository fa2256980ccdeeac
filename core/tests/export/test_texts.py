from __future__ import annotations

import pytest

from coursewire.export.texts import cut


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one two", "one two"),
        ("one two three", "one two…"),
        ("exactly ten", "exactly…"),
        ("植物学入門植物学入門植物学", "植物学入門植物学入…"),
        ("a 植物学入門植物学入門", "a 植物学入門植物…"),
        ("", ""),
    ],
)
def test_a_text_is_cut_between_words_where_there_are_any(text, expected):
    assert cut(text, 10) == expected
    assert len(cut(text, 10)) <= 10
