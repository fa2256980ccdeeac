from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursewire.http.waits import read_wait_s, reset_s, retry_after_s, wait_s

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

EPOCH = int(NOW.timestamp())
DAY = 86_400


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("+120", 120),
        ("1.5", 1.5),
        ("1e2", 100),
        ("30s", 30),
        ("30 seconds", 30),
        ("0", 0),
        ("-5", 0),
        ("86400", DAY),
        ("172800", DAY),
        ("9999999", None),
        (str(EPOCH + 30), 30),
        (f"{EPOCH + 30}.5", 30.5),
        (str((EPOCH + 30) * 1000), 30),
        (str((EPOCH + 30) * 1_000_000), 30),
        (str((EPOCH + 30) * 1_000_000_000), 30),
        (str(EPOCH - 30), 0),
        (str((EPOCH - 30) * 1000), 0),
        (str(EPOCH + 3 * DAY), DAY),
        (str(EPOCH + 90 * DAY), None),
        ("9" * 30, None),
        ("9" * 10_000, None),
        ("1e99", None),
        ("1e400", None),
        ("Sun, 01 Mar 2026 12:02:00 GMT", 120),
        ("Sun, 01 Mar 2026 13:02:00 +0100", 120),
        ("Sunday, 01-Mar-26 12:02:00 GMT", 120),
        ("Sun Mar  1 12:02:00 2026", 120),
        ("Sun, 01 Mar 2026 11:00:00 -0000", 0),
        ("Wed, 21 Oct 2026 07:28:00 +99999999999999999999", None),
        ("Mon, 01 Jan 2024 00:00:00 +999999999999999", None),
        ("Sun, 01 Mar 2026 12:02:00 +2500", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
        ("Sat, 01 Jan 0001 00:00:00 +2359", 0),
        ("2026-03-01T12:02:00Z", 120),
        ("2026-03-01T12:02:00.1494434Z", 120.149443),
        ("20, 40", 40),
        ("20, soon", None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("1_000", None),
        ("٣٠", None),
        ("0x10", None),
        ("Sun, 99 Foo 2026", None),
        ("null", None),
        ("\x00", None),
    ],
)
def test_times_to_wait(text, seconds):
    read = read_wait_s(text, NOW)
    assert read == (None if seconds is None else pytest.approx(seconds, abs=1e-3))


@given(
    st.text(max_size=40) | st.from_regex(r"[A-Z][a-z]{2}, \d{1,9} [A-Z][a-z]{2} \d{1,9} [\d:]{1,9} [+-]?\d*")
)
def test_whatever_stands_there_is_nothing_or_a_time_up_to_a_day(text):
    seconds = read_wait_s(text, NOW)
    assert seconds is None or 0 <= seconds <= DAY


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "40", "X-RateLimit-Reset": "90"}, 40),
        ({"Retry-After": "40", "RateLimit-Reset": str(EPOCH + 90)}, 40),
        ({"Retry-After": "soon", "RateLimit-Reset": "90"}, 90),
        ({"Retry-After": "0", "X-RateLimit-Reset": str(EPOCH + 90)}, 90),
        ({"X-RateLimit-Reset": str((EPOCH + 90) * 1000)}, 90),
        ({"X-Rate-Limit-Reset": "2026-03-01T12:01:30Z"}, 90),
        ({"X-RateLimit-Reset": "30", "RateLimit-Reset": "90"}, 90),
        ({"X-RateLimit-Reset": "1e400", "RateLimit-Reset": "90"}, 90),
        ({"RateLimit": '"burst";r=0;t=30, "daily";r=0;t=90'}, 90),
        ({"RateLimit": "limit=100, remaining=0, reset=90"}, 90),
        ({"RateLimit": "limit=100, remaining=0, reset=999999999999"}, None),
    ],
)
def test_two_headers_may_disagree(headers, seconds):
    assert wait_s(httpx.Response(429, headers=headers), NOW) == seconds


def test_a_window_and_a_request_are_told_apart():
    answer = httpx.Response(503, headers={"Retry-After": "5", "X-RateLimit-Reset": "90"})
    assert (retry_after_s(answer, NOW), reset_s(answer, NOW)) == (5, 90)
    late = NOW + timedelta(days=400)
    assert read_wait_s(str(EPOCH), late) == 0
