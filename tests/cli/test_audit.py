"""audit, status, jobs: what was sent, what was answered, and trying again."""

import csv
import io
import json

import pytest

from coursewire.testing.misbehave import Misbehaviour

BLUE_FERRY = "eaaffd2c-1a7a-59f4-996c-54660ff708a4"
ITEM = "RiverU+BOAT101"


@pytest.fixture
def config(cli, canvas):
    return cli.add("CANVAS", canvas)


@pytest.fixture
def sent(cli, config):
    """A configuration whose content has arrived."""
    cli("transmit", "content")
    return config


@pytest.fixture
def refused(cli, sap):
    """A configuration at an LMS that refuses one item for good."""
    sap.poisoned.add(ITEM)
    config = cli.add("SAP", sap, call_interval_seconds=0)
    cli("transmit", "content", status=1)
    return config


def test_list_filters_attempts(cli, sent):
    rows = cli("audit", "list", "--limit", "3", "--json").rows
    assert [row["result"] for row in rows] == ["accepted"] * 3
    assert rows[0]["id"] > rows[1]["id"]
    (row,) = cli("audit", "list", "--config", sent[:8], "--item", ITEM, "--json").rows
    assert (row["item"], row["operation"], row["http_status"]) == (ITEM, "create", 200)
    assert cli("audit", "list", "--result", "rejected", "--json").rows == []
    assert cli("audit", "list", "--since", "2199-01-01T00:00:00Z", "--json").rows == []
    assert len(cli("audit", "list", "--since", "2000-01-01T00:00:00Z", "--json").rows) > 20
    job = row["job"]
    for text in (job, job[:8]):
        assert cli("audit", "list", "--job", text, "--limit", "1", "--json").rows
    assert "no job" in cli("audit", "list", "--job", "zz", status=2).err
    assert "no job" in cli("audit", "list", "--job", "z" * 32, status=2).err
    table = cli("audit", "list").out
    assert ITEM in table
    assert max(map(len, table.splitlines())) <= 80
    assert "No attempt" in cli("audit", "list", "--result", "blocked-at-the-lms").out


def test_show_tells_the_whole_history_of_an_item(cli, sent):
    said = cli("audit", "show", "--config", sent[:8], "--item", ITEM).out
    for part in (ITEM, "confirmed", "the LMS holds it", "remote id", "accepted", "create"):
        assert part in said
    cli("transmit", "content", "--force")
    shown = cli("audit", "show", "--config", sent, "--item", ITEM, "--json").last
    assert [row["operation"] for row in shown["transmissions"]] == ["create", "update"]
    assert shown["record"]["state"] == "confirmed"


def test_show_of_an_item_that_nobody_met(cli, sent):
    assert (
        "nothing is known" in cli("audit", "show", "--config", sent, "--item", "riveru+boat101", status=2).err
    )


def test_show_explains_why_an_item_was_not_sent(cli, sent):
    waiting = "1ee67865-7242-57d2-bac9-c6910d240650"  # a learner pathway
    said = cli("audit", "show", "--config", sent, "--item", waiting).out
    assert "content-type-not-supported" in said
    assert "not at the LMS" in said
    assert "Nothing was sent" in said


def test_a_refused_item_is_shown_and_goes_again_when_a_person_says_so(cli, sap, refused):
    shown = cli("audit", "show", "--config", refused, "--item", ITEM, "--json").last
    assert shown["record"]["state"] == "rejected"
    assert cli("transmit", "content", "--json").last["jobs"][0]["skipped"]["rejected-before"] == 1
    assert "rejected" in cli("status").out or "item:" in cli("status").out

    sap.poisoned.clear()
    said = cli(
        "audit", "retry", "--config", refused, "--item", ITEM, "--reason", "the tenant was mended", "--json"
    )
    assert said.last["released"] == 1
    plan = {row.get("key"): row for row in cli("plan", "content", "--json").rows}
    assert (plan[ITEM]["operation"], plan[ITEM]["reason"]) == ("create", "retry")
    assert cli("transmit", "content", "--json").last["created"] == 1

    history = cli("audit", "show", "--config", refused, "--item", ITEM, "--json").last["transmissions"]
    assert [row["result"] for row in history] == ["rejected", "released", "accepted"]
    assert "the tenant was mended" in history[1]["message"]
    (job,) = [job for job in cli("jobs", "--json").rows if job["kind"] == "retry"]
    assert (job["summary"], job["options"]) == ({"released": 1}, {"reason": "the tenant was mended"})
    assert "released 1" in cli("jobs").out


