from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from coursewire.client.answers import (
    acknowledged,
    acknowledges,
    admitted,
    error_of,
    error_text,
    failure,
    is_missing,
    read_object,
    read_success,
    redacted,
    refusal_in,
    refused,
    result_of,
    result_of_error,
)
from coursewire.client.redact import Redactor
from coursewire.errors import (
    BlockedError,
    CredentialsError,
    IncompleteListError,
    OutcomeUnknownError,
    RejectedError,
    SendError,
    ThrottledError,
    UnreachableError,
)
from coursewire.model.payload import Operation, Result, ResultKind

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
    assert result.whole_batch is (kind is ResultKind.REJECTED or reason == "send")


def test_an_error_keeps_status_and_excerpt():
    result = result_of_error(CredentialsError("x", http_status=401, excerpt="y" * 3000))
    assert result.http_status == 401
    assert len(result.excerpt) == 2000


def test_an_error_may_have_a_reason_of_its_own():
    result = result_of_error(BlockedError("no", reason="requireloginerror"))
    assert (result.kind, result.reason) == (ResultKind.BLOCKED, "requireloginerror")


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (303, ResultKind.BLOCKED, "blocked"),
        (400, ResultKind.REJECTED, "invalid"),
        (403, ResultKind.BLOCKED, "blocked"),
        (404, ResultKind.BLOCKED, "blocked"),
        (408, ResultKind.TRY_LATER, "lms-timeout"),
        (413, ResultKind.REJECTED, "too-large"),
        (500, ResultKind.TRY_LATER, "lms-error"),
    ],
)
def test_a_refused_call_is_an_error_by_its_status(status, kind, reason):
    error = error_of(
        httpx.Response(status, text="words", headers={"location": "https://lms.example.org/"}),
        "the list of courses",
        next_step="Check the address.",
    )
    result = result_of_error(error)
    assert (result.kind, result.reason, result.http_status) == (kind, reason, status)
    assert f"the list of courses was answered with status {status}" in result.message
    assert ("Check the address." in result.message) == (kind is ResultKind.BLOCKED)
    assert ("redirects to https://lms.example.org/" in result.message) == (status == 303)


@pytest.mark.parametrize("status", [200, 204, 400, 401, 409, 413, 429, 500])
def test_an_answer_about_what_was_sent_is_let_through(status):
    response = httpx.Response(status)
    assert admitted(response) is response


@pytest.mark.parametrize(
    ("status", "step"), [(403, "Give the right."), (404, "Mend it."), (405, "Mend it."), (302, "Mend it.")]
)
def test_a_call_that_is_refused_whatever_it_carries_says_what_to_do(status, step):
    request = httpx.Request("POST", "https://lms.example.com/api/items/8?key=value")
    response = httpx.Response(status, headers={"location": "https://lms.example.org/"}, request=request)
    with pytest.raises(BlockedError) as refusal:
        admitted(response, rights="Give the right.", next_step="Mend it.")
    assert (refusal.value.next_step, refusal.value.http_status) == (step, status)
    assert refusal.value.what == f"POST /api/items/{{}} was answered with status {status}"


def test_an_error_of_no_class_may_be_one_items_fault():
    assert result_of_error(SendError("odd")).whole_batch
    assert not result_of_error(UnreachableError("nobody there")).whole_batch


def test_a_list_that_was_not_read_to_its_end_is_asked_for_again():
    result = result_of_error(IncompleteListError("the list has more than 5 pages"))
    assert (result.kind, result.reason) == (ResultKind.TRY_LATER, "incomplete-list")
    assert "more than 5 pages" in result.message
    assert not result.whole_batch


def test_results_are_redacted_before_they_are_stored():
    redactor = Redactor(["canary"])
    result = Result(ResultKind.REJECTED, message="a canary", excerpt="b canary" + "z" * 3000)
    stored = redacted(result, redactor)
    assert stored.message == "a ***"
    assert stored.excerpt.startswith("b ***zzz")
    assert len(stored.excerpt) == 2000
    silent = Result(ResultKind.ACCEPTED)
    assert redacted(silent, redactor) is silent


