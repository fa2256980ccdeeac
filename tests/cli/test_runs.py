"""preview, plan, transmit: over real simulators, and over LMSs that misbehave."""

import hashlib
import json
import os
import shutil
import sqlite3
from contextlib import closing, contextmanager

import pytest
from aiohttp import web

from coursewire.sources.sample import sample_bundle
from coursewire.storage.database.engine import open_engine
from coursewire.storage.locks.leases import Lease
from coursewire.testing.misbehave import Misbehaviour

BLUE_FERRY = "eaaffd2c-1a7a-59f4-996c-54660ff708a4"
OLD_MILL = "29911cbf-472e-5754-befe-b9a02bb80526"


@pytest.fixture
def sap_file(tmp_path):
    def write(**changes):
        fields = {
            "channel": "SAP",
            "customer": BLUE_FERRY,
            "key": "k",
            "secret": "s",
            "sapsf_base_url": "https://tenant.example.com",
            "sapsf_company_id": "ACME",
            "sapsf_user_id": "admin",
            **changes,
        }
        path = tmp_path / "sap.json"
        path.write_text(json.dumps({name: value for name, value in fields.items() if value is not None}))
        return path

    return write


def preview(cli, file, *more, channel="SAP", status=0):
    return cli(
        "preview",
        "content",
        "--channel",
        channel,
        "--config",
        file,
        "--bundle",
        sample_bundle(),
        *more,
        status=status,
    )


class TestPreview:
    def test_one_object_a_line_and_nothing_is_touched(self, bare, environment, sap_file):
        said = preview(bare, sap_file(), status=1)
        assert {"key", "operation", "payload"} == set(said.rows[0])
        assert {row["operation"] for row in said.rows} == {"create"}
        assert "not be sent" in said.err or "cannot be sent" in said.err
        assert not environment.exists()

    def test_keys_choose_items_and_an_unknown_one_is_said(self, bare, sap_file):
        said = preview(bare, sap_file(), "--key", "RiverU+BOAT101", "--key", "HillTech+WELD10")
        assert [row["key"] for row in said.rows] == ["HillTech+WELD10", "RiverU+BOAT101"]
        assert "nowhere" in preview(bare, sap_file(), "--key", "nowhere", status=1).err

    def test_a_customer_narrows_it_to_its_catalogs(self, bare, sap_file):
        everything = {row["key"] for row in preview(bare, sap_file(customer=None), status=1).rows}
        theirs = {row["key"] for row in preview(bare, sap_file(customer=OLD_MILL)).rows}
        assert theirs < everything
        catalog = "26f0aba3-336c-598f-bdfe-469640aabaf9"
        some = {row["key"] for row in preview(bare, sap_file(catalogs_to_transmit=catalog), status=1).rows}
        assert some < {row["key"] for row in preview(bare, sap_file(), status=1).rows}
        preview(bare, sap_file(customer="00000000-0000-4000-8000-000000000001"), status=2)

    def test_the_instant_can_be_given(self, bare, sap_file):
        early, late = (
            preview(bare, sap_file(), "--key", "RiverU+BOAT101", "--at", at).out
            for at in ("2000-01-01T00:00:00Z", "2199-01-01T00:00:00+02:00")
        )
        assert early != late
        for wrong in ("2026-01-01", "soon"):
            preview(bare, sap_file(), "--at", wrong, status=2)

    def test_secrets_need_not_be_there(self, bare, sap_file):
        assert preview(bare, sap_file(secret={"env": "NOT_SET_ANYWHERE"}), "--key", "RiverU+BOAT101").rows

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"sapsf_company_id": None}, "sapsf_company_id"),
            ({"channel": "CANVAS"}, "CANVAS"),
            ({"foo": 1}, "foo"),
        ],
    )
    def test_a_file_that_does_not_fit(self, bare, sap_file, changes, said):
        refused = preview(bare, sap_file(**changes), "--json", status=2)
        assert said in refused.err
        assert refused.error["code"] == "configuration"

    def test_bad_lines_of_the_bundle_are_said(self, bare, sap_file, tmp_path):
        folder = tmp_path / "bundle"
        shutil.copytree(sample_bundle(), folder)
        (folder / "content.jsonl").write_text("{\n" + (folder / "content.jsonl").read_text())
        said = bare(
            "preview", "content", "--channel", "sap", "--config", sap_file(), "--bundle", folder, "--key", "RiverU+BOAT101", status=1
        )  # fmt: skip
        assert "content.jsonl:1" in said.err
        assert len(said.rows) == 1

    def test_what_no_channel_sends_and_unknown_channels(self, bare, sap_file):
        said = bare(
            "preview", "assessments", "--channel", "SAP", "--config", sap_file(), "--bundle", "x", status=2
        )
        assert "SAP does not send assessments" in said.err
        assert "Did you mean SAP" in preview(bare, sap_file(), channel="SAPP", status=2).err


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


