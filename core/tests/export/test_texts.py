from __future__ import annotations

import pytest

from coursewire.errors import NotExportableError
from coursewire.export.texts import cut, required, short_enough
from coursewire.model.content import ContentItem


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


def test_a_field_that_is_demanded_is_there_or_named():
    item = ContentItem.model_validate({"content_type": "course", "key": "K+1", "title": "T", "level": 3})
    assert (required(item, "title"), required(item, "level")) == ("T", "3")
    for field in ("enrollment_url", "unheard_of"):
        with pytest.raises(NotExportableError, match=field):
            required(item, field)


def test_a_key_is_never_cut():
    assert short_enough("K+1", 3) == "K+1"
    with pytest.raises(NotExportableError, match="takes 2 characters, it has 3"):
        short_enough("K+1", 2)
