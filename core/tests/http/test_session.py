from __future__ import annotations

import asyncio
import gzip
import logging
import socket
from datetime import timedelta

import httpx
import orjson
import pytest
import vcr
from aiohttp import web

from coursewire.errors import (
    ContractError,
    CredentialsError,
    OutcomeUnknownError,
    ThrottledError,
    UnreachableError,
)
from coursewire.http.transport import ForbiddenAddressError, PublicResolver
from coursewire.model.addresses import is_public
from coursewire.model.channel import Rate
from coursewire.model.configuration import ChannelConfig
from coursewire.testing.misbehave import Misbehaviour
from coursewire.testing.simulator import json_response


def run(kit, url, time, use, **options):
    async def main():
        async with kit.draft(url, time, **options) as session:
            return await use(session)

    return asyncio.run(main())


def test_the_body_is_canonical_json_and_the_answer_comes_back(kit, lms, time):
    async def use(session):
        return await session.post("items", json={"b": 1, "a": "Ü"})

    response = run(kit, lms.url, time, use)
    assert response.json()["echo"] == '{"a":"Ü","b":1}'
    assert lms.headers_seen[0]["Content-Type"] == "application/json"
    assert lms.headers_seen[0]["User-Agent"].startswith("coursewire/")
    assert "Cookie" not in lms.headers_seen[0]


def test_forms_bytes_queries_and_own_headers_arrive(kit, lms, time):
    async def use(session):
        form = await session.post("f", data={"key": "a+b&c", "n": 1})
        raw = await session.put("r", content=b"\x00\x01", headers={"Content-Type": "application/x-own"})
        listed = await session.get("q?fixed=1", params=[("k", "a+b"), ("k", "c d")])
        await session.delete("d", params={"email": "x+y@example.com"})
        return form, raw, listed

    form, _raw, _ = run(kit, lms.url, time, use)
    assert form.json()["echo"] == "key=a%2Bb%26c&n=1"
    assert lms.headers_seen[0]["Content-Type"] == "application/x-www-form-urlencoded"
    assert lms.headers_seen[1]["Content-Type"] == "application/x-own"
    assert [seen.query for seen in lms.seen][2] == "fixed=1&k=a%2Bb&k=c d"
    assert [seen.query for seen in lms.seen][3] == "email=x%2By@example.com"
    assert [seen.method for seen in lms.seen] == ["POST", "PUT", "GET", "DELETE"]


@pytest.mark.parametrize(
    ("base", "path", "arrived"),
    [
        ("", "items", "/items"),
        ("", "/items/", "/items/"),
        ("/learn", "items", "/learn/items"),
        ("/learn/", "/items", "/learn/items"),
        ("/learn", "", "/learn"),
        ("/learn", "//evil.example/items", "/learn/evil.example/items"),
        ("/a/b", "c%2Fd%2Be f", "/a/b/c%2Fd%2Be%20f"),
        ("", "course-v1:edX+DemoX", "/course-v1:edX+DemoX"),
    ],
)
def test_paths_join_the_base_url(kit, lms, time, base, path, arrived):
    async def use(session):
        await session.get(path)

    run(kit, lms.url + base, time, use)
    assert lms.raw_paths == [arrived]


@pytest.mark.parametrize(
    "path",
    [
        "http://other.example/items",
        "HTTPS://other.example/items",
        "../admin",
        "a/%2e%2e/admin",
        "ftp://127.0.0.1/x",
        "http://[bad",
        "not\x00printable",
    ],
)
def test_a_path_that_leaves_the_lms_is_refused(kit, lms, time, path):
    async def use(session):
        with pytest.raises(ContractError):
            await session.get(path)

    run(kit, lms.url + "/base", time, use)
    assert not lms.seen


def test_an_absolute_url_may_have_an_allowed_host(kit, lms, time):
    async def use(session):
        return await session.get(f"{lms.url}/items")

    fields = {"hosts": ["127.0.0.1"]}
    assert run(kit, "https://lms.example.com", time, use, fields=fields).is_success
    assert lms.raw_paths == ["/items"]


