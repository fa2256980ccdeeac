"""Courses against the simulated Learn: created, adopted, updated, hidden, deleted, come back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

import coursewire as cw
from coursewire.errors import SendError
from coursewire.testing.misbehave import Misbehaviour
from coursewire.testing.simulator import json_response
from coursewire_blackboard import plugin
from coursewire_blackboard.simulator import BlackboardSimulator

KEY = "RiverU+BOT101"
CREATE, UPDATE, RETIRE = cw.Operation.CREATE, cw.Operation.UPDATE, cw.Operation.RETIRE
Kind = cw.ResultKind


@pytest.fixture
def send(connected: Callable[..., Any], config_for: Any, made: Any) -> Callable[..., cw.Result]:
    """Send one course with fields of its own; ``settings`` are of the configuration."""

    def run(
        operation: cw.Operation = CREATE, remote_id: str | None = None, settings: Any = None, **fields: Any
    ) -> cw.Result:
        given = settings or {}
        payload = made.content(operation, remote_id, config_for(**given), **fields)

        async def call(session: cw.Session) -> cw.Result:
            (result,) = await plugin.send_content(session=session, batch=cw.Batch(operation, (payload,)))
            return result

        result: cw.Result = connected(call, **given)
        return result

    return run


def calls(learn: BlackboardSimulator) -> list[str]:
    """Methods and last parts of paths, without those for tokens; then forgets them."""
    made = [
        f"{seen.method} {seen.path.rpartition('/')[2]}" for seen in learn.seen if "oauth2" not in seen.path
    ]
    learn.seen.clear()
    return made


def test_a_course_is_created_with_its_folder_and_its_page(learn: BlackboardSimulator, send: Any) -> None:
    result = send()

    course, folder, page = result.remote_id.split("/")
    assert result.kind is Kind.ACCEPTED
    assert result.http_status == 201
    assert calls(learn) == ["POST courses", "POST contents", "POST children"]
    assert learn.items[KEY]["id"] == course
    assert learn.items[KEY]["name"] == "Botany"
    assert learn.items[KEY]["availability"] == {"available": "Yes"}
    assert learn.contents[folder]["title"] == "edX Course Details"
    assert learn.contents[page]["availability"] == {"available": "Yes"}
    assert "Pflanzen für Anfänger" in learn.contents[page]["body"]


def test_a_change_of_a_known_course_costs_two_requests_and_never_takes_the_page_away(
    learn: BlackboardSimulator, send: Any
) -> None:
    remote_id = send().remote_id
    calls(learn)

    result = send(UPDATE, remote_id, title="Botany II")

    course, _, page = remote_id.split("/")
    assert result.confirms
    assert result.remote_id == remote_id
    assert calls(learn) == [f"PATCH {course}", f"PATCH {page}"]
    assert learn.items[KEY]["name"] == "Botany II"
    assert "Botany II" in learn.contents[page]["body"]


def test_a_course_that_is_there_is_adopted_with_the_page_of_an_earlier_integration(
    learn: BlackboardSimulator, send: Any
) -> None:
    first = send().remote_id

    result = send(title="Botany II")

    assert result.confirms
    assert result.remote_id == first
    assert len(learn.courses) == 1
    assert len(learn.contents) == 2
    assert "Botany II" in learn.page_in(KEY)["body"]


def test_a_bare_course_that_is_there_gets_its_page(learn: BlackboardSimulator, send: Any) -> None:
    learn.add_course(KEY, availability={"available": "No"})

    result = send()

    assert result.confirms
    assert learn.is_live(KEY)
    assert learn.page_in(KEY) is not None


def test_another_conflict_than_ours_is_a_refusal(learn: BlackboardSimulator, send: Any) -> None:
    from coursewire_blackboard.content import course_id

    learn.add_course("Somebody+Else", courseId=course_id(KEY))

    result = send()

    assert (result.kind, result.reason) == (Kind.REJECTED, "conflict")
    assert "Unique ID conflicts" in result.message


@pytest.mark.parametrize("part", ["contents", "children"])
def test_a_course_whose_page_is_refused_is_taken_away_again(
    learn: BlackboardSimulator, send: Any, part: str
) -> None:
    def refuse(request: web.Request) -> web.Response | None:
        if request.method == "POST" and request.path.endswith(part):
            return json_response({"status": 400, "message": "The body has wrong markup"}, status=400)
        return None

    learn.interfere = refuse
    result = send()

    assert (result.kind, result.http_status) == (Kind.REJECTED, 400)
    assert "wrong markup" in result.message
    assert "taken away again" in result.message
    assert result.remote_id is None
    assert not learn.courses
    assert not learn.contents


def test_a_course_that_this_send_did_not_create_is_never_taken_away(
    learn: BlackboardSimulator, send: Any
) -> None:
    learn.add_course(KEY)
    learn.entitlements.discard("course.content.CREATE")

    result = send()

    assert (result.kind, result.http_status) == (Kind.BLOCKED, 403)
    assert "entitlement" in result.message
    assert KEY in learn.items


def test_a_clean_up_that_fails_is_told_beside_the_cause(learn: BlackboardSimulator, send: Any) -> None:
    learn.entitlements -= {"course.content.CREATE", "system.course.DELETE"}

    result = send()

    assert "course.content.CREATE" in result.message
    assert "stayed" in result.message
    assert (result.kind, result.remote_id) == (Kind.IN_DOUBT, next(iter(learn.courses)))
    assert KEY in learn.items


def test_a_course_that_somebody_took_away_meanwhile_need_not_be_cleaned_up(
    learn: BlackboardSimulator, send: Any
) -> None:
    def refuse(request: web.Request) -> web.Response | None:
        if request.method == "POST" and request.path.endswith("contents"):
            learn.lose(KEY)
            return json_response({"status": 400, "message": "The body has wrong markup"}, status=400)
        return None

    learn.interfere = refuse
    result = send()

    assert (result.kind, result.remote_id) == (Kind.REJECTED, None)
    assert "stayed" not in result.message


def test_an_empty_course_left_by_an_outage_is_completed_by_the_next_run(
    learn: BlackboardSimulator, send: Any
) -> None:
    learn.misbehave.append(Misbehaviour("HTML error page", path="/contents"))
    with pytest.raises(SendError) as caught:
        send()

    assert caught.value.code == "outcome-unknown"
    assert send().confirms
    assert len(learn.courses) == 1
    assert learn.page_in(KEY) is not None


def test_a_lost_answer_of_a_create_makes_no_second_course(learn: BlackboardSimulator, send: Any) -> None:
    learn.misbehave.append(Misbehaviour("reset after accepting", path="/courses"))

    assert send().confirms
    assert len(learn.courses) == 1
    assert len(learn.contents) == 2


def test_a_lost_answer_of_a_page_is_in_doubt_and_not_doubled_by_the_next_send(
    learn: BlackboardSimulator, send: Any
) -> None:
    learn.misbehave.append(Misbehaviour("reset after accepting", path="/children"))
    with pytest.raises(SendError) as caught:
        send()
    assert caught.value.code == "outcome-unknown"

    assert send().confirms
    assert len(learn.contents) == 2


def test_an_update_of_a_course_that_is_gone_creates_it(learn: BlackboardSimulator, send: Any) -> None:
    remote_id = send().remote_id
    learn.lose(KEY)

    result = send(UPDATE, remote_id)

    assert result.confirms
    assert result.remote_id != remote_id
    assert learn.is_live(KEY)


def test_an_update_of_a_page_that_is_gone_makes_another_in_the_same_folder(
    learn: BlackboardSimulator, send: Any
) -> None:
    remote_id = send().remote_id
    course, folder, page = remote_id.split("/")
    del learn.contents[page]

    result = send(UPDATE, remote_id)

    assert result.confirms
    assert result.remote_id.startswith(f"{course}/{folder}/")
    assert len(learn.contents) == 2


def test_an_update_of_a_page_that_was_replaced_by_another_adopts_that(
    learn: BlackboardSimulator, send: Any
) -> None:
    remote_id = send().remote_id
    course, folder, page = remote_id.split("/")
    learn.contents["_9999_1"] = {**learn.contents.pop(page), "id": "_9999_1"}

    result = send(UPDATE, remote_id)

    assert result.confirms
    assert result.remote_id == f"{course}/{folder}/_9999_1"
    assert len(learn.contents) == 2


def test_an_update_of_a_folder_that_is_gone_with_its_page_makes_both(
    learn: BlackboardSimulator, send: Any
) -> None:
    remote_id = send().remote_id
    course, *inside = remote_id.split("/")
    for content in inside:
        del learn.contents[content]

    result = send(UPDATE, remote_id)

    assert result.confirms
    assert result.remote_id.startswith(f"{course}/")
    assert learn.page_in(KEY) is not None
    assert len(learn.contents) == 2


def test_an_update_leaves_a_course_hidden_that_somebody_at_learn_hid(
    learn: BlackboardSimulator, send: Any
) -> None:
    remote_id = send().remote_id
    learn.items[KEY]["availability"] = {"available": "No"}

    assert send(UPDATE, remote_id, title="Botany II").confirms
    assert not learn.is_live(KEY)


def test_a_retired_course_is_hidden_with_its_grades_and_comes_back_with_the_same_id(
    learn: BlackboardSimulator, send: Any
) -> None:
    remote_id = send().remote_id

    hidden = send(RETIRE, remote_id)
    assert hidden.confirms
    assert hidden.remote_id == remote_id
    assert not learn.is_live(KEY)
    assert KEY in learn.items

    back = send(CREATE, remote_id)
    assert back.confirms
    assert back.remote_id == remote_id
    assert learn.is_live(KEY)


@pytest.mark.parametrize("polls", [0, 2])
def test_a_course_is_deleted_where_the_configuration_says_so_and_the_task_is_followed(
    learn: BlackboardSimulator, send: Any, polls: int
) -> None:
    remote_id = send().remote_id
    learn.polls = polls

    result = send(RETIRE, remote_id, {"retire_strategy": "delete"})

    assert (result.kind, result.http_status) == (Kind.ACCEPTED, 202)
    assert KEY not in learn.items


def test_a_deletion_that_takes_longer_is_looked_at_by_the_next_run(
    learn: BlackboardSimulator, send: Any
) -> None:
    remote_id = send().remote_id
    learn.polls = 50

    first = send(RETIRE, remote_id, {"retire_strategy": "delete"})
    learn.lose(KEY)
    second = send(RETIRE, remote_id, {"retire_strategy": "delete"})

    assert first.kind is Kind.TRY_LATER
    assert second.kind is Kind.ALREADY_SO


@pytest.mark.parametrize("strategy", ["hide", "delete"])
@pytest.mark.parametrize("remote_id", [None, "_999_1/_1000_1/_1001_1"])
def test_retiring_what_is_not_there_is_a_success_without_a_change(
    learn: BlackboardSimulator, send: Any, strategy: str, remote_id: str | None
) -> None:
    result = send(RETIRE, remote_id, {"retire_strategy": strategy})

    assert (result.kind, result.reason) == (Kind.ALREADY_SO, "already-retired")
    assert learn.items == {}


@pytest.mark.parametrize("remote_id", [None, "_999_1"])
def test_a_course_is_retired_by_its_external_id_where_learns_own_is_not_known(
    learn: BlackboardSimulator, send: Any, remote_id: str | None
) -> None:
    send()

    assert send(RETIRE, remote_id).kind is Kind.ACCEPTED
    assert not learn.is_live(KEY)


@pytest.mark.parametrize(
    "key", [KEY, "course-v1:RiverU+BOT101+2024T2", "RiverU/BOT101/2012", "植物 & 'more'?#%2F"]
)
def test_only_the_exact_external_id_is_found(learn: BlackboardSimulator, connected: Any, key: str) -> None:
    for near in (f"{key}x", f"x{key}", key.lower()):
        learn.add_course(near, courseId=near)

    async def find(session: cw.Session) -> cw.RemoteItem | None:
        return await plugin.find_remote(session=session, key=key)

    assert connected(find) is None
    held = learn.add_course(key, availability={"available": "Disabled"})
    found = connected(find)
    assert (found.remote_id, found.live) == (held["id"], False)


def test_a_course_behind_many_partial_matches_is_found_over_all_pages(
    learn: BlackboardSimulator, connected: Any
) -> None:
    for number in range(250):
        learn.add_course(f"Old/Course/{number}")
    held = learn.add_course("Old/Course")

    async def find(session: cw.Session) -> cw.RemoteItem | None:
        return await plugin.find_remote(session=session, key="Old/Course")

    assert connected(find).remote_id == held["id"]


def test_who_may_not_see_external_ids_proves_nothing(learn: BlackboardSimulator, send: Any) -> None:
    learn.add_course(KEY)
    learn.entitlements.discard("course.configure-properties.EXECUTE")

    with pytest.raises(cw.BlockedError, match="what is needed") as caught:
        send(RETIRE)
    assert "course.configure-properties.EXECUTE" in caught.value.next_step
    assert learn.is_live(KEY)


def test_the_404_of_a_proxy_is_not_learns(learn: BlackboardSimulator, send: Any) -> None:
    send()
    learn.interfere = lambda _request: web.Response(
        status=404, text="<h1>Not here</h1>", content_type="text/html"
    )

    with pytest.raises(SendError):
        send(RETIRE)


def test_a_404_that_is_not_learns_own_settles_no_item(learn: BlackboardSimulator, send: Any) -> None:
    remote_id = send().remote_id
    learn.interfere = lambda _request: web.Response(
        status=404, text="<h1>Not here</h1>", content_type="text/html"
    )

    result = send(UPDATE, remote_id)
    assert (result.kind, result.reason, result.remote_id) == (Kind.TRY_LATER, "unreadable-answer", remote_id)


@pytest.mark.parametrize("location", [None, "https://elsewhere.example.com/task/1"])
def test_a_deletion_whose_task_cannot_be_followed_is_taken_at_its_word(
    learn: BlackboardSimulator, send: Any, location: str | None
) -> None:
    remote_id = send().remote_id
    headers = {"Location": location} if location else None
    learn.interfere = lambda request: (
        web.Response(status=202, headers=headers) if request.method == "DELETE" else None
    )

    assert send(RETIRE, remote_id, {"retire_strategy": "delete"}).kind is Kind.ACCEPTED


def test_ultra_courses_get_a_page_that_ultra_shows(learn: BlackboardSimulator, send: Any) -> None:
    learn.ultra = True

    assert send(settings={"course_view": "Ultra"}).confirms
    refused = send(key="RiverU+BOT102")
    assert refused.kind is Kind.REJECTED
    assert "isBbPage" in refused.message


def test_who_sees_the_page_is_a_setting(learn: BlackboardSimulator, send: Any) -> None:
    send(settings={"content_availability": "PartiallyVisible"})

    assert learn.page_in(KEY)["availability"] == {"available": "PartiallyVisible"}


def test_the_availability_of_a_page_as_text_is_refused_as_learn_refuses_it(
    learn: BlackboardSimulator, connected: Any, made: Any
) -> None:
    payload = made.content()
    payload.body["course_child_content_metadata"]["availability"] = "Yes"

    async def call(session: cw.Session) -> cw.Result:
        (result,) = await plugin.send_content(session=session, batch=cw.Batch(CREATE, (payload,)))
        return result

    result = connected(call)
    assert (result.kind, result.http_status) == (Kind.REJECTED, 400)
    assert "availability must be an object" in result.message


def test_a_connection_that_works(learn: BlackboardSimulator, connected: Any, send: Any) -> None:
    said = connected(lambda session: plugin.check_connection(session=session))
    assert "9998 of 10000 calls" in said[-1]

    send()
    said = connected(lambda session: plugin.check_connection(session=session))
    assert "Students and the gradebook can be seen." in said


@pytest.mark.parametrize(
    "entitlement",
    [
        "system.course.VIEW",
        "course.configure-properties.EXECUTE",
        "course.user.VIEW",
        "course.gradebook.MODIFY",
    ],
)
def test_a_missing_entitlement_is_named(
    learn: BlackboardSimulator, connected: Any, send: Any, entitlement: str
) -> None:
    send()
    learn.entitlements.discard(entitlement)

    with pytest.raises(cw.BlockedError) as caught:
        connected(lambda session: plugin.check_connection(session=session))
    assert entitlement in caught.value.next_step


def test_rights_about_learners_are_not_asked_for_where_none_are_sent(
    learn: BlackboardSimulator, connected: Any, send: Any
) -> None:
    send()
    learn.entitlements -= {"course.user.VIEW", "course.gradebook.MODIFY"}

    assert connected(
        lambda session: plugin.check_connection(session=session), disable_learner_data_transmissions=True
    )


def test_no_course_is_listed_to_find_one(learn: BlackboardSimulator, send: Any) -> None:
    for number in range(300):
        learn.add_course(f"Other+{number}")
    send()
    send()
    kinds = Counter(calls(learn))

    assert kinds["GET courses"] == 0
    assert sum(kinds.values()) <= 9
