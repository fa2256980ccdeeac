"""Both sources give the same answers to the same questions."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import QueuePool, create_engine, text, update

from coursewire.errors import SourceError
from coursewire.model.content import Catalog
from coursewire.sources.base import Answer, Source
from coursewire.sources.bundle_source import BundleSource
from coursewire.sources.database import DatabaseSource, load_bundle
from coursewire.storage.tables.source import source_content

ACME = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
OLD = "99999999-3333-4333-8333-333333333333"
NEW = "00000000-4444-4444-8444-444444444444"
BAD = "55555555-5555-4555-8555-555555555555"

CUSTOMERS = [
    {
        "uuid": ACME,
        "name": "Acme",
        "slug": "acme",
        "country": "DE",
        "enable_data_sharing_consent": True,
        "enforce_data_sharing_consent": "externally_managed",
        "enable_audit_enrollment": True,
        "identity_providers": [{"provider_id": "saml-b"}, {"provider_id": "saml-a", "default": True}],
    },
    {"uuid": OTHER, "name": "Other", "active": False},
]
CATALOGS = [
    {
        "uuid": OLD,
        "customer": ACME,
        "title": "Alt",
        "modified": "2026-03-01T02:00:00+02:00",
        "content_keys": ["C", "a", "waiting", "B"],
    },
    {"uuid": NEW, "customer": ACME, "content_keys": []},
    {"uuid": BAD, "customer": ACME},
]
CONTENT = [{"key": key, "content_type": "course", "title": f"Title {key} ü"} for key in ("a", "B", "C", "A")]


@pytest.fixture(params=["database", "bundle"])
def source(request, engine, write_bundle) -> Source:
    folder = write_bundle(customers=CUSTOMERS, catalogs=CATALOGS, content=[*CONTENT, {"key": "no type"}])
    if request.param == "bundle":
        return BundleSource(folder)
    assert load_bundle(engine, folder).refused == 2
    return DatabaseSource(engine)


def ask(question):
    return asyncio.run(question)


async def pages(source, keys, **options):
    found = [[item.content_key for item in page] async for page in source.content(keys, **options)]
    await source.aclose()
    return found


def test_customers(source):
    acme = ask(source.customer(ACME))
    assert (acme.name, acme.slug, acme.country, acme.active) == ("Acme", "acme", "DE", True)
    assert acme.enable_data_sharing_consent
    assert acme.enforce_data_sharing_consent == "externally_managed"
    assert (acme.enable_audit_enrollment, acme.enable_audit_data_reporting) == (True, False)
    assert [(one.provider_id, one.default) for one in acme.identity_providers] == [
        ("saml-b", False),
        ("saml-a", True),
    ]
    assert ask(source.customer(OTHER)).active is False
    assert ask(source.customer(BAD)) is None


def test_catalogs_come_in_the_order_of_their_first_load(source):
    old, new = ask(source.catalogs(ACME))
    assert (old.uuid, old.title, old.customer) == (OLD, "Alt", ACME)
    assert old.modified == datetime(2026, 3, 1, tzinfo=UTC)
    assert (new.uuid, new.title, new.modified) == (NEW, "", None)
    assert ask(source.catalogs(OTHER)) == []


def test_a_diff_names_everything_with_its_version(source):
    diff = ask(source.diff(Catalog(uuid=OLD, customer=ACME), {}))
    assert diff.answer is Answer.COMPLETE
    assert list(diff.present) == ["B", "C", "a", "waiting"]
    versions = {key: version for key, version in diff.present.items() if version}
    assert set(versions) == {"a", "B", "C"}
    assert len(set(versions.values())) == 3
    assert diff.present["waiting"] == ""


def test_an_empty_catalog_is_complete_and_an_unknown_one_has_failed(source):
    empty = ask(source.diff(Catalog(uuid=NEW, customer=ACME), {"a": "1"}))
    assert (empty.answer, dict(empty.present)) == (Answer.COMPLETE, {})
    unknown = ask(source.diff(Catalog(uuid=BAD, customer=ACME), {"a": "1"}))
    assert (unknown.answer, dict(unknown.present)) == (Answer.FAILED, {})
    assert unknown.reason


def test_content_comes_in_the_order_asked_for_and_in_pages(source):
    assert ask(pages(source, ["C", "A", "gone", "a", "B"])) == [["C", "A", "a", "B"]]
    assert ask(pages(source, ["C", "A", "gone", "a", "B"], page_items=2)) == [["C", "A"], ["a"], ["B"]]
    assert ask(pages(source, ["gone"])) == []
    assert ask(pages(source, [])) == []


def test_both_sources_see_the_same_versions(engine, write_bundle):
    folder = write_bundle(customers=CUSTOMERS, catalogs=CATALOGS, content=CONTENT)
    load_bundle(engine, folder)
    catalog = Catalog(uuid=OLD, customer=ACME)
    first, second = (ask(one.diff(catalog, {})) for one in (DatabaseSource(engine), BundleSource(folder)))
    assert first == second


# -- the embedded source ---------------------------------------------------------------------------


def test_more_keys_than_a_statement_takes(engine, write_bundle):
    keys = [f"K{number:04}" for number in range(2100)]
    load_bundle(engine, write_bundle(content=[{"key": key, "content_type": "course"} for key in keys]))
    wanted = keys[::-1]
    assert ask(pages(DatabaseSource(engine), wanted, page_items=2000)) == [wanted[:2000], wanted[2000:]]


def test_a_changed_item_has_another_version_and_the_others_keep_theirs(engine, write_bundle):
    source, catalog = DatabaseSource(engine), Catalog(uuid=OLD, customer=ACME)
    load_bundle(engine, write_bundle(customers=CUSTOMERS, catalogs=CATALOGS, content=CONTENT))
    before = ask(source.diff(catalog, {})).present
    load_bundle(engine, write_bundle(content=[{**CONTENT[0], "outcome": "new"}, *CONTENT[1:]]))
    after = ask(source.diff(catalog, before)).present
    assert {key for key in before if before[key] != after[key]} == {"a"}


def test_an_item_that_cannot_be_read_is_left_out_and_logged(engine, write_bundle, caplog):
    load_bundle(engine, write_bundle(content=CONTENT))
    broken = json.dumps({"content_type": "course", "key": "B", "course_runs": "none"})
    with engine.begin() as connection:
        connection.execute(
            update(source_content).where(source_content.c.content_key == "B").values(data=broken)
        )
    assert ask(pages(DatabaseSource(engine), ["a", "B", "C"])) == [["a", "C"]]
    assert "content B cannot be read and is left out: field course_runs" in caplog.text


def test_a_database_that_fails(engine):
    source = DatabaseSource(engine)
    with engine.begin() as connection:
        for name in ("source_catalog_item", "source_catalog", "source_course_run", "source_content"):
            connection.execute(text(f"DROP TABLE {name}"))
    catalog = Catalog(uuid=OLD, customer=ACME)
    diff = ask(source.diff(catalog, {}))
    assert diff.answer is Answer.FAILED
    assert "no such table: source_catalog_item" in diff.reason
    assert "SELECT" not in diff.reason
    with pytest.raises(SourceError, match=r"could not read the catalogs .*no such table.* coursewire doctor"):
        ask(source.catalogs(ACME))
    with pytest.raises(SourceError, match="could not read the content"):
        ask(pages(source, ["a"]))


def test_a_database_without_a_free_connection(tmp_path):
    engine = create_engine(
        f"sqlite:///{tmp_path / 'busy.db'}",
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=0,
    )
    with engine.connect(), pytest.raises(SourceError, match="QueuePool limit"):
        ask(DatabaseSource(engine).customer(ACME))
    engine.dispose()


# -- the bundle as a source ------------------------------------------------------------------------


def test_a_bundle_tells_its_keys_and_its_refused_lines(write_bundle):
    source = BundleSource(write_bundle(content=[*CONTENT, b"{"], catalogs=CATALOGS))
    assert ask(source.keys()) == ["a", "B", "C", "A"]
    assert [(problem.file, problem.line) for problem in ask(source.problems())] == [
        ("content.jsonl", 5),
        ("catalogs.jsonl", 3),
    ]


def test_a_bundle_that_cannot_be_read(write_bundle, tmp_path):
    folder = write_bundle(content=CONTENT)
    (folder / "catalogs.jsonl").mkdir()
    source = BundleSource(folder)
    with pytest.raises(SourceError, match=r"cannot be read .*catalogs\.jsonl"):
        ask(source.catalogs(ACME))
    assert ask(source.diff(Catalog(uuid=OLD, customer=ACME), {})).answer is Answer.FAILED


def test_a_bundle_that_changes_under_the_source(write_bundle):
    source = BundleSource(write_bundle(content=CONTENT))
    assert ask(source.keys())
    write_bundle(content=[b"{"])
    with pytest.raises(SourceError, match="changed while it was read"):
        ask(pages(source, ["a"]))
