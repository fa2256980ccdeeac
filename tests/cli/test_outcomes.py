"""Completions and assessments through the command: transmit, plan, preview, learners, why, audit."""

import json

import pytest

from coursewire.sources.sample import sample_bundle

BLUE_FERRY = "eaaffd2c-1a7a-59f4-996c-54660ff708a4"
ENROLLMENTS = 20  # of the first customer, in the sample bundle
COURSE = "RiverU+BOAT101"
QUIZ = "block-v1:RiverU+BOAT101+1T2026+type@sequential+block@w2"
STUDENTS = ("ada", "bo", "chen", "dalia", "emil", "gus")


@pytest.fixture
def at_sap(cli, sap):
    return cli.add("SAP", sap, call_interval_seconds=0)


@pytest.fixture
def at_canvas(cli, canvas):
    """A configuration whose content has arrived, at a Canvas that knows the learners."""
    config = cli.add("CANVAS", canvas)
    cli("transmit", "content", "--config", config)
    for course in canvas.items:
        for name in STUDENTS:
            canvas.enroll(course, f"{name}@example.com")
    return config


def all_of(summary):
    return (
        summary["created"]
        + summary["unchanged"]
        + summary["skipped"]
        + summary["failed"]
        + summary["waiting"]
    )


class TestTransmit:
    def test_each_outcome_arrives_once_or_is_listed(self, cli, sap, at_sap):
        first = cli("transmit", "completions", "--json").last
        assert first["created"] == len(sap.completions) == 5
        assert all_of(first) == ENROLLMENTS
        assert {row["userID"] for row in sap.completions} == {"F-1001", "F-1002", "F-1003", "F-1007"}
        second = cli("transmit", "completions", "--json").last
        assert (second["created"], second["unchanged"], all_of(second)) == (0, 5, ENROLLMENTS)
        assert len(sap.completions) == 5

    def test_assessments_go_where_a_channel_takes_them(self, cli, canvas, at_canvas, at_sap):
        said = cli("transmit", "assessments", "--json")
        assert f"SAP {at_sap[:8]} ({at_sap[:8]}) is left out" in said.err
        assert [row["configuration"] for row in said.last["left_out"]] == [at_sap]
        assert [row["configuration"] for row in said.last["jobs"]] == [at_canvas]
        assert said.last["created"] == 9
        assert canvas.gradebook.grade_of(QUIZ, "ada@example.com") == 9.5
        for named in (["--config", at_sap], ["--channel", "sap"]):
            for command in ("plan", "transmit"):
                assert "SAP does not send assessments" in cli(command, "assessments", *named, status=2).err

    def test_when_no_configuration_takes_the_kind(self, cli, at_sap):
        said = cli("transmit", "assessments", "--json", status=2)
        assert said.error["what"] == "no active configuration takes assessments"

    def test_one_learner_and_course(self, cli, sap, at_sap):
        options = ("--learner", "ada", "--course", COURSE)
        assert cli("plan", "completions", *options, "--json").last["create"] == 1
        assert cli("transmit", "completions", *options, "--json").last["created"] == 1
        assert [row["courseID"] for row in sap.completions] == [COURSE]
        said = cli("transmit", "completions", "--learner", "nobody", "--course", COURSE)
        assert "nobody in RiverU+BOAT101" in said.err
        assert "enrollment-unknown" in said.err
        assert "enrollment-unknown" in cli("plan", "completions", "--learner", "nobody").err

    def test_options_that_a_kind_does_not_have(self, cli):
        for args in (
            ["content", "--learner", "ada"],
            ["content", "--course", COURSE],
            ["completions", "--confirm-retire", "1"],
        ):
            cli("transmit", *args, status=2)

    def test_a_configuration_that_sends_no_learner_data(self, cli, sap):
        cli.add("SAP", sap, disable_learner_data_transmissions=True)
        said = cli("transmit", "completions")
        assert "learner-data-disabled" in said.err
        assert "learner-data-disabled" in cli("plan", "completions").err
        assert cli("plan", "completions", "--json").last["plans"][0]["reason"] == "learner-data-disabled"
        assert not sap.completions

    def test_a_dry_run_writes_and_sends_nothing(self, cli, sap, at_sap):
        said = cli("transmit", "completions", "--dry-run", "--json")
        assert said.last["create"] == 5
        assert said.last["create"] + sum(said.last["plans"][0]["left"].values()) == ENROLLMENTS
        assert not sap.seen
        assert "How Rivers Carry Goods" in cli("plan", "completions").out
        assert cli("audit", "list", "--kind", "completions", "--json").rows == []

    def test_a_plan_of_keys(self, cli, at_sap):
        key = cli("plan", "completions", "--json").rows[0]["key"]
        said = cli("plan", "completions", "--key", key, "--key", "nothing", "--json")
        assert [row["key"] for row in said.rows[:-1]] == [key]
        assert "nothing: nothing to do" in said.err