def test_an_https_configuration_does_not_fall_back_to_http(kit, lms, time):
    async def use(session):
        with pytest.raises(ContractError, match="scheme"):
            await session.get("http://lms.example.com/items")

    run(kit, "https://lms.example.com", time, use, insecure_urls=False)


# -- addresses ------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254"])
def test_private_addresses_are_refused_at_connect_time(kit, time, host):
    async def use(session):
        with pytest.raises(UnreachableError, match="private or local") as caught:
            await session.post("items", json={})
        assert "COURSEWIRE_ALLOW_INSECURE_URLS" in caught.value.next_step
        assert session.counters.requests == 1

    run(kit, f"http://{host}:9", time, use, insecure_urls=False)
    assert not time.sleeps


def test_a_name_with_public_addresses_only_is_resolved():
    async def main():
        resolver = PublicResolver()
        try:
            found = await resolver.resolve("1.1.1.1", 443)
            for host in ("localhost", "127.0.0.1"):
                with pytest.raises(ForbiddenAddressError):
                    await resolver.resolve(host, 443)
        finally:
            await resolver.close()
        return {entry["host"] for entry in found}

    assert asyncio.run(main()) == {"1.1.1.1"}


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("1.1.1.1", True),
        ("2606:4700::1", True),
        ("10.1.2.3", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("fe80::1%eth0", False),
        ("::1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b:1::a9fe:a9fe", False),
        ("64:ff9b:1::101:101", False),
        ("::7f00:1", False),
        ("::1.1.1.1", False),
        ("::127.0.0.1", False),
        ("::ffff:1.1.1.1", True),
        ("::ffff:0:10.0.0.1", False),
        ("::ffff:0:1.1.1.1", True),
        ("2002:a9fe:a9fe::1", False),
        ("2002:c058:6301::", False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),
        ("2001:20::1", False),
        ("2001:db8::1", False),
        ("3fff::1", False),
        ("2606:4700::5efe:10.0.0.1", False),
        ("2606:4700::200:5efe:192.168.0.1", False),
        ("2606:4700::5efe:1.1.1.1", True),
        ("fec0::1", False),
        ("fc00::1", False),
        ("ff02::1", False),
        ("100::1", False),
        ("5f00::1", False),
        ("4000::1", False),
        ("::", False),
        ("192.88.99.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("169.254.169.254", False),
        ("192.0.0.8", False),
        ("198.18.0.1", False),
        ("203.0.113.1", False),
        ("64:ff9b::101:101", True),
    ],
)
def test_which_addresses_are_public(address, public):
    assert is_public(address) is public


@pytest.mark.parametrize(
    "host",
    [
        "①②⑦.0.0.1",
        "a..b",
        ".example.com",
        f"{'a' * 64}.example.com",
        "-.-",
        "-a.example.com",
        "a!b.example.com",
        "xn--a.example.com",
        "xn--.example.com",
        "\u2488.example.com",
        "a\u200b.example.com",
        "127.1",
        "0x7f.1",
        "2130706433",
        "1.2.3.256",
    ],
)
def test_a_host_that_cannot_be_looked_up_is_a_fault_of_the_configuration(kit, host):
    with pytest.raises(ValueError, match="no name of a host"):
        kit.config_for(f"https://{host}")


@pytest.mark.parametrize(
    "host",
    [
        "lms",
        "lms.example.com",
        "LMS.example.com.",
        "bücher.example",
        "xn--bcher-kva.example",
        "a_b.example",
        "[::1]",
    ],
)
def test_hosts_that_can_be_looked_up(kit, host):
    assert kit.config_for(f"https://{host}").lms_url


# -- failures -------------------------------------------------------------------------------------


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_connection_is_tried_again_and_then_unreachable(kit, time, method):
    async def use(session):
        with pytest.raises(UnreachableError, match="no connection"):
            await session.request(method, "items", json={})
        assert session.counters.requests == 4
        assert session.counters.retries == 3
        assert session.counters.waited_s == pytest.approx(sum(time.sleeps))

    run(kit, f"http://127.0.0.1:{free_port()}", time, use)
    assert len(time.sleeps) == 3
    assert sum(time.sleeps) < 5