class TestTransmit:
    def test_the_catalogue_arrives_once(self, cli, canvas, sap):
        ids = {cli.add("CANVAS", canvas), cli.add("SAP", sap)}
        first = cli("transmit", "content", "--json").last
        assert {job["configuration"] for job in first["jobs"]} == ids
        assert first["created"] == len(canvas.items) + len(sap.items) > 40
        assert first["exit_status"] == first["failed"] == first["waiting"] == 0
        assert set(canvas.arrivals.values()) == set(sap.arrivals.values()) == {1}
        second = cli("transmit", "content", "--json").last
        assert (second["created"], second["updated"]) == (0, 0)
        assert second["unchanged"] == first["created"]
        assert set(canvas.arrivals.values()) == {1}

    def test_people_get_a_row_for_each_configuration_and_a_total(self, cli, canvas, sap):
        cli.add("CANVAS", canvas, display_name="Ferry Canvas")
        cli.add("SAP", sap, display_name="Ferry SAP")
        said = cli("transmit", "content")
        for part in ("Ferry Canvas", "Ferry SAP", "total"):
            assert part in said.out
        assert "not-exportable" in said.err
        assert max(map(len, said.out.splitlines())) <= 80

    def test_filters_choose_configurations(self, cli, canvas, sap):
        first = cli.add("CANVAS", canvas)
        cli.add("SAP", sap, OLD_MILL)
        cli("transmit", "content", "--config", first[:8])
        assert (bool(canvas.items), bool(sap.items)) == (True, False)
        assert cli("transmit", "content", "--customer", OLD_MILL, "--channel", "sap", "--json").last[
            "created"
        ]
        for wrong in (
            ["--channel", "CANVAS", "--customer", OLD_MILL],
            ["--config", "zz"],
            ["--channel", "NONE"],
        ):
            assert cli("transmit", "content", *wrong, "--json", status=2).error["next_step"]

    def test_without_any_configuration_it_says_how_to_make_one(self, cli, canvas):
        assert "config add" in cli("transmit", "content", status=2).err
        draft = cli.add("CANVAS", canvas, active=False)
        assert "config add" in cli("transmit", "content", status=2).err
        refused = cli("transmit", "content", "--config", draft, "--json", status=2)
        assert "config activate" in refused.err
        assert refused.last["jobs"][0]["error"]

    def test_a_refused_configuration_does_not_stop_the_others(self, cli, canvas, sap, monkeypatch):
        cli.add("SAP", sap)
        monkeypatch.setenv("FERRY", canvas.client_secret)
        cli.add("CANVAS", canvas, client_secret={"env": "FERRY"})
        monkeypatch.delenv("FERRY")
        said = cli("transmit", "content", status=2)
        assert "FERRY" in said.err
        assert sap.items
        plan = cli("plan", "content", "--json", status=2)
        assert plan.last["exit_status"] == 2

    def test_a_dry_run_leaves_the_database_byte_for_byte(self, cli, canvas, environment):
        cli.add("CANVAS", canvas)
        before = digests(environment)
        said = cli("transmit", "content", "--dry-run", "--json")
        assert said.last["create"] == len(said.rows) - 1 - sum(
            row.get("operation") is None for row in said.rows[:-1]
        )
        assert said.last["create"] > 20
        cli("plan", "content")
        cli("status")
        assert digests(environment) == before
        assert not canvas.items
        assert not canvas.seen

    def test_another_run_holds_the_lease(self, cli, canvas, environment):
        config = cli.add("CANVAS", canvas)
        engine = open_engine(f"sqlite:///{environment / 'coursewire.db'}")
        with Lease.acquire(engine, f"content:{config}", owner="somebody", ttl_s=60):
            said = cli("transmit", "content", "--json", status=3)
        engine.dispose()
        assert said.last["jobs"][0]["exit_status"] == 3
        assert not canvas.items

    def test_the_guard_waits_for_a_yes(self, cli, canvas, tmp_path):
        cli.add("CANVAS", canvas)
        sent = cli("transmit", "content", "--json").last["created"]
        bundle = tmp_path / "bundle"
        bundle.mkdir()
        catalogs = [
            json.loads(line) for line in (sample_bundle() / "catalogs.jsonl").read_text().splitlines()
        ]
        rows = [{**row, "content_keys": []} for row in catalogs if row["customer"] == BLUE_FERRY]
        (bundle / "catalogs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        cli("load", bundle)
        assert "--confirm-retire" in cli("plan", "content").err
        assert cli("transmit", "content", "--dry-run", "--json", status=4).last["plans"][0]["guard"]
        said = cli("transmit", "content", status=4)
        assert f"--confirm-retire {sent}" in said.err
        assert cli("transmit", "content", "--confirm-retire", sent, "--json").last["retired"] == sent

    def test_force_sends_what_is_unchanged(self, cli, sap):
        cli.add("SAP", sap, call_interval_seconds=0)
        sent = cli("transmit", "content", "--json").last["created"]
        forced = cli("transmit", "content", "--force", "--json").last
        assert forced["updated"] == sent

    def test_a_configuration_that_only_plans_sends_nothing(self, cli, canvas):
        config = cli.add("CANVAS", canvas, dry_run_mode_enabled=True)
        said = cli("transmit", "content", "--json").last
        assert said["waiting"] > 20
        assert said["jobs"][0]["waiting_by_reason"].keys() == {"dry-run"}
        assert not canvas.seen
        cli("config", "edit", config, "--set", "dry_run_mode_enabled=false")
        assert cli("transmit", "content", "--json").last["created"] == said["waiting"]

    def test_what_waits_is_said_with_its_time(self, cli, sap):
        cli.add("SAP", sap, call_interval_seconds=300)
        cli("transmit", "content")
        said = cli("transmit", "content", "--force")
        assert "what waits may go from" in said.err
        waiting = cli("transmit", "content", "--force", "--json").last
        assert waiting["waiting"] > 20
        assert waiting["jobs"][0]["waiting_until"]

    def test_a_kind_that_does_not_exist(self, cli):
        cli("transmit", "homework", status=2)


class TestPlan:
    def test_each_item_with_its_reason(self, cli, canvas):
        config = cli.add("CANVAS", canvas, display_name="Ferry Canvas")
        said = cli("plan", "content", "--json")
        rows = {row["key"]: row for row in said.rows[:-1]}
        assert rows["RiverU+BOAT101"]["operation"] == "create"
        assert rows["RiverU+BOAT101"]["reason"] == "new"
        assert rows["RiverU+BOAT101"]["configuration"] == config
        table = cli("plan", "content").out
        assert "Ferry Canvas" in table
        assert "create" in table
        assert max(map(len, table.splitlines())) <= 80

    def test_changed_fields_are_named(self, cli, canvas, tmp_path):
        cli.add("CANVAS", canvas)
        cli("transmit", "content")
        bundle = tmp_path / "bundle"
        bundle.mkdir()
        items = [json.loads(line) for line in (sample_bundle() / "content.jsonl").read_text().splitlines()]
        (item,) = [item for item in items if item.get("key") == "RiverU+BOAT101"]
        (bundle / "content.jsonl").write_text(json.dumps({**item, "title": "How Rivers Carry More Goods"}))
        cli("load", bundle)
        (row,) = [row for row in cli("plan", "content", "--json").rows[:-1] if row["operation"]]
        assert (row["key"], row["operation"], row["reason"]) == ("RiverU+BOAT101", "update", "changed")
        assert row["fields"] == ["course.name"]
        assert "changed: " in cli("plan", "content").out

    def test_a_key_that_is_not_in_the_plan_is_said(self, cli, canvas):
        cli.add("CANVAS", canvas)
        cli("transmit", "content")
        said = cli("plan", "content", "--key", "RiverU+SAFE1", "--key", "nowhere")
        assert "RiverU+SAFE1: nothing to do" in said.err
        assert "nowhere: no catalog" in said.err

    def test_one_key_alone(self, cli, canvas):
        cli.add("CANVAS", canvas)
        assert [
            row["key"] for row in cli("plan", "content", "--key", "RiverU+SAFE1", "--json").rows[:-1]
        ] == ["RiverU+SAFE1"]


@contextmanager
def writer(database):
    """Somebody who keeps a write transaction open."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


class TestTrouble:
    def test_a_locked_database(self, cli, canvas, environment, monkeypatch):
        cli.add("CANVAS", canvas)
        monkeypatch.setattr("coursewire.storage.database.engine.BUSY_TIMEOUT_S", 0.1)
        with writer(environment / "coursewire.db"):
            said = cli("transmit", "content", "--json", status=2)
            assert said.error["code"] == "database"
            assert "locked" in said.error["what"]
            cli("status")
        assert not canvas.items

    @pytest.mark.parametrize("name", ["HTML error page", "empty answer", "bad gateway"])
    def test_an_lms_that_answers_nonsense_or_nothing(self, cli, canvas, name):
        config = cli.add("CANVAS", canvas)
        canvas.misbehave.append(Misbehaviour(name, times=None, path="/courses"))
        said = cli("transmit", "content", status=1)
        assert "CANVAS" in said.err
        assert "<h1>" not in said.all
        assert "items: " in cli("status").out
        canvas.misbehave.clear()
        cli("audit", "retry", "--config", config, "--all-failed")
        cli("transmit", "content")
        assert set(canvas.arrivals.values()) == {1}
        assert cli("transmit", "content", "--json").last["unchanged"] == len(canvas.items)

    def test_an_lms_that_answers_about_another_item(self, cli, canvas):
        def answer(request):
            if request.method == "POST" and "/courses" in request.path:
                return web.json_response(
                    {"id": 1, "integration_id": "another", "workflow_state": "available"}
                )
            return None

        cli.add("CANVAS", canvas)
        canvas.interfere = answer
        said = cli("transmit", "content", "--json", status=1).last
        assert said["created"] == 0
        assert said["failed"] > 20

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
    def test_a_database_that_cannot_be_written(self, cli, canvas, environment):
        cli.add("CANVAS", canvas)
        (environment / "coursewire.db").chmod(0o400)
        said = cli("transmit", "content", "--json", status=2)
        assert said.error["code"] == "database"
        assert "cannot be written" in said.error["what"]

    def test_an_lms_that_is_not_there(self, cli, canvas):
        cli.add("CANVAS", canvas, canvas_base_url="http://127.0.0.1:9")
        said = cli("transmit", "content", "--json", status=1).last
        assert said["failed"] + said["waiting"] > 20

    def test_wrong_credentials_stop_the_run_and_are_said(self, cli, canvas):
        config = cli.add("CANVAS", canvas, client_secret="wrong-canary")
        said = cli("transmit", "content", "--json", status=1)
        assert said.last["jobs"][0]["waiting_by_reason"].keys() == {"credentials-broken"}
        assert "wrong-canary" not in said.all
        assert "tries them again" in cli("status").out.replace("\n", " ")
        assert "config check" in cli("transmit", "content", "--config", config, status=2).err
