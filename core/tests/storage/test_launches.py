"""Launches of learners from an LMS, and keys that were imported, on every database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from coursewire.configurations.rotation import rotate
from coursewire.configurations.secrets import SecretBox, new_key
from coursewire.model.identity import Identity, IdentityState
from coursewire.model.inbound import InboundRefusal, Launch
from coursewire.storage.identity_links import IdentityLinks
from coursewire.storage.key_map import KeyMap
from coursewire.storage.launches import Launches
from coursewire.storage.tables.records import launch, outcome_record


@pytest.fixture
def key():
    return new_key()


@pytest.fixture
def store(engine, new_configuration, key):
    return Launches(engine, SecretBox([key]), new_configuration())


def brought(now, name="ada", course="A+B", *, minutes=0, **changes):
    usual = {
        "username": name,
        "course_key": course,
        "remote_id": f"guid-{name}",
        "callback": "/api/v1",
        "token": f"token-{name}-{minutes}",
        "received_at": now + timedelta(minutes=minutes),
    }
    return Launch(**{**usual, **changes})


def test_the_newest_serves_for_all_but_for_those_who_are_called_back_elsewhere(store, now):
    assert store.newest() is None
    store.save(brought(now, "ada"))
    store.save(brought(now, "bob", minutes=1, callback="/other"))
    store.save(brought(now, "bob", "C+D", minutes=2, callback="/older"))
    store.save(brought(now, "cleo", minutes=3))

    newest = store.newest()

    assert newest.launch.token == "token-cleo-3"
    assert newest.callbacks == {"guid-bob": "/older"}
    assert [each.course_key for each in store.of("bob")] == ["C+D", "A+B"]
    assert store.received_at() == now + timedelta(minutes=3)


def test_a_second_arrival_replaces_the_first(store, now):
    store.save(brought(now))
    store.save(brought(now, minutes=5))

    assert [each.token for each in store.of("ada")] == ["token-ada-5"]


def test_tokens_are_encrypted_and_take_a_new_key(engine, store, now, key):
    for name in ("ada", "Ada", "bob"):
        for course in ("A+B", "A+C"):
            store.save(brought(now, name, course))
    new = new_key()

    first = rotate(engine, SecretBox([new, key]), batch_size=2)
    second = rotate(engine, SecretBox([new, key]), batch_size=2)

    assert (first.renewed, first.current, first.unreadable) == (6, 0, ())
    assert (second.renewed, second.current) == (0, 6)
    with engine.connect() as connection:
        box = SecretBox([new])
        tokens = [box.decrypt(bytes(each)) for each in connection.scalars(select(launch.c.ciphertext))]
    assert sorted(tokens) == [b"token-Ada-0"] * 2 + [b"token-ada-0"] * 2 + [b"token-bob-0"] * 2


def test_an_arrival_links_the_learner_and_is_not_undone_by_a_look_that_found_nothing(engine, store, now):
    store.save(brought(now))
    links = IdentityLinks(engine, store._configuration)

    links.save({"ada": Identity(IdentityState.UNMATCHED, None, "", "no-launch")}, now=now)

    assert links.fetch(["ada"])["ada"] == Identity(IdentityState.LINKED, "guid-ada", "", "launch")
    links.link("ada", "by-hand-id", now=now)
    store.save(brought(now, minutes=1))
    assert links.fetch(["ada"])["ada"].value == "by-hand-id"


def test_an_arrival_lets_go_what_waited_for_a_token(engine, store, now):
    with engine.begin() as connection:
        for reason in ("launch-needed", "lms-error"):
            connection.execute(
                insert(outcome_record).values(
                    configuration=store._configuration,
                    outcome_key=reason,
                    kind="completions",
                    enrollment=reason,
                    course_key="A+B",
                    subsection="",
                    username="ada",
                    state="failed",
                    present=False,
                    remote_key="g",
                    attempts=3,
                    not_before_at=now,
                    reason=reason,
                    created_at=now,
                    updated_at=now,
                )
            )
    store.save(brought(now))

    with engine.connect() as connection:
        rows = {row.reason: row.not_before_at for row in connection.execute(select(outcome_record))}
    assert rows == {"launch-needed": None, "lms-error": now}


@pytest.mark.parametrize(
    "changes",
    [
        {"course_key": ""},
        {"course_key": "x" * 256},
        {"remote_id": ""},
        {"token": ""},
        {"token": "x" * 4001},
        {"callback": ""},
        {"callback": "//evil.example.net"},
        {"callback": "/" + "x" * 300},
    ],
)
def test_what_cannot_be_stored_is_refused(now, changes):
    with pytest.raises(InboundRefusal) as refusal:
        brought(now, **changes).check()

    assert refusal.value.status == 400
    assert "token-ada" not in str(refusal.value)


def test_imported_keys_are_unique_both_ways(engine, new_configuration):
    keys = KeyMap(engine, new_configuration(), remote_keys="[a-z]{1,5}")

    assert keys.add({"A": "one", "B": "two", "C": "one", "D": "x y", "E": ""}).refused.keys() == {
        "C",
        "D",
        "E",
    }
    again = keys.add({"A": "one", "B": "three", "F": "two"})

    assert (again.added, again.known) == (0, 1)
    assert again.refused == {"B": "it is known at the LMS as two", "F": "two is the key of B"}
    assert KeyMap(engine, new_configuration()).add({"A": "one"}).added == 1
    assert keys.fetch(["A", "B", "C"]) == {"A": "one", "B": "two"}
