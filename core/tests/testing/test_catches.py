"""Checks that a wrong channel meets before it sends anything: each can fail, and says what is wrong."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from dataclasses import replace

import pytest
from pydantic import Field

from coursewire.model.configuration import ChannelConfig
from coursewire.testing import Outcome, run_suite


@pytest.fixture
def failure(changed):
    """The message of one check for a changed channel; demands that it fails."""

    def of(check, *, golden=None, channel=None, **hooks):
        made = channel or changed(**hooks)
        (result,) = run_suite(made, golden=golden, only=lambda listed: listed.check.name == check)
        assert result.outcome is Outcome.FAILED
        return result.message

    return of


def configured(small, config):
    declared = small.declare_channel()
    return lambda: declared.model_copy(update={"config": config})


class Bare(ChannelConfig):
    code = "SMALL"

    base_url: str
    client_secret: str
    note: str = Field(default="")

    @property
    def lms_url(self):
        return self.base_url


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ("test_every_field_is_explained", "base_url, client_secret, note"),
        ("test_secrets_are_declared", "client_secret"),
        ("test_addresses_are_checked", "the field base_url holds an address"),
    ],
)
def test_fields_of_wrong_types_are_found(small, failure, check, words):
    assert words in failure(check, declare_channel=configured(small, Bare))


def test_an_incomplete_sample_is_found(small, failure, monkeypatch):
    monkeypatch.setattr(small.SmallSimulator, "sample_config", lambda self: {"base_url": self.url})
    assert "client_secret" in failure("test_the_sample_is_complete")


def test_an_exporter_that_asks_the_lms_is_found(failure):
    def export_content(config, item):
        try:
            urllib.request.urlopen(f"{config.lms_url}/me", timeout=5)
        except urllib.error.HTTPError as refused:
            refused.close()
        return {"title": item.title}

    assert "the plan asked the LMS" in failure("test_a_plan_leaves_no_trace", export_content=export_content)
    assert "a dry run asked" in failure("test_dry_run_mode_sends_nothing", export_content=export_content)
    assert "is not pure" in failure("test_exporters_are_pure", export_content=export_content)


def test_golden_pairs_that_do_not_hold_are_named_by_file_and_field(failure, tmp_path):
    folder = tmp_path / "content"
    folder.mkdir()
    assert "there is no golden pair of content" in failure("test_golden_content", golden=tmp_path)
    item = {"content_type": "course", "key": "MadeUpX+C1", "title": "One"}
    (folder / "one.json").write_text(json.dumps({"item": item, "payload": {"title": "Two", "more": 1}}))
    (folder / "two.json").write_text(json.dumps({"item": item}))
    said = failure("test_golden_content", golden=tmp_path)
    assert "one.json: payload.title: 'One' instead of 'Two'" in said
    assert "one.json: payload.more is missing" in said
    assert "two.json: KeyError: 'payload'" in said
    (folder / "two.json").unlink()
    (folder / "one.json").write_text(json.dumps({"item": item, "payload": {"title": "One"}}))
    results = run_suite(sys.modules["small_channel"], golden=tmp_path, only=lambda one: one.check.golden)
    assert {result.name: result.outcome for result in results} == {
        "test_golden_content": Outcome.PASSED,
        "test_golden_completions": Outcome.FAILED,
        "test_golden_assessments": Outcome.NOT_APPLICABLE,
        "test_golden_enrollments": Outcome.NOT_APPLICABLE,
    }


HASHED = """
from small_channel import *
from small_channel import hookimpl

@hookimpl
def export_content(item):
    return {"title": (item.title or "") + " ".join({str(number) for number in range(99)})}
"""


def test_a_payload_that_hangs_on_the_hash_seed_is_found(small, failure, tmp_path, monkeypatch):
    (tmp_path / "hashed_channel.py").write_text(HASHED)
    monkeypatch.syspath_prepend(str(tmp_path))
    import hashed_channel

    said = failure("test_two_processes_agree", channel=hashed_channel)
    assert "another process gives another payload" in said


def test_a_request_behind_the_back_of_the_operators_is_seen(small, failure):
    async def send_content(session, batch):
        results = await small.send_content(session, batch)
        await small.send_content(session, replace(batch, payloads=batch.payloads[:1]))
        return results

    assert "sent more than once" in failure("test_every_item_arrives_once", send_content=send_content)
