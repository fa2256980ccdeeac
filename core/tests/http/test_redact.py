from __future__ import annotations

import base64
import urllib.parse

import httpx
import orjson
import pytest
from pydantic import BaseModel, SecretBytes, SecretStr

from coursewire.http.redact import MASK, Redactor, secret_values

SECRET = 'p@ss "word"/+=&<ü>'


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        urllib.parse.quote(SECRET),
        urllib.parse.quote(SECRET, safe=""),
        urllib.parse.quote_plus(SECRET),
        base64.b64encode(SECRET.encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
        orjson.dumps(SECRET).decode()[1:-1],
        "p@ss &quot;word&quot;/+=&amp;&lt;ü&gt;",
    ],
)
def test_a_known_secret_is_found_in_every_form(form):
    assert Redactor([SECRET])(f"before {form} after") == f"before {MASK} after"


def test_the_longest_secret_goes_first():
    assert Redactor(["abcd", "abcd-efgh"])("x abcd-efgh y abcd z") == "x *** y *** z"


def test_short_and_empty_values_do_not_eat_the_text():
    assert Redactor(["", "a", "abc"])("abc banana") == "abc banana"


def test_secrets_are_added_and_never_shown():
    redactor = Redactor()
    redactor.add("token-value")
    assert redactor("see token-value") == "see ***"
    assert redactor.knows(b"x token-value") is True
    assert redactor.knows(b"other") is False
    assert Redactor().knows(b"other") is False
    assert "token-value" not in repr(redactor)


def test_a_private_key_is_found_whatever_its_line_ends():
    key = "line one of key\nline two of key\n"
    redactor = Redactor([key])
    assert redactor(f"<{key}>") == "<***>"
    assert redactor("<" + key.replace("\n", "\r\n") + ">") == "<***>"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("Authorization: Bearer abc.def.ghi", "Authorization: ***"),
        ("Set-Cookie: session=canary\nServer: x", "Set-Cookie: ***\nServer: x"),
        ("got bearer abcdefgh.ijk back", "got bearer *** back"),
        ("Basic dXNlcjpwYXNz", "Basic ***"),
        ('{"access_token": "canary", "x": 1}', '{"access_token": "***", "x": 1}'),
        ('{"refreshToken":"can\\"ary"}', '{"refreshToken":"***"}'),
        ('"{\\"client_secret\\":\\"canary\\"}"', '"{\\"client_secret\\":\\"***\\"}"'),
        ("a=1&wstoken=canary&b=2", "a=1&wstoken=***&b=2"),
        ("https://x/?access_token=canary", "https://x/?access_token=***"),
        ("<password>canary</password>", "<password>***</password>"),
        ("a -----BEGIN RSA PRIVATE KEY-----\ncanary\n-----END RSA PRIVATE KEY----- b", "a *** b"),
        ("-----BEGIN PRIVATE KEY-----\ncanary cut", "***"),
        ("<saml2:Assertion ID='1'>canary</saml2:Assertion> end", "*** end"),
        ("<Assertion>canary", "***"),
        ("errorcode invalidtoken", "errorcode invalidtoken"),
    ],
)
def test_the_second_net_catches_what_looks_like_a_credential(text, safe):
    assert Redactor()(text) == safe


def answer(content, media_type="text/plain", **headers):
    return httpx.Response(400, content=content, headers={"Content-Type": media_type, **headers})


def test_excerpts_are_bounded():
    text = Redactor().excerpt(answer("x" * 5000), limit=100)
    assert len(text) == 100
    assert text.endswith("…")


def test_a_secret_across_the_cut_does_not_leak_its_beginning():
    secret = "SECRET" * 20
    for filler in range(1960, 2010):
        assert "SECRET" not in Redactor([secret]).excerpt(answer("x" * filler + secret))
    # Redaction shortens the text, so that the end of what was looked at comes into the excerpt.
    long = "SECRET" * 50
    for shift in range(0, 301, 23):
        assert "SECRET" not in Redactor([long]).excerpt(answer("y" * shift + (long + " ") * 300))


@pytest.mark.parametrize(
    ("response", "text"),
    [
        (answer(b""), ""),
        (answer(b"  \r\n "), ""),
        (answer(b'{"message":"no"}', "application/json"), '{"message":"no"}'),
        (
            answer(
                "<html><style>p{}</style><script>x</script><!-- c --><b>Bad</b> &amp; <i>worse</i></html>",
                "text/html",
            ),
            "Bad & worse",
        ),
        (answer("<!DOCTYPE html><p>Sorry"), "Sorry"),
        (answer(b"\x89PNG\x00\x01", "image/png"), "<6 bytes of image/png>"),
        (answer(b"\xff\xfe\xfd\xfc", ""), "<4 bytes of unknown type>"),
        (answer("größer".encode("latin-1"), "text/plain; charset=latin-1"), "größer"),
        (answer(b"plain", "text/plain; charset=no-such"), "plain"),
        (answer(b"line\x07 one\nline two"), "line  one\nline two"),
        (answer("<p>token</p>=<b>canary</b>", "text/html"), "token = canary"),
    ],
)
def test_any_answer_has_a_readable_excerpt(response, text):
    assert Redactor().excerpt(response) == text


def test_all_secrets_of_a_configuration_are_found():
    class Inner(BaseModel):
        key: SecretStr

    class Config(BaseModel):
        plain: str
        secret: SecretStr
        missing: SecretStr | None
        raw: SecretBytes
        inner: Inner
        many: list[SecretStr]
        by_name: dict[str, SecretStr]

    config = Config.model_validate(
        {
            "plain": "visible",
            "secret": "one",
            "missing": None,
            "raw": b"two",
            "inner": {"key": "three"},
            "many": ["four"],
            "by_name": {"x": "five"},
        }
    )
    assert list(secret_values(config)) == ["one", "two", "three", "four", "five"]
