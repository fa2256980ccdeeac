from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

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
from coursewire.http.redact import Redactor
from coursewire.model.payload import Operation, Result, ResultKind
from coursewire.toolkit.results import (
    admitted,
    error_from,
    read_rows,
    read_success,
    redacted,
    result_from,
    result_from_echo,
    result_from_error,
    result_of_call,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (200, ResultKind.ACCEPTED, ""),
        (204, ResultKind.ACCEPTED, ""),
        (301, ResultKind.TRY_LATER, "redirected"),
        (304, ResultKind.TRY_LATER, "redirected"),
        (402, ResultKind.BLOCKED, "payment-required"),
        (400, ResultKind.REJECTED, "invalid"),
        (401, ResultKind.CREDENTIALS_BROKEN, "credentials"),
        (403, ResultKind.REJECTED, "forbidden"),
        (404, ResultKind.REJECTED, "not-found-at-lms"),
        (409, ResultKind.REJECTED, "conflict"),
        (418, ResultKind.TRY_LATER, "http-418"),
        (423, ResultKind.TRY_LATER, "locked"),
        (451, ResultKind.BLOCKED, "http-451"),
        (499, ResultKind.TRY_LATER, "http-499"),
        (422, ResultKind.REJECTED, "invalid"),
        (408, ResultKind.TRY_LATER, "lms-timeout"),
        (425, ResultKind.TRY_LATER, "too-early"),
        (429, ResultKind.TRY_LATER, "slow-down"),
        (500, ResultKind.TRY_LATER, "lms-error"),
        (503, ResultKind.TRY_LATER, "lms-error"),
    ],
)
def test_each_status_has_one_meaning(status, kind, reason):
    result = result_from(httpx.Response(status, text="words of the LMS"), now=NOW)
    assert (result.kind, result.reason, result.http_status) == (kind, reason, status)
    assert result.message == ("" if kind is ResultKind.ACCEPTED else "words of the LMS")


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize(
    "page",
    [
        httpx.Response(404, html="Not here"),
        httpx.Response(404, text=" <!DOCTYPE html><title>Not here</title>"),
        httpx.Response(404, text='<html lang="en">Not here</html>'),
    ],
)
def test_a_page_of_html_with_404_settles_nothing(status, page):
    page.status_code = status
    result = result_from(page, now=NOW)
    assert (result.kind, result.reason) == (ResultKind.TRY_LATER, "unreadable-answer")
    assert "Not here" in result.message


def test_an_answer_without_words_says_its_status():
    assert result_from(httpx.Response(404), now=NOW).message == "HTTP 404 without a word"


def test_texts_are_bounded_and_redacted():
    answer = httpx.Response(400, text="Authorization: Bearer abcdefgh12345678\n" + "x " * 5000)
    result = result_from(answer, now=NOW)
    assert len(result.message) == 500
    assert len(result.excerpt) == 2000
    assert "abcdefgh12345678" not in result.message + result.excerpt


def test_retry_after_becomes_an_instant():
    answer = httpx.Response(503, headers={"Retry-After": "90"})
    assert result_from(answer, now=NOW).retry_at == NOW + timedelta(seconds=90)
    assert result_from(httpx.Response(503), now=NOW).retry_at is None


def test_only_a_rejection_can_be_about_the_whole_batch():
    assert result_from(httpx.Response(400), now=NOW, batch_refused=True).batch_refused
    for status in (200, 401, 503):
        assert not result_from(httpx.Response(status), now=NOW, batch_refused=True).batch_refused


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
    result = result_from_error(error)
    assert (result.kind, result.reason, result.message) == (kind, reason, "x.")
    assert result.retry_at == (NOW if kind is ResultKind.THROTTLED else None)
    assert result.batch_refused is (kind is ResultKind.REJECTED or reason == "send")


def test_an_error_keeps_status_and_excerpt():
    result = result_from_error(CredentialsError("x", http_status=401, excerpt="y" * 3000))
    assert result.http_status == 401
    assert len(result.excerpt) == 2000


