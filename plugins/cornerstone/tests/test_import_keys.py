"""Ids that a portal knows from an earlier system."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from coursewire.errors import ConfigurationError
from coursewire.operations.key_import import read_pairs
from coursewire.storage.key_map import KeyMap
from coursewire_cornerstone import plugin
from coursewire_cornerstone.simulator import CornerstoneSimulator

from .conftest import World

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

OLD = "T3JjaGFyZFgrQ1MyMTA"


def test_an_imported_id_stays_and_all_others_are_made(world: World, portal: CornerstoneSimulator) -> None:
    world.course("OrchardX+CS210")
    world.course("OrchardX+CS211")
    world.enroll("ada", "OrchardX+CS210")
    world.load()
    configuration = world.configure()
    keys = KeyMap(world.engine, configuration.uuid)
    assert keys.add({"OrchardX+CS210": OLD}).added == 1
    assert keys.add({"OrchardX+CS210": OLD}).known == 1
    world.offer(configuration)
    world.fetch()

    assert portal.items[OLD]["Title"] == "Course OrchardX+CS210"
    assert sorted(map(len, portal.items)) == [len(OLD), 36]
    assert world.report(configuration).done == {"created": 1}
    assert portal.seen[-1].body["learningObjectId"] == OLD
    world.course("OrchardX+CS210", title="Better")
    world.load()
    world.offer(configuration)
    world.fetch()
    assert portal.items[OLD]["Title"] == "Better"


def test_a_mapping_that_cannot_hold_is_refused(world: World) -> None:
    world.course("OrchardX+CS210")
    world.load()
    configuration = world.configure()
    keys = KeyMap(world.engine, configuration.uuid, plugin.CHANNEL.capabilities.remote_keys)
    world.offer(configuration)
    keys.add({"A+B": "one"})

    report = keys.add(
        {
            "OrchardX+CS210": OLD,
            "A+B": "two",
            "C+D": "one",
            "E+F": "",
            "G+H": "fine",
            "I+J": "fine",
            "K+L": "c d",
            "M+N": "x" * 51,
        }
    )

    assert report.added == 1
    assert "known at the LMS as" in report.refused["OrchardX+CS210"]
    assert report.refused["A+B"] == "it is known at the LMS as one"
    assert report.refused["C+D"] == "one is the key of A+B"
    assert report.refused["I+J"] == "fine is the key of G+H"
    assert {"E+F", "K+L", "M+N"} <= report.refused.keys()
    assert report.refused["K+L"] == "the LMS does not take 'c d' as a key"
    assert keys.fetch(["A+B", "G+H", "C+D"]) == {"A+B": "one", "G+H": "fine"}


def test_reading_a_file(tmp_path: Path, world: World) -> None:
    file = tmp_path / "keys.csv"
    lines = ["\ufeffinternal_course_id,external_course_id", "A+B,ab", "A+B,other", "G&H, g-h ", "A+B,ab"]
    file.write_text("\r\n".join(lines), encoding="utf-8")

    pairs, refused = read_pairs(file)

    assert pairs == {"A+B": "ab", "G&H": "g-h"}
    assert [line.partition(":")[0] for line in refused] == ["line 3"]
    file.write_text("ours,theirs\n")
    with pytest.raises(ConfigurationError) as refusal:
        read_pairs(file)
    assert "internal_course_id" in str(refusal.value)
    with pytest.raises(ConfigurationError):
        read_pairs(tmp_path / "nothing.csv")


def test_an_id_once_given_stays_even_if_the_rule_changes(
    world: World, monkeypatch: pytest.MonkeyPatch, portal: CornerstoneSimulator
) -> None:
    world.course("OrchardX+CS210")
    world.load()
    configuration = world.configure()
    world.offer(configuration)
    world.fetch()
    (given,) = portal.items
    monkeypatch.setattr("coursewire_cornerstone.content.KEYS", uuid.UUID(int=7))
    world.course("OrchardX+CS210", title="Better")
    world.course("OrchardX+CS211")
    world.load()
    world.offer(configuration)
    world.fetch()

    assert set(portal.items) == {given, str(uuid.uuid5(uuid.UUID(int=7), "OrchardX+CS211"))}
    assert portal.items[given]["Title"] == "Better"
