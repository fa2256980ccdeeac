"""Fuzzing of what an LMS answers: any status, headers and body give a result or a ``SendError``, and nothing else.

Run it with a budget in seconds and a seed::

    python core/tests/http/fuzz_answers.py 600 1

The case that failed is printed, as the arguments of :func:`look`.
"""

from __future__ import annotations

import asyncio
import gzip
import random
import sys
import time
import uuid
import zlib
from datetime import UTC, datetime, timedelta

import httpx

from coursewire.errors import IncompleteListError, SendError
from coursewire.http.opening import open_draft_session
from coursewire.model.channel import Channel, Limits
from coursewire.model.configuration import INSECURE_URLS, ChannelConfig, LmsUrl
from coursewire.model.payload import Operation, Result
from coursewire.plugins.defaults import throttles_by_403
from coursewire.toolkit.auth import FormAuth
from coursewire.toolkit.paging import rows_of
from coursewire.toolkit.responses import is_done, is_missing, read_json, read_object
from coursewire.toolkit.results import error_from, result_from, result_from_echo, result_from_error

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "http://lms.example.com"

STATUSES = [
    200,
    201,
    202,
    204,
    206,
    301,
    302,
    304,
    307,
    308,
    400,
    401,
    403,
    404,
    405,
    408,
    409,
    410,
    423,
    425,
    429,
]
STATUSES += [500, 502, 503, 504, 520, 524, 599, 999]
NAMES = [
    "content-type", "content-encoding", "content-length", "transfer-encoding", "retry-after", "location", "link",
    "x-rate-limit-reset", "x-ratelimit-reset", "ratelimit", "x-rate-limit-remaining", "x-left", "x-until", "etag",
]  # fmt: skip
VALUES = [
    "text/html; charset=undefined", "text/html; charset=idna", "application/json; charset=hex_codec",
    "text/plain; charset=zlib", 'text/html; charset="', "application/json", "charset", ";;;=", "text/html; charset=utf-16",
    "gzip", "gzip, gzip", "deflate", "br", "identity", "gzip,identity", "chunked",
    "-1", "1e400", "nan", "99999999999999999999999", "0", "5", "Mon, 01 Jan 2024 00:00:00 +999999999999999",
    "Wed, 21 Oct 2026 07:28:00 GMT", "1772366520", "1772366520000",
    "/next", "//a..b/x", "http://[", "http://[::1", "http://\u2460.0.0.1", "http://" + "a" * 70 + ".com", "..", "\\\\x",
    f"{URL}/items?page=2", "http://lms.example.com:99999/", "file:///etc/passwd", "?", "#",
    '<http://lms.example.com/items?p=2>; rel="next"', "<>; rel=next", "<//a..b>; rel=next", "<http://[>; rel=next",
    "<" * 500, '"default";r=0;t=30', "t=" + "9" * 5000,
]  # fmt: skip
BODIES = [
    b"", b"null", b"[]", b"{}", b"<html>Maintenance</html>", b'{"error": "invalid_client"}', b'{"error": {"code": []}}',
    b'{"errors": [{"title": 1}, 2]}', b'{"errors": {"a": [1]}}', b'{"status": "400"}', b'{"status": 9e99}',
    b'{"items": [{"id": 1}], "next": "/items?page=2"}', b'{"items": [1]}', b'{"items": {}}', b'{"items": [], "next": "http://["}',
    b'{"access_token": "t", "expires_in": 60}', b'{"access_token": "a\\nb", "expires_in": 1e999}', b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00}\x00", b"[" * 2000, b'{"a":' * 300 + b"1" + b"}" * 300, b'"\\ud800"', b"\x00" * 100, b'{"error": "\xff"}',
    b'{"message": {"value": null}, "status": 500}', b'{"exception": 1, "errorcode": []}', gzip.compress(b"{}"), zlib.compress(b"[]"),
    gzip.compress(b"{}")[:-3],
]  # fmt: skip


class Config(ChannelConfig):
    base_url: LmsUrl = URL

    @property
    def lms_url(self) -> str:
        return self.base_url


class Answers(httpx.AsyncBaseTransport):
    """A transport that gives the answers of one case, one after the other."""

    def __init__(self, answers):
        self.answers = list(answers)
        self.given = 0

    async def handle_async_request(self, request):
        status, headers, body = self.answers[self.given % len(self.answers)]
        self.given += 1

        async def stream():
            for start in range(0, len(body), 100_000):
                yield body[start : start + 100_000]

        raw = [(name.encode("ascii"), value.encode("utf-8", "surrogatepass")) for name, value in headers]
        return httpx.Response(status, headers=raw, content=stream(), request=request)