class TestPreview:
    @pytest.fixture
    def preview(self, bare, tmp_path):
        def run(kind, *more, status=0, **changes):
            fields = {
                "channel": "CANVAS",
                "customer": BLUE_FERRY,
                "client_id": "k",
                "client_secret": "s",
                "refresh_token": "r",
                "canvas_base_url": "https://canvas.example.com",
                "canvas_account_id": 7,
                **changes,
            }
            fields = {name: value for name, value in fields.items() if value is not None}
            file = tmp_path / "canvas.json"
            file.write_text(json.dumps(fields))
            given = ["--channel", "CANVAS", "--config", file, "--bundle", sample_bundle()]
            return bare("preview", kind, *given, *more, status=status)

        return run

    def test_what_would_go_and_why_the_rest_would_not(self, preview, environment):
        said = preview("completions", status=1)
        assert len(said.rows) == 5
        assert {tuple(row) for row in said.rows} == {("key", "operation", "payload")}
        assert COURSE in {row["payload"]["course"] for row in said.rows}
        assert len(said.err.splitlines()) == ENROLLMENTS - 5
        assert "consent-refused" in said.err
        assert not environment.exists()

    def test_an_assessment_is_named_by_enrollment_and_subsection(self, preview):
        key = next(row["key"] for row in preview("assessments").rows if row["key"].endswith(QUIZ))
        said = preview("assessments", "--key", key)
        assert [row["key"] for row in said.rows] == [key]
        assert said.rows[0]["payload"]["submission"] == {"posted_grade": "95%"}
        assert not said.err
        assert "nothing" in preview("assessments", "--key", "nothing", status=1).err

    def test_without_a_customer_all_learners_are_shown(self, preview):
        assert len(preview("completions", status=1, customer=None).rows) > 5


