"""What a client of the REST API can do, end to end against a simulated Canvas."""

from __future__ import annotations

import json
import time
from uuid import UUID, uuid4

import pytest

from coursewire.storage.audit import jobs as job_log

CUSTOMER = "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e1111"
API = "/api/v1"


@pytest.fixture
def admin(client, token):
    """A client of an administrator of all customers."""
    client.headers.update(token("administrator"))
    return client


def run(client, **asked):
    """Start a job and wait for its end."""
    started = client.post(f"{API}/jobs", json=asked)
    assert started.status_code == 202, started.text
    uuid = started.json()["uuid"]
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        job = client.get(f"{API}/jobs/{uuid}").json()
        if job["progress"]["state"] in ("finished", "failed"):
            return job
        time.sleep(0.02)
    raise AssertionError(f"the job did not end: {job}")


@pytest.mark.parametrize("path", ["jobs/{}", "jobs"])
def test_a_job_that_ends_while_it_is_looked_at_has_not_ended_yet(
    admin, configured, canvas, shelf, monkeypatch, path
):
    shelf.fill(1)
    uuid = run(admin, kind="content", configuration=str(configured.uuid))["uuid"]
    watched = admin.app.state.host.background.find(UUID(uuid))
    watched.state = "running"

    def meanwhile(read):
        def reading(*args, **kwargs):
            rows = read(*args, **kwargs)
            watched.state = "finished"
            return rows

        return reading

    for name in ("find", "recent"):
        monkeypatch.setattr(job_log, name, meanwhile(getattr(job_log, name)))
    seen = admin.get(f"{API}/{path.format(uuid)}").json()
    (job,) = seen.get("items", [seen])
    assert job["progress"]["state"] == "running"


def test_the_life_of_a_configuration(admin, canvas):
    fields = canvas.sample_config()
    secret = fields["client_secret"]
    draft = {name: value for name, value in fields.items() if name != "refresh_token"}
    made = admin.post(
        f"{API}/configurations", json={"channel": "canvas", "customer": CUSTOMER, "fields": draft}
    )
    assert made.status_code == 201
    uuid = made.json()["uuid"]
    assert made.json()["secrets_set"] == ["client_secret"]

    refused = admin.post(f"{API}/configurations/{uuid}/activate")
    assert refused.status_code == 422
    assert refused.json()["errors"] == [{"field": "refresh_token", "why": "it is missing"}]

    edited = admin.patch(
        f"{API}/configurations/{uuid}",
        params={"expected_version": 1},
        json={"fields": {"refresh_token": fields["refresh_token"], "display_name": "Acme"}},
    )
    assert edited.json()["version"] == 2
    assert (
        admin.patch(
            f"{API}/configurations/{uuid}",
            params={"expected_version": 1},
            json={"fields": {"display_name": "B"}},
        ).status_code
        == 422
    )
    assert admin.post(f"{API}/configurations/{uuid}/activate").json()["active"]
    assert admin.post(f"{API}/configurations/{uuid}/check").json()["ok"]

    shown = [
        admin.get(f"{API}/configurations{rest}").text
        for rest in ("", f"/{uuid}", f"/{uuid}/history", f"/{uuid}/validity")
    ]
    assert not any(text in "".join(shown) for text in (secret, fields["refresh_token"]))
    assert [row["action"] for row in admin.get(f"{API}/configurations/{uuid}/history").json()] == [
        "added",
        "edited",
        "activated",
    ]
    assert admin.delete(f"{API}/configurations/{uuid}").status_code == 204
    assert admin.get(f"{API}/configurations/{uuid}").status_code == 404


def test_a_check_says_what_does_not_work(admin, configured, canvas):
    canvas.add_misbehaviour("HTML error page:always")
    answer = admin.post(f"{API}/configurations/{configured.uuid}/check")
    assert answer.status_code == 200
    assert not answer.json()["ok"]
    assert answer.json()["problem"]


def test_wrong_fields_are_named_and_values_never_shown(admin):
    body = {
        "channel": "CANVAS",
        "customer": CUSTOMER,
        "fields": {"client_secrets": "s3cr3t", "client_secret": 5},
    }
    answer = admin.post(f"{API}/configurations", json=body)
    assert answer.status_code == 422
    assert {each["field"] for each in answer.json()["errors"]} == {"client_secrets", "client_secret"}
    assert "s3cr3t" not in answer.text
    env = {**body, "fields": {"client_secret": {"env": "HOME"}}}
    assert "environment" in admin.post(f"{API}/configurations", json=env).text
    unknown = admin.post(f"{API}/configurations", json={**body, "channel": "CANVASS"})
    assert (unknown.status_code, "CANVAS" in unknown.text) == (404, True)


