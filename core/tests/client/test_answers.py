from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from coursewire.client.answers import acknowledged, redacted, result_of, result_of_error
from coursewire.client.redact import Redactor
from coursewire.errors import (
    BlockedError,
    CredentialsError,
    OutcomeUnknownError,
    RejectedError,
    SendError,
    ThrottledError,
    UnreachableError,
)
from coursewire.model.payload import Result, ResultKind

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (200, ResultKind.ACCEPTED, ""),
        (204, ResultKind.ACCEPTED, ""),
        (301, ResultKind.REJECTED, "redirected"),
        (304, ResultKind.REJECTED, "redirected"),
        (400, ResultKind.REJECTED, "invalid"),
        (401, ResultKind.CREDENTIALS_BROKEN, "credentials"),
        (403, ResultKind.REJECTED, "forbidden"),
        (404, ResultKind.REJECTED, "not-found-at-lms"),
        (409, ResultKind.REJECTED, "conflict"),
        (418, ResultKind.REJECTED, "http-418"),
        (422, ResultKind.REJECTED, "invalid"),
        (408, ResultKind.TRY_LATER, "lms-timeout"),
        (425, ResultKind.TRY_LATER, "too-early"),
        (429, ResultKind.TRY_LATER, "slow-down"),
        (500, ResultKind.TRY_LATER, "lms-error"),
        (503, ResultKind.TRY_LATER, "lms-error"),
    ],
)
def test_each_status_has_one_meaning(status, kind, reason):
    result = result_of(httpx.Response(status, text="words of the LMS"), now=NOW)
    assert (result.kind, result.reason, result.http_status) == (kind, reason, status)
    assert result.message == ("" if kind is ResultKind.ACCEPTED else "words of the LMS")


def test_an_answer_without_words_says_its_status():
    assert result_of(httpx.Response(404), now=NOW).message == "HTTP 404 without a word"


def test_texts_are_bounded_and_redacted():
    answer = httpx.Response(400, text="secret-canary " + "x" * 5000)
    result = result_of(answer, now=NOW, redactor=Redactor(["secret-canary"]))
    assert len(result.message) == 500
    assert len(result.excerpt) == 2000
    assert result.excerpt.startswith("*** xxx")


def test_retry_after_becomes_an_instant():
    answer = httpx.Response(503, headers={"Retry-After": "90"})
    assert result_of(answer, now=NOW).retry_at == NOW + timedelta(seconds=90)
    assert result_of(httpx.Response(503), now=NOW).retry_at is None


def test_only_a_rejection_can_be_about_the_whole_batch():
    assert result_of(httpx.Response(400), now=NOW, whole_batch=True).whole_batch
    for status in (200, 401, 503):
        assert not result_of(httpx.Response(status), now=NOW, whole_batch=True).whole_batch


class OwnError(UnreachableError):
    """A channel's own error."""


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (ThrottledError("x", retry_at=NOW), ResultKind.THROTTLED, "slow-down"),
        (CredentialsError("x"), ResultKind.CREDENTIALS_BROKEN, "credentials"),
        (UnreachableError("x"), ResultKind.TRY_LATER, "unreachable"),
        (OwnError("x"), ResultKind.TRY_LATER, "unreachable"),
        (OutcomeUnknownError("x"), ResultKind.IN_DOUBT, "outcome-unknown"),
        (RejectedError("x"), ResultKind.REJECTED, "rejected"),
        (BlockedError("x"), ResultKind.BLOCKED, "blocked"),
        (SendError("x"), ResultKind.TRY_LATER, "send"),
    ],
)
def test_each_error_has_one_meaning(error, kind, reason):
    result = result_of_error(error)
    assert (result.kind, result.reason, result.message) == (kind, reason, "x.")
    assert result.retry_at == (NOW if kind is ResultKind.THROTTLED else None)
    assert result.whole_batch is (kind is ResultKind.REJECTED)


def test_an_error_keeps_status_and_excerpt():
    result = result_of_error(CredentialsError("x", http_status=401, excerpt="y" * 3000))
    assert result.http_status == 401
    assert len(result.excerpt) == 2000


def test_results_are_redacted_before_they_are_stored():
    redactor = Redactor(["canary"])
    result = Result(ResultKind.REJECTED, message="a canary", excerpt="b canary" + "z" * 3000)
    stored = redacted(result, redactor)
    assert stored.message == "a ***"
    assert stored.excerpt.startswith("b ***zzz")
    assert len(stored.excerpt) == 2000
    silent = Result(ResultKind.ACCEPTED)
    assert redacted(silent, redactor) is silent


@pytest.mark.parametrize(
    ("status", "content", "kind", "reason"),
    [
        (200, b'{"id": 7}', ResultKind.ACCEPTED, ""),
        (204, b"", ResultKind.ACCEPTED, ""),
        (200, b" ", ResultKind.ACCEPTED, ""),
        (200, b'{"status": "Success", "error": null, "errors": []}', ResultKind.ACCEPTED, ""),
        (200, b"<html>log in</html>", ResultKind.TRY_LATER, "no-acknowledgement"),
        (200, b'{"error": "not allowed"}', ResultKind.REJECTED, "refused"),
        (200, b'{"status": 400}', ResultKind.REJECTED, "refused"),
        (201, b'{"error": {"message": "not allowed"}}', ResultKind.REJECTED, "refused"),
        (404, b'{"status": "Success"}', ResultKind.REJECTED, "not-found-at-lms"),
    ],
)
def test_a_body_can_take_an_acknowledgement_back(status, content, kind, reason):
    result = acknowledged(httpx.Response(status, content=content), now=NOW, redactor=Redactor(["allowed"]))

    assert (result.kind, result.reason, result.http_status) == (kind, reason, status)
    assert "allowed" not in result.message + result.excerpt
