"""The store of learners' ids: what is found, what a person says, and who waits."""

from __future__ import annotations

from uuid import UUID

import pytest

from coursewire.model.identity import BY_HAND, Identity, IdentityState
from coursewire.model.kinds import Kind
from coursewire.storage.audit.records import OutcomeRecord, OutcomeRecords
from coursewire.storage.identity_links import IdentityLinks

LINKED = Identity(IdentityState.LINKED, "7", "saml-acme", "only-provider")
UNMATCHED = Identity(IdentityState.UNMATCHED, None, "", "no-provider")


@pytest.fixture
def links(engine, new_configuration) -> IdentityLinks:
    return IdentityLinks(engine, new_configuration())


def test_what_was_found_comes_back_and_is_replaced(links, now):
    links.save({"ada": LINKED, "ben": UNMATCHED}, now=now)
    assert links.fetch(["ada", "ben", "cleo"]) == {"ada": LINKED, "ben": UNMATCHED}
    links.save({"ben": LINKED}, now=now)
    assert links.fetch(["ben"]) == {"ben": LINKED}
    links.save({}, now=now)
    assert links.fetch([]) == {}


def test_names_that_differ_in_capitals_are_two_learners(links, now):
    links.save({"ada": LINKED, "Ada": UNMATCHED}, now=now)
    assert links.fetch(["Ada"]) == {"Ada": UNMATCHED}


def test_what_a_person_said_stays_until_it_is_taken_back(links, now):
    links.save({"ada": UNMATCHED}, now=now)
    links.link("ada", "by-hand", now=now)
    links.save({"ada": UNMATCHED, "ben": LINKED}, now=now)
    made = Identity(IdentityState.LINKED, "by-hand", "", BY_HAND)
    assert links.fetch(["ada", "ben"]) == {"ada": made, "ben": LINKED}
    assert links.unlink("ada")
    assert not links.unlink("ada")
    assert not links.unlink("ben"), "nobody made that one by hand"


def test_configurations_keep_apart(engine, links, new_configuration, now):
    other = IdentityLinks(engine, new_configuration())
    links.link("ada", "1", now=now)
    assert other.fetch(["ada"]) == {}
    assert not other.unlink("ada")


def record(uuid: UUID, username: str, course: str, reason: str) -> OutcomeRecord:
    return OutcomeRecord(
        configuration=uuid,
        kind=Kind.COMPLETIONS.value,
        enrollment=f"{username}-{course}",
        course_key=course,
        username=username,
        reason=reason,
    )


def test_who_waits_for_an_id_and_how_many_outcomes_with_them(engine, new_configuration, now):
    uuid = new_configuration()
    links = IdentityLinks(engine, uuid)
    links.save({"ada": UNMATCHED, "cleo": LINKED}, now=now)
    OutcomeRecords(engine, uuid, Kind.COMPLETIONS).save(
        [
            record(uuid, "ada", "one", "learner-unmatched"),
            record(uuid, "ada", "two", "learner-unmatched"),
            record(uuid, "ben", "one", "not-complete"),
            record(uuid, "cleo", "one", "learner-ambiguous"),
        ],
        now=now,
    )
    ada, cleo = links.unmatched()
    assert ada == ("ada", "learner-unmatched", None, "", "no-provider", 2)
    assert cleo == ("cleo", "learner-ambiguous", "7", "saml-acme", "only-provider", 1)
    assert links.unmatched(limit=1) == [ada]
    assert links.unmatched(after="ada") == [cleo]
    assert IdentityLinks(engine, new_configuration()).unmatched() == []
