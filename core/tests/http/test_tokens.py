from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from cryptography.fernet import Fernet
from sqlalchemy import event, select

from coursewire.errors import ContractError, CredentialsError, ThrottledError, UnreachableError
from coursewire.http.opening import open_session
from coursewire.http.retry import ATTEMPTS, BUDGET_S
from coursewire.http.token_store import Kept, MemoryTokenStore, SqlTokenStore
from coursewire.model.session import Token
from coursewire.storage.tables.records import lease, token
from coursewire.testing.misbehave import Misbehaviour
from coursewire.testing.simulator import json_response
from coursewire.toolkit.auth import FormAuth, TokenAuth, read_oauth_token

KEY = Fernet.generate_key()
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def session_on(kit, lms, engine, time, **options):
    return open_session(
        channel=kit.channel(),
        config=kit.config_for(lms.url),
        configuration=kit.CONFIGURATION,
        authenticate=lambda tokens: kit.Oauth(tokens, lms.url),
        engine=engine,
        box=Fernet(KEY),
        insecure_urls=True,
        clock=time,
        sleep=time.sleep,
        **options,
    )


def run(kit, lms, engine, time, use):
    async def main():
        async with session_on(kit, lms, engine, time) as session:
            return await use(session)

    return asyncio.run(main())


def test_many_requests_at_once_obtain_one_token(kit, lms, engine, time):
    lms.token_delay_s = 0.05

    async def use(session):
        answers = await asyncio.gather(*[session.post(f"items/{n}", json={}) for n in range(10)])
        assert all(answer.is_success for answer in answers)

    run(kit, lms, engine, time, use)
    assert lms.issued == 1


def test_the_token_is_kept_encrypted_and_used_by_the_next_session(kit, lms, engine, time):
    async def use(session):
        return await session.get("items")

    run(kit, lms, engine, time, use)
    run(kit, lms, engine, time, use)
    assert lms.issued == 1
    with engine.connect() as connection:
        (row,) = connection.execute(select(token)).all()
        held = connection.scalar(select(lease.c.owner))
    assert b"token-number" not in row.ciphertext
    assert "service" not in row.subject
    assert row.expires_at == kit.NOW + timedelta(seconds=3600)
    assert held is None


def test_a_token_is_renewed_before_its_end_with_the_refresh_token(kit, lms, engine, time):
    async def use(session):
        await session.get("items")
        time.now += timedelta(seconds=3541)
        await session.get("items")

    run(kit, lms, engine, time, use)
    assert lms.issued == 2
    bodies = [seen.body for seen in lms.seen if seen.path == "/oauth/token"]
    assert "refresh_token" not in bodies[0]
    assert "refresh_token=refresh-1" in bodies[1]


def test_a_refused_token_is_renewed_once_and_the_request_sent_again(kit, lms, engine, time):
    async def use(session):
        await session.get("items")
        lms.valid_tokens = {"none-of-them"}
        return await session.post("items/1", json={})

    assert run(kit, lms, engine, time, use).is_success
    assert lms.issued == 2
    assert lms.arrivals["/items/1"] == 1


def test_401_after_the_renewal_is_a_credentials_error(kit, lms, engine, time):
    lms.misbehave.append(Misbehaviour("expired token", times=None, path="/items"))

    async def use(session):
        with pytest.raises(CredentialsError):
            await session.get("items")

    run(kit, lms, engine, time, use)
    assert lms.issued == 2


def test_a_refused_token_is_not_handed_out_again_not_even_to_other_processes(kit, lms, engine, time):
    async def refuse(session):
        await session.get("items")
        lms.valid_tokens = {"none-of-them"}
        lms.token_answer = web.Response(status=503)
        with pytest.raises(UnreachableError):
            await session.get("items")

    async def again(session):
        lms.token_answer = None
        return await session.get("items")

    run(kit, lms, engine, time, refuse)
    assert run(kit, lms, engine, time, again).is_success
    # Three item requests in all: the second session did not try the refused token.
    assert len(lms.headers_seen) == 3


def test_the_lms_that_issues_a_refused_token_again_is_not_asked_for_ever(kit, lms, engine, time):
    lms.valid_tokens = {"another"}
    lms.token_answer = json_response({"access_token": "always-the-same", "expires_in": 60})

    async def use(session):
        with pytest.raises(CredentialsError, match="refuses"):
            await session.get("items")

    run(kit, lms, engine, time, use)
    assert lms.issued == 2


