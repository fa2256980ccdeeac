"""Enrollments through the command, and a channel whose LMS has no catalogue."""

import json
from xml.etree import ElementTree

import pytest

from coursewire.sources.sample import sample_bundle

ENROLLMENTS = 20  # of the first customer, in the sample bundle
COURSE = "RiverU+BOAT101"
REGISTERED = "http://adlnet.gov/expapi/verbs/registered"
ADA = ("--learner", "ada", "--course", COURSE)


@pytest.fixture
def at_xapi(cli, xapi):
    return cli.add("XAPI", xapi)


def test_each_enrollment_arrives_once_or_is_listed(cli, xapi, at_xapi):
    first = cli("transmit", "enrollments", "--json").last
    assert first["created"] == len(xapi.outcomes) > 0
    assert first["created"] + first["skipped"] == ENROLLMENTS
    assert {each["verb"]["id"] for each in xapi.outcomes.values()} == {REGISTERED}
    second = cli("transmit", "enrollments", "--json").last
    assert (second["created"], second["unchanged"]) == (0, first["created"])
    table = cli("transmit", "enrollments").all
    assert "enrollments: the learner refused to share" in table


def test_other_channels_are_left_out(cli, xapi, sap, at_xapi):
    at_sap = cli.add("SAP", sap)
    said = cli("transmit", "enrollments", "--json")
    assert [row["configuration"] for row in said.last["left_out"]] == [at_sap]
    assert not sap.seen
    error = cli("transmit", "enrollments", "--config", at_sap, status=2).err
    assert "SAP does not send enrollments" in error
    assert "not implemented yet" in error
    why = cli("why", "--config", at_sap, *ADA, "--kind", "enrollments").out
    assert "kind-not-supported" in why


def test_content_is_not_for_this_channel(cli, xapi, at_xapi):
    error = cli("transmit", "content", "--channel", "XAPI", status=2).err
    assert "XAPI does not send content" in error
    assert "impossible at the vendor" in error
    assert "kind-not-supported" in cli("why", "--config", at_xapi, "--item", COURSE).out
    assert not xapi.seen


def test_plan_why_status_and_audit(cli, xapi, at_xapi):
    assert cli("plan", "enrollments", *ADA, "--json").last["create"] == 1
    assert not xapi.seen
    kinds = [row["kind"] for row in cli("why", "--config", at_xapi, *ADA, "--json").rows]
    assert kinds == ["completions", "enrollments"]
    cli("transmit", "enrollments", *ADA)
    (statement,) = xapi.outcomes.values()
    row = cli("status", "--json").last["enrollments"]
    assert (row["present"], row["last_job"]["kind"]) == (1, "enrollments")
    assert "  enrollments" in cli("status").out
    assert cli("jobs", "--json").rows[0]["kind"] == "enrollments"
    (attempt,) = cli("audit", "list", "--kind", "enrollments", "--json").rows
    assert (attempt["learner"], attempt["result"]) == ("ada", "accepted")
    shown = cli("audit", "show", "--config", at_xapi, *ADA, "--json").last
    assert shown["record"]["remote_id"] == statement["id"]
    assert cli("audit", "retry", "--config", at_xapi, *ADA, "--json").last["kinds"] == [
        "completions",
        "assessments",
        "enrollments",
    ]


def test_preview(cli, tmp_path):
    file = tmp_path / "xapi.json"
    fields = {"endpoint": "https://lrs.example.com", "key": "k", "secret": {"env": "NONE"}}
    file.write_text(json.dumps({"channel": "XAPI", "site_domain": "learn.example.org", **fields}))
    bundle = ("--config", file, "--bundle", sample_bundle())
    rows = cli("preview", "enrollments", "--channel", "XAPI", *bundle).rows
    assert rows
    assert {row["payload"]["verb"]["id"] for row in rows} == {REGISTERED}
    assert len({row["payload"]["id"] for row in rows}) == len(rows)


def test_the_next_command_is_one_that_the_channel_takes(cli, xapi, at_xapi):
    cli("config", "deactivate", at_xapi)
    assert (
        f"Next: coursewire plan completions --config {at_xapi[:8]}" in cli("config", "activate", at_xapi).all
    )


def test_a_catalogue_as_course_structures(cli, xapi, at_xapi, tmp_path):
    said = cli("xapi", "cmi5", "--config", at_xapi, "--output", tmp_path / "out", "--key", COURSE, "--json")
    (row,) = said.rows
    root = ElementTree.parse(row["file"]).getroot()
    assert (row["key"], row["units"]) == (COURSE, len(root) - 1)
    assert root[0].get("id") == f"https://learn.example.org/xapi/activities/course/{COURSE}"