def test_a_name_that_does_not_resolve_is_unreachable(kit, time):
    async def use(session):
        with pytest.raises(UnreachableError):
            await session.get("items")

    run(kit, "https://nothing.invalid", time, use)


@pytest.mark.parametrize("name", ["reset after accepting", "reset before accepting"])
def test_an_unsafe_write_without_an_answer_is_in_doubt_and_not_repeated(kit, lms, time, name):
    lms.misbehave.append(Misbehaviour(name))

    async def use(session):
        with pytest.raises(OutcomeUnknownError):
            await session.post("items/1", json={})

    run(kit, lms.url, time, use)
    assert len(lms.seen) == 1
    assert lms.arrivals["/items/1"] == (1 if name == "reset after accepting" else 0)


@pytest.mark.parametrize(
    ("method", "options"), [("GET", {}), ("PUT", {}), ("DELETE", {}), ("POST", {"safe_to_repeat": True})]
)
@pytest.mark.parametrize("name", ["reset after accepting", "bad gateway"])
def test_a_repeatable_request_is_sent_again(kit, lms, time, method, options, name):
    lms.misbehave.append(Misbehaviour(name, times=2))

    async def use(session):
        return await session.request(method, "items/1", **options)

    assert run(kit, lms.url, time, use).is_success
    assert len(lms.seen) == 3


def test_a_repeatable_request_without_an_answer_gives_up(kit, lms, time):
    lms.misbehave.append(Misbehaviour("reset before accepting", times=None))

    async def use(session):
        with pytest.raises(UnreachableError, match="no answer"):
            await session.post("items/1", safe_to_repeat=True)

    run(kit, lms.url, time, use)
    assert len(lms.seen) == 4


def test_bad_gateway_for_an_unsafe_write_is_in_doubt(kit, lms, time):
    lms.misbehave.append(Misbehaviour("bad gateway"))

    async def use(session):
        with pytest.raises(OutcomeUnknownError) as caught:
            await session.post("items/1", json={})
        assert caught.value.http_status == 502
        assert caught.value.excerpt == "Bad gateway"

    run(kit, lms.url, time, use)
    assert len(lms.seen) == 1


@pytest.mark.parametrize(("status", "tries"), [(500, 1), (403, 1), (404, 1), (503, 4), (408, 4)])
def test_what_stays_refused_is_the_channels_to_read(kit, lms, time, status, tries):
    lms.answer = lambda request: web.Response(status=status)

    async def use(session):
        return await session.put("items/1", json={})

    assert run(kit, lms.url, time, use).status_code == status
    assert len(lms.seen) == tries


MAYBE_DONE = [
    *(408, 418, 419, 420, 430, 440, 444, 449, 460, 463, *range(494, 500)),
    *(
        500,
        501,
        502,
        503,
        504,
        505,
        506,
        507,
        508,
        509,
        510,
        511,
        *range(520, 528),
        529,
        530,
        540,
        561,
        598,
        599,
    ),
    *(477, 599, 620, 999),
]
NOT_DONE = [
    400,
    402,
    403,
    404,
    405,
    406,
    409,
    410,
    412,
    413,
    415,
    421,
    422,
    423,
    424,
    425,
    426,
    428,
    431,
    451,
]


@pytest.mark.parametrize("status", MAYBE_DONE)
def test_a_status_that_is_not_the_lmss_own_word_leaves_an_unsafe_write_in_doubt(kit, lms, time, status):
    lms.answer = lambda request: json_response({"error": "words"}, status=status)

    async def use(session):
        with pytest.raises(OutcomeUnknownError) as caught:
            await session.post("items/1", json={})
        assert caught.value.http_status == status
        assert (await session.put("items/1", json={})).status_code == status

    run(kit, lms.url, time, use)
    assert [seen.method for seen in lms.seen].count("POST") == 1


@pytest.mark.parametrize("status", NOT_DONE)
def test_a_status_that_refuses_an_unsafe_write_is_the_channels_to_read(kit, lms, time, status):
    lms.answer = lambda request: json_response({"error": "words"}, status=status)

    async def use(session):
        return await session.post("items/1", json={})

    assert run(kit, lms.url, time, use).status_code == status