def test_an_error_may_have_a_reason_of_its_own():
    result = result_from_error(BlockedError("no", reason="requireloginerror"))
    assert (result.kind, result.reason) == (ResultKind.BLOCKED, "requireloginerror")


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
        admitted(response, permission_hint="Give the right.", next_step="Mend it.")
    assert (refusal.value.next_step, refusal.value.http_status) == (step, status)
    assert refusal.value.what == f"POST /api/items/{{}} was answered with status {status}"


def test_an_error_of_no_class_may_be_one_items_fault():
    assert result_from_error(SendError("odd")).batch_refused
    assert not result_from_error(UnreachableError("nobody there")).batch_refused


def test_a_list_that_was_not_read_to_its_end_is_asked_for_again():
    result = result_from_error(IncompleteListError("the list has more than 5 pages"))
    assert (result.kind, result.reason) == (ResultKind.TRY_LATER, "incomplete-list")
    assert "more than 5 pages" in result.message
    assert not result.batch_refused


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
    result = result_from_echo(httpx.Response(status, **content), Operation.UPDATE, {"id": "a+b"}, now=NOW)
    assert (result.kind, result.reason, result.http_status) == (kind, reason, status)
    assert len(result.message) <= 500
    assert bool(result.message) is (kind is not ResultKind.ACCEPTED)


def test_none_is_no_echo_of_something_that_is_missing():
    answer = httpx.Response(200, json={"ok": True})
    assert result_from_echo(answer, Operation.CREATE, {"id": None}, now=NOW).kind is ResultKind.TRY_LATER


@pytest.mark.parametrize(
    ("answer", "not_found_member"),
    [
        (httpx.Response(404, html="<html>Not here</html>"), ""),
        (httpx.Response(410, text="Gone"), ""),
        (httpx.Response(404, json=["nothing"]), ""),
        (httpx.Response(404, json={"message": "no Route matched"}), "status"),
        (httpx.Response(404), "status"),
    ],
)
def test_the_404_of_a_proxy_retires_nothing(answer, not_found_member):
    said = result_from_echo(
        answer, Operation.RETIRE, {"id": "x"}, now=NOW, not_found_member=not_found_member, remote_id="7"
    )

    assert (said.kind, said.reason) == (ResultKind.TRY_LATER, "unreadable-answer")
    assert (said.http_status, said.remote_id) == (answer.status_code, "7")


def test_the_lmss_own_404_retires():
    answer = httpx.Response(404, json={"status": 404})
    said = result_from_echo(
        answer, Operation.RETIRE, {"id": "x"}, now=NOW, not_found_member="status", remote_id="7"
    )
    assert (said.kind, said.reason, said.remote_id) == (ResultKind.ALREADY_SO, "already-retired", "7")


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_gone_needs_no_retiring(status):
    answer = httpx.Response(status)
    assert result_from_echo(answer, Operation.RETIRE, {"id": "x"}, now=NOW).kind is ResultKind.ALREADY_SO
    assert result_from_echo(answer, Operation.CREATE, {"id": "x"}, now=NOW).kind is ResultKind.REJECTED


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
    assert f"status {status}" in str(raised.value)
    assert raised.value.next_step == "Check the token."
    assert raised.value.http_status == status
    assert "pat" not in str(raised.value)
    assert "abc" not in str(raised.value)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (403, b'{"error": "no right"}', BlockedError),
        (500, b'{"data": []}', UnreachableError),
        (200, b"<html>proxy</html>", UnreachableError),
        (200, b'{"data": {}}', UnreachableError),
        (200, b'{"data": [{}, 1]}', UnreachableError),
    ],
)
def test_rows_that_cannot_be_read_say_what_next(status, body, error):
    answer = httpx.Response(status, content=body, request=httpx.Request("GET", "https://lms.example.com/api"))
    with pytest.raises(error) as raised:
        read_rows(answer, "data", next_step="Check the address.")
    assert raised.value.next_step == "Check the address."


