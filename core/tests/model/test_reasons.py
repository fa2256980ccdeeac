"""Reason codes: one row each, which counting, words and next steps follow from."""

import json
import pickle
import re
from pathlib import Path

import httpx
import pytest

import coursewire
from coursewire.errors import (
    BlockedError,
    CredentialsError,
    IncompleteListError,
    OutcomeUnknownError,
    RejectedError,
    SendError,
    UnreachableError,
)
from coursewire.model.payload import CONFIRMING, Result, ResultKind
from coursewire.model.reasons import (
    REASONS,
    CountedAs,
    LiftedBy,
    Reason,
    ReasonGroup,
    ReasonInfo,
    Surface,
    explain,
    find_reason,
    reason_of,
)
from coursewire.pipeline.summary import Summary
from coursewire.toolkit.results import result_from, result_from_error

NOW = coursewire.utc_now()
SOURCES = Path(coursewire.__file__).parent


def info(**changes):
    fields = {
        "code": "full-moon",
        "group": ReasonGroup.LMS,
        "counted_as": CountedAs.FAILED,
        "text": "the moon is full",
    }
    return ReasonInfo(**{**fields, **changes})


def test_every_code_has_words_and_names_what_lifts_it_unless_nothing_is_held_back():
    for reason in Reason:
        assert reason.info.code == reason == reason.value
        assert reason.info.text
        holds = reason.info.counted_as not in (CountedAs.SENT, CountedAs.DONE)
        assert bool(reason.info.lifted_by) is holds, reason


def test_the_console_is_never_told_a_command_and_the_command_line_is_told_real_ones():
    for row in REASONS.values():
        assert not re.search(r"`coursewire|(^|\s)--\w", row.console_step), row.code
    assert "`coursewire audit retry`" in explain("forbidden").next_step
    assert explain("forbidden", on=Surface.CONSOLE).next_step == (
        "Check the rights at the LMS, then choose Try again on the item's page."
    )


def test_a_row_must_say_in_the_console_what_is_a_command_elsewhere():
    with pytest.raises(ValueError, match="'full-moon': the console has no commands"):
        info(command_step="Use `coursewire audit retry`.")
    with pytest.raises(ValueError, match="the console has no commands"):
        info(command_step="Wait.", console_step="Use --force.")
    assert info(command_step="Wait a fortnight.").console_step == "Wait a fortnight."


@pytest.mark.parametrize("code", ["", "Full-Moon", "full moon", "-full", "full--moon", "full_moon", "f*ll"])
def test_a_code_is_lower_case_words_with_hyphens(code):
    with pytest.raises(ValueError, match="lower-case words"):
        info(code=code)


def test_a_text_is_a_clause():
    with pytest.raises(ValueError, match="clause"):
        info(text="The moon is full.")
    with pytest.raises(ValueError, match="clause"):
        info(text=" ")


@pytest.mark.parametrize("status", [*range(300, 600)])
def test_every_status_has_a_reason_that_is_explained(status):
    answer = httpx.Response(status, request=httpx.Request("POST", "https://lms.example.com"))
    code = result_from(answer, now=NOW).reason
    assert explain(code).text, code
    assert explain(code, on=Surface.CONSOLE).text


@pytest.mark.parametrize(
    "error",
    [
        BlockedError("x"),
        CredentialsError("x"),
        IncompleteListError("x"),
        OutcomeUnknownError("x"),
        RejectedError("x"),
        SendError("x"),
        UnreachableError("x"),
    ],
)
def test_every_error_has_a_reason_that_is_explained(error):
    assert explain(result_from_error(error).reason).text


@pytest.mark.parametrize("kind", [kind for kind in ResultKind if kind not in CONFIRMING])
def test_a_result_without_a_reason_has_that_of_its_kind(kind):
    assert explain(reason_of(Result(kind))).text
    assert reason_of(Result(kind, "full-moon")) == "full-moon"


@pytest.mark.parametrize("kind", CONFIRMING)
def test_a_success_needs_no_reason(kind):
    assert reason_of(Result(kind)) == ""


def test_a_status_without_a_row_belongs_to_the_family():
    assert find_reason("http-418") is Reason.HTTP_STATUS.info
    assert find_reason("http") is None
    assert explain("no-such-code") == ("", "")
    assert explain("") == ("", "")


def test_a_channels_own_rows_are_found_and_core_goes_before_them():
    any_code = info(code="*", text="an error code of the LMS")
    own = (any_code, info(), info(code="new", text="something else"))
    assert explain("full-moon", own).text == "the moon is full"
    assert explain("half-moon", own).text == "an error code of the LMS"
    assert explain("new", own).text == Reason.NEW.info.text
    assert explain("http-418", own).text == Reason.HTTP_STATUS.info.text


def test_a_reason_is_a_text_wherever_it_goes():
    assert f"{Reason.NEW}" == "new"
    assert json.dumps({Reason.NEW: Reason.CHANGED}) == '{"new": "changed"}'
    assert pickle.loads(pickle.dumps(Reason.NEW)) is Reason.NEW is Reason("new")


@pytest.mark.parametrize(
    ("reason", "count"),
    [
        (Reason.UNCHANGED, "unchanged"),
        (Reason.DRY_RUN, "waiting"),
        (Reason.NOT_COMPLETE, "skipped"),
        (Reason.FORBIDDEN, "skipped"),
        ("full-moon", "skipped"),
    ],
)
def test_counting_follows_from_the_rows(reason, count):
    summary = Summary()
    summary.leave(reason, 3)
    counts = summary.as_dict()
    assert {name for name in ("unchanged", "waiting", "skipped") if counts[name]} == {count}
    assert json.dumps(counts)


def test_core_writes_no_code_as_text():
    """A code in quotes where a result is made would be one that nobody finds from its row. Bulk enrollment has codes of its own."""
    codes = "|".join(map(re.escape, REASONS))
    literal = re.compile(rf"(?:ResultKind\.\w+,\s*|reason=)\"({codes})\"")
    found = [
        f"{path.relative_to(SOURCES)}: {match[1]}"
        for path in SOURCES.rglob("*.py")
        if path.name != "reasons.py" and not {"testing", "enrollment"} & set(path.parts)
        for match in literal.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_the_groups_and_lifts_are_all_used():
    assert {row.group for row in REASONS.values()} == set(ReasonGroup)
    assert {lift for row in REASONS.values() for lift in row.lifted_by} == set(LiftedBy)
    assert {row.counted_as for row in REASONS.values()} == set(CountedAs)