def test_only_an_object_is_read_as_one():
    assert read_object(httpx.Response(200, json={"a": 1})) == {"a": 1}
    for other in (b"", b"[1]", b"null", b"<html>"):
        assert read_object(httpx.Response(200, content=other)) == {}


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason"),
    [
        (200, {"id": "a+b", "more": 1}, ResultKind.ACCEPTED, ""),
        (201, {"id": "a+b"}, ResultKind.ACCEPTED, ""),
        (200, {"id": "a b"}, ResultKind.TRY_LATER, "no-acknowledgement"),
        (200, {"error": "not today"}, ResultKind.TRY_LATER, "no-acknowledgement"),
        (200, {}, ResultKind.TRY_LATER, "no-acknowledgement"),
        (200, "<html>Log in</html>", ResultKind.TRY_LATER, "no-acknowledgement"),
        (204, "", ResultKind.TRY_LATER, "no-acknowledgement"),
        (422, {"id": "a+b"}, ResultKind.REJECTED, "invalid"),
        (404, {"id": "a+b"}, ResultKind.REJECTED, "not-found-at-lms"),
        (500, {"id": "a+b"}, ResultKind.TRY_LATER, "lms-error"),
    ],
)
def test_an_acknowledgement_names_the_item(status, body, kind, reason):
    content = {"json": body} if isinstance(body, dict) else {"text": body}
    result = acknowledged(httpx.Response(status, **content), Operation.UPDATE, {"id": "a+b"}, now=NOW)
    assert (result.kind, result.reason, result.http_status) == (kind, reason, status)
    assert len(result.message) <= 500
    assert bool(result.message) is (kind is not ResultKind.ACCEPTED)


def test_none_is_no_echo_of_something_that_is_missing():
    answer = httpx.Response(200, json={"ok": True})
    assert acknowledged(answer, Operation.CREATE, {"id": None}, now=NOW).kind is ResultKind.TRY_LATER


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_gone_needs_no_retiring(status):
    answer = httpx.Response(status)
    assert acknowledged(answer, Operation.RETIRE, {"id": "x"}, now=NOW).kind is ResultKind.ALREADY_SO
    assert acknowledged(answer, Operation.CREATE, {"id": "x"}, now=NOW).kind is ResultKind.REJECTED


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (403, b'{"error": "no right"}', BlockedError),
        (404, b"", BlockedError),
        (500, b"{}", UnreachableError),
        (429, b"{}", UnreachableError),
        (200, b"<html>proxy</html>", UnreachableError),
        (200, b"{}", UnreachableError),
    ],
)
def test_a_look_that_fails_says_why_and_what_next(status, body, error):
    request = httpx.Request("GET", "https://lms.example.com/api/learners/pat@example.org?token=abc")
    with pytest.raises(error) as raised:
        read_success(httpx.Response(status, content=body, request=request), next_step="Check the token.")
    assert str(status) in raised.value.why
    assert raised.value.next_step == "Check the token."
    assert raised.value.http_status == status
    assert "pat" not in str(raised.value)
    assert "abc" not in str(raised.value)


def test_a_look_that_works_gives_the_object():
    assert read_success(httpx.Response(200, json={"name": "x"})) == {"name": "x"}
    assert read_success(httpx.Response(201, json={"id": 0, "name": "x"}), "id", "name")["id"] == 0


def test_a_403_that_is_about_a_right_is_for_a_person_at_the_lms():
    answer = httpx.Response(403, json={"message": "no entitlement"})

    plain = result_of(answer, now=NOW, whole_batch=True)
    blocked = result_of(answer, now=NOW, whole_batch=True, rights="Give the role its rights.")
    said = acknowledged(answer, Operation.UPDATE, {"id": "x"}, now=NOW, rights="Give the role its rights.")

    assert (plain.kind, plain.whole_batch) == (ResultKind.REJECTED, True)
    assert (blocked.kind, blocked.reason, blocked.whole_batch) == (ResultKind.BLOCKED, "forbidden", False)
    assert "no entitlement" in blocked.message
    assert blocked.message.endswith("Give the role its rights.")
    assert said.kind is ResultKind.BLOCKED


