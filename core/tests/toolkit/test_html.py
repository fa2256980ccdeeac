from __future__ import annotations

import sys

import pytest

from coursewire.toolkit.html import LONGEST_HTML, clean_html, plain_text


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


def test_a_long_text_is_read_whole():
    assert plain_text("<p>word</p>" * 10_000).startswith("word word")


@pytest.mark.parametrize(
    ("html", "clean"),
    [
        (None, ""),
        ("2 < 3 & 4", "2 &lt; 3 &amp; 4"),
        ("plain & simple", "plain & simple"),
        ("<p>a &nbsp; b<br/></p>", "<p>a &nbsp; b<br/></p>"),
        ('<a href="https://example.com/?a=1&b=2">x</a>', '<a href="https://example.com/?a=1&b=2">x</a>'),
        ("<p>seen<script>alert(1)</script></p>", "<p>seen</p>"),
        ('<p onclick="alert(1)">x</p>', "<p>x</p>"),
        ('<a href="javascript:alert(1)">x</a>', "<a>x</a>"),
        ("<a href=JaVaScRiPt:alert(1)>x</a>", "<a>x</a>"),
        ('<a href="data:text/html,<script>alert(1)</script>">x</a>', "<a>x</a>"),
        ("<iframe src=https://example.com></iframe>x", "x"),
        ("<svg><script>alert(1)</script></svg>x", "x"),
        ("<img src=x onerror=alert(1)>x", "x"),
        ("<style>body{}</style>x", "x"),
        ("<scr<script>ipt>alert(1)</scr</script>ipt>", "ipt&gt;alert(1)ipt&gt;"),
        ("closed twice</p></div>", "closed twice<p></p>"),
        ("<ul><li>a</li></ul><hr>", "<ul><li>a</li></ul><hr>"),
        ("<p>left open", "<p>left open</p>"),
        ("<marquee>x</marquee>", "x"),
    ],
)
def test_only_harmless_html_is_left(html, clean):
    assert clean_html(html) == clean


def test_an_lms_may_take_fewer_elements():
    assert clean_html("<h1>a</h1><p>b</p>", tags={"p"}) == "a<p>b</p>"


@pytest.mark.parametrize("read", [plain_text, clean_html])
def test_what_is_too_long_for_a_person_is_cut_off(read):
    assert len(read("x" * (LONGEST_HTML + 5))) == LONGEST_HTML


@pytest.mark.parametrize("read", [plain_text, clean_html])
@pytest.mark.parametrize(
    "piece", ["<a ", "<", "<b>", "&", "<!--", '<a b="', "</", "<table><tr><td>", "&#", "<p", "<script>"]
)
def test_the_steps_grow_with_the_length_and_not_with_its_square(read, piece):
    """Counted in calls and not in seconds: a reader that starts again at each bracket makes millions of them."""
    calls = 0

    def count(*_):
        nonlocal calls
        calls += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        read(piece * (20_000 // len(piece)))
    finally:
        sys.setprofile(before)
    assert calls < 40 * 20_000
