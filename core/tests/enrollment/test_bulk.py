"""Bulk enrollment: each item ends in exactly one list, repetition changes nothing, neighbours do not suffer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import event, select

from coursewire.enrollment import BulkEnrollment, EnrollmentApi
from coursewire.enrollment.errors import UserNotFoundError
from coursewire.model.content import instant_of
from coursewire.storage.tables.enrollment import enrollment_license, enrollment_private
from coursewire.storage.tables.source import source_enrollment, source_learner

ACME = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
SOIL, HONOR, PAID, BARE, LATE, ENDED, CREDIT = (
    f"course-v1:FarmU+{name}+2026_T1"
    for name in ("SOIL101", "HONOR", "PAID", "BARE", "LATE", "ENDED", "CREDIT")
)
TABLES = (source_enrollment, enrollment_license, source_learner)
LICENSE = "5a5a5a5a-0000-4000-8000-000000000001"


def item(email=None, course_run_key=SOIL, **fields):
    who = {} if email is None else {"email": email}
    return {**who, "course_run_key": course_run_key, "license_uuid": LICENSE, **fields}


@pytest.fixture
def awaited(engine):
    """What is kept for learners without an account: customer, address, course run, licence; or addresses alone."""

    def read():
        table, learner = source_enrollment, source_learner
        statement = (
            select(
                learner.c.customer, learner.c.username, table.c.course_id, enrollment_license.c.license_uuid
            )
            .outerjoin_from(
                learner,
                table,
                (table.c.username == learner.c.username) & (table.c.customer == learner.c.customer),
            )
            .outerjoin(enrollment_license, enrollment_license.c.enrollment == table.c.id)
            .where(learner.c.pending)
        )
        with engine.connect() as connection:
            return sorted((tuple(row) for row in connection.execute(statement)), key=str)

    return read


def request(*items, **fields):
    return {"licenses_info": list(items), **fields}


def emails(entries):
    return [(entry.email, entry.created) for entry in entries]


class TestEnroll:
    MIXED = (
        item("new@acme.example "),
        item("ADA@acme.example"),
        item("b@acme.example"),
        item("not an address"),
    )

    def test_a_new_an_existing_an_unknown_and_a_malformed_address(self, bulk, api, notices, awaited):
        api.add_enrollment("bob", SOIL, "verified")
        result = bulk.enroll(ACME, request(*self.MIXED, notify=True))
        assert emails(result.successes) == [("ada@acme.example", True), ("b@acme.example", False)]
        assert emails(result.pending) == [("new@acme.example", True)]
        assert result.failures == []
        assert result.invalid_email_addresses == ["not an address"]
        assert result.status == 409
        assert awaited() == [(ACME, "new@acme.example", SOIL, LICENSE)]
        assert notices == [(ACME, SOIL, ["ada@acme.example", "new@acme.example"])]
        assert api.get_enrollment("ada", SOIL)["mode"] == "verified"

    def test_the_same_again_changes_nothing_and_tells_nobody(self, bulk, rows, notices):
        bulk.enroll(ACME, request(*self.MIXED, notify=True))
        before = [rows(table) for table in TABLES]
        notices.clear()
        again = bulk.enroll(ACME, request(*self.MIXED, notify=True))
        assert emails(again.successes) == [("ada@acme.example", False), ("b@acme.example", False)]
        assert emails(again.pending) == [("new@acme.example", False)]
        assert [rows(table) for table in TABLES] == before
        assert notices == []

    def test_an_item_that_fails_unexpectedly_harms_no_other(self, bulk, api, engine, caplog):
        """The database breaks while item 2 of 3 is written."""

        @event.listens_for(engine, "before_cursor_execute")
        def break_down(connection, cursor, statement, parameters, context, executemany):
            if "source_enrollment" in statement and "eve" in str(parameters):
                raise RuntimeError("e@other.example is in this text")

        items = [item("ada@acme.example"), item("e@other.example"), item("b@acme.example")]
        result = bulk.enroll(ACME, request(*items))
        event.remove(engine, "before_cursor_execute", break_down)
        assert emails(result.successes) == [("ada@acme.example", True), ("b@acme.example", True)]
        (failure,) = result.failures
        assert (failure.email, failure.course_run_key) == ("e@other.example", SOIL)
        assert (failure.reason, failure.message) == ("unexpected", "RuntimeError; the log says where.")
        assert result.status == 409
        assert "RuntimeError" in caplog.text
        assert "example" not in caplog.text
        assert bulk.enroll(ACME, request(*items)).status == 201

    def test_the_answer(self, bulk, api):
        items = [
            item("ada@acme.example", activation_link="https://activate.example/1"),
            item("c@acme.example"),
            item("b@acme.example", course_run_key="course-v1:No+Such+Run"),
            item(user_id="nobody"),
        ]
        assert bulk.enroll(ACME, request(*items)).as_json() == {
            "successes": [
                {
                    "email": "ada@acme.example",
                    "course_run_key": SOIL,
                    "activation_link": "https://activate.example/1",
                    "created": True,
                }
            ],
            "pending": [
                {
                    "email": "c@acme.example",
                    "course_run_key": SOIL,
                    "activation_link": None,
                    "created": True,
                }
            ],
            "failures": [
                {
                    "email": "b@acme.example",
                    "course_run_key": "course-v1:No+Such+Run",
                    "reason": "enrollment-course-unknown",
                    "message": "there is no such course run (course-v1:No+Such+Run): no content item holds it. "
                    "Check the key, or load the content.",
                }
            ],
            "invalid_user_ids": ["nobody"],
        }

    def test_statuses(self, bulk):
        known, unknown, wrong = item("ada@acme.example"), item("c@acme.example"), item("wrong")
        for items, status in (([known], 201), ([known, unknown], 202), ([known, unknown, wrong], 409)):
            assert bulk.enroll(ACME, request(*items)).status == status
        assert bulk.enroll(ACME, request(item("wrong"))).as_json()["invalid_email_addresses"] == ["wrong"]

    @pytest.mark.parametrize(
        ("malformed", "fields"),
        [
            ({}, ["enrollments_info"]),
            (request(), ["licenses_info"]),
            (request({"email": "a@b.example"}), ["licenses_info.0.course_run_key"]),
            (request({"email": "a@b.example", "course_run_key": SOIL}), ["licenses_info.0"]),
            (request({"course_run_key": SOIL, "license_uuid": LICENSE}), ["licenses_info.0"]),
            (request(item("a@b.example"), discount=101), ["discount"]),
            (request(item("a@b.example"), notify="perhaps"), ["notify"]),
            ({"enrollments_info": 7}, ["enrollments_info"]),
        ],
    )
    def test_a_malformed_request_is_refused_whole(self, bulk, rows, malformed, fields, awaited):
        result = bulk.enroll(ACME, malformed)
        assert result.status == 400
        assert list(result.errors) == fields
        assert "a@b.example" not in str(result.as_json())
        assert rows(source_enrollment) == len(awaited()) == 0

    def test_a_customer_that_is_not_known(self, bulk):
        result = bulk.enroll(str(uuid4()), request(item("ada@acme.example")))
        assert (result.status, result.as_json()) == (
            400,
            {"errors": {"customer": "there is no such customer"}},
        )

    @pytest.mark.parametrize(
        ("course_run_key", "mode"),
        [(SOIL, "verified"), (HONOR, "verified"), (PAID, "verified"), (BARE, "audit"), (LATE, "audit")],
    )
    def test_the_best_mode_that_has_not_expired(self, bulk, api, course_run_key, mode):
        assert bulk.enroll(ACME, request(item("ada@acme.example", course_run_key))).status == 201
        assert api.get_enrollment("ada", course_run_key)["mode"] == mode

    def test_a_course_without_a_mode_for_learners(self, bulk):
        result = bulk.enroll(ACME, request(item("ada@acme.example", CREDIT)))
        assert [entry.reason for entry in result.failures] == ["enrollment-mode-unknown"]

    def test_a_free_mode_is_moved_up_and_a_paid_one_never_down(self, bulk, api, clock):
        api.add_enrollment("ada", SOIL)
        result = bulk.enroll(ACME, request(item("ada@acme.example")))
        assert emails(result.successes) == [("ada@acme.example", False)]
        assert api.get_enrollment("ada", SOIL)["mode"] == "verified"
        clock.now = datetime(2026, 8, 1, tzinfo=UTC)  # verified has expired, audit is the best now
        bulk.enroll(ACME, request(item("ada@acme.example")))
        assert api.get_enrollment("ada", SOIL)["mode"] == "verified"

    def test_an_unenrolled_learner_comes_back(self, bulk, api):
        api.add_enrollment("ada", SOIL)
        api.update_enrollment("ada", SOIL, is_active=False)
        assert emails(bulk.enroll(ACME, request(item("ada@acme.example"))).successes) == [
            ("ada@acme.example", True)
        ]
        assert api.get_enrollment("ada", SOIL)["is_active"]

    def test_force_enrollment(self, bulk):
        items = [
            item("ada@acme.example", ENDED),
            item("b@acme.example", ENDED, force_enrollment=True),
        ]
        result = bulk.enroll(ACME, request(*items))
        assert [entry.reason for entry in result.failures] == ["enrollment-closed"]
        assert emails(result.successes) == [("b@acme.example", True)]

    def test_the_newer_name_user_ids_and_transactions(self, bulk, rows):
        transaction = str(uuid4())
        asked = {
            "enrollments_info": [
                {"user_id": "ada", "course_run_key": SOIL, "transaction_id": transaction.upper()}
            ],
            "discount": "12.5",
            "reason": "pilot",
            "salesforce_id": "sf1",
        }
        result = bulk.enroll(ACME, asked)
        assert result.as_json()["successes"][0]["user_id"] == "ada"
        columns = ("username", "license_uuid", "transaction_id", "discount", "reason", "salesforce_id")
        assert rows(enrollment_license, *columns) == [
            ("ada", None, transaction, Decimal("12.5"), "pilot", "sf1")
        ]

    def test_a_second_licence_is_kept_beside_the_first(self, bulk, rows):
        second = str(uuid4())
        for license_uuid in (LICENSE, second, LICENSE):
            bulk.enroll(ACME, request(item("ada@acme.example", license_uuid=license_uuid)))
        assert sorted(rows(enrollment_license, "license_uuid")) == sorted([(LICENSE,), (second,)])

    @pytest.mark.parametrize("who", ["ada@acme.example", "c@acme.example"])
    def test_a_malformed_licence_fails_its_item_alone(self, bulk, who, awaited):
        result = bulk.enroll(ACME, request(item(who, license_uuid="L-1"), item("b@acme.example")))
        assert [(entry.email, entry.message) for entry in result.failures] == [
            (who, "the license_uuid is no UUID. Correct it.")
        ]
        assert emails(result.successes) == [("b@acme.example", True)]
        assert awaited() == []

    def test_one_address_of_two_users_is_nobodys(self, bulk, load):
        twin = {"username": "ada2", "email": "ada@acme.example", "customer": OTHER}
        load(learners=[{**twin, "active": True, "linked": True}])
        result = bulk.enroll(ACME, request(item("ada@acme.example")))
        assert [entry.reason for entry in result.failures] == ["learner-ambiguous"]
        assert bulk.enroll(ACME, request(item(user_id="ada2"))).status == 201

    @pytest.mark.parametrize(
        "address",
        ["@acme.example", "a@b", "a@@acme.example", "a b@acme.example", "a@acme..example", "a" * 243 + "@acme.example",
         "a\x00@acme.example"],
    )  # fmt: skip
    def test_what_is_no_address(self, bulk, address, awaited):
        result = bulk.enroll(ACME, request(item(address), item(address)))
        assert result.invalid_email_addresses == [address]
        assert result.successes == result.pending == result.failures == []
        assert awaited() == []

    @pytest.mark.parametrize("address", ["a+b@acme.example", "o'neil@acme.example", "ü@bücher.example"])
    def test_unusual_addresses(self, bulk, address, awaited):
        assert bulk.enroll(ACME, request(item(address))).status == 202
        assert [row[1] for row in awaited()] == [address]

    def test_blanks_around_an_empty_address(self, bulk):
        assert bulk.enroll(ACME, request(item("  "))).status == 400


class TestLinks:
    def test_a_learner_of_another_customer_is_linked_as_well(self, bulk, api, rows):
        assert bulk.enroll(ACME, request(item("e@other.example"))).status == 201
        links = rows(source_learner, "username", "customer", "active", "linked")
        assert ("eve", ACME, True, True) in links
        assert ("eve", OTHER, True, True) in links
        assert rows(source_enrollment, "username", "customer", "mode") == [("eve", ACME, "verified")]

    def test_an_unlinked_learner_is_linked_again(self, bulk, rows):
        assert bulk.enroll(ACME, request(item("g@acme.example"))).status == 201
        assert ("gone", ACME, True, True) in rows(source_learner, "username", "customer", "active", "linked")

    def test_a_private_enrollment_becomes_the_customers(self, bulk, api, rows):
        created = instant_of(api.add_enrollment("ada", LATE)["created"])
        result = bulk.enroll(ACME, request(item("ada@acme.example", LATE)))
        assert emails(result.successes) == [("ada@acme.example", False)]
        assert rows(source_enrollment, "customer", "created_at") == [(ACME, created)]
        assert rows(enrollment_private) == 0
        assert rows(enrollment_license) == 1

    def test_two_customers_sponsor_one_enrollment(self, bulk, api, rows):
        for customer in (ACME, OTHER):
            bulk.enroll(customer, request(item("b@acme.example", LATE)))
        assert sorted(rows(source_enrollment, "customer")) == [(ACME,), (OTHER,)]
        assert len(api.get_enrollments("bob")) == 1
        assert rows(enrollment_license) == 2


class TestNotify:
    def test_one_call_a_course_run(self, bulk, notices):
        items = [item(who, run) for run in (SOIL, HONOR) for who in ("ada@acme.example", "c@acme.example")]
        bulk.enroll(ACME, request(*items, notify=True))
        both = ["ada@acme.example", "c@acme.example"]
        assert notices == [(ACME, SOIL, both), (ACME, HONOR, both)]

    def test_only_when_it_is_asked_for(self, bulk, notices):
        assert bulk.enroll(ACME, request(item("ada@acme.example"))).status == 201
        assert notices == []

    def test_a_mail_that_fails_undoes_nothing(self, api, engine, clock, caplog):
        def fail(customer, course_run_key, entries):
            raise ConnectionError(f"no mail to {entries[0].email}")

        bulk = BulkEnrollment(api, engine, notify=fail, clock=clock)
        assert bulk.enroll(ACME, request(item("ada@acme.example"), notify=True)).status == 201
        assert f"learners of {SOIL} were not notified: ConnectionError" in caplog.text
        assert "ada@" not in caplog.text

    def test_nobody_to_call(self, api, engine, clock):
        bulk = BulkEnrollment(api, engine, clock=clock)
        assert bulk.enroll(ACME, request(item("ada@acme.example"), notify=True)).status == 201


class TestPending:
    def test_fulfilled_when_there_is_an_account(self, bulk, api, rows, awaited):
        for customer in (ACME, OTHER):
            bulk.enroll(customer, request(item("c@acme.example"), item("c@acme.example", HONOR)))
        bulk.enroll(ACME, request(item("d@acme.example")))
        result = bulk.fulfil_pending(" C@acme.example", "carol")
        assert [(one.course_run_key, one.created) for one in result.successes] == [
            (HONOR, True), (SOIL, True), (HONOR, False), (SOIL, False),
        ]  # fmt: skip
        assert result.failures == []
        assert [one["mode"] for one in api.get_enrollments("carol")] == ["verified", "verified"]
        assert [row[1] for row in awaited()] == ["d@acme.example"]
        links = rows(source_learner, "username", "customer", "email", "linked")
        assert [row for row in links if row[0] == "carol"] == [
            ("carol", ACME, "c@acme.example", True),
            ("carol", OTHER, "c@acme.example", True),
        ]
        assert rows(source_enrollment) == rows(enrollment_license) == 5  # with what is kept for d

    def test_registering_twice_at_once(self, bulk, api, rows, awaited):
        bulk.enroll(ACME, request(item("c@acme.example"), item("c@acme.example", HONOR)))

        def register(_):
            return bulk.fulfil_pending("c@acme.example", "carol")

        with ThreadPoolExecutor() as pool:
            results = list(pool.map(register, range(4)))
        assert all(not result.failures for result in results)
        created = [one.course_run_key for result in results for one in result.successes if one.created]
        assert sorted(created) == [HONOR, SOIL]
        assert len(api.get_enrollments("carol")) == 2
        assert rows(source_enrollment) == rows(enrollment_license) == 2
        assert awaited() == []

    def test_awaiting_the_same_at_once(self, bulk, awaited):
        def ask(_):
            return bulk.enroll(ACME, request(item("c@acme.example"))).pending[0].created

        with ThreadPoolExecutor() as pool:
            assert sorted(pool.map(ask, range(4))) == [False, False, False, True]
        assert awaited() == [(ACME, "c@acme.example", SOIL, LICENSE)]

    def test_nothing_is_awaited(self, bulk, rows):
        before = rows(source_learner)
        assert bulk.fulfil_pending("c@acme.example", "carol").as_json() == {
            "successes": [],
            "pending": [],
            "failures": [],
        }
        assert rows(source_learner) == before

    def test_what_fails_is_kept_and_tried_again(self, bulk, api, awaited):
        bulk.enroll(ACME, request(item("c@acme.example", ENDED), item("c@acme.example")))
        first = bulk.fulfil_pending("c@acme.example", "carol")
        assert [one.reason for one in first.failures] == ["enrollment-closed"]
        assert [one.course_run_key for one in first.successes] == [SOIL]
        assert [row[2] for row in awaited()] == [ENDED]
        api.add_enrollment("carol", ENDED, force_enrollment=True)
        assert bulk.fulfil_pending("c@acme.example", "carol").failures == []
        assert awaited() == []

    def test_a_second_licence_is_kept_too(self, bulk, rows, awaited):
        second = str(uuid4())
        bulk.enroll(ACME, request(item("c@acme.example")))
        result = bulk.enroll(ACME, request(item("c@acme.example", license_uuid=second), discount=50))
        assert emails(result.pending) == [("c@acme.example", False)]
        bulk.fulfil_pending("c@acme.example", "carol")
        assert awaited() == []
        licences = rows(enrollment_license, "username", "license_uuid", "discount")
        assert sorted(licences) == sorted([("carol", LICENSE, 100), ("carol", second, 50)])

    def test_who_is_awaited_is_nobody_yet(self, bulk, api):
        api.backend.set_course(SOIL, capacity=1)
        bulk.enroll(ACME, request(item("c@acme.example")))
        assert api.get_enrollment("c@acme.example", SOIL) is None
        assert api.get_enrollments("c@acme.example") == []
        with pytest.raises(UserNotFoundError):
            api.add_enrollment("c@acme.example", HONOR)
        assert bulk.enroll(ACME, request(item(user_id="c@acme.example"))).invalid_user_ids
        assert api.add_enrollment("ada", SOIL)["is_active"], "it takes no place"

    def test_the_licence_keeps_its_dates(self, bulk, rows, clock):
        columns = ("license_state", "license_assigned_at")
        bulk.enroll(ACME, request(item("c@acme.example")))
        assigned = clock()
        clock.advance(days=3)
        bulk.fulfil_pending("c@acme.example", "carol")
        assert rows(source_enrollment, "username", *columns) == [("carol", "assigned", assigned)]

    def test_who_came_with_a_bundle_is_fulfilled_too(self, bulk, api, load, awaited):
        who = {"username": "New@acme.example", "customer": ACME}
        load(
            learners=[{**who, "email": "New@acme.example", "active": True, "linked": True, "pending": True}],
            enrollments=[{**who, "course_id": SOIL, "mode": "audit", "is_active": True}],
        )
        result = bulk.fulfil_pending("new@acme.example", "carol")
        assert [(one.course_run_key, one.created) for one in result.successes] == [(SOIL, True)]
        assert api.get_enrollment("carol", SOIL)["mode"] == "verified"
        assert awaited() == []

    def test_a_user_name_that_is_the_address(self, bulk, api, rows, awaited):
        bulk.enroll(ACME, request(item("c@acme.example")))
        assert bulk.fulfil_pending("c@acme.example", "c@acme.example").status == 201
        assert api.get_enrollment("c@acme.example", SOIL)["is_active"]
        assert awaited() == []
        assert rows(enrollment_license, "username") == [("c@acme.example",)]

    def test_an_unknown_course_is_not_awaited(self, bulk, awaited):
        result = bulk.enroll(ACME, request(item("c@acme.example", "course-v1:No+Such+Run")))
        assert (result.status, awaited()) == (409, [])


def test_over_a_backend_of_ones_own(engine, world, settings, clock, rows, install_backend):
    """The enrollments are the backend's; who sponsors them is known to the embedded source all the same."""
    install_backend(
        "memory",
        """
from coursewire.enrollment.errors import CourseEnrollmentExistsError
HELD = {}
class Memory:
    def __init__(self, *installation): pass
    def get_course_enrollment_info(self, course_id, *, include_expired=False):
        return {"course_id": course_id, "course_modes": [{"slug": "professional"}]}
    def create_course_enrollment(self, username, course_id, mode, is_active, **how):
        if (username, course_id) in HELD:
            raise CourseEnrollmentExistsError("there", HELD[username, course_id])
        HELD[username, course_id] = {
            "created": None, "mode": mode, "is_active": is_active, "user": username, "course_details": None
        }
        return HELD[username, course_id]
for name in ("get_course_enrollments get_course_enrollment update_course_enrollment get_user_roles "
             "add_or_update_enrollment_attr get_enrollment_attributes unenroll_user_from_all_courses").split():
    setattr(Memory, name, lambda *args, **how: None)
""",
        ":Memory",
    )
    chosen = settings.model_copy(update={"enrollment_data": "memory"})
    bulk = BulkEnrollment(EnrollmentApi(engine, chosen, clock=clock), engine, clock=clock)
    for created in (True, False):
        result = bulk.enroll(ACME, request(item("ada@acme.example", "course-v1:Else+Where+1")))
        assert emails(result.successes) == [("ada@acme.example", created)]
    assert rows(source_enrollment, "username", "customer", "course_id", "mode", "is_active") == [
        ("ada", ACME, "course-v1:Else+Where+1", "professional", True)
    ]
    assert rows(enrollment_license) == 1