def test_rows_are_those_of_the_answer():
    assert read_rows(httpx.Response(200, json={"data": []}), "data") == []
    assert read_rows(httpx.Response(200, json={"data": [{"id": 1}]}), "data") == [{"id": 1}]


def test_a_look_that_works_gives_the_object():
    assert read_success(httpx.Response(200, json={"name": "x"})) == {"name": "x"}
    assert read_success(httpx.Response(201, json={"id": 0, "name": "x"}), "id", "name")["id"] == 0


def test_a_403_that_is_about_a_right_is_for_a_person_at_the_lms():
    answer = httpx.Response(403, json={"message": "no entitlement"})

    plain = result_from(answer, now=NOW, batch_refused=True)
    blocked = result_from(answer, now=NOW, batch_refused=True, permission_hint="Give the role its rights.")
    said = result_from_echo(
        answer, Operation.UPDATE, {"id": "x"}, now=NOW, permission_hint="Give the role its rights."
    )

    assert (plain.kind, plain.batch_refused) == (ResultKind.REJECTED, True)
    assert (blocked.kind, blocked.reason, blocked.batch_refused) == (ResultKind.BLOCKED, "forbidden", False)
    assert "no entitlement" in blocked.message
    assert blocked.message.endswith("Give the role its rights.")
    assert said.kind is ResultKind.BLOCKED


@pytest.mark.parametrize("body", [{"error": "no"}, {"id": None, "name": "x"}, {"id": 1}])
def test_a_look_that_lacks_what_was_asked_for_has_failed(body):
    answer = httpx.Response(200, json=body, request=httpx.Request("GET", "https://lms.example.com/api"))
    with pytest.raises(UnreachableError):
        read_success(answer, "id", "name")


def answered(status, body=b"", **options):
    request = httpx.Request("GET", "https://lms.example.com/api/x?key=1")
    how = {"json": body} if not isinstance(body, bytes) else {"content": body}
    return httpx.Response(status, request=request, **how, **options)


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason", "message"),
    [
        (200, {"rows": [{"error": "no"}]}, ResultKind.REJECTED, "refused", "no"),
        (
            200,
            b"log in",
            ResultKind.TRY_LATER,
            "no-acknowledgement",
            "The answer acknowledges nothing: log in",
        ),
        (
            200,
            b"",
            ResultKind.TRY_LATER,
            "no-acknowledgement",
            "The answer acknowledges nothing: it is empty",
        ),
        (400, {"error": "no"}, ResultKind.REJECTED, "invalid", "no"),
        (403, {"error": "no"}, ResultKind.BLOCKED, "forbidden", "no. Ask somebody."),
        (403, b"", ResultKind.BLOCKED, "forbidden", "HTTP 403 without a word. Ask somebody."),
        (503, {"error": "no"}, ResultKind.TRY_LATER, "lms-error", "no"),
    ],
)
def test_what_is_not_hoped_for(status, body, kind, reason, message):
    answer = answered(status, body)
    result = result_from(
        answer,
        now=NOW,
        acknowledged=False,
        refuses_with_2xx=True,
        batch_refused=True,
        permission_hint="Ask somebody.",
        remote_id="7",
    )

    assert (result.kind, result.reason, result.message, result.http_status) == (kind, reason, message, status)
    assert result.batch_refused is (kind is ResultKind.REJECTED)
    assert result.remote_id == "7"


def test_what_must_not_be_repeated_is_in_doubt_after_a_success_that_says_nothing():
    unsaid = result_from(answered(200, b"<html>"), now=NOW, acknowledged=False, safe_to_repeat=False)
    said = result_from(
        answered(200, {"error": "no"}),
        now=NOW,
        acknowledged=False,
        safe_to_repeat=False,
        refuses_with_2xx=True,
    )
    failed = result_from(answered(503), now=NOW, acknowledged=False, safe_to_repeat=False)

    assert (unsaid.kind, unsaid.reason) == (ResultKind.IN_DOUBT, "no-acknowledgement")
    assert (said.kind, failed.kind) == (ResultKind.REJECTED, ResultKind.IN_DOUBT)