@pytest.mark.parametrize("status", [400, 401, 403])
def test_refused_credentials_stop_at_once_and_show_no_secret(kit, lms, engine, time, status):
    lms.token_answer = web.Response(status=status, text="bad client_secret=s3cret%2F%2B%3D%26value here")

    async def use(session):
        results = await asyncio.gather(
            *[session.post(f"items/{n}", json={}) for n in range(5)], return_exceptions=True
        )
        assert all(isinstance(result, CredentialsError) for result in results)
        with pytest.raises(CredentialsError) as caught:
            await session.get("items")
        assert "s3cret" not in caught.value.excerpt
        assert "here" in caught.value.excerpt
        assert caught.value.http_status == status

    run(kit, lms, engine, time, use)
    assert lms.issued == 1
    assert not lms.headers_seen


def test_a_failure_is_forgotten_after_a_while(kit, lms, engine, time):
    lms.token_answer = web.Response(status=500)

    async def use(session):
        with pytest.raises(UnreachableError):
            await session.get("items")
        lms.token_answer = None
        with pytest.raises(UnreachableError):
            await session.get("items")
        time.now += timedelta(seconds=11)
        return await session.get("items")

    assert run(kit, lms, engine, time, use).is_success


JSON = "application/json"
HTML = "text/html"
PASSING_ANSWERS = {
    "a redirect to a page": (302, "", HTML, {"Location": "/elsewhere"}),
    "a page instead of a token": (200, "<html>Maintenance</html>", HTML, {}),
    "a page in the clothes of JSON": (200, "<html>Maintenance</html>", JSON, {}),
    "nothing": (200, "", JSON, {}),
    "no content": (204, "", JSON, {}),
    "half an answer": (200, '{"access_token": "half', JSON, {}),
    "another address": (404, "<h1>Not found</h1>", HTML, {}),
    "a proxy's refusal": (403, "<h1>Forbidden</h1>", HTML, {}),
    "an edge's refusal": (403, "error code: 1020", "text/plain", {}),
    "a proxy's idea of a bad request": (400, "<html><h1>400 Bad Request</h1>nginx</html>", HTML, {}),
    "an empty refusal": (403, "", HTML, {}),
    "a time-out": (408, "", HTML, {}),
    "locked": (423, "{}", JSON, {}),
    "too early": (425, "{}", JSON, {}),
    "out of order": (500, "{}", JSON, {}),
    "bad gateway": (502, "<h1>Bad gateway</h1>", HTML, {}),
    "maintenance": (503, "", HTML, {}),
    "a made-up status": (524, "", HTML, {}),
    "later, in OAuth's words": (400, '{"error": "temporarily_unavailable"}', JSON, {}),
    "later, with a success": (200, '{"error": "server_error"}', JSON, {}),
    "later, with 401": (401, '{"error": "SERVER_ERROR"}', JSON, {}),
    "slow down": (400, '{"error": "slow_down"}', JSON, {}),
    "too many": (429, "", HTML, {}),
    "too many, for a moment": (429, "", HTML, {"Retry-After": "1"}),
    "a charset that is none": (503, "x", "text/html; charset=undefined", {}),
}


@pytest.mark.parametrize("what", PASSING_ANSWERS)
def test_a_passing_fault_of_the_token_endpoint_is_passed_within_the_run(kit, lms, engine, time, what):
    status, body, kind, headers = PASSING_ANSWERS[what]
    lms.token_answer = web.Response(
        status=status, body=body.encode(), headers={"Content-Type": kind, **headers}
    )
    times = 0

    async def use(session):
        nonlocal times

        async def sleep(seconds):
            nonlocal times
            times += 1
            lms.token_answer = None
            await time.sleep(seconds)

        session.tokens._sleep = sleep
        return (await session.get("items")).status_code

    assert run(kit, lms, engine, time, use) == 200
    assert (lms.issued, times) == (2, 1)


@pytest.mark.parametrize("what", PASSING_ANSWERS)
def test_a_fault_of_the_token_endpoint_that_stays_says_nothing_about_the_credentials(
    kit, lms, engine, time, what
):
    status, body, kind, headers = PASSING_ANSWERS[what]
    lms.token_answer = web.Response(
        status=status, body=body.encode(), headers={"Content-Type": kind, **headers}
    )

    async def use(session):
        with pytest.raises((UnreachableError, ThrottledError)):
            await session.get("items")

    run(kit, lms, engine, time, use)
    assert {seen.path for seen in lms.seen} == {"/oauth/token"}
    assert 1 < lms.issued <= ATTEMPTS
    assert sum(time.sleeps) <= BUDGET_S