def test_everything_that_failed_goes_again(cli, canvas, config):
    canvas.misbehave.append(Misbehaviour("bad gateway", times=None, path="/courses"))
    cli("transmit", "content", status=1)
    waits = cli("status", "--json").last
    assert sum(waits["failed"].values()) + sum(waits["waiting"].values()) > 20
    canvas.misbehave.clear()
    count = sum(waits["failed"].values())
    assert f"{count} item" in cli("audit", "retry", "--config", config, "--all-failed").out
    assert cli("status", "--json").last["failed"] == {}
    assert cli("transmit", "content", "--json").last["created"] + len(canvas.items) >= count


def test_a_state_goes_again_and_others_do_not(cli, refused):
    assert cli("audit", "retry", "--config", refused, "--state", "blocked", "--json").last["released"] == 0
    assert cli("audit", "retry", "--config", refused, "--state", "rejected", "--json").last["released"] == 1
    assert [job["kind"] for job in cli("jobs", "--json").rows] == ["retry", "content"]


def test_retry_refuses_what_makes_no_sense(cli, sent):
    assert "is confirmed" in cli("audit", "retry", "--config", sent, "--item", ITEM, status=2).err
    assert "is unknown" in cli("audit", "retry", "--config", sent, "--item", "x", status=2).err
    for more in ([], ["--all-failed", "--item", "x"], ["--state", "great"]):
        cli("audit", "retry", "--config", sent, *more, status=2)


def test_export_streams_everything_oldest_first(cli, sent, tmp_path):
    rows = cli("audit", "export").rows
    assert len(rows) > 20
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    assert cli("audit", "export", "--format", "csv", "--json").rows == rows
    table = list(csv.DictReader(io.StringIO(cli("audit", "export", "--format", "csv", "--config", sent).out)))
    assert [row["item"] for row in table] == [row["item"] for row in rows]
    cli("audit", "export", "--output", tmp_path / "log.jsonl")
    assert [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()] == rows


def test_a_spreadsheet_gets_no_formulas(cli, sap):
    sap.poisoned.add(ITEM)
    config = cli.add("SAP", sap, call_interval_seconds=0)
    cli("transmit", "content", status=1)
    cli("audit", "retry", "--config", config, "--all-failed", "--reason", "x")
    cells = csv.DictReader(io.StringIO(cli("audit", "export", "--format", "csv").out))
    assert not [cell for row in cells for cell in row.values() if cell and cell[0] in "=+-@"]


def test_prune_keeps_what_is_young(cli, sent):
    kept = len(cli("audit", "export").rows)
    assert cli("audit", "prune", "--json").last["deleted"] == {"transmission": 0, "job": 0}
    assert "Deleted 0" in cli("audit", "prune", "--days", "1").out
    assert len(cli("audit", "export").rows) == kept
    cli("audit", "prune", "--days", "0", status=2)


def test_status_counts_and_explains(cli, sent, sap):
    cli.add("SAP", sap, active=False)
    canvas_row, sap_row = cli("status", "--json").rows
    assert canvas_row["present"] > 20
    assert canvas_row["last_job"]["state"] == "finished"
    assert canvas_row["skipped"]["not-exportable"] == 1
    assert (sap_row["state"], sap_row["last_job"], sap_row["present"]) == ("draft", None, 0)
    table = cli("status").out
    for part in ("Blue Ferry", "active", "draft", "never", "not-exportable"):
        assert part in table
    assert [row["channel"] for row in cli("status", "--channel", "sap", "--json").rows] == ["SAP"]
    assert cli("status", "--customer", BLUE_FERRY, "--json").rows
    cli("status", "--channel", "NONE", status=2)


def test_status_and_jobs_of_nothing(cli):
    assert "no configuration" in cli("status").out
    assert "No run yet" in cli("jobs").out


def test_status_shows_a_configuration_that_became_invalid(cli, sent, monkeypatch):
    monkeypatch.delenv("COURSEWIRE_ALLOW_INSECURE_URLS")
    assert "invalid" in cli("status").out
    assert "canvas_base_url" in cli("status").out


def test_jobs_are_listed_newest_first(cli, sent):
    cli("transmit", "content")
    rows = cli("jobs", "--config", sent[:8], "--json").rows
    assert [row["summary"]["created"] > 0 for row in rows] == [False, True]
    assert len(cli("jobs", "--limit", "1", "--json").rows) == 1
    assert "created" in cli("jobs").out


def test_jobs_that_stopped_say_why(cli, canvas):
    cli.add("CANVAS", canvas, client_secret="wrong")
    cli("transmit", "content", status=1)
    (row,) = cli("jobs", "--json").rows
    assert row["state"] == "failed"
    assert row["error"]
    assert "failed" in cli("jobs").out
