from __future__ import annotations

import pytest

from coursewire.toolkit.plain_text import plain_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (None, ""),
        ("", ""),
        ("  plain\n text ", "plain text"),
        (
            "<p>Tides &amp; currents for <b>small boats</b>&nbsp;and kayaks.</p>",
            "Tides & currents for small boats and kayaks.",
        ),
        ("<p>One.</p><p>Two.</p>", "One. Two."),
        ("one<br>two<br/>three", "one two three"),
        ("<ul><li>a</li><li>b</li></ul>", "a b"),
        ("H<sub>2</sub>O and <em>em</em>phasis", "H2O and emphasis"),
        ("&lt;b&gt; is a tag &#39;quoted&#x27; &hellip; &copy;", "<b> is a tag 'quoted' … ©"),
        ("a &unknown; b & c", "a &unknown; b & c"),
        ("2 < 3 and 5 > 4", "2 < 3 and 5 > 4"),
        ("<p>seen<script>var x = '<p>';</script><style>p{}</style>", "seen"),
        ("<!-- note -->text<!DOCTYPE html>", "text"),
        ('<p class="a>b">x</p>', "x"),
        ("<div>自然言語<br>処理</div> مرحبا", "自然言語 処理 مرحبا"),
        ("</p></script>after", "after"),
    ],
)
def test_what_a_reader_sees(html, text):
    assert plain_text(html) == text


def test_a_long_text_takes_no_time():
    assert plain_text("<p>word</p>" * 10_000).startswith("word word")
