"""Tokens: got, carried, renewed once, and never shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from coursewire.errors import BlockedError, CredentialsError, UnreachableError
from coursewire.testing.misbehave import Misbehaviour
from coursewire_moodle import plugin
from coursewire_moodle.client import FIND
from coursewire_moodle.simulator import MoodleSimulator

from .conftest import calls, form_of

WITH_TOKEN = {"username": ..., "password": ..., "service_short_name": ...}


async def look(session):
    return await plugin.find_remote(session, "absent")


async def look_twice(session):
    await look(session)
    return await look(session)


def test_a_token_is_asked_for_by_post_and_carried_in_the_form(moodle, connected):
    connected(look_twice)

    assert calls(moodle) == ["token", FIND, FIND]
    assert [(seen.method, seen.query) for seen in moodle.seen] == [("POST", "")] * 3
    assert form_of(moodle, FIND)["wstoken"] in moodle.tokens


def test_a_configured_token_needs_no_call(moodle, connected):
    connected(look, token=moodle.make_token(), **WITH_TOKEN)

    assert calls(moodle) == [FIND]


@pytest.mark.parametrize("expiry", ["unknown", "just over"])
def test_a_token_that_is_over_is_renewed_and_the_call_repeated(moodle, connected, expiry):
    async def call(session):
        await look(session)
        moodle.seen.clear()
        if expiry == "just over":
            moodle.expire_tokens()
        else:
            moodle.tokens.clear()
        return await look(session)

    assert connected(call) is None
    first = [FIND, FIND] if expiry == "just over" else [FIND]
    assert calls(moodle) == [*first, "token", FIND]


def test_a_short_lived_token_is_renewed_as_often_as_it_takes(moodle, connected):
    now = datetime(2026, 3, 1, tzinfo=UTC)
    moodle.clock = lambda: now
    moodle.token_lifetime_s = 60

    async def call(session):
        nonlocal now
        for _ in range(3):
            await look(session)
            now += timedelta(seconds=61)

    connected(call)
    assert calls(moodle).count("token") == 3


@pytest.mark.parametrize("times", [1, 2])
def test_a_401_is_a_gateways_and_asked_again_once(moodle, connected, times):
    moodle.misbehave.append(Misbehaviour("expired token", path="server.php", times=times))

    if times == 1:
        assert connected(look) is None
    else:
        with pytest.raises(CredentialsError, match="does not accept the credentials"):
            connected(look)
    assert calls(moodle) == ["token", FIND, FIND]


def test_a_token_that_is_refused_twice_is_not_tried_a_third_time(moodle, connected):
    body = '{"exception":"x","errorcode":"invalidtoken","message":"m"}'
    moodle.answer_for = lambda *_: moodle.tokens.clear() or web.Response(text=body)

    with pytest.raises(CredentialsError, match="invalidtoken"):
        connected(look)
    assert calls(moodle) == ["token", FIND, "token", FIND]


def test_a_configured_token_that_is_over_is_told_and_no_empty_password_is_tried(moodle, connected):
    with pytest.raises(CredentialsError, match="invalidtoken"):
        connected(look, token="f" * 32, **WITH_TOKEN)
    assert calls(moodle) == [FIND]


def test_a_configured_token_that_has_just_ended_is_not_taken_for_a_missing_right(moodle, connected):
    token = moodle.make_token(lasts_s=-1)

    with pytest.raises(CredentialsError, match="invalidtoken"):
        connected(look, token=token, **WITH_TOKEN)
    assert calls(moodle) == [FIND, FIND]


def test_a_function_that_is_not_in_the_service_is_no_matter_of_the_token(moodle, connected):
    moodle.functions.discard(FIND)

    with pytest.raises(BlockedError, match="Put the function into the external service"):
        connected(look)
    assert calls(moodle) == ["token", FIND, FIND]
    assert len(moodle.tokens) == 1


@pytest.mark.parametrize(
    ("wrong", "code", "hint"),
    [
        ({"password": "planted-password"}, "invalidlogin", "not suspended or locked"),
        ({"service_short_name": "other"}, "servicenotavailable", "service_short_name"),
    ],
)
def test_a_refusal_with_http_200_breaks_the_credentials(moodle, connected, wrong, code, hint):
    with pytest.raises(CredentialsError, match=code) as caught:
        connected(look, **wrong)
    assert hint in str(caught.value)
    assert "planted" not in str(caught.value)
    assert calls(moodle) == ["token"]


def test_an_account_that_may_not_make_a_token_is_told_so(moodle, connected):
    moodle.rights.discard("moodle/webservice:createtoken")

    with pytest.raises(CredentialsError, match="moodle/webservice:createtoken"):
        connected(look)


@pytest.mark.parametrize("code", ["sitemaintenance", "dbconnectionfailed", "upgraderunning"])
def test_a_site_that_is_out_of_order_is_asked_again_later(moodle, connected, code):
    moodle.refuses = code

    with pytest.raises(UnreachableError, match=code):
        connected(look)


class Rubbish(MoodleSimulator):
    """Answers the request for a token with what a test sets."""

    answer = ""

    async def _token(self, request):
        return web.Response(text=self.answer)


@pytest.mark.parametrize(
    "answer", ["", "<html>", "[]", "{}", '{"token":""}', '{"token":"  "}', '{"token":5}', '{"token":null}']
)
def test_what_is_no_token_settles_nothing(connected, answer):
    rubbish = Rubbish()
    rubbish.answer = answer
    with rubbish.running(), pytest.raises(UnreachableError, match="gave none"):
        connected(look, moodle_base_url=rubbish.url)
    assert {seen.path for seen in rubbish.seen} == {"/login/token.php"}


def test_planted_secrets_are_in_no_message_and_no_log(moodle, connected, caplog):
    caplog.set_level("DEBUG")
    moodle.answer_for = lambda *_: web.Response(
        status=500, text="wstoken=planted-token password=planted-password"
    )
    moodle.tokens["planted-token"] = None

    async def call(session):
        try:
            await look(session)
        except UnreachableError as error:
            return f"{error!r} {error} {error.excerpt} {session!r} {session.config!r} {session.tokens!r}"
        return ""

    said = connected(call, token="planted-token", **WITH_TOKEN)
    assert "500" in said
    assert "planted-" not in said
    assert "planted-" not in caplog.text
