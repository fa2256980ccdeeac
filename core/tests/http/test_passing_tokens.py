"""Tokens of which there are very many, such as one for each learner: kept in the session, and forgotten with it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest
from aiohttp import web
from cryptography.fernet import Fernet
from sqlalchemy import select

from coursewire.errors import CredentialsError, UnreachableError
from coursewire.http import tokens as tokens_module
from coursewire.http.opening import open_session
from coursewire.http.redact import PASSING, Redactor
from coursewire.model.session import Token
from coursewire.storage.tables.records import lease, token
from coursewire.testing.database import count_statements


def run(kit, lms, engine, time, use):
    async def main():
        async with open_session(
            channel=kit.channel(),
            config=kit.config_for(lms.url),
            configuration=kit.CONFIGURATION,
            authenticate=lambda tokens: kit.Oauth(tokens, lms.url),
            engine=engine,
            box=Fernet(Fernet.generate_key()),
            insecure_urls=True,
            clock=time,
            sleep=time.sleep,
        ) as session:
            return await use(session)

    return asyncio.run(main())


def obtainer(time, value="passing-token", seconds=3600):
    calls = []

    async def obtain(current):
        calls.append(current)
        return Token(f"{value}-{len(calls)}", time.now + timedelta(seconds=seconds))

    return obtain, calls


def test_it_is_kept_without_the_database_and_renewed_before_its_end(kit, lms, engine, time):
    obtain, calls = obtainer(time)

    async def use(session):
        with count_statements(engine) as statements:
            values = [(await session.tokens.fetch("ann", obtain, passing=True)).value for _ in range(3)]
            time.now += timedelta(seconds=3590)
            values.append((await session.tokens.fetch("ann", obtain, passing=True)).value)
        assert statements.count == 0
        return values

    values = run(kit, lms, engine, time, use)

    assert values == ["passing-token-1"] * 3 + ["passing-token-2"]
    assert calls == [None, None]
    with engine.connect() as connection:
        assert connection.execute(select(token)).all() == []
        assert connection.execute(select(lease)).all() == []


def test_a_refused_one_is_replaced(kit, lms, engine, time):
    lms.answer = lambda request: web.json_response({}, status=200)
    obtain, _ = obtainer(time)

    async def use(session):
        first = await session.tokens.fetch("ann", obtain, passing=True)
        second = await session.tokens.fetch("ann", obtain, passing=True, rejected=first.value)
        return second.value, (await session.tokens.fetch("ann", obtain, passing=True)).value

    assert run(kit, lms, engine, time, use) == ("passing-token-2", "passing-token-2")


def test_those_used_last_are_kept(kit, lms, engine, time, monkeypatch):
    monkeypatch.setattr(tokens_module, "MOST_PASSING", 2)
    made = {name: obtainer(time, name) for name in ("ann", "bob", "cy")}

    async def use(session):
        for name in ("ann", "bob", "ann", "cy", "ann", "bob"):
            await session.tokens.fetch(name, made[name][0], passing=True)

    run(kit, lms, engine, time, use)

    assert {name: len(calls) for name, (_, calls) in made.items()} == {"ann": 1, "bob": 2, "cy": 1}


@pytest.mark.parametrize(("value", "seconds"), [(" ", 3600), ("over", 0)])
def test_it_is_checked(kit, lms, engine, time, value, seconds):
    async def obtain(current):
        return Token(value, time.now + timedelta(seconds=seconds))

    async def use(session):
        with pytest.raises(UnreachableError, match="blank, over already"):
            await session.tokens.fetch("ann", obtain, passing=True)

    run(kit, lms, engine, time, use)


def test_a_401_renews_it_once_and_no_text_shows_it(kit, lms, engine, time):
    lms.valid_tokens = {"nobody has this one"}

    async def use(session):
        auth = kit.Oauth(session.tokens, lms.url)
        auth.subject, auth.passing = "ann", True
        lms.answer = lambda request: web.json_response({"you sent": request.headers["Authorization"]})
        response = await session.get("items", auth=auth)
        lms.valid_tokens.clear()
        await session.get("items", auth=auth)
        lms.valid_tokens = {"nobody has this one"}
        lms.token_answer = web.json_response({"access_token": "refused for ever", "expires_in": 60})
        with pytest.raises(CredentialsError):
            await session.get("items", auth=auth)
        return session.redactor(response.text)

    shown = run(kit, lms, engine, time, use)

    assert "of-the-lms" not in shown
    # the first one serves two requests; when it is refused, one other is tried
    assert lms.issued == 2


def test_the_redactor_knows_the_last_ones_used():
    redactor = Redactor(["a-lasting-secret"])
    for number in range(PASSING + 1):
        redactor.add_passing(f"passing/{number:03}/")
        redactor.add_passing("passing/always/")

    text = redactor("passing/064/ passing%2F064%2F passing/always/ a-lasting-secret passing/000/")

    assert text == "*** *** *** *** passing/000/"
    long = httpx.Response(200, text="x" * 64 * 1024 + "passing/064/")
    assert "passing" not in redactor.excerpt(long, limit=100_000)