@pytest.mark.parametrize("status", [400, 404, 405, 409, 422, 423])
def test_a_page_in_answer_to_an_unsafe_write_leaves_it_in_doubt(kit, lms, time, status):
    lms.answer = lambda request: web.Response(status=status, text="<html>no</html>", content_type="text/html")

    async def use(session):
        with pytest.raises(OutcomeUnknownError):
            await session.post("items/1", json={})

    run(kit, lms.url, time, use)


@pytest.mark.parametrize("limits", [{"read_timeout_s": 0.1}, {"total_timeout_s": 0.1}])
def test_a_hanging_server_is_left(kit, lms, time, limits):
    async def hang(request):
        await asyncio.sleep(30)

    lms.answer = hang

    async def use(session):
        started = asyncio.get_running_loop().time()
        with pytest.raises(OutcomeUnknownError):
            await session.post("items/1", json={})
        assert asyncio.get_running_loop().time() - started < 5
        with pytest.raises(UnreachableError):
            await session.get("items/1")

    run(kit, lms.url, time, use, limits=limits)


def test_the_total_time_ends_a_trickling_answer(kit, lms, time):
    async def trickle(request):
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(200):
            await response.write(b"x")
            await asyncio.sleep(0.05)
        return response

    lms.answer = trickle

    async def use(session):
        with pytest.raises(OutcomeUnknownError, match=r"0\.3 s"):
            await session.post("items/1", json={})

    run(kit, lms.url, time, use, limits={"read_timeout_s": 5, "total_timeout_s": 0.3})


def test_a_connection_that_is_never_accepted_times_out(kit, time):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))

        async def use(session):
            with pytest.raises(UnreachableError, match="no connection"):
                await session.post("items", json={})

        run(kit, f"http://127.0.0.1:{port}", time, use, limits={"connect_timeout_s": 0.1})
        for filler in fillers:
            filler.close()


# -- size and encoding ----------------------------------------------------------------------------


def test_compressed_answers_are_read(kit, lms, time):
    body = orjson.dumps({"text": "Ü" * 10_000})
    lms.answer = lambda request: web.Response(
        body=gzip.compress(body), headers={"Content-Encoding": "gzip", "Content-Type": "application/json"}
    )

    async def use(session):
        return await session.get("items")

    assert run(kit, lms.url, time, use).json() == {"text": "Ü" * 10_000}


def test_a_small_compressed_answer_may_not_fill_the_memory(kit, lms, time):
    bomb = gzip.compress(bytes(65 * 2**20), compresslevel=1)
    lms.answer = lambda request: web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    async def use(session):
        with pytest.raises(UnreachableError, match="larger than 16777216 bytes"):
            await session.get("items")

    run(kit, lms.url, time, use)
    assert len(lms.seen) == 1


def test_an_answer_that_announces_too_much_is_not_read(kit, lms, time):
    async def announce(request):
        response = web.StreamResponse()
        response.content_length = 100 * 2**20
        await response.prepare(request)
        await asyncio.sleep(0.5)
        return response

    lms.answer = announce

    async def use(session):
        with pytest.raises(OutcomeUnknownError, match="larger than 16777216 bytes"):
            await session.post("items")

    run(kit, lms.url, time, use, limits={"read_timeout_s": 0.4})


def test_a_broken_compression_is_no_answer(kit, lms, time):
    lms.answer = lambda request: web.Response(body=b"not gzip", headers={"Content-Encoding": "gzip"})

    async def use(session):
        with pytest.raises(OutcomeUnknownError):
            await session.post("items")

    run(kit, lms.url, time, use)


# -- slow down ------------------------------------------------------------------------------------


def test_a_short_retry_after_is_waited_for(kit, lms, time):
    lms.misbehave.append(Misbehaviour("429 with Retry-After", seconds=2))

    async def use(session):
        response = await session.post("items/1", json={})
        assert session.counters.retries == 1
        return response

    assert run(kit, lms.url, time, use).is_success
    assert lms.arrivals["/items/1"] == 1
    assert 2 <= sum(time.sleeps) < 3