class Time:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.now += timedelta(seconds=seconds)


async def look(answers, with_token=False):
    """Send the requests of a channel to an LMS with these answers, and read each answer in every way there is.

    Args:
        answers: Triples of status, headers as pairs, and body.
        with_token: True to ask for a token first.
    """
    moment = Time()

    def authenticate(tokens):
        return (
            FormAuth(tokens, f"{URL}/token", {"grant_type": "client_credentials"})
            if with_token
            else httpx.Auth()
        )

    limits = Limits(remaining_header="x-left", reset_header="x-until", rates={})
    channel = Channel(code="LMS", title="LMS", config=Config, limits=limits)
    async with open_draft_session(
        channel=channel,
        config=Config.model_validate({"base_url": URL}, context={INSECURE_URLS: True}),
        configuration=uuid.uuid4(),
        authenticate=authenticate,
        read_slow_down=lambda answer: 0.0 if throttles_by_403(answer) else None,
        insecure_urls=True,
        transport=Answers(answers),
        clock=moment,
        sleep=moment.sleep,
    ) as session:
        for ask in (session.get("items"), session.post("items", json={}), session.delete("items/1")):
            try:
                answer = await ask
            except SendError as error:
                result_from_error(error)
                continue
            for operation in Operation:
                assert isinstance(result_from_echo(answer, operation, {"id": 1}, now=NOW), Result)
            for yes in (True, False):
                assert isinstance(
                    result_from(answer, now=NOW, acknowledged=yes, refuses_with_2xx=yes, safe_to_repeat=yes),
                    Result,
                )
            assert isinstance(error_from(answer, "the list"), SendError)
            read_json(answer), read_object(answer), is_done(answer), is_missing(answer, "error")
            assert isinstance(answer.text, str)
            session.redactor.excerpt(answer)
        for how in (
            {"member": "items", "next_at": ("next",)},
            {"member": "items", "skip": ("offset", 1)},
            {},
        ):
            try:
                async for _ in rows_of(session, "items", **how):
                    pass
            except (SendError, IncompleteListError):
                pass


def made(rng):
    """Return the answers of a random case."""
    answers = []
    for _ in range(rng.randint(1, 3)):
        headers = []
        for _ in range(rng.randint(0, 4)):
            value = rng.choice(VALUES) if rng.random() < 0.8 else _mangled(rng, rng.choice(VALUES))
            headers.append((rng.choice(NAMES), value.replace("\n", " ").replace("\r", " ")))
        body = rng.choice(BODIES) if rng.random() < 0.6 else _mangled_bytes(rng, rng.choice(BODIES))
        status = rng.choice(STATUSES) if rng.random() < 0.9 else rng.randint(200, 599)
        answers.append((status, headers, body))
    return answers


def _mangled(rng, text):
    letters = list(text)
    for _ in range(rng.randint(1, 5)):
        letters.insert(
            rng.randint(0, len(letters)),
            chr(rng.choice([0, 9, 34, 44, 59, 61, 127, 255, 0x660, 0xFFFD, 0x1F600])),
        )
    return "".join(letters)


def _mangled_bytes(rng, body):
    changed = bytearray(body)
    for _ in range(rng.randint(1, 5)):
        at = rng.randint(0, len(changed))
        changed[at : at + rng.randint(0, 3)] = rng.randbytes(rng.randint(0, 4))
    return bytes(changed)


def main(budget_s, seed):
    """Look at random cases for a time; return their number."""
    rng, began, cases = random.Random(seed), time.process_time(), 0
    while time.process_time() - began < budget_s:
        answers, with_token = made(rng), rng.random() < 0.3
        started = time.monotonic()
        try:
            asyncio.run(look(answers, with_token))
        except BaseException:
            print(f"look({answers!r}, with_token={with_token})")
            raise
        took = time.monotonic() - started
        if took > 5:
            print(f"slow, {took:.1f} s: look({answers!r}, with_token={with_token})")
        cases += 1
    return cases


if __name__ == "__main__":
    budget, first = float(sys.argv[1]), int(sys.argv[2])
    print(f"{main(budget, first)} cases in {budget:g} s of CPU time, none failed")
