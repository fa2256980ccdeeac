"""Signing in by OpenID Connect, against a provider on loopback: real HTTP, real signatures."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from pydantic import SecretStr
from starlette.testclient import TestClient
from typer.testing import CliRunner

from coursewire.cli.app import app as command
from coursewire.errors import SettingsError
from coursewire.host import Host
from coursewire.service.accounts import Accounts
from coursewire.service.app import create_app
from coursewire.service.rights import Role, RoleAssignment

CLIENT, SECRET = "coursewire", "s3cret-of-the-client"
ADA = "ada@example.com"


class Provider:
    """A small OpenID Connect provider; attributes make it lie."""

    def __init__(self):
        self.key = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
        self.published = [self.key]
        self.codes = {}
        self.claims = {}  # what differs from an honest id token
        self.left_out = ()
        self.sign_with = None
        self.header = {}
        self.issuer_said = None
        self.token_calls = 0
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                url = urlsplit(self.path)
                if url.path == "/.well-known/openid-configuration":
                    self._json(provider.metadata())
                elif url.path == "/keys":
                    self._json({"keys": [each.as_dict(private=False) for each in provider.published]})
                else:
                    self._json({}, 404)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                form = {name: values[0] for name, values in parse_qs(body).items()}
                self._json(*provider.token(form, self.headers.get("authorization", "")))

            def _json(self, body, status=200):
                raw = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"

    def metadata(self):
        return {
            "issuer": self.issuer_said or self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }

    def authorize(self, location, email=ADA):
        """What a browser does at the provider: the query that it comes back with."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        assert set(asked["scope"].split()) == {"openid", "email"}
        code = secrets.token_urlsafe(8)
        self.codes[code] = {**asked, "email": email}
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def token(self, form, authorization):
        self.token_calls += 1
        asked = self.codes.pop(form["code"], None)  # a code is good once
        given = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        honest = asked is not None and asked["code_challenge"] == challenge
        if not honest or given != f"{CLIENT}:{SECRET}" or form["redirect_uri"] != asked["redirect_uri"]:
            return {"error": "invalid_grant"}, 400
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "u1",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "email": asked["email"],
            "email_verified": True,
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if name not in self.left_out}
        header = {"alg": "RS256", "kid": "one", **self.header}
        token = jwt.encode(header, claims, self.sign_with or self.key, algorithms=["RS256", "HS256"])
        return {"access_token": "at", "token_type": "Bearer", "id_token": token}, 200


@pytest.fixture
def provider():
    made = Provider()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join(5)


@pytest.fixture
def site(installation, provider, monkeypatch):
    """A browser at the console of an installation that knows the provider, and has an account for Ada."""
    settings = installation.settings.model_copy(
        update={
            "oidc_issuer": provider.issuer,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": SecretStr(SECRET),
        }
    )
    monkeypatch.setattr(installation, "settings", settings)
    Accounts(installation.engine).add(ADA, None, [RoleAssignment(Role.VIEWER, "")])
    with TestClient(create_app(Host(installation=installation)), raise_server_exceptions=False) as client:
        yield client


