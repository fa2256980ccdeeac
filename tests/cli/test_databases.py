"""The whole way on every database that Coursewire works with."""

import pytest

from coursewire.operations import diagnosis
from coursewire.sources.sample import sample_bundle


@pytest.fixture
def on_database(bare, bare_database_url, monkeypatch):
    monkeypatch.setenv("COURSEWIRE_DATABASE_URL", bare_database_url)
    bare("init")
    bare("load", sample_bundle())
    return bare


def test_from_init_to_the_history_of_an_item(on_database, canvas, sap, monkeypatch):
    cli = on_database
    config = cli.add("CANVAS", canvas)
    cli.add("SAP", sap)
    assert cli("plan", "content", "--json").last["create"] > 40
    assert cli("transmit", "content", "--json").last["created"] == len(canvas.items) + len(sap.items)
    assert cli("transmit", "content", "--json").last["unchanged"] == len(canvas.items) + len(sap.items)
    assert all(row["present"] > 20 for row in cli("status", "--json").rows)
    shown = cli("audit", "show", "--config", config, "--item", "RiverU+BOAT101", "--json").last
    assert [row["result"] for row in shown["transmissions"]] == ["accepted"]
    assert cli("audit", "prune", "--json").last["deleted"] == {"transmission": 0, "job": 0}
    cli("doctor")
    assert cli("init", "--json").last["migrations"] == []


@pytest.mark.parametrize("bare_database_url", ["postgresql", "mariadb"], indirect=True)
def test_a_clock_that_differs_from_the_servers(on_database, monkeypatch):
    monkeypatch.setattr(diagnosis, "CLOCK_LIMIT_S", -1)
    assert "Synchronise" in on_database("doctor", status=1).out
