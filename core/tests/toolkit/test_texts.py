"""Texts that an LMS demands or has no room for."""

import pytest

from coursewire.errors import NotExportableError
from coursewire.model.content import ContentItem
from coursewire.toolkit.texts import digest, require_length, require_text, truncate


def item(**fields):
    return ContentItem(content_type="course", key="RiverU+X1", **fields)


@pytest.mark.parametrize("value", [None, "", "  ", "\n"])
def test_a_demanded_field_that_is_missing_or_blank_is_named(value):
    with pytest.raises(NotExportableError) as error:
        require_text(item(title=value), "title")
    assert error.value.field == "title"
    assert "source" in str(error.value)


def test_a_demanded_field_comes_as_text_as_it_is():
    assert require_text(item(title=" Rivers "), "title") == " Rivers "
    assert require_text(item(weeks=0), "weeks") == "0"


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("Rivers", 6, "Rivers"),
        ("Rivers and plants", 12, "Rivers and…"),
        ("Rivers and plants", 11, "Rivers…"),
        ("Riversandplants", 8, "Riversa…"),
        ("A riversandplantsandmore", 12, "A riversand…"),
        ("植物学入門講座", 5, "植物学入…"),
        ("x", 1, "x"),
        ("xy", 1, "…"),
    ],
)
def test_a_long_text_is_cut_between_two_words_where_it_has_words(text, limit, short):
    assert truncate(text, limit) == short
    assert len(truncate(text, limit)) <= limit


def test_what_must_not_be_cut_fits_or_is_named():
    assert require_length("k" * 5, 5, "key") == "kkkkk"
    with pytest.raises(NotExportableError, match="5 characters, it has 6") as error:
        require_length("k" * 6, 5, "key")
    assert error.value.field == "key"


def test_a_digest_is_the_beginning_of_sha_256():
    assert digest("abc", 12) == "ba7816bf8f01"
