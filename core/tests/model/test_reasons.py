"""Reason codes: each has words, and says what to do where something can be done."""

from coursewire.model.reasons import TEXTS, Reason, explain


def test_every_code_has_words():
    assert [code for code in Reason if not TEXTS[code][0]] == []


def test_a_code_of_a_channel_explains_itself():
    assert explain("missing-locale") == ("", "")