@pytest.mark.parametrize("body", [{"error": "no"}, {"id": None, "name": "x"}, {"id": 1}])
def test_a_look_that_lacks_what_was_asked_for_has_failed(body):
    answer = httpx.Response(200, json=body, request=httpx.Request("GET", "https://lms.example.com/api"))
    with pytest.raises(UnreachableError):
        read_success(answer, "id", "name")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": "no"}, "no"),
        ({"error": {"code": "X1", "message": "no"}}, "X1: no"),
        ({"error": {"code": "X1", "message": {"lang": "en", "value": "no"}}}, "X1: no"),
        (
            {"errors": [{"title": "Bad Request", "detail": "no"}, {"detail": "nor that"}]},
            "Bad Request: no; nor that",
        ),
        ({"errors": [{"title": "Conflict"}]}, "Conflict"),
        ({"errors": [{"id": "7"}]}, '[{"id": "7"}]'),
        ({"errors": ["no"]}, '["no"]'),
        ({"errors": {"field": "no"}}, '{"field": "no"}'),
        ({"errors": [], "error": None}, ""),
        ({"data": {"errors": "deep"}}, ""),
        ([{"error": "in a list"}], ""),
        (None, ""),
    ],
)
def test_the_words_of_an_error_whatever_its_shape(body, words):
    assert error_text(body) == words


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"data": [{"status": "ok"}, {"error": "deep"}]}, "deep"),
        ({"exception": "e", "message": "no"}, "no"),
        ({"value": {"Fault": {"x": 1}}}, "{'Fault': {'x': 1}}"),
        ({"errors": [], "errorMessage": None, "data": {"id": 1}}, ""),
        ("error", ""),
        (None, ""),
    ],
)
def test_an_error_inside_an_answer_is_found_however_deep(body, words):
    assert refusal_in(body) == words


def answered(status, body=b"", **options):
    request = httpx.Request("GET", "https://lms.example.com/api/x?key=1")
    how = {"json": body} if not isinstance(body, bytes) else {"content": body}
    return httpx.Response(status, request=request, **how, **options)


@pytest.mark.parametrize(
    ("status", "body", "missing"),
    [
        (404, {"errors": []}, True),
        (410, b"", True),
        (404, b"<html>no such page</html>", False),
        (404, ["x"], False),
        (400, {"errors": []}, False),
        (200, {}, False),
    ],
)
def test_only_the_lmss_own_404_says_that_something_is_not_there(status, body, missing):
    assert is_missing(answered(status, body)) is missing


@pytest.mark.parametrize(
    ("status", "body", "yes"),
    [
        (200, {"id": 1}, True),
        (200, [], True),
        (204, b"", True),
        (201, b" ", True),
        (200, b"", False),
        (200, b"<html>log in</html>", False),
        (200, b'"text"', False),
        (200, {"results": [{"error": "no"}]}, False),
        (302, b"", False),
        (400, {}, False),
    ],
)
def test_what_says_yes(status, body, yes):
    assert acknowledges(answered(status, body)) is yes


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason", "message"),
    [
        (200, {"error": "no"}, ResultKind.REJECTED, "refused", "no"),
        (
            200,
            b"<html>",
            ResultKind.TRY_LATER,
            "unreadable-answer",
            "The answer is not one that this LMS gives.",
        ),
        (400, {"error": "no"}, ResultKind.REJECTED, "invalid", "no"),
        (403, {"error": "no"}, ResultKind.BLOCKED, "forbidden", "no. Ask somebody."),
        (403, b"", ResultKind.BLOCKED, "forbidden", "The LMS refuses this. Ask somebody."),
        (503, {"error": "no"}, ResultKind.TRY_LATER, "lms-error", "no"),
    ],
)
def test_what_is_not_hoped_for(status, body, kind, reason, message):
    result = refused(answered(status, body), now=NOW, whole_batch=True, rights="Ask somebody.")

    assert (result.kind, result.reason, result.message, result.http_status) == (kind, reason, message, status)
    assert result.whole_batch is (kind is ResultKind.REJECTED)


def test_a_403_without_advice_is_a_rejection():
    assert refused(answered(403), now=NOW).kind is ResultKind.REJECTED


def test_an_answer_without_which_nothing_can_be_said_is_an_error_with_the_next_step():
    blocked = failure(answered(403, {"error": "no"}), now=NOW, next_step="Look.", rights="Ask somebody.")
    unusable = failure(answered(200, b"<html>"), now=NOW, next_step="Look.", rights="Ask somebody.")

    assert isinstance(blocked, BlockedError)
    assert str(blocked) == "the LMS refuses this (/api/x, status 403): no. Ask somebody."
    assert isinstance(unusable, UnreachableError)
    assert str(unusable).endswith("(/api/x, status 200): The answer is not one that this LMS gives. Look.")