@pytest.mark.parametrize("name", ["429 with Retry-After", "429 with Retry-After as date"])
def test_a_long_retry_after_is_deferred_and_closes_the_bucket(kit, lms, time, name):
    lms.misbehave.append(Misbehaviour(name, seconds=300))

    async def use(session):
        with pytest.raises(ThrottledError) as caught:
            await session.post("items/1", json={})
        assert caught.value.retry_at == kit.NOW + timedelta(seconds=300)
        assert caught.value.http_status == 429
        with pytest.raises(ThrottledError) as again:
            await session.post("items/2", json={})
        assert again.value.retry_at == caught.value.retry_at
        time.now += timedelta(seconds=301)
        return await session.post("items/3", json={})

    assert run(kit, lms.url, time, use).is_success
    assert [seen.path for seen in lms.seen] == ["/items/1", "/items/3"]
    assert not time.sleeps


def test_several_short_pauses_have_one_budget(kit, lms, time):
    lms.misbehave.append(Misbehaviour("429 with Retry-After", times=None, seconds=2))

    async def use(session):
        with pytest.raises(ThrottledError):
            await session.post("items/1", json={})

    run(kit, lms.url, time, use)
    assert len(lms.seen) == 3


def test_without_retry_after_a_few_tries_then_the_channels_window(kit, lms, time):
    lms.misbehave.append(Misbehaviour("429 without Retry-After", times=None))

    async def use(session):
        with pytest.raises(ThrottledError) as caught:
            await session.post("items/1", json={})
        return caught.value.retry_at

    limits = {"rates": {"default": {"calls": 100, "seconds": 90}}}
    retry_at = run(kit, lms.url, time, use, limits=limits)
    assert retry_at == time.now + timedelta(seconds=90)
    assert len(lms.seen) == 4
    assert len(time.sleeps) == 3
    assert 0 < sum(time.sleeps) <= 5


@pytest.mark.parametrize(
    "retry_after",
    ["soon", "-5", "nan", "inf", "1e400", "Sun, 99 Foo 2026", "Sun, 01 Mar 2026 11:00:00 -0000"],
)
def test_odd_retry_after_values_are_clamped_or_ignored(kit, lms, time, retry_after):
    lms.answer = lambda request: web.Response(status=429, headers={"Retry-After": retry_after})

    async def use(session):
        with pytest.raises(ThrottledError) as caught:
            await session.get("items/1")
        return caught.value.retry_at

    assert run(kit, lms.url, time, use) - time.now <= timedelta(days=1)


def test_other_requests_wait_with_the_one_that_was_told_to(kit, lms, time):
    lms.misbehave.append(Misbehaviour("429 with Retry-After", path="/first", seconds=2))
    told, let_go = asyncio.Event(), asyncio.Event()
    pauses = []

    async def sleep(seconds):
        pauses.append(seconds)
        told.set()
        await let_go.wait()

    async def main():
        async with kit.open_draft_session(
            channel=kit.channel(),
            config=kit.config_for(lms.url),
            authenticate=kit.no_auth,
            insecure_urls=True,
            clock=time,
            sleep=sleep,
        ) as session:
            first = asyncio.create_task(session.get("first"))
            await told.wait()
            second = asyncio.create_task(session.get("second"))
            await asyncio.sleep(0.1)
            assert [seen.path for seen in lms.seen] == ["/first"]
            let_go.set()
            await asyncio.gather(first, second)

    asyncio.run(main())
    assert pauses[1] == 2
    assert len(lms.seen) == 3


def test_a_channel_waits_as_the_session_does_and_it_is_counted(kit, lms, time):
    async def use(session):
        await session.sleep(4)
        assert session.counters.waited_s == 4

    run(kit, lms.url, time, use)
    assert time.sleeps == [4]


def test_a_channel_can_recognise_its_own_slow_down(kit, lms, time):
    lms.misbehave.append(Misbehaviour("403 as throttle", times=None))

    def read_slow_down(response):
        return 0 if response.status_code == 403 and "Rate Limit" in response.text else None

    async def use(session):
        with pytest.raises(ThrottledError) as caught:
            await session.get("items/1")
        assert caught.value.http_status == 403
        assert caught.value.retry_at == time.now + timedelta(seconds=60)

    run(kit, lms.url, time, use, read_slow_down=read_slow_down)
    assert len(lms.seen) == 4


