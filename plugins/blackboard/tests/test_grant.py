"""The one valid refresh token: granted, rotated at every use, kept before use, renewed by one at a time."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from sqlalchemy import event

from coursewire.configurations.configuration import Configuration
from coursewire.errors import ConfigurationError, CredentialsError, GrantError, SendError
from coursewire.http.tokens import FAILURE_HOLDS_S
from coursewire.inbound.code_grants import CodeGrants
from coursewire.installation import Installation
from coursewire.testing.misbehave import Misbehaviour
from coursewire.testing.simulator import json_response
from coursewire_blackboard.simulator import BlackboardSimulator

TOKEN = "/learn/api/public/v1/oauth2/token"
BACK = "https://host.example.com/channels/blackboard/granted"


def ask(installation: Installation, configuration: Configuration, times: int = 1) -> list[int]:
    """Make harmless requests in a session of its own, all at once; gives their statuses."""
    channel = installation.channels.get("BLACKBOARD")
    config = installation.configurations.load(configuration.uuid, channel.channel)

    async def call() -> list[int]:
        async with installation.session(channel, config, configuration.uuid) as session:
            answers = await asyncio.gather(
                *(session.get("/learn/api/public/v1/users/me") for _ in range(times))
            )
            return [answer.status_code for answer in answers]

    return asyncio.run(call())


def asked_for_tokens(learn: BlackboardSimulator) -> list[dict[str, str]]:
    return [dict(parse_qsl(seen.body)) for seen in learn.seen if seen.path == TOKEN]


# -- refreshing --------------------------------------------------------------------------------------------


def test_the_token_is_asked_for_with_key_and_secret_in_a_header(
    installation: Installation, learn: BlackboardSimulator, configure: Any
) -> None:
    given: list[str] = []

    def look(request: Any) -> None:
        given.append(request.headers["Authorization"])

    learn.answer_token = look
    ask(installation, configure())

    pair = base64.b64decode(given[0].removeprefix("Basic ")).decode()
    assert pair == f"{learn.client_id}:{learn.client_secret}"
    assert set(asked_for_tokens(learn)[0]) == {"grant_type", "refresh_token"}


def test_key_and_secret_of_all_customers_may_stand_in_the_environment(
    installation: Installation, learn: BlackboardSimulator, configure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = configure(
        active=False, client_id={"env": "BB_APPLICATION_KEY"}, client_secret={"env": "BB_APPLICATION_SECRET"}
    )
    with pytest.raises(ConfigurationError, match="BB_APPLICATION_KEY"):
        ask(installation, configuration)

    monkeypatch.setenv("BB_APPLICATION_KEY", learn.client_id)
    monkeypatch.setenv("BB_APPLICATION_SECRET", learn.client_secret)
    assert ask(installation, configuration) == [200]


def test_each_refresh_uses_the_token_of_the_one_before(
    installation: Installation, learn: BlackboardSimulator, configure: Any, time: Any
) -> None:
    configuration = configure()
    for _ in range(3):
        assert ask(installation, configuration) == [200]
        time.forward(hours=2)

    used = [form["refresh_token"] for form in asked_for_tokens(learn)]
    assert len(set(used)) == 3
    assert len(learn.refresh_tokens) == 1


def test_the_new_refresh_token_is_in_the_database_before_it_or_its_access_token_is_used(
    installation: Installation, learn: BlackboardSimulator, configure: Any
) -> None:
    configuration = configure()
    order: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO token"):
            order.append("stored")

    event.listen(installation.engine, "before_cursor_execute", note)
    learn.interfere = lambda _request: order.append("used")
    ask(installation, configuration)

    assert order == ["stored", "used"]


def test_many_at_once_use_one_refresh(
    installation: Installation, learn: BlackboardSimulator, configure: Any
) -> None:
    assert ask(installation, configure(), 8) == [200] * 8
    assert len(asked_for_tokens(learn)) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_two_processes_refresh_one_after_the_other_and_neither_fails(
    installation: Installation, learn: BlackboardSimulator, configure: Any, time: Any
) -> None:
    configuration = configure()
    learn.token_lifetime_s = 7200
    learn.misbehave.append(Misbehaviour("slow answer", times=None, path=TOKEN, seconds=0.5))
    time.now = datetime.now(UTC)
    settings = installation.settings
    program = f"""
import asyncio
from uuid import UUID
from coursewire.settings import Settings
from coursewire.installation import Installation

async def main():
    installation = Installation(Settings.load())
    channel = installation.channels.get("BLACKBOARD")
    uuid = UUID("{configuration.uuid}")
    config = installation.configurations.load(uuid, channel.channel)
    async with installation.session(channel, config, uuid) as session:
        print((await session.get("/learn/api/public/v1/users/me")).status_code)

