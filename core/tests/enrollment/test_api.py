"""The Enrollment API over the embedded backend: what it stores, shows, refuses."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import orjson
import pytest
from sqlalchemy import delete, update

from coursewire.enrollment.database import DatabaseEnrollmentData
from coursewire.enrollment.errors import (
    CourseEnrollmentClosedError,
    CourseEnrollmentError,
    CourseEnrollmentExistsError,
    CourseEnrollmentFullError,
    CourseModeNotFoundError,
    CourseNotFoundError,
    EnrollmentNotFoundError,
    InvalidEnrollmentAttribute,
    UserNotFoundError,
)
from coursewire.storage.tables.enrollment import enrollment_attribute, enrollment_private
from coursewire.storage.tables.source import source_course_run, source_enrollment
from coursewire.testing.database import count_statements

ACME = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
SOIL, HONOR, PAID, BARE, LAPSED, LATE, ENDED, EARLY, CREDIT = (
    f"course-v1:FarmU+{name}+2026_T1"
    for name in ("SOIL101", "HONOR", "PAID", "BARE", "LAPSED", "LATE", "ENDED", "EARLY", "CREDIT")
)
ATTRIBUTE = {"namespace": "credit", "name": "provider_id", "value": "asu"}
NOW = datetime(2026, 5, 17, 12, 30, 15, 123456, tzinfo=UTC)


@pytest.fixture
def backend(api):
    """The embedded backend itself, for what only it can."""
    assert isinstance(api.backend, DatabaseEnrollmentData)
    return api.backend


def offered(error):
    return [mode["slug"] for mode in error.data["course_modes"]]


def mode(slug, **fields):
    return {
        "slug": slug, "name": slug, "min_price": 5, "suggested_prices": "10,20", "currency": "eur",
        "expiration_datetime": None, "description": "Why", "sku": None, "bulk_sku": "B1",
    } | fields  # fmt: skip


class TestModes:
    def test_add_without_a_mode_takes_the_best_of_the_free_ones(self, api):
        added = api.add_enrollment("ada", HONOR)
        assert (added["mode"], added["is_active"], added["user"]) == ("honor", True, "ada")
        assert [one["mode"] for one in api.get_enrollments("ada")] == ["honor"]

    def test_add_where_only_paid_modes_are_offered_is_refused(self, api, rows):
        with pytest.raises(CourseModeNotFoundError, match=r"'audit'.*verified, professional") as caught:
            api.add_enrollment("ada", PAID)
        assert offered(caught.value) == ["verified", "professional"]
        assert caught.value.data["course_id"] == PAID
        assert rows(source_enrollment) == rows(enrollment_private) == 0

    @pytest.mark.parametrize(
        ("course_id", "chosen"), [(SOIL, "audit"), (HONOR, "honor"), (BARE, "audit"), (LAPSED, "audit")]
    )
    def test_default_mode(self, api, course_id, chosen):
        assert api.add_enrollment("ada", course_id)["mode"] == chosen

    def test_the_configured_default_comes_first(self, api):
        api.settings = api.settings.model_copy(update={"default_course_mode": "professional"})
        assert api.add_enrollment("ada", PAID)["mode"] == "professional"
        assert api.add_enrollment("ada", SOIL)["mode"] == "audit"
        assert api.add_enrollment("ada", BARE)["mode"] == "professional"
        with pytest.raises(CourseModeNotFoundError, match="'professional'"):
            api.add_enrollment("ada", CREDIT)

    def test_update_to_an_expired_mode(self, api):
        api.add_enrollment("ada", LATE)
        with pytest.raises(CourseModeNotFoundError):
            api.update_enrollment("ada", LATE, "verified")
        with pytest.raises(CourseModeNotFoundError):
            api.update_enrollment("ada", LATE, "verified", True)
        assert api.get_enrollment("ada", LATE)["mode"] == "audit"
        left = api.update_enrollment("ada", LATE, "verified", False)
        assert (left["mode"], left["is_active"]) == ("verified", False)
        back = api.update_enrollment("ada", LATE, "verified", True, include_expired=True)
        assert (back["mode"], back["is_active"]) == ("verified", True)

    def test_add_somebody_who_has_left_in_an_expired_mode(self, api):
        with pytest.raises(CourseModeNotFoundError):
            api.add_enrollment("ada", LATE, "verified")
        assert api.add_enrollment("ada", LATE, "verified", False)["is_active"] is False
        assert api.add_enrollment("bob", LATE, "verified", include_expired=True)["mode"] == "verified"

    @pytest.mark.parametrize(
        ("include_expired", "is_active", "taken"),
        [
            (False, True, False),
            (False, False, True),
            (False, None, False),
            (True, True, True),
            (True, False, True),
            (True, None, True),
        ],
    )
    def test_when_an_expired_mode_will_do(self, api, include_expired, is_active, taken):
        def validate():
            return api.validate_course_mode(LATE, "verified", is_active, include_expired)

        if taken:
            assert validate() is None
        else:
            with pytest.raises(CourseModeNotFoundError) as caught:
                validate()
            assert offered(caught.value) == ["audit"]

    def test_a_mode_expires_after_its_instant_not_at_it(self, api, clock):
        clock.now = datetime(2026, 7, 1, tzinfo=UTC)
        api.validate_course_mode(SOIL, "verified")
        clock.advance(microseconds=1)
        with pytest.raises(CourseModeNotFoundError):
            api.validate_course_mode(SOIL, "verified")

    def test_what_was_set_for_a_course_replaces_the_mode_of_its_slug_and_adds(self, api, backend):
        backend.set_course(
            SOIL, modes=[mode("credit", min_price=7.5), mode("verified", expiration_datetime=NOW)]
        )
        modes = {one["slug"]: one for one in api.get_course_enrollment_details(SOIL)["course_modes"]}
        assert list(modes) == ["audit", "verified", "credit"]
        assert modes["credit"] == mode("credit", min_price=7.5)
        assert modes["verified"] == mode("verified", expiration_datetime="2026-05-17T12:30:15.123456Z")
        backend.set_course(SOIL)
        assert len(backend.get_course_enrollment_info(SOIL)["course_modes"]) == 2


class TestAdd:
    def test_an_active_one_is_not_replaced(self, api):
        first = api.add_enrollment("ada", SOIL)
        with pytest.raises(CourseEnrollmentExistsError) as caught:
            api.add_enrollment("ada", SOIL, "verified")
        assert caught.value.enrollment == first == api.get_enrollment("ada", SOIL)

    def test_an_inactive_one_comes_back_in_the_new_mode(self, api, clock):
        first = api.add_enrollment("ada", SOIL)
        api.update_enrollment("ada", SOIL, is_active=False)
        clock.advance(days=1)
        again = api.add_enrollment("ada", SOIL, "verified")
        assert (again["mode"], again["is_active"], again["created"]) == ("verified", True, first["created"])
        assert api.get_enrollments("ada") == [again]

    def test_who_and_where_must_be_known(self, api):
        with pytest.raises(UserNotFoundError):
            api.add_enrollment("nobody", SOIL)
        with pytest.raises(CourseNotFoundError) as caught:
            api.add_enrollment("ada", "course-v1:No+Such+Run")
        assert not isinstance(caught.value, CourseEnrollmentError)
        with pytest.raises(CourseNotFoundError):
            api.backend.create_course_enrollment("ada", "nonsense", "audit", True)

    def test_no_message_names_the_learner(self, api):
        with pytest.raises(UserNotFoundError) as caught:
            api.add_enrollment("somebody.private", SOIL)
        assert "somebody" not in str(caught.value)

    def test_enrollment_has_ended(self, api):
        with pytest.raises(CourseEnrollmentClosedError, match="ended at 2026-05-01"):
            api.add_enrollment("ada", ENDED)
        assert api.add_enrollment("ada", ENDED, force_enrollment=True)["is_active"]

    def test_enrollment_has_not_begun(self, api, clock):
        for force in (False, True):
            with pytest.raises(CourseEnrollmentClosedError, match="begins at 2026-06-01"):
                api.add_enrollment("ada", EARLY, force_enrollment=force)
        clock.now = datetime(2026, 6, 1, tzinfo=UTC)
        assert api.add_enrollment("ada", EARLY)["is_active"]

    def test_a_repeated_call_gets_the_same_answer_after_the_end(self, api):
        api.add_enrollment("ada", ENDED, force_enrollment=True)
        with pytest.raises(CourseEnrollmentExistsError):
            api.add_enrollment("ada", ENDED)

    def test_only_for_the_invited(self, api, backend):
        backend.set_course(SOIL, invite_only=True)
        assert api.get_course_enrollment_details(SOIL)["invite_only"] is True
        with pytest.raises(CourseEnrollmentClosedError, match="invited"):
            api.add_enrollment("ada", SOIL)
        assert api.add_enrollment("ada", SOIL, enterprise_uuid=ACME)["is_active"]

    def test_the_last_place(self, api, backend):
        backend.set_course(SOIL, capacity=1)
        api.add_enrollment("gone", SOIL, is_active=False)
        api.add_enrollment("ada", SOIL)
        with pytest.raises(CourseEnrollmentFullError, match="takes 1"):
            api.add_enrollment("eve", SOIL)
        api.update_enrollment("ada", SOIL, is_active=False)
        assert api.add_enrollment("eve", SOIL)["is_active"]

    def test_of_many_at_once_one_gets_the_last_place(self, api, backend, rows):
        backend.set_course(SOIL, capacity=1)

        def enroll(username):
            try:
                return api.add_enrollment(username, SOIL)["is_active"]
            except CourseEnrollmentFullError:
                return False

        with ThreadPoolExecutor() as pool:
            got = list(pool.map(enroll, ["ada", "bob", "eve", "gone"]))
        assert sorted(got) == [False, False, False, True]

    def test_the_same_at_once_is_enrolled_once(self, api, rows):
        def enroll(_):
            try:
                return api.add_enrollment("ada", SOIL)["is_active"]
            except CourseEnrollmentExistsError:
                return None

        with ThreadPoolExecutor() as pool:
            assert sorted(pool.map(enroll, range(4)), key=str) == [None, None, None, True]
        assert rows(source_enrollment) == 1


class TestSponsors:
    """An enrollment is one; each customer that sponsors it has a row of its own for the outcome."""

    def test_a_run_in_no_catalog_is_the_learners_own(self, api, rows):
        api.add_enrollment("ada", LATE)
        assert rows(source_enrollment) == 0
        assert rows(enrollment_private, "username", "course_id", "mode") == [("ada", LATE, "audit")]

    def test_every_customer_that_has_the_run_sponsors_it(self, api, rows):
        api.add_enrollment("bob", HONOR)
        found = rows(source_enrollment, "customer", "mode", "consent_state", "created_at")
        assert sorted(found) == [(ACME, "honor", "unknown", NOW), (OTHER, "honor", "unknown", NOW)]
        assert rows(enrollment_private) == 0
        assert len(api.get_enrollments("bob")) == 1
        api.update_enrollment("bob", HONOR, "verified", False)
        assert rows(source_enrollment, "mode", "is_active") == [("verified", False)] * 2

    def test_consent_is_implied_where_the_customer_collects_it_itself(self, api, load, rows):
        customer = {"uuid": ACME, "name": "Acme", "enable_data_sharing_consent": True}
        load(customers=[{**customer, "enforce_data_sharing_consent": "externally_managed"}])
        columns = ("customer", "course_id", "consent_state", "consent_granted_at")
        api.add_enrollment("bob", HONOR)
        assert sorted(rows(source_enrollment, *columns)) == [
            (ACME, HONOR, "implied", NOW),
            (OTHER, HONOR, "unknown", None),
        ]

    @pytest.mark.parametrize(
        "said", [{"consent": "refused"}, {"consent": "unanswered"}, {"consent": "granted"}]
    )
    def test_a_refusal_anywhere_keeps_consent_from_being_implied(self, api, load, rows, said):
        customer = {"uuid": ACME, "name": "Acme", "enable_data_sharing_consent": True}
        line = {"username": "ada", "customer": ACME, "course_id": HONOR, "mode": "honor", "is_active": True}
        load(
            customers=[{**customer, "enforce_data_sharing_consent": "externally_managed"}],
            enrollments=[{**line, **said}],
        )
        api.add_enrollment("ada", SOIL)
        states = dict(rows(source_enrollment, "course_id", "consent_state"))
        assert states == {
            HONOR: said["consent"],
            SOIL: "implied" if said["consent"] == "granted" else "unknown",
        }

    def test_when_somebody_left(self, api, rows, clock):
        api.add_enrollment("ada", SOIL)
        for _ in range(2):  # leaving again changes nothing
            api.update_enrollment("ada", SOIL, is_active=False)
            assert rows(source_enrollment, "unenrolled_at") == [(NOW,)]
            clock.advance(days=1)
        api.update_enrollment("ada", SOIL, "verified")
        assert rows(source_enrollment, "unenrolled_at") == [(NOW,)]
        api.add_enrollment("ada", SOIL)
        assert rows(source_enrollment, "unenrolled_at") == [(None,)]

    def test_an_unlinked_learners_enrollment_is_not_the_customers(self, api, rows):
        api.add_enrollment("gone", SOIL)
        assert (rows(source_enrollment), rows(enrollment_private)) == (0, 1)

    def test_only_the_customer_that_the_learner_has_selected_sponsors(self, api, load, rows):
        load(learners=[{"username": "bob", "customer": OTHER, "active": False, "linked": True}])
        api.add_enrollment("bob", HONOR)
        assert rows(source_enrollment, "customer") == [(ACME,)]

    def test_a_customer_can_enroll_its_learners_alone(self, api, rows):
        api.add_enrollment("ada", LATE, enterprise_uuid=ACME)
        assert rows(source_enrollment, "customer", "course_id") == [(ACME, LATE)]
        for customer in (OTHER, "no-uuid"):
            with pytest.raises(CourseEnrollmentError, match="not linked"):
                api.add_enrollment("ada", HONOR, enterprise_uuid=customer)
        with pytest.raises(CourseEnrollmentError, match="not linked"):
            api.add_enrollment("gone", SOIL, enterprise_uuid=ACME)

    def test_a_private_enrollment_that_comes_back_sponsored_is_one(self, api, rows):
        api.add_enrollment("ada", LATE)
        api.update_enrollment("ada", LATE, is_active=False)
        api.add_enrollment("ada", LATE, enterprise_uuid=ACME)
        assert (rows(source_enrollment), rows(enrollment_private)) == (1, 0)
        assert len(api.get_enrollments("ada")) == 1

    def test_a_bundle_puts_back_what_was_changed_here(self, api, load):
        line = {"username": "ada", "customer": ACME, "course_id": SOIL, "mode": "audit", "is_active": True}
        load(enrollments=[line])
        assert api.get_enrollment("ada", SOIL)["created"] is None
        api.update_enrollment("ada", SOIL, "verified")
        load(enrollments=[line])
        assert api.get_enrollment("ada", SOIL)["mode"] == "audit"

    def test_where_a_bundles_lines_differ_the_active_one_counts(self, api, load):
        same = {"username": "bob", "course_id": HONOR}
        load(
            enrollments=[
                {**same, "customer": ACME, "mode": "honor", "is_active": False, "created": "2025-01-01T00:00:00Z"},
                {**same, "customer": OTHER, "mode": "verified", "is_active": True, "created": "2025-02-01T00:00:00Z"},
            ]
        )  # fmt: skip
        (found,) = api.get_enrollments("bob")
        assert (found["mode"], found["is_active"]) == ("verified", True)


class TestUpdate:
    def test_to_unenroll_validates_no_mode(self, api, engine):
        api.add_enrollment("ada", SOIL)
        with engine.begin() as connection:  # the course goes: any validation would now fail
            connection.execute(delete(source_course_run))
        left = api.update_enrollment("ada", SOIL, is_active=False)
        assert (left["is_active"], left["mode"], left["course_details"]) == (False, "audit", None)

    def test_who_is_not_enrolled(self, api):
        with pytest.raises(EnrollmentNotFoundError):
            api.update_enrollment("ada", SOIL, is_active=False)
        with pytest.raises(UserNotFoundError):
            api.update_enrollment("nobody", SOIL, is_active=False)

    def test_nothing_to_change(self, api, rows):
        added = api.add_enrollment("ada", SOIL)
        before = rows(source_enrollment, "version")
        assert api.update_enrollment("ada", SOIL) == added
        assert rows(source_enrollment, "version") == before

    def test_a_private_enrollment(self, api):
        api.add_enrollment("ada", LATE)
        assert api.update_enrollment("ada", LATE, is_active=False)["is_active"] is False
        assert api.get_enrollment("ada", LATE)["is_active"] is False

    def test_leave_everything(self, api, rows):
        for course_id in (SOIL, LATE, HONOR):
            api.add_enrollment("ada", course_id)
        api.update_enrollment("ada", HONOR, is_active=False)
        api.add_enrollment("bob", SOIL)
        assert api.unenroll_user_from_all_courses("ada") == {"FarmU"}
        assert api.get_enrollments("ada") == []
        assert len(api.get_enrollments("ada", include_inactive=True)) == 3
        assert len(api.get_enrollments("bob")) == 1
        assert api.unenroll_user_from_all_courses("ada") == set()
        with pytest.raises(UserNotFoundError):
            api.unenroll_user_from_all_courses("nobody")

    def test_organisations_of_old_keys(self, api, load):
        run = {"key": "OldU/Soil/2014", "seats": [{"type": "honor"}]}
        load(content=[{"key": "OldU+Soil", "content_type": "course", "title": "Soil", "course_runs": [run]}])
        api.add_enrollment("ada", "OldU/Soil/2014")
        assert api.unenroll_user_from_all_courses("ada") == {"OldU"}


class TestRead:
    def test_a_strangers_enrollment(self, api):
        assert api.get_enrollment("nobody", SOIL) is None
        assert api.get_enrollment("ada", SOIL) is None
        assert api.get_enrollments("nobody") == []

    def test_the_list_holds_the_active_ones_oldest_first(self, api, clock):
        for course_id in (SOIL, HONOR, LATE):
            api.add_enrollment("ada", course_id)
            clock.advance(days=-1)
        api.update_enrollment("ada", HONOR, is_active=False)
        listed = [one["course_details"]["course_id"] for one in api.get_enrollments("ada")]
        assert listed == [LATE, SOIL]
        everything = api.get_enrollments("ada", include_inactive=True)
        assert [one["course_details"]["course_id"] for one in everything] == [LATE, HONOR, SOIL]
        assert api.get_enrollment("ada", HONOR)["is_active"] is False

    def test_verified_ones(self, api):
        api.add_enrollment("ada", SOIL, "verified")
        api.add_enrollment("ada", HONOR)
        assert [one["mode"] for one in api.get_verified_enrollments("ada")] == ["verified"]
        api.update_enrollment("ada", SOIL, is_active=False)
        assert api.get_verified_enrollments("ada") == []
        assert len(api.get_verified_enrollments("ada", include_inactive=True)) == 1

    def test_a_course_that_is_gone(self, api, engine, caplog):
        api.add_enrollment("ada", SOIL)
        api.add_enrollment("ada", HONOR)
        with engine.begin() as connection:
            connection.execute(delete(source_course_run).where(source_course_run.c.run_key == SOIL))
        assert [one["mode"] for one in api.get_enrollments("ada")] == ["honor"]
        (warning,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert warning.getMessage() == "1 enrollments are in courses that are gone; left out"
        assert api.get_enrollment("ada", SOIL)["course_details"] is None

    def test_the_shape_of_everything(self, api):
        added = api.add_enrollment("ada", SOIL, "verified")
        assert added == api.get_enrollment("ada", SOIL)
        assert added == {
            "created": "2026-05-17T12:30:15.123456Z",
            "mode": "verified",
            "is_active": True,
            "user": "ada",
            "course_details": {
                "course_id": SOIL,
                "course_name": "Run SOIL101",
                "enrollment_start": None,
                "enrollment_end": None,
                "course_start": "2026-01-10T00:00:00Z",
                "course_end": "2026-12-10T00:00:00Z",
                "invite_only": False,
                "course_modes": [
                    {
                        "slug": "audit", "name": "Audit", "min_price": 0, "suggested_prices": "",
                        "currency": "usd", "expiration_datetime": None, "description": None,
                        "sku": "SKU-audit", "bulk_sku": None,
                    },
                    {
                        "slug": "verified", "name": "Verified", "min_price": 49.5, "suggested_prices": "",
                        "currency": "usd", "expiration_datetime": "2026-07-01T00:00:00Z",
                        "description": None, "sku": "SKU-verified", "bulk_sku": None,
                    },
                ],
                "pacing_type": "Self Paced",
            },
        }  # fmt: skip

    def test_as_json(self, api):
        plain = api.serialize_enrollments([api.add_enrollment("ada", SOIL)])
        assert orjson.loads(orjson.dumps(plain)) == plain
        assert plain[0]["created"] == "2026-05-17T12:30:15.123456Z"
        assert plain[0]["course_details"]["course_end"] == "2026-12-10T00:00:00Z"
        assert plain[0]["course_details"]["enrollment_end"] is None

    def test_many_enrollments_cost_as_many_statements_as_one(self, api, engine):
        api.add_enrollment("ada", SOIL)
        with count_statements(engine) as one:
            api.get_enrollments("ada")
        for course_id in (HONOR, LATE, BARE):
            api.add_enrollment("ada", course_id)
        with count_statements(engine) as many:
            assert len(api.get_enrollments("ada")) == 4
        assert many.count == one.count

    def test_odd_content_is_read_as_far_as_it_goes(self, api, load, caplog):
        run = {
            "key": "course-v1:Odd+1+1",
            "pacing_type": "as_you_like",
            "seats": [{"type": "no-id-professional", "price": None, "currency": None}, {"type": "audit", "price": "free"}, {"price": "1.00"}, "verified"],
        }  # fmt: skip
        load(
            content=[
                {"key": "Odd+1", "content_type": "course", "title": "Odd", "course_runs": [run]},
                {"key": "course-v1:Odd+2+1", "content_type": "courserun", "title": "Item", "seats": None},
            ]
        )
        odd = api.get_course_enrollment_details("course-v1:Odd+1+1")
        assert [record.getMessage()[:30] for record in caplog.records] == [
            "a seat of a course run cannot "
        ] * 2
        assert (odd["course_name"], odd["pacing_type"]) == ("Odd", None)
        shown = [(one["name"], one["min_price"], one["currency"]) for one in odd["course_modes"]]
        assert shown == [("No Id Professional", 0, "usd"), ("Audit", 0, "usd")]
        assert api.get_course_enrollment_details("course-v1:Odd+2+1")["course_name"] == "Item"

    def test_roles(self, api, backend):
        roles = [
            {"role": "instructor", "org": "FarmU", "course_id": ""},
            {"role": "staff", "org": "FarmU", "course_id": SOIL},
        ]
        assert api.get_user_roles("ada") == []
        backend.set_user_roles("ada", roles[::-1])
        assert api.get_user_roles("ada") == roles
        assert api.get_user_roles("bob") == []
        backend.set_user_roles("ada", [])
        assert api.get_user_roles("ada") == []
        with pytest.raises(UserNotFoundError):
            backend.set_user_roles("nobody", roles)


class TestAttributes:
    def test_added_and_replaced(self, api):
        api.add_enrollment("ada", SOIL, enrollment_attributes=[ATTRIBUTE])
        assert api.get_enrollment_attributes("ada", SOIL) == [ATTRIBUTE]
        other = {"namespace": "bulk", "name": "order", "value": ""}
        api.update_enrollment("ada", SOIL, enrollment_attributes=[{**ATTRIBUTE, "value": "mit"}, other])
        assert api.get_enrollment_attributes("ada", SOIL) == [other, {**ATTRIBUTE, "value": "mit"}]
        api.set_enrollment_attributes("ada", SOIL, [ATTRIBUTE, {**ATTRIBUTE, "value": "last"}])
        assert api.get_enrollment_attributes("ada", SOIL)[1]["value"] == "last"

    @pytest.mark.parametrize("key", ["namespace", "name", "value"])
    def test_an_incomplete_one_is_refused_before_anything_is_stored(self, api, rows, key):
        incomplete = {name: value for name, value in ATTRIBUTE.items() if name != key}
        for attribute in (incomplete, {**ATTRIBUTE, key: None}):
            with pytest.raises(InvalidEnrollmentAttribute, match=f"attribute 1 has no {key}"):
                api.add_enrollment("ada", SOIL, enrollment_attributes=[ATTRIBUTE, attribute])
        assert rows(source_enrollment) == 0
        api.add_enrollment("ada", SOIL)
        for call in (
            lambda: api.set_enrollment_attributes("ada", SOIL, [ATTRIBUTE, incomplete]),
            lambda: api.update_enrollment(
                "ada", SOIL, "verified", enrollment_attributes=[ATTRIBUTE, incomplete]
            ),
        ):
            with pytest.raises(InvalidEnrollmentAttribute):
                call()
        assert api.get_enrollment("ada", SOIL)["mode"] == "audit"
        assert api.get_enrollment_attributes("ada", SOIL) == []

    def test_the_longest_names(self, api):
        longest = {"namespace": "n" * 255, "name": "m" * 255, "value": "v" * 5000}
        api.add_enrollment("ada", SOIL, enrollment_attributes=[longest])
        assert api.get_enrollment_attributes("ada", SOIL) == [longest]
        with pytest.raises(InvalidEnrollmentAttribute, match="too long"):
            api.set_enrollment_attributes("ada", SOIL, [{**longest, "name": "m" * 256}])

    def test_nobody_is_enrolled(self, api, rows):
        api.set_enrollment_attributes("ada", SOIL, [ATTRIBUTE])
        assert rows(enrollment_attribute) == 0
        assert api.get_enrollment_attributes("ada", SOIL) == []
        with pytest.raises(UserNotFoundError):
            api.get_enrollment_attributes("nobody", SOIL)
        with pytest.raises(UserNotFoundError):
            api.get_user_roles("nobody")
        with pytest.raises(UserNotFoundError):
            api.set_enrollment_attributes("nobody", SOIL, [ATTRIBUTE])

    def test_none_at_all(self, api, rows):
        api.add_enrollment("ada", SOIL, enrollment_attributes=[])
        api.set_enrollment_attributes("ada", SOIL, [])
        assert rows(enrollment_attribute) == 0


class TestDetails:
    def test_kept_for_a_time_then_asked_again(self, api, engine, clock):
        first = api.get_course_enrollment_details(SOIL)
        with engine.begin() as connection:
            connection.execute(update(source_course_run).values(run_key="course-v1:Another+One+1"))
        clock.advance(seconds=59.9)
        assert api.get_course_enrollment_details(SOIL) == first
        with pytest.raises(CourseNotFoundError):  # an entry of its own
            api.get_course_enrollment_details(SOIL, include_expired=True)
        with pytest.raises(CourseNotFoundError):  # validation is not from the cache
            api.validate_course_mode(SOIL, "audit")
        clock.advance(seconds=0.1)
        with pytest.raises(CourseNotFoundError):
            api.get_course_enrollment_details(SOIL)

    def test_with_and_without_expired_modes(self, api):
        plain = api.get_course_enrollment_details(LATE)
        full = api.get_course_enrollment_details(LATE, include_expired=True)
        assert [len(one["course_modes"]) for one in (plain, full)] == [1, 2]
        assert api.get_course_enrollment_details(LATE) == plain

    def test_the_time_is_read_at_every_call(self, api, clock, engine):
        api.settings = api.settings.model_copy(update={"enrollment_details_cache_s": 5})
        api.get_course_enrollment_details(SOIL)
        with count_statements(engine) as statements:
            clock.advance(seconds=4)
            api.get_course_enrollment_details(SOIL)
            assert statements.count == 0
            clock.advance(seconds=1)
            api.get_course_enrollment_details(SOIL)
            assert statements.count > 0

    def test_changing_the_answer_changes_nobody_elses(self, api):
        for _ in range(2):
            api.get_course_enrollment_details(SOIL)["course_modes"].clear()
        assert len(api.get_course_enrollment_details(SOIL)["course_modes"]) == 2