def go(site, following="/jobs?after=x"):
    answer = site.get("/console/oidc", params={"next": following}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer


def come_back(site, query):
    return site.get(f"/console/oidc/back?{urlencode(query)}", follow_redirects=False)


def test_the_sign_in_page_shows_the_way_and_it_leads_in(site, provider):
    page = site.get("/console/sign-in?next=/jobs").text
    assert 'href="/console/oidc?next=%2Fjobs"' in page
    assert "Sign in with 127.0.0.1" in page
    begun = go(site)
    cookie = begun.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    answer = come_back(site, provider.authorize(begun.headers["location"]))
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/jobs?after=x")
    assert ADA in site.get("/console/jobs").text
    assert "coursewire_way" not in site.cookies


@pytest.mark.parametrize(
    ("claims", "left_out"),
    [
        ({"iss": "https://elsewhere.example.com"}, ()),
        ({"aud": "another-client"}, ()),
        ({"aud": [CLIENT, "another"], "azp": "another"}, ()),
        ({"exp": 1_700_000_000}, ()),
        ({"iat": 4_100_000_000}, ()),
        ({"nonce": "guessed"}, ()),
        ({"email_verified": False}, ()),
        ({"email": ["ada@example.com"]}, ()),
        ({}, ("nonce",)),
        ({}, ("exp",)),
        ({}, ("aud",)),
        ({}, ("email",)),
    ],
    ids=str,
)
def test_a_token_that_lies_lets_nobody_in(site, provider, claims, left_out):
    provider.claims, provider.left_out = claims, left_out
    answer = come_back(site, provider.authorize(go(site).headers["location"]))
    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert "coursewire_session" not in site.cookies


def test_a_signature_by_another_key_lets_nobody_in(site, provider):
    provider.sign_with = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
    assert come_back(site, provider.authorize(go(site).headers["location"])).status_code == 401


def test_a_signature_with_the_shared_secret_lets_nobody_in(site, provider):
    provider.sign_with, provider.header = OctKey.import_key(SECRET.encode().ljust(32, b"x")), {"alg": "HS256"}
    assert come_back(site, provider.authorize(go(site).headers["location"])).status_code == 401


def test_a_provider_may_change_its_keys(site, provider, monkeypatch):
    come_back(site, provider.authorize(go(site).headers["location"]))
    provider.key = RSAKey.generate_key(2048, {"kid": "two"}, private=True)
    provider.published, provider.header = [provider.key], {"kid": "two"}
    monkeypatch.setattr("coursewire.service.oidc.KEYS_EVERY_S", 0)
    assert come_back(site, provider.authorize(go(site).headers["location"])).status_code == 303


def test_state_belongs_to_the_browser_that_began(site, provider):
    query = provider.authorize(go(site).headers["location"])
    assert come_back(site, {**query, "state": "guessed"}).status_code == 401
    query = provider.authorize(go(site).headers["location"])
    site.cookies.clear()
    calls = provider.token_calls
    assert come_back(site, query).status_code == 401
    site.cookies.set("coursewire_way", "rubbish")
    assert come_back(site, query).status_code == 401
    assert provider.token_calls == calls, "the code was not even shown to the provider"


def test_a_way_is_good_once_and_not_for_ever(site, provider, installation, monkeypatch):
    begun = go(site)
    query = provider.authorize(begun.headers["location"])
    kept = site.cookies["coursewire_way"]
    assert come_back(site, query).status_code == 303
    site.cookies.clear()
    site.cookies.set("coursewire_way", kept)
    assert come_back(site, query).status_code == 401  # the code was used
    late = provider.authorize(go(site).headers["location"])
    now = installation.clock()
    monkeypatch.setattr(installation, "clock", lambda: now.fromtimestamp(now.timestamp() + 700, now.tzinfo))
    assert "took too long" in come_back(site, late).text


def test_only_who_has_an_account_comes_in(site, provider, installation):
    answer = come_back(site, provider.authorize(go(site).headers["location"], email="eve@example.com"))
    assert answer.status_code == 401
    assert "no account here" in answer.text
    Accounts(installation.engine).disable(ADA)
    assert come_back(site, provider.authorize(go(site).headers["location"])).status_code == 401


def test_what_the_provider_refuses_and_another_issuer_are_said(site, provider):
    query = provider.authorize(go(site).headers["location"])
    denied = come_back(site, {"state": query["state"], "error": "access_denied<script>"})
    assert "access_denied&lt;script&gt;" in denied.text
    query = provider.authorize(go(site).headers["location"])
    assert come_back(site, {**query, "iss": "https://elsewhere.example.com"}).status_code == 401


def test_a_provider_that_calls_itself_otherwise_or_is_away_is_not_gone_to(site, provider):
    provider.issuer_said = "https://elsewhere.example.com"
    answer = site.get("/console/oidc", follow_redirects=False)
    assert answer.status_code == 401
    assert "letter by letter" in answer.text
    assert "password" in answer.text, "the other way stays open"


def test_another_site_is_never_gone_to(site, provider):
    begun = go(site, "//evil.example.com/")
    answer = come_back(site, provider.authorize(begun.headers["location"]))
    assert answer.headers["location"] == "/console/"


def test_without_a_provider_nothing_is_offered(client):
    assert "oidc" not in client.get("/console/sign-in").text
    assert client.get("/console/oidc", follow_redirects=False).status_code == 404
    assert client.get("/console/oidc/back", follow_redirects=False).status_code == 404


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"oidc_issuer": "https://login.example.com"}, "without oidc_client_id"),
        (
            {
                "oidc_issuer": "http://login.example.com",
                "oidc_client_id": "x",
                "allow_insecure_urls": False,
            },
            "has no https",
        ),
    ],
)
def test_settings_that_cannot_work_are_refused_at_the_start(installation, monkeypatch, more, fault):
    monkeypatch.setattr(installation, "settings", installation.settings.model_copy(update=more))
    with pytest.raises(SettingsError, match=fault):
        create_app(Host(installation=installation))


def test_an_account_without_a_password_has_no_way_in_but_the_provider(installation, monkeypatch):
    monkeypatch.setenv("COURSEWIRE_DATABASE_URL", installation.settings.database_url)
    monkeypatch.setenv("COURSEWIRE_DATA_DIR", str(installation.settings.data_dir))
    ran = CliRunner().invoke(
        command, ["access", "add", "bob@example.com", "--role", "viewer", "--no-password"]
    )
    assert ran.exit_code == 0, ran.output
    accounts = Accounts(installation.engine)
    assert accounts.sign_in("bob@example.com", "") is None
    assert accounts.enter("bob@example.com") is not None
    both = ["access", "add", "cy@example.com", "--role", "viewer", "--no-password", "--password-from", "X"]
    assert CliRunner().invoke(command, both).exit_code == 2
