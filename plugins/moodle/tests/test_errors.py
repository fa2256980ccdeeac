"""Moodle's codes, and the errors that they become."""

from __future__ import annotations

import pytest

from coursewire.errors import BlockedError, CredentialsError, RejectedError, SendError, UnreachableError
from coursewire.model.reasons import explain
from coursewire_moodle import plugin
from coursewire_moodle.errors import error_of_call, error_of_token
from coursewire_moodle.reasons import CALL_RULES, OUT_OF_ORDER, TOKEN_STEPS


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        ("nopermissions", BlockedError, "nopermissions"),
        ("accessexception", BlockedError, "accessexception"),
        ("invalidtoken", CredentialsError, "invalidtoken"),
        ("invalidlogincsrf", CredentialsError, "invalidlogincsrf"),
        ("wsaccessusersuspended", CredentialsError, "wsaccessusersuspended"),
        ("sitemaintenance", UnreachableError, "sitemaintenance"),
        ("dmlwriteexception", SendError, "dmlwriteexception"),
        ("", SendError, "lms-error"),
        (None, SendError, "lms-error"),
        ("errorinvalidparam", RejectedError, "errorinvalidparam"),
    ],
)
def test_a_code_says_what_a_refusal_is(code, kind, reason):
    error = error_of_call("core_some_function", code, "Nein")

    assert (type(error), error.reason, error.why, error.http_status) == (kind, reason, "Nein", 200)
    assert "core_some_function" in error.what


def test_the_advice_of_a_code_is_in_the_message():
    error = error_of_call("core_some_function", "nopermissiontoviewgrades", "Cannot view grades.")
    assert str(error).endswith("Give the account's role moodle/grade:edit.")


def test_markup_of_a_message_is_left_out_and_so_are_the_values_of_a_database_error():
    marked = error_of_call("f", "sitemaintenance", "The site is &lt;down&gt; for <b>maintenance</b>.")
    assert marked.why == "The site is <down> for  maintenance ."
    shown = error_of_call(
        "f", "dmlwriteexception", "Error writing to database (planted-value)\nplanted-value"
    )
    assert shown.why == "Error writing to database"


@pytest.mark.parametrize(
    ("code", "kind", "step"),
    [
        ("invalidlogin", CredentialsError, "suspended or locked"),
        ("servicenotavailable", CredentialsError, "service_short_name"),
        ("upgraderunning", UnreachableError, "Wait"),
        ("somethingnew", CredentialsError, "new token"),
        ("", CredentialsError, "moodle_base_url"),
    ],
)
def test_an_answer_without_a_token_is_about_the_credentials_or_the_site(code, kind, step):
    error = error_of_token(code)
    assert type(error) is kind
    assert step in error.next_step
    assert (code or "not one that the LMS gives") in error.why


@pytest.mark.parametrize("code", [*CALL_RULES, "", "invalidtoken", "wsaccessusersuspended", "somethingnew"])
def test_every_code_of_a_call_has_its_next_step(code):
    error = error_of_call("core_some_function", code, "Nein")
    assert len(error.next_step) > 20
    assert error.next_step in str(error)


@pytest.mark.parametrize("code", [*OUT_OF_ORDER, *TOKEN_STEPS, "somethingnew"])
def test_every_code_of_a_token_has_its_next_step(code):
    assert len(error_of_token(code).next_step) > 20


@pytest.mark.parametrize(
    "code", ["shortnametaken", "courseidnumbertaken", "invalidrecord", "invalidrecordunknown"]
)
def test_what_somebody_can_mend_at_moodle_is_not_refused_for_good(code):
    assert type(error_of_call("core_some_function", code, "Nein")) is BlockedError


@pytest.mark.parametrize("code", [*CALL_RULES, "somethingnew"])
def test_a_summary_explains_every_code(code):
    text, next_step = explain(code, plugin.CHANNEL.reasons)
    assert text
    assert next_step == error_of_call("core_some_function", code, "Nein").next_step