def test_an_error_in_a_success_is_no_refusal_of_an_lms_that_does_not_refuse_so():
    result = result_from(answered(200, {"error": "no"}), now=NOW, acknowledged=False)
    assert (result.kind, result.reason, result.message) == (ResultKind.TRY_LATER, "no-acknowledgement", "no")


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (200, ResultKind.TRY_LATER, "unreachable"),
        (303, ResultKind.BLOCKED, "blocked"),
        (400, ResultKind.REJECTED, "invalid"),
        (401, ResultKind.CREDENTIALS_BROKEN, "credentials"),
        (403, ResultKind.BLOCKED, "blocked"),
        (404, ResultKind.BLOCKED, "blocked"),
        (408, ResultKind.TRY_LATER, "lms-timeout"),
        (413, ResultKind.REJECTED, "too-large"),
        (500, ResultKind.TRY_LATER, "lms-error"),
    ],
)
def test_a_call_without_whose_answer_nothing_can_be_said_is_an_error_by_its_status(status, kind, reason):
    answer = answered(status, {"error": "words"}, headers={"location": "https://lms.example.org/"})

    error = error_from(
        answer, "the list of courses", next_step="Check the address.", permission_hint="Ask somebody."
    )

    result = result_from_error(error)
    assert (result.kind, result.reason, result.http_status) == (kind, reason, status)
    assert f"the list of courses was answered with status {status}" in result.message
    assert ("words" in result.message) is (status != 303)
    assert ("redirects to https://lms.example.org/" in result.message) is (status == 303)
    assert error.next_step == ("Ask somebody." if status == 403 else "Check the address.")


def test_an_error_names_the_call_where_nothing_else_is_said():
    error = error_from(answered(500), next_step="Look.")
    assert str(error) == "GET /api/x was answered with status 500: without a word. Look."


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason"),
    [
        (404, {"status": 404}, ResultKind.REJECTED, "not-found-at-lms"),
        (404, {"page": "of another site"}, ResultKind.TRY_LATER, "unreadable-answer"),
        (404, b"<html>", ResultKind.TRY_LATER, "unreadable-answer"),
        (404, b"", ResultKind.TRY_LATER, "unreadable-answer"),
        (400, b"<html>", ResultKind.REJECTED, "invalid"),
    ],
)
def test_a_404_that_is_not_the_lmss_own_settles_nothing(status, body, kind, reason):
    result = result_from(answered(status, body), now=NOW, not_found_member="status")
    said = result_from_echo(answered(status, body), Operation.UPDATE, {}, now=NOW, not_found_member="status")

    assert (result.kind, result.reason) == (said.kind, said.reason) == (kind, reason)
    assert result_from(answered(404, b"gone"), now=NOW).kind is ResultKind.REJECTED


def test_a_field_that_the_lms_may_hide_is_a_missing_right():
    hidden = answered(200, {"id": 7, "name": None})

    with pytest.raises(BlockedError, match="does not show what is needed: name") as caught:
        read_success(hidden, "id", "name", next_step="Ask somebody.", may_hide=True)
    assert caught.value.next_step == "Ask somebody."
    with pytest.raises(UnreachableError):
        read_success(answered(200, {"status": "odd"}), "name", may_hide=True)
    with pytest.raises(BlockedError, match="status 403"):
        read_success(answered(403, {"id": 7}), "name", may_hide=True)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (UnreachableError("gone"), ResultKind.TRY_LATER),
        (OutcomeUnknownError("gone"), ResultKind.IN_DOUBT),
        (IncompleteListError("half"), ResultKind.TRY_LATER),
    ],
)
def test_a_step_comes_to_a_result_whether_it_raises_or_not(error, kind):
    async def fails():
        raise error

    async def works():
        return Result(ResultKind.ACCEPTED)

    assert asyncio.run(result_of_call(fails())).kind is kind
    assert asyncio.run(result_of_call(works())).kind is ResultKind.ACCEPTED
