"""What only the embedded source knows of learners, and ending a membership."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from coursewire.sources.database import learners_of, linked_elsewhere, load_bundle, unlink
from coursewire.testing.database import count_statements

ACME = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"


@pytest.fixture
def loaded(engine: Engine, write_bundle: Any) -> Engine:
    """2,000 learners of one customer, every second of whom is also at another; "ada" has left the first."""

    def line(username: str, customer: str, linked: bool = True) -> dict[str, Any]:
        ids = {"saml-a": f"{username}-a", "saml-b": f"{username}-b"} if customer == ACME else {}
        return {
            "username": username,
            "customer": customer,
            "active": linked,
            "linked": linked,
            "remote_ids": ids,
        }

    learners = [line(f"u{number:04}", ACME) for number in range(2000)]
    learners += [line(f"u{number:04}", OTHER) for number in range(0, 2000, 2)]
    learners += [line("ada", ACME, linked=False), line("zoe", OTHER, linked=False)]
    bundle = write_bundle(
        customers=[{"uuid": uuid, "name": "C"} for uuid in (ACME, OTHER)], learners=learners
    )
    assert load_bundle(engine, bundle).refused == 0
    return engine


def test_learners_of_a_customer(loaded: Engine) -> None:
    with count_statements(loaded) as statements:
        found = learners_of(loaded, ACME)

    assert statements.count == 2
    assert [each.username for each in found] == sorted(each.username for each in found)
    assert len(found) == 2001
    assert found[0].model_dump() == {
        "username": "ada",
        "email": None,
        "active": False,
        "linked": False,
        "pending": False,
        "remote_ids": {"saml-a": "ada-a", "saml-b": "ada-b"},
    }
    assert learners_of(loaded, "nobody") == []


def test_who_is_linked_elsewhere(loaded: Engine) -> None:
    names = [f"u{number:04}" for number in range(2000)]
    with count_statements(loaded) as statements:
        found = linked_elsewhere(loaded, ACME, [*names, "zoe", "stranger"])

    assert statements.count == 3
    assert found == dict.fromkeys(names[::2], 1)
    assert linked_elsewhere(loaded, ACME, []) == {}


def test_unlinking(loaded: Engine) -> None:
    names = [f"u{number:04}" for number in range(1500)]
    with loaded.begin() as connection, count_statements(loaded) as statements:
        assert unlink(connection, ACME, [*names, "ada", "stranger"]) == 1500

    assert statements.count == 2
    here = {each.username: (each.linked, each.active) for each in learners_of(loaded, ACME)}
    assert {here[name] for name in names} == {(False, False)}
    assert sum(linked for linked, _ in here.values()) == 500
    assert sum(each.linked for each in learners_of(loaded, OTHER)) == 1000
    with loaded.begin() as connection:
        assert unlink(connection, ACME, names) == 0
