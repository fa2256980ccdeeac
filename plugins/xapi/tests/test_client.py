"""What the store's answers mean, where the jobs of ``test_behaviours.py`` do not show it; and the look at a connection."""

from __future__ import annotations

import pytest

from coursewire.errors import BlockedError, CredentialsError, SendError
from coursewire.testing.misbehave import Misbehaviour
from coursewire_xapi.held import Held, follow

A, B = "dd3a8828-b8da-5f73-949b-9b6efde20e67", "1dc1eb06-1df3-5d55-ad1f-68bef76ed11f"


class TestWhatIsHeld:
    def test_the_first_is_known_by_its_id_alone(self):
        first = follow(None, A)
        assert (first.written(), first.statement) == (A, A)
        assert Held.read(first.written()) == first

    def test_the_same_fact_is_the_same_statement(self):
        first = follow(None, A)
        assert follow(first, A) == first
        second = follow(first, B)
        assert follow(second, B) == second

    def test_the_second_has_the_id_of_its_fact_and_is_marked(self):
        second = follow(follow(None, A), B)
        assert (second.statement, second.written()) == (B, f"{B} {B}")
        assert Held.read(second.written()) == second

    def test_a_fact_that_comes_back_has_another_id(self):
        third = follow(follow(follow(None, A), B), A)
        assert third.statement not in (A, B)
        assert follow(follow(follow(None, A), B), A) == third

    def test_after_voiding_every_fact_has_another_id(self):
        voided = Held(B, None)
        assert Held.read(voided.written()) == voided
        assert follow(voided, A).statement != A

    def test_nothing(self):
        assert Held.read(None) is Held.read("") is None

    def test_it_fits_its_column(self):
        assert len(Held(A, B).written()) < 255


class TestAnswers:
    @pytest.mark.parametrize("status", ["403", "404"])
    def test_what_no_statement_can_mend_stops_the_configuration_and_marks_no_statement(
        self, world, store, status
    ):
        world.students(2)
        config = store.sample_config()
        if status == "403":
            store.scopes = "statements/read"
        else:
            config["endpoint"] += "/wrong"
        uuid = world.configure(config)
        summary = world.completions(uuid)
        assert dict(summary.failed) == {}
        assert summary.waiting == {"configuration-refused": 2}
        row = world.rows()[0]
        assert (row["state"], row["reason"]) == ("planned", "configuration-refused")
        assert status in row["message"]
        assert summary.requests == 1

    def test_a_right_to_read_is_needed_for_conflicts_alone(self, world, store):
        world.student()
        store.scopes = "statements/write"
        assert world.completions(world.configure(store.sample_config())).done["created"] == 1

    def test_a_statement_that_was_voided_at_the_store_is_a_conflict(self, world, store):
        world.student()
        world.completions(world.configure(store.sample_config()))
        (name,) = store.outcomes
        store.voided.add(name)
        content = dict(next(iter(world.files["content"].values())), title="Renamed")
        world.load(content=[content])
        summary = world.completions(world.configure(store.sample_config()))
        assert dict(summary.failed) == {"conflict": 1}
        assert "was voided at the store" in str(world.rows())

    def test_a_completion_is_taken_back_of_which_nothing_is_known(self, world, store):
        """Somebody has emptied the record's remote id."""
        world.student()
        uuid = world.configure(store.sample_config())
        world.completions(uuid)
        with world.installation.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE outcome_record SET remote_id = NULL")
        world.grade(passed=False)
        assert dict(world.completions(uuid).failed) == {"nothing-to-void": 1}

    def test_one_array_carries_corrections_and_news(self, world, store):
        world.students(3)
        uuid = world.configure(store.sample_config())
        world.completions(uuid)
        world.grade("s000", 0.95)
        world.grade("s001", passed=False)
        world.student("new")
        summary = world.completions(uuid)
        assert (summary.done["updated"], summary.done["created"]) == (2, 1)
        assert len(store.standing) == 3 - 2 + 1 + 1 + 2  # two voided, one corrected, one new, two voidings


class TestTheConnection:
    def test_it_works(self, world, store):
        said = world.check(world.configure(store.sample_config()))
        assert said == [
            "The store knows xAPI 1.0.0, 1.0.1, 1.0.2, 1.0.3; requests announce 1.0.3.",
            "The credentials may read statements.",
            "The credentials may write statements.",
        ]
        assert not store.outcomes

    def test_a_store_that_names_no_versions(self, world, store):
        store.versions = ""
        assert "does not say" in world.check(world.configure(store.sample_config()))[0]

    def test_the_highest_version_that_both_know_is_named(self, world, store):
        with pytest.raises(BlockedError, match=r"Set version to 1\.0\.3"):
            world.check(world.configure(store.sample_config(), version="2.0.0"))
        store.versions = "1.0.3 2.0.0"
        assert world.check(world.configure(store.sample_config(), version="2.0.0"))
        store.versions = "2.0.0"
        with pytest.raises(BlockedError, match=r"Set version to 2\.0\.0"):
            world.check(world.configure(store.sample_config()))
        store.versions = "0.95"
        with pytest.raises(BlockedError, match=r"knows xAPI 1\.0 or 2\.0"):
            world.check(world.configure(store.sample_config()))

    @pytest.mark.parametrize("scope", ["statements/read", "statements/write"])
    def test_each_missing_right_is_named(self, world, store, scope):
        store.scopes = scope
        with pytest.raises(BlockedError, match="statements/write, and statements/read/mine"):
            world.check(world.configure(store.sample_config()))

    def test_a_wrong_address(self, world, store):
        config = store.sample_config()
        with pytest.raises(BlockedError, match="the part before /statements"):
            world.check(world.configure({**config, "endpoint": f"{config['endpoint']}/lrs"}))

    def test_wrong_credentials(self, world, store):
        with pytest.raises(CredentialsError):
            world.check(world.configure(store.sample_config(), secret="another"))

    @pytest.mark.parametrize(
        "name", ["HTML error page", "200 with error body", "empty answer", "expired token"]
    )
    def test_what_answers_is_no_store(self, world, store, name):
        store.misbehave.append(Misbehaviour(name, times=None))
        with pytest.raises(SendError):
            world.check(world.configure(store.sample_config()))