def test_a_run_its_records_attempts_and_a_retry(admin, configure, sap, shelf):
    shelf.fill(5)
    sap.poisoned.add("RiverU+C0003")
    uuid = str(configure(sap).uuid)

    plan = admin.get(f"{API}/configurations/{uuid}/plan").json()
    assert (plan["create"], plan["items"][0]["reason"]) == (5, "new")
    job = run(admin, kind="content", configuration=uuid)
    assert (job["summary"]["created"], job["state"]) == (4, "finished")

    failed = admin.get(f"{API}/content-records", params={"state": "rejected"}).json()["items"]
    assert [row["content_key"] for row in failed] == ["RiverU+C0003"]
    attempts = admin.get(f"{API}/transmissions", params={"item": "RiverU+C0003"}).json()["items"]
    assert attempts[0]["result"] == "rejected"
    told = admin.get(f"{API}/configurations/{uuid}/why", params={"item": "RiverU+C0003"}).json()
    assert told[0]["answer"]["reason"]

    sap.poisoned.clear()
    retry = {"keys": ["RiverU+C0003"], "reason": "mended"}
    assert admin.post(f"{API}/configurations/{uuid}/retry", json=retry).json() == {"released": 1}
    assert run(admin, kind="content", configuration=uuid)["summary"]["created"] == 1
    assert [each["kind"] for each in admin.get(f"{API}/jobs").json()["items"]] == [
        "content",
        "retry",
        "content",
    ]


def test_pages_go_on_where_the_last_one_ended(admin, configured, shelf):
    shelf.fill(7)
    run(admin, kind="content", configuration=str(configured.uuid))
    for path, key in (("content-records", "content_key"), ("transmissions", "id"), ("jobs", "uuid")):
        found, after = [], None
        while True:
            page = admin.get(
                f"{API}/{path}", params={"limit": 3, **({"after": after} if after else {})}
            ).json()
            found += [row[key] for row in page["items"]]
            after = page["next"]
            if after is None:
                break
        assert len(found) == len(set(found)) == (1 if path == "jobs" else 7)
    assert admin.get(f"{API}/jobs", params={"after": "bm9uc2Vuc2U"}).status_code == 422
    searched = admin.get(f"{API}/content-records", params={"search": "RiverU+C0002"}).json()["items"]
    assert [row["content_key"] for row in searched] == ["RiverU+C0002"]


def test_the_guard_stops_and_a_person_confirms(admin, configured, canvas, shelf):
    shelf.fill(12)
    uuid = str(configured.uuid)
    run(admin, kind="content", configuration=uuid)
    for key in list(shelf.courses)[:8]:
        del shelf.courses[key]
    shelf.load()

    assert "8" in admin.get(f"{API}/configurations/{uuid}/plan").json()["guard"]
    stopped = run(admin, kind="content", configuration=uuid)
    assert stopped["progress"]["state"] == "failed"
    assert "would retire 8" in stopped["error"]
    confirmed = run(admin, kind="content", configuration=uuid, confirm_retire=8)
    assert confirmed["summary"]["retired"] == 8


def test_the_log_is_exported_as_csv_and_json_lines(admin, configured, shelf):
    shelf.fill(3)
    run(admin, kind="content", configuration=str(configured.uuid))
    lines = admin.get(f"{API}/transmissions/export").text.splitlines()
    assert [json.loads(line)["item"] for line in lines] == [*shelf.courses]
    table = admin.get(f"{API}/transmissions/export", params={"format": "csv"})
    assert table.headers["content-type"].startswith("text/csv")
    assert len(table.text.splitlines()) == 4
    records = admin.get(f"{API}/content-records/export", params={"format": "csv"})
    assert records.headers["content-disposition"].endswith('"content-records.csv"')
    assert [line.split(",")[2] for line in records.text.splitlines()] == ["content_key", *shelf.courses]
    assert admin.get(f"{API}/outcome-records/export").text == ""


def test_what_is_not_there_is_a_404_and_what_cannot_be_meant_a_422(admin, configured):
    for path in (f"jobs/{uuid4()}", f"configurations/{uuid4()}", "channels/NONE"):
        assert admin.get(f"{API}/{path}").status_code == 404
    wrong = {"kind": "content", "configuration": str(configured.uuid), "learner": "ada"}
    assert admin.post(f"{API}/jobs", json=wrong).status_code == 422
    assert admin.get(f"{API}/configurations/{configured.uuid}/why").status_code == 422
    assert admin.get(f"{API}/content-records", params={"limit": 0}).status_code == 422
    assert admin.get(f"{API}/nothing").headers["content-type"] == "application/problem+json"


def test_tokens_are_shown_once(admin):
    made = admin.post(f"{API}/tokens", json={"name": "nightly", "grants": [{"role": "operator"}]})
    value = made.json()["value"]
    assert value not in admin.get(f"{API}/tokens").text
    me = admin.get(f"{API}/me", headers={"Authorization": f"Bearer {value}"}).json()
    assert me == {"name": "token nightly", "grants": [{"role": "operator", "customer": None}]}
    assert admin.delete(f"{API}/tokens/{made.json()['uuid']}").status_code == 204
    assert admin.get(f"{API}/me", headers={"Authorization": f"Bearer {value}"}).status_code == 401
