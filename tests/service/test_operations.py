"""What operators watch: readiness, metrics."""

from __future__ import annotations

from coursewire.model.reasons import explain


def test_alive_needs_nothing_and_ready_looks_at_everything(client, token):
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready"}
    checks = client.get("/readyz", headers=token("viewer")).json()["checks"]
    assert "CANVAS" in checks["channels"]["detail"]
    assert all(each["ok"] for each in checks.values())
    assert (
        "checks"
        not in client.get("/readyz", headers=token("viewer", "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e1111")).json()
    )


def test_not_ready_says_what_is_missing_to_whom_may_know(installation, client, token):
    headers = token("viewer")
    with installation.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE schema_version SET version_num = '9999'")
    answer = client.get("/readyz", headers=headers)
    assert answer.status_code == 503
    assert "newer release" in answer.json()["checks"]["database"]["detail"]


def test_metrics_count_requests_by_route_and_show_how_configurations_stand(client, configured, token):
    headers = token("viewer")
    client.get("/api/v1/configurations", headers=headers)
    client.get("/api/v1/somewhere-else")
    text = client.get("/metrics", headers=headers).text
    assert (
        'coursewire_http_requests_total{method="GET",route="/api/v1/configurations",status="200"} 1.0' in text
    )
    assert 'route="unmatched",status="404"' in text
    assert "somewhere-else" not in text
    assert (
        f'coursewire_records{{channel="CANVAS",configuration="{configured.uuid}",standing="present"}} 0.0'
        in text
    )
    assert client.get("/metrics", headers=token("viewer", configured.customer)).status_code == 403


def test_next_steps_are_what_can_be_done_in_the_console_and_never_a_command(
    client, token, installation, shelf, canvas, configured, transmit
):
    shelf.fill(2)
    canvas.poisoned = {"RiverU+C0001"}
    transmit(configured)
    headers = token("administrator")
    rows = client.get("/api/v1/content-records", headers=headers).json()["items"]
    (refused,) = [row for row in rows if row["state"] == "rejected"]
    command = explain(refused["reason"]).next_step
    assert "`coursewire audit show`" in command
    assert refused["explanation"].endswith("The item's page has the LMS's words.")
    (told,) = client.get(
        f"/api/v1/configurations/{configured.uuid}/why", params={"item": "RiverU+C0001"}, headers=headers
    ).json()
    assert told["answer"]["reason"] == "rejected-before"
    assert "Try again" in told["answer"]["next_step"]
    assert "coursewire" not in told["answer"]["next_step"]