asyncio.run(main())
"""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("COURSEWIRE_")},
        "COURSEWIRE_DATA_DIR": str(settings.data_dir),
        "COURSEWIRE_DATABASE_URL": settings.database_url,
        "COURSEWIRE_SECRET_KEY": settings.secret_key.get_secret_value() if settings.secret_key else "",
        "COURSEWIRE_ALLOW_INSECURE_URLS": "1",
    }
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    said = [each.communicate(timeout=60) for each in running]

    assert [out.strip() for out, _ in said] == ["200"] * 3, said
    assert len(asked_for_tokens(learn)) == 1


def test_an_answer_without_a_new_refresh_token_keeps_the_old_one(
    installation: Installation, learn: BlackboardSimulator, configure: Any, time: Any
) -> None:
    configuration = configure()
    ask(installation, configuration)
    kept = next(iter(learn.refresh_tokens))
    time.forward(hours=2)
    given: list[Any] = []

    def without(request: Any) -> Any:
        given.append(request)
        value = "made-up-access-token"
        learn._access_tokens[value] = time() + timedelta(hours=1)
        return json_response({"access_token": value, "token_type": "bearer", "expires_in": 3600})

    learn.answer_token = without
    assert ask(installation, configuration) == [200]
    time.forward(hours=2)
    learn.answer_token = lambda _request: None
    assert ask(installation, configuration) == [200]
    assert asked_for_tokens(learn)[-1]["refresh_token"] == kept


def test_a_blank_refresh_token_is_logged_and_the_old_one_kept(
    installation: Installation,
    learn: BlackboardSimulator,
    configure: Any,
    time: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    configuration = configure()
    value = "made-up-access-token"
    learn._access_tokens[value] = time() + timedelta(hours=1)
    learn.answer_token = lambda _request: json_response(
        {"access_token": value, "expires_in": 3600, "refresh_token": " "}
    )

    assert ask(installation, configuration) == [200]
    assert "blank refresh token" in caplog.text
    learn.answer_token = lambda _request: None
    time.forward(hours=2)
    assert ask(installation, configuration) == [200]


def test_a_refused_refresh_says_what_to_do_and_changes_nothing(
    installation: Installation, learn: BlackboardSimulator, configure: Any
) -> None:
    configuration = configure()
    learn.refresh_tokens.clear()

    with pytest.raises(CredentialsError) as caught:
        ask(installation, configuration)
    assert caught.value.http_status == 400
    assert "invalid_grant" in caught.value.excerpt
    assert "connect it again" in caught.value.next_step
    assert installation.configurations.get(configuration.uuid).secrets_set == configuration.secrets_set


def test_a_draft_without_a_grant_makes_no_request(
    installation: Installation, learn: BlackboardSimulator, configure: Any
) -> None:
    draft = configure(active=False, refresh_token=None)

    with pytest.raises(ConfigurationError) as caught:
        ask(installation, draft)
    assert caught.value.missing == ("refresh_token",)
    assert not learn.seen


def test_a_process_that_dies_between_answer_and_store_leaves_a_configuration_that_says_so(
    installation: Installation, learn: BlackboardSimulator, configure: Any, time: Any
) -> None:
    configuration = configure()
    learn.misbehave.append(Misbehaviour("reset after accepting", path=TOKEN))
    with pytest.raises(SendError):  # nobody heard the answer: the new token is known to Learn alone
        ask(installation, configuration)
    assert installation.configurations.get(configuration.uuid).needs_reconnect_since is None

    time.forward(seconds=FAILURE_HOLDS_S + 1)
    with pytest.raises(CredentialsError) as caught:
        ask(installation, configuration)
    installation.configurations.mark_needs_reconnect(configuration.uuid, caught.value.what)

    channel = installation.channels.get("BLACKBOARD").channel
    (refused,) = installation.configurations.runnable(
        {"BLACKBOARD": channel}, uuids=[configuration.uuid]
    ).refused
    assert f"coursewire config connect {configuration.short_id}" in refused.error.next_step

    connect(installation, configuration)
    assert ask(installation, configuration) == [200]
    assert installation.configurations.get(configuration.uuid).needs_reconnect_since is None


def test_a_401_renews_the_token_once(
    installation: Installation, learn: BlackboardSimulator, configure: Any
) -> None:
    configuration = configure()
    ask(installation, configuration)
    learn.expire_tokens()

    assert ask(installation, configuration, 4) == [200] * 4
    assert len(asked_for_tokens(learn)) == 2


@pytest.mark.parametrize("scope", ["read", "write offline"])
def test_a_grant_that_is_too_narrow_is_refused(
    installation: Installation, learn: BlackboardSimulator, configure: Any, scope: str
) -> None:
    learn.answer_token = lambda _request: json_response(
        {"access_token": "x", "expires_in": 3600, "refresh_token": "y", "scope": scope}
    )

    with pytest.raises(CredentialsError, match="too narrow"):
        ask(installation, configure())


# -- granting ----------------------------------------------------------------------------------------------


def press(url: str, decision: str = "allow") -> dict[str, str]:
    with httpx.Client() as browser:
        page = browser.get(url)
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))
        form = {name: value.replace("&amp;", "&") for name, value in fields.items()}
        answer = browser.post(url.partition("?")[0], data={**form, "decision": decision})
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def connect(installation: Installation, configuration: Configuration) -> Configuration:
    grants = CodeGrants(installation)
    url = grants.start(configuration.uuid, session="tab", redirect_uri=BACK)
    return asyncio.run(grants.finish(press(url), session="tab", actor="ann"))


def test_the_authorize_url_has_scopes_key_and_a_challenge(
    installation: Installation, learn: BlackboardSimulator, configure: Any
) -> None:
    draft = configure(active=False, refresh_token=None)
    url = httpx.URL(CodeGrants(installation).start(draft.uuid, session="tab", redirect_uri=BACK))

    assert url.path == "/learn/api/public/v1/oauth2/authorizationcode"
    asked = dict(url.params)
    assert asked["scope"] == "read write delete offline"
    assert asked["client_id"] == learn.client_id
    assert asked["response_type"] == "code"
    assert asked["redirect_uri"] == BACK
    assert asked["code_challenge_method"] == "S256"
    assert str(draft.uuid) not in str(url)


def test_a_draft_is_connected_and_its_tokens_rotate_from_there(
    installation: Installation, learn: BlackboardSimulator, configure: Any, time: Any
) -> None:
    draft = configure(active=False, refresh_token=None)
    connected = connect(installation, draft)

    assert "refresh_token" in connected.secrets_set
    channel = installation.channels.get("BLACKBOARD").channel
    assert installation.configurations.activate(draft.uuid, channel, actor="ann").active
    for _ in range(2):
        assert ask(installation, draft) == [200]
        time.forward(hours=2)
    assert [form["grant_type"] for form in asked_for_tokens(learn)] == ["authorization_code", "refresh_token"]


def test_the_code_is_exchanged_with_redirect_uri_and_verifier(
    installation: Installation, learn: BlackboardSimulator, configure: Any
) -> None:
    connect(installation, configure(active=False, refresh_token=None))

    form = asked_for_tokens(learn)[0]
    assert form["redirect_uri"] == BACK
    assert len(form["code_verifier"]) >= 43


def test_a_code_without_its_verifier_is_no_good(
    installation: Installation, learn: BlackboardSimulator, configure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coursewire.inbound.code_grants._with_field", lambda request, _name, _value: request)

    with pytest.raises(GrantError) as caught:
        connect(installation, configure(active=False, refresh_token=None))
    assert caught.value.reason == "code-refused"


@pytest.mark.parametrize("refresh_token", [..., None, "", " "])
def test_an_answer_without_a_refresh_token_leaves_what_was_stored(
    installation: Installation, learn: BlackboardSimulator, configure: Any, refresh_token: Any
) -> None:
    configuration = configure()
    body = {"access_token": "x", "expires_in": 3600, "scope": "read write offline"}
    if refresh_token is not ...:
        body["refresh_token"] = refresh_token
    learn.answer_token = lambda _request: json_response(body)

    with pytest.raises(GrantError) as caught:
        connect(installation, configuration)
    assert caught.value.reason == "unreadable-answer"
    learn.answer_token = lambda _request: None
    assert ask(installation, configuration) == [200]


def test_a_grant_meets_a_run_that_still_has_the_old_configuration(
    installation: Installation, learn: BlackboardSimulator, configure: Any, time: Any
) -> None:
    configuration = configure()
    channel = installation.channels.get("BLACKBOARD")
    config = installation.configurations.load(configuration.uuid, channel.channel)

    async def run() -> list[int]:
        async with installation.session(channel, config, configuration.uuid) as session:
            first = await session.get("/learn/api/public/v1/users/me")
            grants = CodeGrants(installation)
            url = grants.start(configuration.uuid, session="tab", redirect_uri=BACK)
            answer = await asyncio.to_thread(press, url)
            await grants.finish(answer, session="tab", actor="ann")
            learn.expire_tokens()
            time.forward(hours=2)
            second = await session.get("/learn/api/public/v1/users/me")
            return [first.status_code, second.status_code]

    assert asyncio.run(run()) == [200, 200]


def test_nothing_of_the_grant_shows_in_history_or_repr(
    installation: Installation, learn: BlackboardSimulator, configure: Any
) -> None:
    configuration = connect(installation, configure(active=False, refresh_token=None))
    shown = json.dumps([change.changes for change in installation.configurations.history(configuration.uuid)])

    for secret in (*learn.refresh_tokens, learn.client_secret, learn.client_id):
        assert secret not in shown + repr(configuration)