class TestLearners:
    def test_a_link_by_hand_lets_go_what_waited(self, cli, sap, at_sap):
        assert "Every learner" in cli("learners", "unmatched").out
        cli("transmit", "completions")
        (row,) = cli("learners", "unmatched", "--config", at_sap[:8], "--json").rows
        assert (row["learner"], row["reason"], row["outcomes"]) == ("dalia", "learner-unmatched", 1)
        assert "an id" in row["missing"]
        said = cli("learners", "unmatched")
        assert "dalia" in said.out
        assert "learners link" in said.err

        option = ("--config", at_sap, "--learner", "dalia")
        assert "transmit completions" in cli("learners", "link", *option, "--remote-id", "F-1004").out
        assert cli("transmit", "completions", "--json").last["created"] == 1
        assert sap.completions[-1]["userID"] == "F-1004"
        assert cli("learners", "unmatched", "--json").rows == []

        assert "taken back" in cli("learners", "unlink", *option).out
        assert "by hand" in cli("learners", "unlink", *option, status=2).err
        assert [row["kind"] for row in cli("jobs", "--json").rows][:2] == ["link", "completions"]

    def test_an_id_that_the_lms_does_not_know(self, cli, canvas, at_canvas):
        canvas.gradebook.users.clear()
        canvas.gradebook.enrollments.clear()
        cli("transmit", "completions", status=1)
        row = cli("learners", "unmatched", "--json").rows[0]
        assert row["missing"].startswith("CANVAS does not know ada@example.com")

    def test_several_ids_are_ambiguous(self, cli, at_sap, tmp_path):
        (tmp_path / "bundle").mkdir()
        customers = (
            (sample_bundle() / "customers.jsonl").read_text().replace('"default":true', '"default":false')
        )
        (tmp_path / "bundle" / "customers.jsonl").write_text(customers)
        cli("load", tmp_path / "bundle")
        cli("transmit", "completions")
        rows = cli("learners", "unmatched", "--json").rows
        assert {row["learner"] for row in rows if row["reason"] == "learner-ambiguous"} == {"bo"}
        assert "which of several" in cli("learners", "unmatched").out

    def test_a_link_for_nobody_is_said(self, cli, at_sap):
        option = ("--config", at_sap, "--learner", "nobody", "--remote-id")
        said = cli("learners", "link", *option, "F-9", "--json")
        assert "knows no enrollment" in said.err
        assert said.last["known"] is False
        cli("learners", "link", *option, " ", status=2)
        assert cli("learners", "unlink", *option[:-1], "--json").last["unlinked"]

    def test_a_learner_is_forgotten_with_counts(self, cli, at_sap):
        cli("transmit", "completions")
        said = cli("learners", "forget", "ada", "--yes", "--json").last
        assert said["tables"]["outcome_record"] == 3
        assert said["tables"]["transmission"] == 2
        assert said["rows"] == sum(said["tables"].values())
        assert "outcome_record" in cli("learners", "forget", "bo", "--yes").out
        assert "No table knows" in cli("learners", "forget", "bo", "-y").out
        assert "forgotten" in cli("audit", "list").out

    def test_nobody_is_forgotten_without_a_yes(self, cli, at_sap):
        cli("learners", "forget", "ada", status=1)
        assert cli("plan", "completions", "--learner", "ada", "--json").last["create"] == 2


class TestWhy:
    def test_all_decisions_in_order(self, cli, at_sap):
        option = ("why", "--config", at_sap, "--learner", "dalia", "--course", COURSE)
        (told,) = cli(*option, "--json").rows
        assert [step["step"] for step in told["decisions"]] == ["record", "permission", "identity"]
        assert told["answer"]["reason"] == "learner-unmatched"
        said = cli(*option).out
        for part in (
            "permission",
            "consent: granted",
            "learner-unmatched",
            "learners link",
            "It is not sent",
        ):
            assert part in said

    def test_before_and_after_sending(self, cli, at_sap):
        option = ("why", "--config", at_sap, "--learner", "ada", "--course", COURSE)
        assert "It goes out with the next run, as create" in cli(*option).out
        cli("transmit", "completions")
        said = cli(*option).out
        assert "Nothing is to be done" in said
        assert "create: accepted" in said
        assert "dates certificate: 2026-02-12" in said

    def test_assessments_and_one_subsection(self, cli, at_canvas):
        option = ("why", "--config", at_canvas, "--learner", "ada", "--course", COURSE)
        rows = cli(*option, "--json").rows
        assert [row["kind"] for row in rows] == ["completions", "assessments", "assessments"]
        (row,) = cli(*option, "--subsection", QUIZ, "--json").rows
        assert row["subsection"] == QUIZ
        assert len(cli(*option, "--kind", "assessments", "--json").rows) == 2
        assert QUIZ in cli(*option, "--subsection", "w2", status=2).err

    def test_a_kind_that_the_channel_does_not_take_and_an_unknown_learner(self, cli, at_sap):
        option = ("why", "--config", at_sap, "--course", COURSE, "--learner")
        assert "kind-not-supported" in cli(*option, "ada", "--kind", "assessments").out
        assert "kind-not-supported" in cli(*option, "ada", "--subsection", QUIZ).out
        assert "enrollment-unknown" in cli(*option, "nobody").out

    def test_a_content_item(self, cli, at_sap):
        said = cli("why", "--config", at_sap, "--item", COURSE)
        assert "It goes out with the next run, as create" in said.out
        assert cli("why", "--config", at_sap, "--item", COURSE, "--json").last["operation"] == "create"

    def test_what_is_asked_must_be_one_thing(self, cli, at_sap):
        for args in (
            [],
            ["--learner", "ada"],
            ["--item", COURSE, "--learner", "ada"],
            ["--learner", "ada", "--course", COURSE, "--kind", "content"],
        ):
            assert "--item alone" in cli("why", "--config", at_sap, *args, status=2).err


