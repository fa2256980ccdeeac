"""The cache of course details: presence counts, failures do what the API promises."""

from __future__ import annotations

import logging

import pytest

from coursewire.enrollment import MISSING, EnrollmentApi, MemoryCache
from coursewire.enrollment.errors import CourseEnrollmentError

SOIL = "course-v1:FarmU+SOIL101+2026_T1"

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Unreadable(MemoryCache):
    def get(self, key):
        raise ConnectionError("cache.internal is down")


class Unwritable(MemoryCache):
    def set(self, key, value, timeout_s):
        raise ConnectionError("cache.internal is down")


class Holding(MemoryCache):
    """Has the same value under every key."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def get(self, key):
        return self.value


@pytest.fixture
def api_with(engine, world, settings, clock):
    return lambda cache: EnrollmentApi(engine, settings, clock=clock, cache=cache)


@on_sqlite
def test_a_cache_that_cannot_be_read_is_a_miss(api_with, caplog):
    assert api_with(Unreadable()).get_course_enrollment_details(SOIL)["course_id"] == SOIL
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "could not be read" in record.getMessage()


@on_sqlite
def test_a_cache_that_cannot_be_written_is_an_error(api_with, caplog):
    with pytest.raises(CourseEnrollmentError, match=r"could not be written \(.*ConnectionError"):
        api_with(Unwritable()).get_course_enrollment_details(SOIL)
    assert "could not be written" in caplog.text


@on_sqlite
@pytest.mark.parametrize("value", [{}, []])
def test_an_empty_value_is_a_value(api_with, value):
    assert api_with(Holding(value)).get_course_enrollment_details(SOIL) == value


@on_sqlite
def test_none_is_what_the_caches_of_hosts_answer_for_nothing(api_with):
    assert api_with(Holding(None)).get_course_enrollment_details(SOIL)["course_id"] == SOIL


@on_sqlite
def test_a_django_cache_is_a_cache(api_with):
    locmem = pytest.importorskip("django.core.cache.backends.locmem", reason="Django is a developer's tool")
    api = api_with(locmem.LocMemCache("course details", {}))
    first = api.get_course_enrollment_details(SOIL)
    assert first["course_id"] == SOIL
    assert api.get_course_enrollment_details(SOIL) == first


@on_sqlite
def test_two_apis_share_a_cache(api_with, clock):
    cache = MemoryCache(clock)
    first = api_with(cache).get_course_enrollment_details(SOIL)
    key = f"enrollment.course.details.database.{SOIL}.False"
    assert cache.get(key) == first
    assert cache.get(f"enrollment.course.details.database.{SOIL}.True") is MISSING


def test_the_oldest_entry_goes_when_there_are_too_many(clock):
    cache = MemoryCache(clock, size=2)
    for key in ("a", "b", "a", "c"):
        cache.set(key, key, 60)
    assert [cache.get(key) for key in "abc"] == ["a", MISSING, "c"]


def test_none_is_not_missing(clock):
    cache = MemoryCache(clock)
    cache.set("a", None, 1)
    assert cache.get("a") is None
    clock.advance(seconds=1)
    assert cache.get("a") is MISSING
