"""The simulated store refuses what a strict store refuses."""

from __future__ import annotations

import copy

import httpx
import pytest

HEADERS = {"X-Experience-API-Version": "1.0.3"}
ID = "dd3a8828-b8da-5f73-949b-9b6efde20e67"
GOOD = {
    "id": ID,
    "actor": {"objectType": "Agent", "account": {"homePage": "https://idp.example.com", "name": "E-1"}},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/completed", "display": {"en": "completed"}},
    "object": {
        "objectType": "Activity",
        "id": "https://learn.example.org/a",
        "definition": {"name": {"en": "A"}},
    },
    "result": {
        "score": {"scaled": 0.5, "raw": 50, "min": 0, "max": 100},
        "success": True,
        "duration": "PT1H",
    },
    "context": {"registration": "aa284f77-8d84-5733-bfa8-335d7ba58f95", "language": "en"},
    "timestamp": "2026-01-12T08:30:00.000Z",
}


@pytest.fixture
def ask(store):
    def call(method: str, path: str = "/statements", **options):
        options = {"headers": HEADERS, "auth": (store.key, store.secret)} | options
        return httpx.request(method, f"{store.url}/xAPI{path}", **options)

    return call


def changed(path: str, value):
    statement = copy.deepcopy(GOOD)
    place = statement
    *way, last = path.split(".")
    for step in way:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return statement