def test_a_slow_down_in_a_200_says_how_long(kit, lms, time):
    lms.answer = lambda request: json_response({"wait": 40})

    async def use(session):
        with pytest.raises(ThrottledError) as caught:
            await session.get("items/1")
        assert caught.value.retry_at == kit.NOW + timedelta(seconds=40)

    run(kit, lms.url, time, use, read_slow_down=lambda response: response.json()["wait"])


def test_a_plain_403_is_the_channels_to_read(kit, lms, time):
    lms.answer = lambda request: web.Response(status=403, text="No right to do this")

    async def use(session):
        return await session.get("items/1")

    assert run(kit, lms.url, time, use, read_slow_down=lambda response: None).status_code == 403


@pytest.mark.parametrize("status", [429, 403])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X-Rate-Limit-Reset": "90"}, 90),
        ({"X-Rate-Limit-Reset": "90", "Retry-After": "40"}, 40),
        ({"X-Rate-Limit-Reset": "999999"}, 86_400),
        ({"X-Rate-Limit-Reset": "soon"}, 60),
    ],
)
def test_the_seconds_until_calls_begin_anew_are_heeded(kit, lms, time, status, headers, seconds):
    lms.answer = lambda request: json_response({}, status=status, headers=headers)

    async def use(session):
        with pytest.raises(ThrottledError) as caught:
            await session.patch("items/1", json={})
        return caught.value.retry_at - time.now

    def read_slow_down(response):
        return 0.0

    waits = run(kit, lms.url, time, use, read_slow_down=read_slow_down)
    assert waits == timedelta(seconds=seconds)


# -- credentials ----------------------------------------------------------------------------------


def test_401_is_a_credentials_error_with_a_redacted_excerpt(kit, lms, time):
    lms.answer = lambda request: web.Response(status=401, text="wrong secret s3cret/+=&value")

    async def use(session):
        with pytest.raises(CredentialsError) as caught:
            await session.get("items/1")
        assert caught.value.excerpt == "wrong secret ***"
        assert "s3cret" not in str(caught.value) + repr(session) + repr(session.tokens)

    run(kit, lms.url, time, use)
    assert len(lms.seen) == 1


def test_a_call_may_have_its_own_auth(kit, lms, time):
    class Learner(httpx.Auth):
        def auth_flow(self, request):
            request.headers["Authorization"] = "Bearer of-the-learner"
            yield request

    async def use(session):
        await session.get("items/1", auth=Learner())

    run(kit, lms.url, time, use)
    assert lms.headers_seen[0]["Authorization"] == "Bearer of-the-learner"


# -- redirects ------------------------------------------------------------------------------------


def redirect(lms, status, target):
    def answer(request):
        if request.path == "/end":
            return json_response({"method": request.method})
        return web.Response(status=status, headers={"Location": target})

    lms.answer = answer


@pytest.mark.parametrize(
    ("method", "status", "followed"),
    [("GET", 302, True), ("GET", 301, True), ("POST", 301, False), ("POST", 307, True)],
)
def test_redirects_within_the_host_are_followed_unless_a_write_became_a_read(
    kit, lms, time, method, status, followed
):
    redirect(lms, status, "/end")

    async def use(session):
        return await session.request(method, "start")

    response = run(kit, lms.url, time, use)
    assert response.status_code == (200 if followed else status)
    assert len(lms.seen) == (2 if followed else 1)
    if followed:
        assert response.json()["method"] == method


@pytest.mark.parametrize("status", [300, 302, 303, 304])
def test_a_redirect_that_may_follow_the_deed_is_in_doubt(kit, lms, time, status):
    redirect(lms, status, "/end")

    async def use(session):
        with pytest.raises(OutcomeUnknownError, match=f"was answered {status}"):
            await session.post("start")

    run(kit, lms.url, time, use)
    assert len(lms.seen) == 1


def test_a_body_with_a_secret_is_never_redirected(kit, lms, time):
    redirect(lms, 307, "/end")

    async def use(session):
        return await session.post("start", data={"password": "s3cret/+=&value"})

    assert run(kit, lms.url, time, use).status_code == 307
    assert len(lms.seen) == 1


