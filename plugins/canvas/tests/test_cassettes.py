"""Recorded conversations, replayed: what goes over the wire stays the same.

``pytest --record-cassettes simulator plugins/canvas/tests/test_cassettes.py`` records them anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from coursewire.model.content import ContentItem
from coursewire.model.outcomes import Completion
from coursewire.model.payload import Batch, Operation, Payload, Result, ResultKind, fingerprint
from coursewire.testing import Player
from coursewire_canvas import plugin
from coursewire_canvas.config import CanvasConfig
from coursewire_canvas.simulator import CanvasSimulator

if TYPE_CHECKING:
    from coursewire.model.session import Session

KEY = "course-v1:RiverU+BOT101+2024T2"


@pytest.fixture
def player(cassettes: Any) -> Player:
    made: Player = cassettes(plugin)
    return made


def payload(operation: Operation, remote_id: str | None = None, title: str = "Botany") -> Payload:
    item = ContentItem.model_validate(
        {
            "content_type": "courserun",
            "key": KEY,
            "title": title,
            "enrollment_url": "https://learn.example.org/enroll/BOT101/?a=1&b=2",
            "full_description": "<p>Pflanzen für Anfänger</p>",
            "image_url": "https://cdn.example.org/bot101.png",
            "start": "2024-04-01T00:00:00Z",
        }
    )
    body = plugin.export_content(item=item)
    return Payload(KEY, operation, body, fingerprint(body), remote_key=KEY, remote_id=remote_id)


def test_the_life_of_a_course(player: Player) -> None:
    async def call(session: Session) -> list[Result]:
        results: list[Result] = []
        for operation, title in (
            (Operation.CREATE, "Botany"),
            (Operation.UPDATE, "Botany II"),
            (Operation.RETIRE, "Botany II"),
            (Operation.CREATE, "Botany III"),
        ):
            remote_id = results[-1].remote_id if results else None
            sent = payload(operation, remote_id, title)
            results += await plugin.send_content(session, Batch(operation, (sent,)))
        return results

    results = player.play("life-of-a-course", call)

    assert {result.kind for result in results} == {ResultKind.ACCEPTED}
    assert {result.remote_id for result in results} == {"1001"}


def graded(
    session: Session,
    learner: str,
    percent: str = "0.9",
    operation: Operation = Operation.UPDATE,
    **fields: Any,
) -> Payload:
    outcome = Completion.model_validate(
        {
            "enrollment_id": learner,
            "username": learner,
            "email": None,
            "remote_id": learner,
            "course_key": KEY,
            "course_run_key": KEY,
            "verdict": "Pass",
            "complete": True,
            "completed_at": None,
            "percent": percent,
            **fields,
        }
    )
    body = plugin.export_completion(config=cast("CanvasConfig", session.config), completion=outcome)
    return Payload(learner, operation, body, fingerprint(body), remote_key=learner)


def test_the_grades_of_a_course(player: Player) -> None:
    canvas = CanvasSimulator()
    canvas.add_course(KEY, workflow_state="available")
    for login in ("s-1", "s-2", "s-3"):
        user = canvas.gradebook.add_user(None, login=login)
        canvas.gradebook.enrollments[canvas.items[KEY]["id"], user["id"]] = "active"
    canvas.gradebook.progress_polls = 1

    async def call(session: Session) -> list[Result]:
        first = [graded(session, f"s-{number}", "0.85", Operation.CREATE) for number in range(1, 5)]
        results = await plugin.send_outcomes(session, Batch(Operation.CREATE, tuple(first)))
        for corrected in (graded(session, "s-1"), graded(session, "s-1", complete=False)):
            results += await plugin.send_outcomes(session, Batch(Operation.UPDATE, (corrected,)))
        return results

    results = player.play("grades-of-a-course", call, simulator=canvas)

    assert [result.reason for result in results] == ["", "", "", "learner-unmatched", "", ""]
    assert [result.confirms for result in results] == [True, True, True, False, True, True]


def test_a_connection_that_works(player: Player) -> None:
    assert len(player.play("check-connection", plugin.check_connection)) == 4
