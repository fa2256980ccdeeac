"""Whatever an LMS answers costs one item, and little memory and time."""

from __future__ import annotations

import asyncio
import gzip
import sys
import time as clock_time
import tracemalloc
import zlib
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from coursewire.errors import OutcomeUnknownError, UnreachableError
from coursewire.http.answers import MOST_LEVELS, decode_json
from coursewire.http.decoding import body_of
from coursewire.http.transport import PublicResolver
from coursewire.toolkit.responses import error_text, read_json
from coursewire.toolkit.results import result_from

sys.path.insert(0, str(Path(__file__).parent))
import fuzz_answers

MIB = 2**20


def run(kit, url, time, use, **options):
    async def main():
        async with kit.draft(url, time, **options) as session:
            return await use(session)

    return asyncio.run(main())


def nested(times):
    body = bytes(64 * MIB)
    for _ in range(times):
        body = gzip.compress(body, compresslevel=9)
    return body


@pytest.mark.parametrize(
    ("body", "coding", "named"),
    [
        (nested(1), "gzip", "larger than"),
        (nested(2), "gzip, gzip", "2 content encodings"),
        (nested(2), "gzip, identity, gzip", "2 content encodings"),
        (zlib.compress(bytes(64 * MIB)), "deflate", "larger than"),
        (b"x", "br", "'br'"),
        (b"x", "zstd", "'zstd'"),
        (b"x", "made-up", "'made-up'"),
    ],
)
def test_a_bomb_costs_one_request_and_little_memory(kit, lms, time, body, coding, named):
    lms.answer = lambda request: web.Response(body=body, headers={"Content-Encoding": coding})

    async def use(session):
        with pytest.raises(UnreachableError, match=named):
            await session.get("items")

    tracemalloc.start()
    run(kit, lms.url, time, use)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 48 * MIB
    assert len(lms.seen) == 1


RAW = zlib.compressobj(wbits=-15)
PLAIN = bytes(range(256)) * 4000


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (PLAIN, ""),
        (PLAIN, "identity"),
        (gzip.compress(PLAIN), "gzip"),
        (gzip.compress(PLAIN), "X-GZIP"),
        (gzip.compress(PLAIN[:1000]) + gzip.compress(PLAIN[1000:]), "gzip"),
        (gzip.compress(PLAIN) + b"\n", "gzip"),
        (zlib.compress(PLAIN), "deflate"),
        (RAW.compress(PLAIN) + RAW.flush(), "deflate, identity"),
    ],
)
@pytest.mark.parametrize("size", [7, 1000, 10_000_000])
def test_one_coding_is_read(body, coding, size):
    async def parts():
        for start in range(0, len(body), size):
            yield body[start : start + size]

    async def read():
        return await body_of(httpx.Response(200, headers={"Content-Encoding": coding}, content=parts()), MIB)

    assert asyncio.run(read()) == PLAIN


@pytest.mark.parametrize("cut", [1, 12, 2000])
def test_half_a_compressed_answer_is_none(kit, lms, time, cut):
    body = gzip.compress(PLAIN)[:-cut]
    lms.answer = lambda request: web.Response(body=body, headers={"Content-Encoding": "gzip"})

    async def use(session):
        with pytest.raises(OutcomeUnknownError, match="ends within"):
            await session.post("items")

    run(kit, lms.url, time, use)


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b",".join([b"[]"] * 3_000_000) + b"]",
        b"[" * 500 + b"]" * 500,
        b'{"error":' * 500 + b"1" + b"}" * 500,
        b'[{"a":' * 90 + b"1" + b"}]" * 90,
    ],
)
def test_json_is_bounded_by_what_it_becomes(body, now):
    answer = httpx.Response(500, content=body)
    tracemalloc.start()
    assert read_json(answer) is None
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 48 * MIB
    assert result_from(answer, now=now).kind.value == "try later"


def test_json_of_a_usual_depth_is_read():
    body = b"[" * MOST_LEVELS + b"]" * MOST_LEVELS
    assert decode_json(body)
    assert error_text(decode_json(b'{"a":' * 99 + b'{"error": "deep"}' + b"}" * 99), deep=True) == "deep"


@pytest.fixture
def now(time):
    return time.now


def test_a_trickle_ends_with_the_time_of_one_answer_over_all_tries(kit, lms, time):
    async def trickle(request):
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0.05)

    lms.answer = trickle

    async def use(session):
        began = clock_time.monotonic()
        with pytest.raises(UnreachableError):
            await session.get("items")
        return clock_time.monotonic() - began

    assert run(kit, lms.url, time, use, limits={"total_timeout_s": 0.6}) < 2


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", b"endless"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"endless"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    ],
)
def test_heads_of_answers_are_bounded(kit, time, head, body):
    async def main():
        async def serve(reader, writer):
            await reader.read(1000)
            try:
                writer.write(head)
                for _ in range(200):
                    writer.write((head if body == b"endless" and b"103" in head else body) * 50)
                    await writer.drain()
                    await asyncio.sleep(0.01)
            except ConnectionError:
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with kit.draft(url, time, limits={"total_timeout_s": 1.0}) as session:
            with pytest.raises(UnreachableError):
                await session.get("items")
        server.close()

    began = clock_time.monotonic()
    asyncio.run(main())
    assert clock_time.monotonic() - began < 5


@pytest.mark.parametrize(
    "charset",
    [
        "undefined",
        "idna",
        "hex_codec",
        "zlib",
        "bz2",
        "rot13",
        "punycode",
        "unicode_escape",
        "utf-7",
        "utf-16",
        "x" * 500,
    ],
)
@pytest.mark.parametrize("status", [200, 403, 404, 500])
def test_a_charset_that_is_none_costs_nothing(kit, lms, time, charset, status):
    lms.answer = lambda request: web.Response(
        status=status, body=b"<html>\xff rate", headers={"Content-Type": f"text/html; charset={charset}"}
    )

    async def use(session):
        return await session.get("items")

    answer = run(kit, lms.url, time, use)
    assert "rate" in answer.text
    assert result_from(answer, now=time.now, acknowledged=False).http_status == status


def test_a_name_that_is_none_does_not_resolve():
    async def main(host):
        resolver = PublicResolver(insecure_urls=True)
        with pytest.raises(OSError, match="no name of a host"):
            await resolver.resolve(host, 443)

    for host in ("a..b", "a" * 64 + ".example.com"):
        asyncio.run(main(host))


@pytest.mark.parametrize("seed", range(3))
def test_answers_are_fuzzed(seed):
    assert fuzz_answers.main(2.0, seed) > 20