class TestAudit:
    def test_list_and_show_name_learner_and_course(self, cli, at_sap):
        cli("transmit", "completions")
        rows = cli("audit", "list", "--kind", "completions", "--json").rows
        assert {row["learner"] for row in rows} == {"ada", "bo", "chen", "gus"}
        assert cli("audit", "list", "--kind", "content", "--json").rows == []
        assert f"ada {COURSE}" in cli("audit", "list").out
        option = ("audit", "show", "--config", at_sap)
        run = "course-v1:RiverU+BOAT101+1T2026"
        for course in (COURSE, run):
            shown = cli(*option, "--learner", "ada", "--course", course, "--json").last
            assert shown["record"]["state"] == "confirmed"
            assert shown["record"]["evidence"]["outcome"]["verdict"] == "Pass"
            assert [row["result"] for row in shown["transmissions"]] == ["accepted"]
        said = cli(*option, "--item", shown["record"]["outcome_key"]).out
        for part in ("ada", COURSE, "the LMS holds it", "create: accepted"):
            assert part in said
        assert "nothing is known" in cli(*option, "--learner", "no", "--course", COURSE, status=2).err
        for args in ([], ["--learner", "ada"], ["--item", "x", "--learner", "ada", "--course", COURSE]):
            cli(*option, *args, status=2)

    def test_a_refused_outcome_goes_again(self, cli, sap, at_sap):
        sap.poisoned.add(COURSE)
        assert cli("transmit", "completions", "--json", status=1).last["failed"] == 1
        assert "completion" in cli("status").out
        assert cli("status", "--json").last["completions"]["failed"]
        sap.poisoned.clear()
        assert cli("transmit", "completions", "--json").last["created"] == 0
        option = ("audit", "retry", "--config", at_sap)
        assert cli(*option, "--all-failed", "--json").last["released"] == 0  # content is meant
        assert cli(*option, "--all-failed", "--kind", "assessments", "--json").last["released"] == 0
        released = cli(*option, "--learner", "ada", "--course", COURSE, "--reason", "mended", "--json").last
        assert released["released"] == 1
        assert cli("transmit", "completions", "--json").last["created"] == 1
        assert "transmit completions" in cli(*option, "--all-failed", "--kind", "completions").out
        key = cli("audit", "list", "--kind", "completions", "--json").rows[0]["item"]
        assert "is confirmed" in cli(*option, "--item", key, "--kind", "completions", status=2).err
        for more in (["--learner", "ada"], ["--learner", "a", "--course", "c", "--kind", "content"]):
            cli(*option, *more, status=2)


def test_status_has_a_line_for_each_kind(cli, at_canvas):
    cli("transmit", "completions")
    row = cli("status", "--json").last
    assert row["completions"]["present"] == 5
    assert row["completions"]["last_job"]["state"] == "finished"
    assert row["assessments"]["last_job"] is None
    table = cli("status").out
    assert "  completions" in table
    assert "  assessments" not in table
    assert "completions" in cli("jobs").out


def test_inactive_learners(cli, sap, at_sap):
    sap.deactivate("F-1002")
    said = cli("learners", "inactive", "--config", at_sap, "--json")
    assert (said.rows[0]["username"], said.last["linked"]) == ("bo", 1)


def test_channels_have_commands_of_their_own(cli, at_canvas):
    assert "0 surplus" in cli("canvas", "duplicate-assignments", "--config", at_canvas).all
