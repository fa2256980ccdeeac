"""Recorded conversations, replayed: what goes over the wire stays the same.

``pytest --record-cassettes simulator plugins/blackboard/tests/test_cassettes.py`` records them anew.
"""

from __future__ import annotations

from typing import Any, cast

import pytest

import coursewire as cw
from coursewire.testing.cassettes import Player
from coursewire_blackboard import plugin
from coursewire_blackboard.config import BlackboardConfig
from coursewire_blackboard.simulator import BlackboardSimulator

KEY = "RiverU+BOT101"


@pytest.fixture
def player(cassettes: Any) -> Player:
    player: Player = cassettes(plugin)
    return player


def test_the_life_of_a_course(player: Player, made: Any) -> None:
    async def call(session: cw.Session) -> list[cw.Result]:
        results: list[cw.Result] = []
        for operation, title in (
            (cw.Operation.CREATE, "Botany"),
            (cw.Operation.UPDATE, "Botany II"),
            (cw.Operation.RETIRE, "Botany II"),
            (cw.Operation.CREATE, "Botany III"),
        ):
            remote_id = results[-1].remote_id if results else None
            payload = made.content(operation, remote_id, title=title)
            results += await plugin.send_content(session=session, batch=cw.Batch(operation, (payload,)))
        return results

    results = player.play("life-of-a-course", call)

    assert {result.kind for result in results} == {cw.ResultKind.ACCEPTED}
    assert len({result.remote_id for result in results}) == 1


def test_the_grades_of_a_course(player: Player, made: Any) -> None:
    learn = BlackboardSimulator()
    held = learn.add_course(KEY)
    for number in range(1, 3):
        user = learn.gradebook.add_user(None, userName=f"s-{number}")
        learn.gradebook.memberships[held["id"], user["id"]] = "Student"

    async def call(session: cw.Session) -> list[cw.Result]:
        results: list[cw.Result] = []
        config = cast("BlackboardConfig", session.config)
        for learner, percent in (("s-1", "0.85"), ("s-2", "0.4"), ("s-3", "1")):
            payload = made.outcome(made.completion(percent, learner), config)
            results += await plugin.send_outcomes(session=session, batch=cw.Batch(None, (payload,)))
        changed = made.outcome(made.completion("0.9", "s-1"), config, results[0].remote_id)
        return results + await plugin.send_outcomes(session=session, batch=cw.Batch(None, (changed,)))

    results = player.play("grades-of-a-course", call, simulator=learn, learner_field="userName")

    assert [result.reason for result in results] == ["", "", "learner-unmatched", ""]


def test_a_connection_that_works(player: Player) -> None:
    said = player.play("check-connection", lambda session: plugin.check_connection(session=session))

    assert "Courses can be listed." in said