@pytest.mark.parametrize(
    "target", ["http://other.example/end", "http://localhost:{port}/end", "//[x", "https://127.0.0.1/end"]
)
def test_redirects_to_other_places_are_not_followed(kit, lms, time, target):
    redirect(lms, 307, target.format(port=lms.url.rsplit(":", 1)[1]))

    async def use(session):
        return await session.get("start")

    assert run(kit, lms.url, time, use, fields={"hosts": ["localhost"]}).status_code == 307


def test_redirects_end(kit, lms, time):
    redirect(lms, 302, "/again")

    async def use(session):
        return await session.get("start")

    assert run(kit, lms.url, time, use).status_code == 302
    assert len(lms.seen) == 4


# -- the rest -------------------------------------------------------------------------------------


def test_no_more_requests_at_once_than_the_channel_allows(kit, lms, time):
    under_way, most = 0, 0

    async def answer(request):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        return json_response({})

    lms.answer = answer

    async def use(session):
        await asyncio.gather(*[session.post(f"items/{n}", json={}) for n in range(20)])
        assert session.counters.requests == 20

    run(kit, lms.url, time, use, limits={"concurrency": 3})
    assert most == 3


def test_cookies_are_not_kept(kit, lms, time):
    lms.answer = lambda request: web.Response(headers={"Set-Cookie": "learner=alice; Path=/"})

    async def use(session):
        await session.get("a")
        await session.get("b")

    run(kit, lms.url.replace("127.0.0.1", "localhost"), time, use)
    assert "Cookie" not in lms.headers_seen[1]


def test_the_log_has_ids_and_neither_bodies_nor_queries(kit, lms, time, caplog):
    caplog.set_level(logging.DEBUG, logger="coursewire.http")

    async def use(session):
        await session.post("v1/users/alice@example.com?token=hidden", json={"grade": "canary"})

    run(kit, lms.url, time, use)
    (record,) = [record for record in caplog.records if record.name == "coursewire.http"]
    assert record.getMessage().startswith("POST /v1/users/{} 200 ")
    assert record.status == 200
    for word in ("alice", "hidden", "canary"):
        assert word not in record.getMessage()
    assert not logging.getLogger("coursewire.http").handlers


def test_a_failed_request_is_logged_as_unanswered(kit, time, caplog):
    caplog.set_level(logging.DEBUG, logger="coursewire.http")

    async def use(session):
        with pytest.raises(UnreachableError):
            await session.get("items")

    run(kit, f"http://127.0.0.1:{free_port()}", time, use)
    assert "no answer" in caplog.text


def test_another_transport_can_carry_the_requests(kit, time):
    def answer(request):
        if request.url.path == "/broken":
            raise httpx.ConnectTimeout("https://lms.example.com/broken?token=abc")
        if request.url.path == "/cut":
            raise httpx.ReadError("cut off")
        return httpx.Response(200, json={"path": request.url.path})

    async def use(session):
        with pytest.raises(UnreachableError) as caught:
            await session.get("broken")
        assert "abc" not in str(caught.value)
        with pytest.raises(OutcomeUnknownError, match="cut off"):
            await session.post("cut", json={})
        return await session.get("items")

    response = run(kit, "https://lms.example.com", time, use, transport=httpx.MockTransport(answer))
    assert response.json() == {"path": "/items"}
    assert response.request.url == "https://lms.example.com/items"


def test_unicode_and_large_bodies_round_trip(kit, lms, time):
    item = {"title": "日本語 العربية ไทย ½ 😀", "text": "<p>&amp;</p>" * 10_000}

    async def use(session):
        return await session.post("items", json=item)

    assert orjson.loads(run(kit, lms.url, time, use).json()["echo"]) == item


def test_a_misbehaviour_has_a_known_name():
    with pytest.raises(ValueError, match="slow answer"):
        Misbehaviour("sulking")


