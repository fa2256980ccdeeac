"""The sample holds the oddities that it promises."""

from __future__ import annotations

import pytest

from coursewire.model.content import ContentType
from coursewire.model.identity import EMPLOYEE_ID
from coursewire.model.results import ConsentState
from coursewire.sources.bundle import ROW_MODELS, Bundle, Problem
from coursewire.sources.sample import sample_bundle


@pytest.fixture(scope="module")
def sample():
    bundle = Bundle(sample_bundle())
    rows = {name: [row for _, row in bundle.rows(name)] for name in ROW_MODELS}
    assert not [row for many in rows.values() for row in many if isinstance(row, Problem)]
    return rows


def test_content(sample):
    items = [row.item for row in sample["content"]]
    courses = [item for item in items if item.content_type is ContentType.COURSE]
    runs = [run for item in courses for run in item.course_runs]
    assert len(courses) >= 24
    assert {item.content_type for item in items} == set(ContentType)
    assert len({run.content_language for run in runs}) >= 4
    assert any(item.image_url is None for item in courses)
    assert any(item.full_description is None for item in courses)
    assert any("&ldquo;" in (item.full_description or "") for item in courses)
    assert any(not item.course_runs for item in courses)
    assert any(len(item.course_runs) > 2 for item in courses)
    assert {"Archived", "Current", "Upcoming"} <= {run.availability for run in runs}
    assert any(run.status == "unpublished" for run in runs)
    assert any(run.start and not run.end for run in runs)


def test_learners_and_results(sample):
    learners = sample["learners"]
    assert any(not one.remote_ids and one.active and one.linked for one in learners)
    assert any(not one.linked for one in learners)
    assert any(not one.active for one in learners)
    assert any(one.email is None for one in learners)
    assert any(one.pending for one in learners)
    assert any(EMPLOYEE_ID in one.remote_ids for one in learners)
    assert {one.consent_state for one in sample["enrollments"]} == set(ConsentState)
    assert any(one.license_state for one in sample["enrollments"])
    assert any(one.unenrolled_at for one in sample["enrollments"])
    assert {one.mode for one in sample["enrollments"]} >= {"verified", "audit", "honor", "professional"}
    percents = [one.percent for one in sample["grades"]]
    assert None in percents
    assert 0 in [percent for percent in percents if percent is not None]
    assert 1 in [percent for percent in percents if percent is not None]
    assert any(one.is_passing is False for one in sample["certificates"])


def test_catalogs_overlap(sample):
    sets = [set(one.content_keys) for one in sample["catalogs"]]
    assert len(sample["customers"]) == 2
    assert len(sets) == 3
    assert all(sets[0] & other for other in sets[1:])
    assert sets[1] & sets[2]
