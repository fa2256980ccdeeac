"""Languages as tags."""

import pytest

from coursewire_xapi.languages import language_tag


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("en", "en"), ("en-us", "en-US"), ("es-419", "es-419"), ("zh-Hans", "zh-Hans"), ("zh-hans-cn", "zh-Hans-CN"),
        ("pt_BR", "pt-BR"), (" FR ", "fr"), ("ast", "ast"),
        ("en-US-WP", "und"), ("xx", "und"), ("de-1901-1901", "und"), ("x-Foo", "x-foo"), ("en-us-u-ca", "en-US-u-ca"),
        (None, "und"), ("", "und"), ("English", "und"), ("Spanish - Mexico", "und"), ("e", "und"), ("en-", "und"),
    ],
)  # fmt: skip
def test_languages(written, tag):
    assert language_tag(written) == tag