def test_cassettes_record_and_replay(kit, time, tmp_path):
    """vcrpy hooks into httpx's own transport."""
    recorder = vcr.VCR(cassette_library_dir=str(tmp_path))

    async def use(session):
        return await session.post("items/1", json={"a": 1})

    def through_cassette(url):
        with recorder.use_cassette("one.yaml"):
            return run(kit, url, time, use, transport=httpx.AsyncHTTPTransport()).json()

    simulator = kit.Lms(clock=time)
    with simulator.running():
        url = simulator.url
        recorded = through_cassette(url)
    assert through_cassette(url) == recorded == {"ok": True, "echo": '{"a":1}'}
    assert len(simulator.seen) == 1


def test_by_default_the_lms_host_is_what_calls_are_counted_by(kit):
    config = kit.config_for("https://LMS.example.com:8443/learn")
    assert config.limit_scope == "lms.example.com:8443"
    assert ChannelConfig.allowed_hosts.fget(config) == frozenset()
    rates = {"default": Rate(calls=1, seconds=1)}
    assert config.rates(rates) is rates


def test_what_is_asked_once_is_known_for_the_session(kit, lms, time):
    async def use(session):
        async def ask():
            return (await session.get("item")).status_code

        together = await asyncio.gather(*(session.once(("item", 1), ask) for _ in range(5)))
        later = await session.once(("item", 1), ask)
        other = await session.once(("item", 2), ask)
        return [*together, later, other], session.counters.requests

    answers, requests = run(kit, lms.url, time, use)
    assert set(answers) == {200}
    assert requests == 2


def test_an_error_is_not_known_but_asked_again(kit, lms, time):
    async def use(session):
        asked = []

        async def ask():
            asked.append(1)
            if len(asked) == 1:
                raise UnreachableError("not now")
            return "there"

        with pytest.raises(UnreachableError):
            await session.once("key", ask)
        return await session.once("key", ask)

    assert run(kit, lms.url, time, use) == "there"


def test_what_is_forgotten_is_asked_again(kit, lms, time):
    async def use(session):
        async def ask():
            return len(lms.seen)

        first = await session.once("key", ask)
        await session.get("item")
        kept = await session.once("key", ask)
        session.forget("key")
        session.forget("unknown")
        return first, kept, await session.once("key", ask)

    assert run(kit, lms.url, time, use) == (0, 0, 1)


def test_a_lock_lets_one_in_at_a_time(kit, lms, time):
    async def use(session):
        inside = []

        async def enter(name):
            async with session.lock("door"):
                inside.append(name)
                await asyncio.sleep(0)
                assert inside[-1] == name
                inside.append(name)

        await asyncio.gather(enter("a"), enter("b"))
        return inside

    assert run(kit, lms.url, time, use) == ["a", "a", "b", "b"]


@pytest.mark.parametrize(
    ("headers", "closed_s"),
    [
        ({"X-Left": "0", "X-Until": "2026-03-01T12:00:20.1494434Z"}, 20.149443),
        ({"X-Left": "0", "X-Until": "2026-03-01T13:00:00Z"}, 60),
        ({"X-Left": "0", "X-Until": "soon"}, 60),
        ({"X-Left": "0"}, 60),
        ({"X-Left": "0", "X-Until": "2026-03-01T11:59:59Z"}, None),
        ({"X-Left": "1", "X-Until": "2026-03-01T12:00:20Z"}, None),
        ({}, None),
    ],
)
def test_an_lms_that_has_no_calls_left_is_not_asked_again_before_it_has(headers, closed_s, kit, lms, time):
    lms.answer = lambda request: web.json_response({}, headers=headers)
    limits = {
        "rates": {"default": Rate(calls=100, seconds=60)},
        "remaining_header": "X-Left",
        "reset_header": "X-Until",
    }

    async def use(session):
        assert (await session.post("items", json={})).is_success
        try:
            return (await session.post("items", json={})).status_code
        except ThrottledError as error:
            return (error.retry_at - time.now).total_seconds()

    assert run(kit, lms.url, time, use, limits=limits) == (closed_s or 200)
    assert len(lms.seen) == (2 if closed_s is None else 1)


def test_without_a_declared_header_nothing_is_read_into_one(kit, lms, time):
    lms.answer = lambda request: web.json_response({}, headers={"X-Left": "0"})

    async def use(session):
        return [(await session.get("items")).status_code for _ in range(2)]

    assert run(kit, lms.url, time, use) == [200, 200]
