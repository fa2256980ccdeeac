"""The client against the simulator, over real HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from coursewire.errors import BlockedError, OutcomeUnknownError, SendError, ThrottledError
from coursewire.model.content import ContentItem
from coursewire.model.payload import Batch, Operation, Payload, Result, ResultKind, fingerprint
from coursewire.testing.misbehave import Misbehaviour
from coursewire.toolkit.results import result_from_error
from coursewire_canvas import plugin
from coursewire_canvas.simulator import OTHER_ACCOUNT, ROOT_ACCOUNT, CanvasSimulator

if TYPE_CHECKING:
    from coursewire.model.session import Session

Connected = Callable[..., Any]

KEY = "course-v1:RiverU+BOT101+2024T2"
IMAGE = "https://cdn.example.org/bot101.png"


def payload(
    operation: Operation = Operation.CREATE, key: str = KEY, remote_id: str | None = None, **fields: Any
) -> Payload:
    item = {
        "content_type": "courserun",
        "key": key,
        "title": "Botany",
        "enrollment_url": "https://learn.example.org/enroll/BOT101/",
        "image_url": IMAGE,
        **fields,
    }
    body = plugin.export_content(item=ContentItem.model_validate(item))
    return Payload(key, operation, body, fingerprint(body), remote_key=key, remote_id=remote_id)


@pytest.fixture
def send(connected: Connected) -> Callable[..., Result]:
    def send_one(sent: Payload, **config: Any) -> Result:
        async def call(session: Session) -> list[Result]:
            return await plugin.send_content(session, Batch(sent.operation, (sent,)))

        results: list[Result] = connected(call, **config)
        assert len(results) == 1
        return results[0]

    return send_one


def calls(canvas: CanvasSimulator) -> list[str]:
    """Method and status of the API calls so far, without the token."""
    return [f"{seen.method} {seen.status}" for seen in canvas.seen if not seen.path.startswith("/login")]


def refuse(method: str, status: int, text: str = "") -> Callable[[web.Request], web.Response | None]:
    def interfere(request: web.Request) -> web.Response | None:
        return web.Response(status=status, text=text) if request.method == method else None

    return interfere


# -- create ------------------------------------------------------------------------------------------


def test_an_absent_course_is_posted_published_and_then_gets_its_image(
    canvas: CanvasSimulator, send: Callable[..., Result]
) -> None:
    sent = payload()

    result = send(sent)

    course = canvas.items[KEY]
    assert result.kind is ResultKind.ACCEPTED
    assert result.remote_id == str(course["id"])
    assert calls(canvas) == ["GET 404", "POST 200", "PUT 200"]
    assert canvas.seen[2].path == "/api/v1/accounts/17/courses"
    assert canvas.seen[2].body == {**sent.body, "offer": True}
    assert canvas.seen[3].body == {"course": {"event": "offer", "image_url": IMAGE}}
    assert course["workflow_state"] == "available"
    assert course["image_url"] == IMAGE
    assert {field: course[field] for field in sent.body["course"]} == sent.body["course"]
    assert canvas.arrivals[KEY] == 1


def test_without_an_image_two_requests_are_enough(
    canvas: CanvasSimulator, send: Callable[..., Result]
) -> None:
    assert send(payload(image_url=None)).confirms
    assert calls(canvas) == ["GET 404", "POST 200"]
    assert canvas.items[KEY]["workflow_state"] == "available"


@pytest.mark.parametrize(
    "key",
    [
        "RiverU+BOT101",
        "a/b",
        "a&b=c",
        "a?b#c",
        "Ex+HTLO.100x",
        "50%",
        "%2F",
        "Ключ 植",
        "a b",
        "..",
        "x" * 255,
    ],
)
def test_any_key_is_found_again(canvas: CanvasSimulator, send: Callable[..., Result], key: str) -> None:
    first = send(payload(key=key))
    second = send(payload(key=key, title="Botany II"))

    assert first.kind is second.kind is ResultKind.ACCEPTED
    assert first.remote_id == second.remote_id
    assert len(canvas.courses) == 1
    assert canvas.items[key]["name"] == "Botany II"


@pytest.mark.parametrize("state", ["unpublished", "completed", "available"])
def test_an_existing_course_is_adopted_updated_and_published(
    canvas: CanvasSimulator, send: Callable[..., Result], state: str
) -> None:
    course = canvas.add_course(KEY, name="Old", workflow_state=state)

    result = send(payload())

    assert result.kind is ResultKind.ACCEPTED
    assert result.remote_id == str(course["id"])
    assert calls(canvas) == ["GET 200", "PUT 200"]
    assert course["workflow_state"] == "available"
    assert course["name"] == "Botany"
    assert course["image_url"] == IMAGE


@pytest.mark.parametrize("account", [OTHER_ACCOUNT, ROOT_ACCOUNT])
def test_a_course_of_another_account_below_the_root_is_updated_not_doubled(
    canvas: CanvasSimulator, send: Callable[..., Result], account: int
) -> None:
    course = canvas.add_course(KEY, account=account)

    assert send(payload()).remote_id == str(course["id"])
    assert list(canvas.courses) == [course["id"]]
    assert course["account_id"] == account


def test_a_course_without_its_image_is_not_done_and_the_next_attempt_completes_it(
    canvas: CanvasSimulator, send: Callable[..., Result]
) -> None:
    canvas.interfere = refuse("PUT", 400, '{"errors":{"image_url":[{"message":"no"}]}}')

    first = send(payload())

    assert first.kind is ResultKind.TRY_LATER
    assert first.reason == "image-missing"
    assert first.remote_id == str(canvas.items[KEY]["id"])
    canvas.interfere = lambda _request: None
    assert send(payload()).confirms
    assert canvas.items[KEY]["image_url"] == IMAGE
    assert canvas.arrivals[KEY] == 1


def test_a_course_that_was_deleted_is_restored_and_published(
    canvas: CanvasSimulator, send: Callable[..., Result]
) -> None:
    course = canvas.add_course(KEY, workflow_state="deleted")

    result = send(payload())

    assert result.kind is ResultKind.ACCEPTED
    assert course["workflow_state"] == "available"
    assert calls(canvas) == ["GET 200", "PUT 200", "PUT 200"]


@pytest.mark.parametrize("remote_id", [None, "known"])
def test_a_deleted_course_that_cannot_be_restored_waits_for_a_person(
    canvas: CanvasSimulator, send: Callable[..., Result], remote_id: str | None
) -> None:
    course = canvas.add_course(KEY, workflow_state="deleted", name="Old")
    canvas.interfere = refuse("PUT", 403, '{"errors":[{"message":"no"}]}')
    if remote_id:
        canvas.may_undelete = False
        canvas.interfere = lambda _request: None

    result = send(payload(Operation.UPDATE, remote_id=remote_id and str(course["id"])))

    assert result.kind is ResultKind.BLOCKED
    assert result.reason == "deleted-at-canvas"
    assert "Restore Content" in result.message
    assert course["name"] == "Old"


def test_a_restore_that_canvas_could_not_do_just_now_is_tried_later(
    canvas: CanvasSimulator, send: Callable[..., Result]
) -> None:
    canvas.add_course(KEY, workflow_state="deleted")
    canvas.interfere = refuse("PUT", 500)

    assert send(payload()).kind is ResultKind.TRY_LATER


def test_what_canvas_refuses_is_rejected_with_its_words(
    canvas: CanvasSimulator, send: Callable[..., Result]
) -> None:
    canvas.interfere = refuse("POST", 400, '{"errors":{"name":[{"message":"is too long"}]}}')

    result = send(payload())

    assert result.kind is ResultKind.REJECTED
    assert result.http_status == 400
    assert "is too long" in result.message + result.excerpt
    assert not canvas.items


# -- update ------------------------------------------------------------------------------------------


def test_a_course_whose_id_is_known_is_updated_with_one_request(
    canvas: CanvasSimulator, send: Callable[..., Result]
) -> None:
    course = canvas.add_course(KEY, workflow_state="available")
    sent = payload(Operation.UPDATE, remote_id=str(course["id"]))

    result = send(sent)

    assert result.kind is ResultKind.ACCEPTED
    assert calls(canvas) == ["PUT 200"]
    assert canvas.seen[-1].body == {"course": {**sent.body["course"], "event": "offer"}}
    assert course["image_url"] == IMAGE


@pytest.mark.parametrize("remote_id", [None, "4711"])
def test_an_update_of_an_absent_course_creates_it(
    canvas: CanvasSimulator, send: Callable[..., Result], remote_id: str | None
) -> None:
    result = send(payload(Operation.UPDATE, remote_id=remote_id))

    assert result.kind is ResultKind.ACCEPTED
    assert result.remote_id == str(canvas.items[KEY]["id"]) != remote_id


@pytest.mark.parametrize("ignored", [True, False])
def test_an_update_that_met_another_course_goes_to_the_right_one(
    canvas: CanvasSimulator, send: Callable[..., Result], ignored: bool
) -> None:
    strangers = canvas.add_course("strangers", workflow_state="available")
    if ignored:
        canvas.rights.discard("manage_sis")
    ours = canvas.add_course(KEY)

    result = send(payload(Operation.UPDATE, remote_id=str(strangers["id"])))

    assert result.kind is ResultKind.ACCEPTED
    assert result.remote_id == str(ours["id"])


def test_an_update_that_met_a_deleted_course_restores_it(
    canvas: CanvasSimulator, send: Callable[..., Result]
) -> None:
    course = canvas.add_course(KEY, workflow_state="deleted")
    first = [web.json_response({"id": course["id"], "integration_id": KEY, "workflow_state": "deleted"})]
    canvas.interfere = lambda request: first.pop() if first and request.method == "PUT" else None

    assert send(payload(Operation.UPDATE, remote_id=str(course["id"]))).confirms
    assert course["workflow_state"] == "available"


@pytest.mark.parametrize(
    ("state", "asked"),
    [("available", ["GET 200", "PUT 400"]), ("deleted", ["GET 200", "PUT 400"])],
)
def test_a_course_that_was_looked_up_is_not_looked_up_again_when_canvas_refuses_it(
    canvas: CanvasSimulator, send: Callable[..., Result], state: str, asked: list[str]
) -> None:
    canvas.add_course(KEY, workflow_state=state)
    canvas.interfere = refuse("PUT", 400, '{"errors":{"name":[{"message":"no"}]}}')

    assert not send(payload()).confirms
    assert calls(canvas) == asked


def test_a_create_that_is_answered_for_another_course_is_tried_again(
    canvas: CanvasSimulator, send: Callable[..., Result]
) -> None:
    canvas.interfere = lambda request: (
        web.json_response({"id": 1, "integration_id": "other"}) if request.method == "POST" else None
    )

    result = send(payload())

    assert result.kind is ResultKind.TRY_LATER
    assert result.reason == "other-course"
    assert result.remote_id is None


# -- retire ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("strategy", "state"), [("conclude", "completed"), ("delete", "deleted")])
def test_a_retired_course_is_concluded_or_deleted(
    canvas: CanvasSimulator, send: Callable[..., Result], strategy: str, state: str, known: bool
) -> None:
    course = canvas.add_course(KEY, workflow_state="available")
    remote_id = str(course["id"]) if known else None

    result = send(payload(Operation.RETIRE, remote_id=remote_id), retire_strategy=strategy)

    assert result.kind is ResultKind.ACCEPTED
    assert result.remote_id == str(course["id"])
    assert canvas.seen[-1].body == {"event": strategy}
    assert calls(canvas) == (["DELETE 200"] if known else ["GET 200", "DELETE 200"])
    assert course["workflow_state"] == state


@pytest.mark.parametrize("remote_id", [None, "4711"])
def test_retiring_an_absent_course_is_success(
    canvas: CanvasSimulator, send: Callable[..., Result], remote_id: str | None
) -> None:
    assert send(payload(Operation.RETIRE, remote_id=remote_id)).kind is ResultKind.ALREADY_SO


@pytest.mark.parametrize("state", ["completed", "deleted"])
def test_retiring_a_course_that_is_over_is_success(
    canvas: CanvasSimulator, send: Callable[..., Result], state: str
) -> None:
    canvas.add_course(KEY, workflow_state=state)

    assert send(payload(Operation.RETIRE)).kind is ResultKind.ALREADY_SO
    assert calls(canvas) == ["GET 200"]


def test_a_refused_retirement_is_not_success(canvas: CanvasSimulator, send: Callable[..., Result]) -> None:
    course = canvas.add_course(KEY, workflow_state="available")
    canvas.interfere = refuse("DELETE", 403, '{"errors":[{"message":"not yours"}]}')

    result = send(payload(Operation.RETIRE, remote_id=str(course["id"])))

    assert result.kind is ResultKind.BLOCKED
    assert calls(canvas) == ["DELETE 403"]
    assert course["workflow_state"] == "available"


@pytest.mark.parametrize("text", ["", "<html>Log in</html>", '{"conclude": false}'])
def test_an_unreadable_answer_to_a_retirement_is_not_success(
    canvas: CanvasSimulator, send: Callable[..., Result], text: str
) -> None:
    canvas.add_course(KEY, workflow_state="available")
    canvas.interfere = refuse("DELETE", 200, text)

    result = send(payload(Operation.RETIRE))

    assert result.kind is ResultKind.TRY_LATER
    assert result.reason == "no-acknowledgement"


def test_a_404_that_is_not_canvas_own_does_not_count_as_absent(
    canvas: CanvasSimulator, send: Callable[..., Result]
) -> None:
    canvas.interfere = refuse("GET", 404, "<html>Not here</html>")

    with pytest.raises(SendError):
        send(payload(Operation.RETIRE))
    with pytest.raises(SendError):
        send(payload())
    assert not canvas.items


@pytest.mark.parametrize("strategy", ["conclude", "delete"])
@pytest.mark.parametrize("known", [True, False])
def test_create_retire_create_again_is_visible_with_the_same_id(
    canvas: CanvasSimulator, send: Callable[..., Result], strategy: str, known: bool
) -> None:
    first = send(payload())
    remote_id = first.remote_id if known else None
    send(payload(Operation.RETIRE, remote_id=remote_id), retire_strategy=strategy)
    again = send(payload(remote_id=remote_id))

    assert again.kind is ResultKind.ACCEPTED
    assert again.remote_id == first.remote_id
    assert canvas.items[KEY]["workflow_state"] == "available"
    assert canvas.arrivals[KEY] == 1


# -- answers that are none ---------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "<html>Log in</html>", "[]", "null", "{}"])
def test_a_200_without_a_course_is_no_acknowledgement(
    canvas: CanvasSimulator, send: Callable[..., Result], text: str
) -> None:
    canvas.interfere = refuse("POST", 200, text)

    result = send(payload())

    assert result.kind is ResultKind.TRY_LATER
    assert result.reason == "no-acknowledgement"


THROTTLES = ["403 as throttle", "429 with Retry-After", "429 without Retry-After"]


@pytest.mark.parametrize("name", THROTTLES)
def test_throttling_defers_the_course(
    canvas: CanvasSimulator, send: Callable[..., Result], name: str
) -> None:
    canvas.misbehave.append(Misbehaviour(name, times=None, path="/api", seconds=600))

    with pytest.raises(ThrottledError):
        send(payload())


@pytest.mark.parametrize("name", THROTTLES)
def test_a_short_throttling_is_waited_out(
    canvas: CanvasSimulator, send: Callable[..., Result], name: str
) -> None:
    canvas.misbehave.append(Misbehaviour(name, path="/api"))

    assert send(payload()).confirms


@pytest.mark.parametrize("name", ["reset after accepting", "bad gateway"])
def test_a_create_without_an_answer_is_in_doubt_and_settled_by_looking(
    canvas: CanvasSimulator, send: Callable[..., Result], connected: Connected, name: str
) -> None:
    canvas.misbehave.append(Misbehaviour(name, path="/accounts/"))

    with pytest.raises(OutcomeUnknownError):
        send(payload())
    found = connected(lambda session: plugin.find_remote(session, KEY))

    assert (found is not None) == (name == "reset after accepting")
    assert send(payload()).confirms
    assert canvas.arrivals == {KEY: 1}
    assert canvas.items[KEY]["image_url"] == IMAGE


@pytest.mark.parametrize("operation", list(Operation))
@pytest.mark.parametrize(
    "name",
    ["200 with error body", "HTML error page", "empty answer", "bad gateway", "reset before accepting"],
)
def test_a_broken_answer_settles_nothing(
    canvas: CanvasSimulator, send: Callable[..., Result], name: str, operation: Operation
) -> None:
    canvas.add_course(KEY, workflow_state="available")
    canvas.misbehave.append(Misbehaviour(name, times=None, path="/courses"))

    try:
        result = send(payload(operation))
    except SendError as error:
        result = result_from_error(error)

    assert result.kind is ResultKind.TRY_LATER


def test_a_plain_403_is_a_missing_right(canvas: CanvasSimulator, send: Callable[..., Result]) -> None:
    canvas.interfere = refuse("POST", 403, '{"errors":[{"message":"user not authorized"}]}')

    assert send(payload()).kind is ResultKind.BLOCKED


def test_a_401_without_a_challenge_is_a_missing_right(
    canvas: CanvasSimulator, send: Callable[..., Result]
) -> None:
    canvas.rights.discard("manage_courses_add")

    with pytest.raises(BlockedError, match="rights"):
        send(payload())

    assert sum(seen.path.startswith("/login") for seen in canvas.seen) == 1


def test_a_401_with_a_challenge_is_about_the_token_whatever_it_says(
    canvas: CanvasSimulator, send: Callable[..., Result]
) -> None:
    challenge = {"WWW-Authenticate": 'Bearer realm="canvas-lms"'}
    first = [web.Response(status=401, text="user not authorized", headers=challenge)]
    canvas.interfere = lambda _request: first.pop() if first else None

    assert send(payload()).confirms
    assert sum(seen.path.startswith("/login") for seen in canvas.seen) == 2


def test_a_token_that_ends_early_is_renewed_once(canvas: CanvasSimulator, connected: Connected) -> None:
    async def call(session: Session) -> list[list[Result]]:
        first = await plugin.send_content(session, Batch(Operation.CREATE, (payload(),)))
        canvas.expire_tokens()
        second = await plugin.send_content(session, Batch(Operation.CREATE, (payload(key="b"),)))
        return [first, second]

    results = connected(call)

    assert all(result.confirms for batch in results for result in batch)
    assert sum(seen.path.startswith("/login") for seen in canvas.seen) == 2


def test_the_token_is_asked_for_with_a_form(canvas: CanvasSimulator, send: Callable[..., Result]) -> None:
    send(payload())

    asked = canvas.seen[0]
    assert (asked.method, asked.path, asked.query) == ("POST", "/login/oauth2/token", "")
    assert sum(seen.path.startswith("/login") for seen in canvas.seen) == 1


@pytest.mark.parametrize("field", ["client_id", "client_secret", "refresh_token"])
def test_wrong_credentials_settle_nothing(
    canvas: CanvasSimulator, send: Callable[..., Result], field: str
) -> None:
    with pytest.raises(SendError) as refusal:
        send(payload(), **{field: "wrong"})

    assert refusal.value.code == "credentials"
    assert calls(canvas) == []


# -- integration ids ---------------------------------------------------------------------------------


def test_a_user_who_may_not_set_integration_ids_is_told_at_once(
    canvas: CanvasSimulator, send: Callable[..., Result]
) -> None:
    canvas.rights.discard("manage_sis")

    result = send(payload())

    assert result.kind is ResultKind.BLOCKED
    assert result.reason == "integration-id-not-set"
    assert "SIS Data - manage" in result.message


def test_hidden_integration_ids_never_lead_to_adoption(
    canvas: CanvasSimulator, send: Callable[..., Result]
) -> None:
    canvas.rights.discard("read_sis")
    canvas.add_course(KEY, name="Old")

    with pytest.raises(BlockedError, match="SIS Data - read"):
        send(payload())
    assert canvas.items[KEY]["name"] == "Old"


def test_a_course_with_another_integration_id_is_not_ours(
    canvas: CanvasSimulator, send: Callable[..., Result]
) -> None:
    other = canvas.add_course(KEY.upper(), name="Old")
    canvas.interfere = lambda request: web.json_response(other) if request.method == "GET" else None

    assert send(payload()).remote_id != str(other["id"])
    assert other["name"] == "Old"


# -- looking -----------------------------------------------------------------------------------------


def test_find_remote(canvas: CanvasSimulator, connected: Connected) -> None:
    course = canvas.add_course(KEY, name="Botany", workflow_state="available")
    canvas.add_course("over", workflow_state="completed")
    canvas.add_course("gone", workflow_state="deleted")

    async def call(session: Session) -> list[Any]:
        return [await plugin.find_remote(session, key) for key in (KEY, "over", "gone", "never")]

    live, over, gone, never = connected(call)

    assert live.remote_id == str(course["id"])
    assert live.remote_key == KEY
    assert live.live
    assert live.fields["name"] == "Botany"
    assert not over.live
    assert not gone.live
    assert never is None


def test_list_remote_reads_all_pages(canvas: CanvasSimulator, connected: Connected) -> None:
    keys = [f"RiverU+{number}" for number in range(230)]
    for key in keys:
        canvas.add_course(key, workflow_state="available")
    canvas.add_course("over", workflow_state="deleted")
    canvas.add_course(None)
    canvas.add_course("elsewhere", account=OTHER_ACCOUNT)

    found = connected(plugin.list_remote)

    assert [item.remote_key for item in found] == [*keys, "over"]
    assert [item.live for item in found[-2:]] == [True, False]
    assert calls(canvas) == ["GET 200"] * 3


def test_an_unreadable_list_proves_nothing(canvas: CanvasSimulator, connected: Connected) -> None:
    canvas.interfere = refuse("GET", 200, "{}")

    with pytest.raises(Exception, match="cannot be read") as refusal:
        connected(plugin.list_remote)

    assert refusal.value.code == "incomplete-list"  # type: ignore[attr-defined]


# -- connection --------------------------------------------------------------------------------------


def test_check_connection_tells_what_works_and_changes_nothing(
    canvas: CanvasSimulator, connected: Connected
) -> None:
    sentences = connected(plugin.check_connection)

    assert len(sentences) == 4
    assert "Account 17" in sentences[1]
    assert {seen.method for seen in canvas.seen if seen.path.startswith("/api")} == {"GET"}


def test_check_connection_names_the_missing_rights(canvas: CanvasSimulator, connected: Connected) -> None:
    canvas.rights -= {"read_sis", "manage_courses_add"}

    with pytest.raises(BlockedError, match="SIS Data - read, Courses - add"):
        connected(plugin.check_connection)


def test_rights_for_learner_data_are_needed_only_where_it_is_sent(
    canvas: CanvasSimulator, connected: Connected
) -> None:
    canvas.rights -= {"manage_grades", "read_roster"}

    with pytest.raises(BlockedError, match="Users - view list, Grades - edit"):
        connected(plugin.check_connection)
    assert len(connected(plugin.check_connection, disable_learner_data_transmissions=True)) == 3


def test_check_connection_with_an_unknown_account(canvas: CanvasSimulator, connected: Connected) -> None:
    with pytest.raises(SendError):
        connected(plugin.check_connection, canvas_account_id=99)


def test_check_connection_where_permissions_cannot_be_asked(
    canvas: CanvasSimulator, connected: Connected
) -> None:
    canvas.interfere = lambda request: (
        web.json_response({"errors": [{"message": "no"}]}, status=403)
        if request.path.endswith("/permissions")
        else None
    )

    with pytest.raises(SendError):
        connected(plugin.check_connection)
