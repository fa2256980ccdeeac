"""The conformance suite itself: what is collected, what may be left out, and what a failure says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from coursewire.model.channel import Support
from coursewire.model.payload import Result, ResultKind
from coursewire.testing import ChannelSuite, Outcome, run_suite
from coursewire.testing.conformance.checks import EXPLAINED

MATERIAL = Path(__file__).parent / "material"
GUARD = "test_nothing_is_skipped_in_silence"


def named(*names):
    return lambda listed: listed.check.name in names


def only(results):
    (result,) = results
    return result


def without(capability, small):
    """declare_channel of the small channel without a capability."""
    declared = small.declare_channel()
    can = declared.capabilities.model_copy(update={capability: Support.IMPOSSIBLE})
    return lambda: declared.model_copy(update={"capabilities": can})


def test_a_small_channel_conforms(small):
    told = []
    results = run_suite(small, progress=told.append)
    assert told == results
    assert [(each.name, each.message) for each in results if each.outcome is Outcome.FAILED] == []
    applied = [each for each in results if each.outcome is Outcome.PASSED]
    assert len(applied) >= 60
    assert {each.outcome for each in results} == {Outcome.PASSED, Outcome.NOT_APPLICABLE}


def test_each_check_has_a_name_a_title_and_its_own_section(root_of_docs):
    page = (root_of_docs / EXPLAINED.removeprefix("docs/")).read_text(encoding="utf-8")
    checks = [listed.check for listed in _suite_without_channel().checks()]
    assert len(checks) >= 90
    assert len({check.title for check in checks}) == len(checks)
    for check in checks:
        assert f"\n### {check.anchor}\n" in page
        assert check.title[:1].islower()
        assert not check.title.endswith(".")


@pytest.fixture
def root_of_docs():
    return Path(__file__).parents[3] / "docs"


def _suite_without_channel():
    class Suite(ChannelSuite):
        channel = object()

    return Suite


def test_a_failure_says_what_was_seen_what_was_expected_and_where_to_read_on(changed):
    async def send_content(batch):
        return [Result(ResultKind.ACCEPTED)] * len(batch)

    channel = changed(send_content=send_content)
    result = only(run_suite(channel, only=named("test_every_item_arrives_once")))
    assert result.outcome is Outcome.FAILED
    fault, requirement, seen, expected, explained = result.message.splitlines()
    assert "5 of 5 items never arrived" in fault
    assert requirement == f"  requirement: {result.name}: {result.title}"
    assert seen.startswith("  seen:        {'at the LMS': []")
    assert expected.startswith("  expected:    also ['MadeUpX+C000'")
    assert explained == f"  explained:   {EXPLAINED}#every-item-arrives-once"


def test_a_crash_of_the_channel_is_a_failure_too(changed):
    def export_content(item):
        return {"title": item.title.upper(), "image": item.image_url.upper()}

    channel = changed(export_content=export_content)
    result = only(run_suite(channel, only=named("test_missing_fields_are_named")))
    assert result.outcome is Outcome.FAILED
    assert "channel-fault" in result.message
    assert "AttributeError" in result.message


def test_a_channel_that_cannot_be_loaded_fails_by_name(changed):
    def send_contents(batch): ...

    results = run_suite(changed(send_contents=send_contents))
    failed = [each for each in results if each.outcome is Outcome.FAILED]
    assert only(failed).name == "test_it_loads"
    assert "send_contents" in only(failed).message
    assert sum(each.outcome is Outcome.NOT_APPLICABLE for each in results) == len(results) - 2


@pytest.mark.parametrize("simulator", [None, "no_such_module:Simulator", "small_channel:SmallConfig"])
def test_a_channel_without_a_simulator_fails_loudly(small, changed, simulator):
    declared = small.declare_channel().model_copy(update={"simulator": simulator})
    results = run_suite(changed(declare_channel=lambda: declared), only=named("test_every_item_arrives_once"))
    assert only(results).outcome is Outcome.FAILED
    assert "simulator" in only(results).message


def test_checks_without_their_capability_do_not_apply(small, changed):
    def outcomes_of(channel):
        return {each.name: each.outcome for each in run_suite(channel, only=lambda one: not one.applies)}

    every = outcomes_of(small)
    assert "test_every_assessment_arrives_once" in every
    assert "test_every_completion_arrives_once" not in every
    fewer = outcomes_of(changed(declare_channel=without("completions", small)))
    assert "test_every_completion_arrives_once" in fewer
    assert set(fewer.values()) == {Outcome.NOT_APPLICABLE}


def suite_of(small, **attributes):
    return type("TestSmall", (ChannelSuite,), {"channel": small, **attributes})


def test_a_check_can_be_skipped_with_a_reason(small):
    reason = {"test_odd_keys_survive": "This LMS makes keys of its own."}
    result = only(run_suite(small, skipped=reason, only=named("test_odd_keys_survive")))
    assert (result.outcome, result.message) == (Outcome.SKIPPED, reason["test_odd_keys_survive"])
    assert suite_of(small, skipped=reason).silent == ()


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"test_odd_keys_survive": lambda self, bench: None}, "has a test_odd_keys_survive of its own"),
        ({"test_odd_keys_survive": None}, "has a test_odd_keys_survive of its own"),
        ({"skipped": {"test_odd_keys_survive": "  "}}, "is skipped without a reason"),
        ({"skipped": {"test_od_keys": "It cannot hold."}}, "there is no such check"),
        ({"skipped": {GUARD: "I know better."}}, "cannot be skipped"),
        ({GUARD: None}, "has a test_nothing_is_skipped_in_silence of its own"),
    ],
)
def test_nothing_is_left_out_in_silence(small, attributes, words):
    suite = suite_of(small, **attributes)
    assert any(words in fault for fault in suite.silent)
    with pytest.raises(AssertionError, match="skipped"):
        getattr(suite(), GUARD)(None)


def test_a_class_between_may_override_only_with_a_reason(small):
    class Between(ChannelSuite):
        def test_odd_keys_survive(self, bench):
            """Nothing is asked."""

    assert "Between has a test_odd_keys_survive" in suite_of_between(Between, small).silent[0]
    reasoned = suite_of_between(
        Between, small, skipped={"test_odd_keys_survive": "The LMS makes keys of its own."}
    )
    assert reasoned.silent == ()
    assert reasoned.test_odd_keys_survive is Between.test_odd_keys_survive


def suite_of_between(base, small, **attributes):
    return type("TestSmall", (base,), {"channel": small, **attributes})


SUITE = """
from coursewire.testing import ChannelSuite
import small_channel

class TestSmall(ChannelSuite):
    channel = small_channel
    skipped = {"test_odd_keys_survive": "The LMS makes keys of its own."}

    def test_markup_arrives(self, bench):
        pass
"""


def test_pytest_collects_what_applies(tmp_path):
    (tmp_path / "test_small.py").write_text(SUITE)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-rs",
            "-k",
            "silence or odd_keys or markup or grade or once or golden",
            str(tmp_path),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(MATERIAL)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert "The LMS makes keys of its own." in done.stdout
    assert "test_nothing_is_skipped_in_silence" in done.stdout
    assert "has a test_markup_arrives of its own, without a reason" in done.stdout
    assert "golden" not in done.stdout
    assert "1 failed" in done.stdout
    assert "1 skipped" in done.stdout


def test_simulators_need_no_pytest():
    code = "import sys, coursewire.testing.simulator; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