def test_a_token_endpoint_that_names_a_time_is_not_asked_before(kit, lms, engine, time):
    lms.token_answer = web.Response(status=503, headers={"Retry-After": "90"})

    async def use(session):
        for _ in range(2):
            with pytest.raises(ThrottledError) as caught:
                await session.get("items")
            assert caught.value.retry_at == NOW + timedelta(seconds=90)
            time.now += timedelta(seconds=60)
        time.now += timedelta(seconds=60)
        lms.token_answer = None
        return (await session.get("items")).status_code

    assert run(kit, lms, engine, time, use) == 200
    assert lms.issued == 2


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, "invalid_client"),
        (401, "invalid_client"),
        (401, ""),
        (400, "unauthorized_client"),
        (200, "invalid_client"),
        (500, "invalid_client"),
        (400, "invalid_scope"),
        (400, "words of its own"),
    ],
)
def test_refused_credentials_are_refused_credentials(kit, lms, engine, time, status, error):
    lms.token_answer = json_response({"error": error} if error else {}, status=status)

    async def use(session):
        with pytest.raises(CredentialsError) as caught:
            await session.get("items")
        assert caught.value.reason == ""

    run(kit, lms, engine, time, use)
    assert lms.issued == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"data": {"grant_type": "refresh_token", "refresh_token": "r"}}, "grant-refused"),
        ({"json": {"grant_type": "refresh_token", "refresh_token": "r"}}, "grant-refused"),
        ({"data": {"grant_type": "client_credentials"}}, ""),
        ({"data": {"grant_type": "password", "password": "refresh_token"}}, ""),
        ({"content": b"\xff{"}, ""),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 401])
def test_only_a_refused_refresh_token_waits_for_a_person(kit, lms, engine, time, status, body, reason):
    lms.token_answer = json_response({"error": "invalid_grant"}, status=status)

    async def use(session):
        async def ask():
            answer = await session.tokens.send(httpx.Request("POST", f"{lms.url}/oauth/token", **body))
            return read_oauth_token(answer, time)

        with pytest.raises(CredentialsError) as caught:
            await ask()
        return caught.value.reason

    assert run(kit, lms, engine, time, use) == reason


def test_a_token_server_that_hangs_up_is_unreachable(kit, lms, engine, time):
    lms.misbehave.append(Misbehaviour("reset after accepting", times=None, path="/oauth"))

    async def use(session):
        with pytest.raises(UnreachableError):
            await session.get("items")

    run(kit, lms, engine, time, use)


def test_a_credential_call_goes_only_to_allowed_hosts(kit, lms, engine, time):
    async def use(session):
        with pytest.raises(ContractError):
            await session.tokens.send(httpx.Request("POST", "https://evil.example/token"))

    run(kit, lms, engine, time, use)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'"token"',
        b'{"access_token": "", "expires_in": 60}',
        b'{"access_token": "  ", "expires_in": 60}',
        b'{"access_token": 5, "expires_in": 60}',
        b'{"access_token": "abc", "expires_in": -5}',
        b'{"access_token": "abc", "expires_in": "-3600"}',
        b'{"access_token": "a\\nb", "expires_in": 60}',
        b'{"access_token": "a\\r\\nX-Evil: 1", "expires_in": 60}',
        b'{"access_token": "a\\u0000b", "expires_in": 60}',
        b'{"access_token": "\\u00fcber", "expires_in": 60}',
        b'{"access_token": " a", "expires_in": 60}',
        b'{"access_token": "' + b"a" * 100_000 + b'", "expires_in": 60}',
        b'{"access_token": "abc", "expires_in": 60, "refresh_token": 7}',
    ],
)
def test_rubbish_with_200_is_never_a_token(kit, lms, engine, time, body):
    lms.token_answer = web.Response(body=body)

    async def use(session):
        with pytest.raises(UnreachableError, match="gave none"):
            await session.get("items")

    run(kit, lms, engine, time, use)
    assert not lms.headers_seen
    with engine.connect() as connection:
        assert connection.execute(select(token)).all() == []