def test_a_good_one(ask, store):
    answer = ask("POST", json=[GOOD])
    assert (answer.status_code, answer.json()) == (200, [ID])
    assert answer.headers["X-Experience-API-Version"] == "1.0.3"
    assert ask("GET", params={"statementId": ID}).json()["result"] == GOOD["result"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("actor", ...), ("verb", ...), ("object", ...), ("surplus", 1), ("id", "no-uuid"), ("id", None),
        ("actor.mbox", "mailto:a@example.com"), ("actor.account", ...), ("actor.account.name", ""),
        ("actor.account.homePage", "idp"), ("actor", {"mbox": "mailto:"}), ("actor", {"mbox": "mailto:None"}),
        ("actor", {"mbox": "a@example.com"}), ("actor", {"mbox_sha1sum": "abc"}), ("actor.surplus", 1),
        ("verb.id", "completed"), ("verb.display", {"english!": "x"}), ("verb.display", "completed"),
        ("object.id", "learn.example.org/a"), ("object.definition.type", "course"), ("object.surplus", 1),
        ("object.definition.extensions", {"key": 1}), ("object.definition.name", {"en": 5}),
        ("result.score.scaled", 1.0000001), ("result.score.scaled", "0.5"), ("result.score.raw", 101),
        ("result.success", 1), ("result.duration", "P4W1D"), ("result.duration", "1h"), ("result.surplus", 1),
        ("context.registration", "1"), ("context.language", "english language"), ("context.surplus", 1),
        ("context.contextActivities", {"grouping": [{"id": "x"}]}), ("context.platform", None),
        ("timestamp", "2026-01-12T08:30:00"), ("timestamp", "yesterday"), ("timestamp", "2999-01-01T00:00:00Z"),
        ("version", "2.0.0"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_and_nothing_is_kept(ask, store, path, value):
    answer = ask("POST", json=[{**GOOD, "id": "1dc1eb06-1df3-5d55-ad1f-68bef76ed11f"}, changed(path, value)])
    assert answer.status_code == 400
    assert answer.json()["warnings"]
    assert not store.outcomes


def test_a_statement_must_be_an_object(ask):
    assert ask("POST", json=["text"]).status_code == 400
    assert ask("POST", content=b"{").status_code == 400


class TestTheDoor:
    def test_credentials(self, ask):
        assert ask("POST", json=[GOOD], auth=("coursewire", "wrong")).status_code == 401
        assert ask("POST", json=[GOOD], auth=None).status_code == 401

    @pytest.mark.parametrize("version", ["", "1.1.0", "2.0.0", "0.95"])
    def test_versions(self, ask, version):
        assert ask("POST", json=[GOOD], headers={"X-Experience-API-Version": version}).status_code == 400

    def test_rights(self, ask, store):
        store.scopes = "statements/read"
        assert ask("POST", json=[GOOD]).status_code == 403
        assert ask("GET").status_code == 200

    def test_size(self, ask, store):
        store.largest_body = 10
        assert ask("POST", json=[GOOD]).status_code == 413

    def test_parameters(self, ask):
        assert ask("GET", params={"statementid": ID}).status_code == 400
        assert ask("POST", params={"method": "GET"}, json=[]).status_code == 400

    def test_about_needs_nothing(self, ask, store):
        assert ask("GET", "/about", auth=None, headers={}).json() == {
            "version": ["1.0.0", "1.0.1", "1.0.2", "1.0.3"]
        }


class TestIds:
    def test_the_same_again(self, ask, store):
        assert [ask("POST", json=[GOOD]).status_code for _ in range(2)] == [200, 200]
        assert store.arrivals == {ID: 1}

    @pytest.mark.parametrize(
        ("path", "value"), [("verb.display", {"en": "x"}), ("timestamp", "2026-01-12T09:30:00+01:00")]
    )
    def test_any_difference_is_a_conflict(self, ask, path, value):
        ask("POST", json=[GOOD])
        assert ask("POST", json=[changed(path, value)]).status_code == 409

    def test_twice_in_an_array(self, ask, store):
        assert ask("POST", json=[GOOD, GOOD]).status_code == 400
        assert not store.outcomes

    def test_stores_that_name_what_is_new(self, ask, store):
        store.names_new_only = True
        other = {**GOOD, "id": "1dc1eb06-1df3-5d55-ad1f-68bef76ed11f"}
        assert ask("POST", json=[GOOD]).json() == [ID]
        assert ask("POST", json=[GOOD, other]).json() == [other["id"]]
        assert ask("POST", json=[GOOD, other]).status_code == 204

    def test_put(self, ask):
        assert ask("PUT", params={"statementId": ID}, json=GOOD).status_code == 204
        assert (
            ask("PUT", params={"statementId": "1dc1eb06-1df3-5d55-ad1f-68bef76ed11f"}, json=GOOD).status_code
            == 400
        )


VOID = {
    "id": "2dc1eb06-1df3-5d55-ad1f-68bef76ed11f",
    "actor": GOOD["actor"],
    "verb": {"id": "http://adlnet.gov/expapi/verbs/voided"},
    "object": {"objectType": "StatementRef", "id": ID},
}


class TestVoiding:
    def test_it_hides_the_statement(self, ask):
        ask("POST", json=[GOOD, VOID])
        assert ask("GET", params={"statementId": ID}).status_code == 404
        assert ask("GET", params={"voidedStatementId": ID}).status_code == 200
        shown = ask("GET").json()["statements"]
        assert [each["id"] for each in shown] == [VOID["id"]]

    def test_a_voiding_statement_is_not_voided(self, ask, store):
        again = {**VOID, "id": "3dc1eb06-1df3-5d55-ad1f-68bef76ed11f"}
        again["object"] = {"objectType": "StatementRef", "id": VOID["id"]}
        ask("POST", json=[GOOD, VOID])
        ask("POST", json=[again])
        assert store.voided == {ID}

    def test_sent_again_it_stays_hidden(self, ask):
        ask("POST", json=[GOOD, VOID])
        assert ask("POST", json=[GOOD]).status_code == 200
        assert ask("GET", params={"statementId": ID}).status_code == 404


def test_pages_and_filters(ask, store):
    store.page_rows = 2
    for number in range(5):
        ask("POST", json=[{**GOOD, "id": f"{number}dc1eb06-1df3-5d55-ad1f-68bef76ed11f"}])
    found, more = [], f"{store.url}/xAPI/statements"
    while more:
        page = httpx.get(more, headers=HEADERS, auth=(store.key, store.secret)).json()
        found += page["statements"]
        more = store.url + page["more"] if page["more"] else ""
    assert [each["id"][0] for each in found] == ["4", "3", "2", "1", "0"]
    for params in ({"verb": "http://adlnet.gov/expapi/verbs/failed"}, {"activity": "https://x.example"}):
        assert ask("GET", params=params).json()["statements"] == []
    assert len(ask("GET", params={"registration": GOOD["context"]["registration"]}).json()["statements"]) == 2


def test_forgetting(ask, store):
    ask("POST", json=[GOOD])
    store.reset()
    assert (store.outcomes, store.voided, store.arrivals) == ({}, set(), {})
