"""The scan finds what scrubbing forgot, by rules of its own."""

import pytest

from coursewire.testing.cassette_scan import scan_cassettes

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI4ODEyIn0.c2lnbmF0dXJlLXRlc3Q"
CLEAN = """\
recorded_at: '2026-03-01T12:00:00+00:00'
configuration:
  river_url: https://lms.example.com
  client_id: '10000000000042'
  client_secret: '***'
interactions:
- request:
    body: grant_type=refresh_token&client_secret=***&page_token=p2
    headers:
      content-type:
      - application/x-www-form-urlencoded
    method: POST
    uri: https://lms.example.com/api/v1/courses/sis_id:course-v1%3ARiverU%2BBOT101%2B2024T2?per_page=100
  response:
    body:
      string: '{"access_token":"***","token_type":"Bearer","uuid":"d4d5be19-9d4a-4a3e-9f5e-2f6a3f8e1c01",
        "email":"person-1@example.com","first_name":"person-2","title":"Basic Statistics 2","none":null,
        "context":"http://www.w3.org/2001/XMLSchema","at":"2026-03-01T12:00:00.000000+00:00","ms":1772357415250}'
    headers: {}
    status: {code: 200, message: OK}
version: 1
"""


def write(folder, text):
    folder.mkdir(exist_ok=True)
    (folder / "one.yaml").write_text(text, encoding="utf-8")
    return folder


def test_a_clean_cassette_has_no_findings(tmp_path):
    assert scan_cassettes(write(tmp_path, CLEAN)) == []


@pytest.mark.parametrize(
    ("clean", "dirty", "what"),
    [
        ("client_secret: '***'", "client_secret: sup3r", "named like a credential"),
        ("client_secret=***", "client_secret=sup3r", "named like a credential"),
        ('"access_token":"***"', '"access_token":"abc"', "named like a credential"),
        ('"none":null', '"keys":{"token":{"value":"abc"}}', "named like a credential"),
        ('"none":null', '"inner":"{\\"password\\":\\"abc\\"}"', "named like a credential"),
        ('"none":null', '"xml":"<a><w:Password T=\\"x\\">pw</w:Password></a>"', "named like a credential"),
        ("headers: {}", "headers: {Set-Cookie: [sid=abc]}", "named like a credential"),
        ("content-type:", "X-Api-Key: [k1]\n      content-type:", "named like a credential"),
        ("per_page=100", "wstoken=abcdef", "named like a credential"),
        ("Basic Statistics 2", f"see {JWT}", "a JSON web token"),
        ("Basic Statistics 2", "-----BEGIN RSA PRIVATE KEY-----", "a private key"),
        ("Basic Statistics 2", "https://u:p@lms.example.com/", "a user and password in a URL"),
        ("Basic Statistics 2", "Basic dXNlcjpwYXNzd29yZDE=", "an authorization header"),
        ("Basic Statistics 2", "PHNhbWw6QXNzZXJ0aW9uIElEPSJhYmMi", "a SAML assertion"),
        ("Basic Statistics 2", "ghp_" + "a1B2c3D4" * 5, "a key of a known kind"),
        ("Basic Statistics 2", "q7Zx81Qq77Lm20Vb5Tk3W9pR", "random text"),
        ("Basic Statistics 2", "9f86d081884c7d659a2feaa0c55ad015", "random text"),
        ("Basic Statistics 2", "write to ann@river-corp.com", "an e-mail address"),
        ("Basic Statistics 2", "write to ann%40river-corp.com", "an e-mail address"),
        ('"first_name":"person-2"', '"first_name":"Ada"', "named like personal data"),
        ("Basic Statistics 2", "call +44 20 7946 0958", "a telephone number"),
        ("Basic Statistics 2", "call (555) 010-9999", "a telephone number"),
        ("https://lms.example.com/api", "https://acme.instructure.com/api", "a host name"),
        ("Basic Statistics 2", "ask acme.instructure.com", "a host name"),
        ("https://lms.example.com/api", "http://127.0.0.1:8301/api", "an address"),
        ("Basic Statistics 2", "at 192.168.1.7", "an address"),
    ],
)
def test_the_scan_finds(tmp_path, clean, dirty, what):
    assert clean in CLEAN

    found = scan_cassettes(write(tmp_path, CLEAN.replace(clean, dirty)))

    assert any(what in finding.what for finding in found), found
    assert {finding.file for finding in found} == {"one.yaml"}


def test_a_finding_says_where_and_does_not_repeat_the_secret(tmp_path):
    (found,) = scan_cassettes(
        write(tmp_path, CLEAN.replace('"access_token":"***"', '"access_token":"t0p-s3cret"'))
    )

    assert str(found) == (
        "one.yaml: interactions/0/response/body/string/access_token: "
        "a value of 'access_token', which is named like a credential (t0p…, 10 characters)"
    )


def test_what_may_stand_is_said(tmp_path):
    text = CLEAN.replace(
        "Basic Statistics 2", "see https://cdn.river-corp.com/9f86d081884c7d659a2feaa0c55ad015"
    )

    assert len(scan_cassettes(write(tmp_path, text))) == 2
    allowed = {"hosts": ["cdn.river-corp.com"], "ignored": ["9f86d081884c7d659a2feaa0c55ad015"]}
    assert scan_cassettes(tmp_path, **allowed) == []


def test_a_file_that_cannot_be_read_is_a_finding(tmp_path):
    (found,) = scan_cassettes(write(tmp_path, "a: [1"))

    assert found.what == "a file that cannot be read"