@pytest.mark.parametrize(
    ("members", "seconds"),
    [
        ("", 300),
        (', "expires_in": null', 300),
        (', "expires_in": ""', 300),
        (', "expires_in": "soon"', 300),
        (', "expires_in": true', 300),
        (', "expires_in": [60]', 300),
        (', "expires_in": 0', 300),
        (', "expires_in": -1', 300),
        (', "expires_in": "-1"', 300),
        (', "expires_in": "nan"', 300),
        (', "expires_in": 60', 60),
        (', "expires_in": "60"', 60),
        (', "expires_in": " 60.0 "', 60),
        (', "expires_in": 60.5', 60.5),
        (', "expires_in": 6e1, "token_type": "BEARER"', 60),
        (', "expires_in": 60, "token_type": null, "scope": null, "refresh_token": ""', 60),
        (', "expires_in": 99999999999', 366 * 86_400),
        (', "expires_in": "inf"', 366 * 86_400),
        (f', "expires_in": {"9" * 30}', 366 * 86_400),
    ],
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_what_the_standard_leaves_optional_or_servers_write_oddly(time, mark, members, seconds):
    answer = httpx.Response(200, content=mark + f'{{"access_token": "abc"{members}}}'.encode())
    read = read_oauth_token(answer, time)
    assert (read.value, read.refresh_token) == ("abc", None)
    assert read.expires_at == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("made", [Token(" ", None), Token("over", None)])
def test_what_a_channel_reads_is_checked_too(kit, lms, engine, time, made):
    async def obtain(current):
        return Token(made.value, time.now + timedelta(seconds=0 if made.value == "over" else 60))

    async def use(session):
        with pytest.raises(UnreachableError, match="blank, over already"):
            await session.tokens.fetch("service", obtain)

    run(kit, lms, engine, time, use)


def test_a_short_lived_token_is_not_renewed_for_each_request(kit, lms, engine, time):
    async def use(session):
        calls = 0

        async def obtain(current):
            nonlocal calls
            calls += 1
            return Token(f"number-{calls}", time.now + timedelta(seconds=40))

        for _ in range(3):
            assert (await session.tokens.fetch("learner", obtain)).value == "number-1"
        time.now += timedelta(seconds=31)
        assert (await session.tokens.fetch("learner", obtain)).value == "number-2"

    run(kit, lms, engine, time, use)


def test_the_old_refresh_token_stays_when_no_new_one_comes(kit, lms, engine, time):
    seen = []

    async def use(session):
        async def obtain(current):
            seen.append(current and current.refresh_token)
            ends = time.now + timedelta(seconds=100)
            return Token(f"n{len(seen)}", ends, refresh_token=None if seen[1:] else "kept")

        for _ in range(3):
            await session.tokens.fetch("service", obtain)
            time.now += timedelta(seconds=200)

    run(kit, lms, engine, time, use)
    assert seen == [None, "kept", "kept"]


def test_subjects_have_their_own_tokens(kit, lms, engine, time):
    async def use(session):
        async def obtain_for(name):
            async def obtain(current):
                return Token(f"of-{name}", time.now + timedelta(hours=1))

            return (await session.tokens.fetch(name, obtain)).value

        assert await asyncio.gather(obtain_for("alice"), obtain_for("bob")) == ["of-alice", "of-bob"]

    run(kit, lms, engine, time, use)


def test_a_cancelled_request_does_not_lose_the_token(kit, lms, engine, time):
    lms.token_delay_s = 0.2

    async def use(session):
        request = asyncio.create_task(session.get("items"))
        await asyncio.sleep(0.1)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request

    run(kit, lms, engine, time, use)
    assert SqlTokenStore(engine, Fernet(KEY), kit.CONFIGURATION).load("service") is not None


def test_a_fault_of_the_channel_is_shown_as_it_is(kit, lms, engine, time):
    async def obtain(current):
        raise KeyError("access_token")

    async def use(session):
        with pytest.raises(KeyError):
            await session.tokens.fetch("service", obtain)
        auth = TokenAuth(session.tokens)
        with pytest.raises(NotImplementedError):
            auth.token_request(None)
        with pytest.raises(NotImplementedError):
            auth.read_token(httpx.Response(200))

    run(kit, lms, engine, time, use)


def test_a_run_that_is_broken_off_leaves_the_right_to_renew(kit, lms, engine, time):
    lms.token_delay_s = 0.5

    async def use(session):
        request = asyncio.create_task(session.get("items"))
        await asyncio.sleep(0.1)
        broken_off = asyncio.all_tasks() - {asyncio.current_task()}
        for task in broken_off:
            task.cancel()
        await asyncio.wait(broken_off)
        assert request.cancelled()

    run(kit, lms, engine, time, use)
    assert SqlTokenStore(engine, Fernet(KEY), kit.CONFIGURATION).load("service") is None
    store = SqlTokenStore(engine, Fernet(KEY), kit.CONFIGURATION)
    assert store.lock("service", "next", time.now, time.now)


def test_tokens_are_redacted_from_then_on(kit, lms, engine, time):
    async def use(session):
        await session.get("items")
        return session.redactor("it said token-number-1-of-the-lms and refresh-1")

    assert run(kit, lms, engine, time, use) == "it said *** and ***"


# -- the right to renew ---------------------------------------------------------------------------


def test_only_one_owner_may_renew_until_the_right_lapses(kit, engine, time):
    store = SqlTokenStore(engine, Fernet(KEY), kit.CONFIGURATION)
    later = time.now + timedelta(seconds=10)
    assert store.lock("service", "one", time.now, later)
    assert not store.lock("service", "two", time.now, later)
    assert store.lock("other", "two", time.now, later)
    store.unlock("service", "two", time.now)
    assert not store.lock("service", "two", time.now, later)
    assert store.lock("service", "two", later, later + timedelta(seconds=10))
    store.unlock("service", "one", later)
    assert not store.lock("service", "three", later, later + timedelta(seconds=10))
    store.unlock("service", "two", later)
    assert store.lock("service", "three", later, later + timedelta(seconds=10))
    assert "ciphertext" not in repr(store)


def test_the_result_of_another_process_is_waited_for(kit, lms, engine, time):
    store = SqlTokenStore(engine, Fernet(KEY), kit.CONFIGURATION)
    assert store.lock("service", "another", time.now, time.now + timedelta(seconds=100))
    lms.valid_tokens = {"of-the-other"}

    async def use(session):
        request = asyncio.create_task(session.get("items"))
        await time.slept.wait()
        kept = Kept(Token("of-the-other", time.now + timedelta(hours=1)), time.now)
        await asyncio.to_thread(store.save, "service", kept)
        return await request

    assert run(kit, lms, engine, time, use).is_success
    assert lms.issued == 0


def test_a_dead_process_does_not_block_for_ever(kit, lms, engine, time):
    store = SqlTokenStore(engine, Fernet(KEY), kit.CONFIGURATION)
    assert store.lock("service", "dead", time.now, time.now + timedelta(seconds=3))

    async def use(session):
        return await session.get("items")

    assert run(kit, lms, engine, time, use).is_success
    assert time.now >= kit.NOW + timedelta(seconds=3)


def test_a_renewal_that_never_ends_is_given_up(kit, lms, engine, time, monkeypatch):
    store = SqlTokenStore(engine, Fernet(KEY), kit.CONFIGURATION)
    assert store.lock("service", "stuck", time.now, time.now + timedelta(days=1))
    monkeypatch.setattr("coursewire.http.tokens.POLL_S", 50.0)

    async def use(session):
        with pytest.raises(UnreachableError, match="another process"):
            await session.get("items")

    run(kit, lms, engine, time, use)


def test_the_memory_store_behaves_like_the_table(time):
    store = MemoryTokenStore()
    assert store.load("service") is None
    store.expire("service", time.now)
    store.save("service", Kept(Token("value", time.now + timedelta(hours=1), refresh_token="r"), time.now))
    store.expire("service", time.now)
    kept = store.load("service")
    assert kept.token.expires_at == time.now
    assert kept.token.refresh_token == "r"


def test_the_token_that_another_process_just_stored_is_taken(kit, lms, engine, other_engine, time):
    """Another process finishes between our look and our taking the right to renew."""
    lms.valid_tokens = {"of-the-other"}
    other = SqlTokenStore(other_engine, Fernet(KEY), kit.CONFIGURATION)
    raced = []

    def intervene(_connection, _cursor, statement, *_rest):
        if "lease" in statement and not raced:
            raced.append(True)
            other.save("service", Kept(Token("of-the-other", time.now + timedelta(hours=1)), time.now))

    event.listen(engine, "before_cursor_execute", intervene)

    async def use(session):
        return await session.get("items")

    assert run(kit, lms, engine, time, use).is_success
    assert lms.issued == 0


def test_two_that_take_a_new_right_at_once(kit, engine, other_engine, time):
    ours, other = (SqlTokenStore(place, Fernet(KEY), kit.CONFIGURATION) for place in (engine, other_engine))
    later = time.now + timedelta(seconds=10)
    raced = []

    def intervene(_connection, _cursor, statement, *_rest):
        if statement.startswith("INSERT INTO lease") and not raced:
            raced.append(other.lock("service", "other", time.now, later))

    event.listen(engine, "before_cursor_execute", intervene)
    assert not ours.lock("service", "ours", time.now, later)
    assert raced == [True]


SCRIPT = """
import asyncio, os, runpy, sys
from datetime import UTC, datetime
kit = runpy.run_path(sys.argv[1])
from coursewire.http.opening import open_session
from coursewire.http.retry import ATTEMPTS, BUDGET_S
from cryptography.fernet import Fernet
from sqlalchemy import create_engine

async def main():
    engine = create_engine(sys.argv[2])
    url = sys.argv[3]
    async with open_session(
        channel=kit["channel"](), config=kit["config_for"](url), configuration=kit["CONFIGURATION"],
        authenticate=lambda tokens: kit["Oauth"](tokens, url), engine=engine,
        box=Fernet(os.environ["TEST_KEY"]), insecure_urls=True,
    ) as session:
        print("ready", flush=True)
        sys.stdin.readline()
        answers = await asyncio.gather(*[session.post(f"items/{n}", json={}) for n in range(4)])
        assert all(answer.is_success for answer in answers)

asyncio.run(main())
"""


def test_two_processes_obtain_one_token(kit, lms, engine):
    lms.token_delay_s = 0.3
    arguments = [sys.executable, "-c", SCRIPT, str(Path(__file__).with_name("conftest.py"))]
    arguments += [engine.url.render_as_string(hide_password=False), lms.url]
    processes = [
        subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TEST_KEY": KEY.decode()},
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    assert lms.issued == 1
    assert sum(lms.arrivals.values()) == 8


def test_a_form_goes_in_and_a_token_comes_out(kit, lms, engine, time):
    form = {"grant_type": "client_credentials", "scope": "a:b,c", "client_id": "id"}
    seen = []

    async def send(request):
        seen.append(request)
        return httpx.Response(200, json={"access_token": "token-1", "expires_in": 60}, request=request)

    class Tokens:
        clock = time

    tokens = Tokens()
    tokens.send = send
    auth = FormAuth(tokens, "https://x.example.com/token", form, client=("id", "p:w"), subject="service a:b")

    token = asyncio.run(auth._obtain(None))

    assert (auth.subject, token.value) == ("service a:b", "token-1")
    assert seen[0].content == b"grant_type=client_credentials&scope=a%3Ab%2Cc&client_id=id"
    assert seen[0].headers["Authorization"] == "Basic aWQ6cDp3"
    assert (
        "Authorization"
        not in FormAuth(tokens, "https://x.example.com/token", form).token_request(None).headers
    )


def test_a_token_that_was_granted_takes_the_place_of_the_one_before(kit, lms, engine, time):
    async def use(session):
        await session.get("items")
        lms.valid_tokens = {"granted-by-a-person"}
        granted = Token("granted-by-a-person", time() + timedelta(hours=1), refresh_token="new")

        async def obtain():
            return granted

        await session.tokens.replace("service", obtain)
        return (await session.get("items")).status_code

    assert run(kit, lms, engine, time, use) == 200

    async def later(session):
        return (await session.get("items")).status_code

    assert run(kit, lms, engine, time, later) == 200
    assert lms.issued == 1


def test_nobody_renews_while_a_grant_is_being_stored(kit, lms, engine, other_engine, time):
    """A run that still has the old refresh token waits, and then uses what the grant brought."""
    order = []

    async def use(session):
        async with session_on(kit, lms, other_engine, time) as running:
            started = asyncio.Event()

            async def obtain():
                started.set()
                for _ in range(20):
                    await asyncio.sleep(0.01)
                order.append("granted")
                lms.valid_tokens = {"granted-by-a-person"}
                return Token("granted-by-a-person", time() + timedelta(hours=1))

            async def ask():
                await started.wait()
                answer = await running.get("items")
                order.append("asked")
                return answer.status_code

            _, status = await asyncio.gather(session.tokens.replace("service", obtain), ask())
            return status

    assert run(kit, lms, engine, time, use) == 200
    assert order == ["granted", "asked"]
    assert lms.issued == 0


@pytest.mark.parametrize("value", ["", " "])
def test_a_granted_token_that_is_none_replaces_nothing(kit, lms, engine, time, value):
    async def use(session):
        await session.get("items")

        async def obtain():
            return Token(value, time() + timedelta(hours=1))

        with pytest.raises(UnreachableError):
            await session.tokens.replace("service", obtain)
        with engine.connect() as connection:
            assert connection.scalar(select(lease.c.owner)) is None
        return (await session.get("items")).status_code

    assert run(kit, lms, engine, time, use) == 200
    assert lms.issued == 1
