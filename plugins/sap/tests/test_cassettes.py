"""Recordings of the channel's traffic, replayed without a network.

``pytest --record-cassettes simulator plugins/sap/tests/test_cassettes.py`` records them anew.
"""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from coursewire.errors import CredentialsError, ThrottledError
from coursewire.model.payload import Operation, ResultKind
from coursewire_sap import plugin
from coursewire_sap.config import AuthType
from coursewire_sap.simulator import SapSimulator

BREAK = {"title": []}
ACCEPTED, REJECTED, TRY_LATER = ResultKind.ACCEPTED, ResultKind.REJECTED, ResultKind.TRY_LATER
FLOWS = {"learning_token": AuthType.LEARNING_TOKEN_SERVER, "signed_assertion": AuthType.SELF_SIGNED}


@pytest.fixture
def play(cassettes, clock, rsa_key):
    """Run ``work(session)`` with the cassette of a name; ``tenant`` says how the simulator is."""
    pem = rsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    player = cassettes(plugin, secrets={"private_key": pem}, clock=clock)

    def played(name, work, *, auth_type=AuthType.LEARNING_TOKEN_SERVER, changes=None, students=(), **tenant):
        simulator = SapSimulator(clock=clock, **tenant)
        simulator.students = list(students)
        sample = simulator.sample_config
        simulator.sample_config = lambda: sample(auth_type)
        return player.play(name, work, simulator=simulator, **(changes or {}))

    return played


@pytest.mark.parametrize("flow", FLOWS)
def test_import(flow, play, make_batch):
    batch = make_batch("Ex+1", ("Ex+2", Operation.RETIRE, {"status": "INACTIVE"}))

    results = play(
        f"import_{flow}", lambda session: plugin.send_content(session, batch), auth_type=FLOWS[flow]
    )

    assert [result.kind for result in results] == [ACCEPTED, ACCEPTED]


def test_a_refusal_that_names_the_course(play, make_batch):
    batch = make_batch("Ex+1", ("Ex+2", Operation.CREATE, BREAK), "Ex+3")

    results = play("import_refused_by_name", lambda session: plugin.send_content(session, batch))

    assert [result.kind for result in results] == [TRY_LATER, REJECTED, TRY_LATER]


def test_a_refusal_of_the_batch(play, make_batch):
    batch = make_batch("Ex+1", ("Ex+2", Operation.CREATE, BREAK))

    results = play("import_refused", lambda session: plugin.send_content(session, batch), name_refused=False)

    assert [(result.kind, result.batch_refused) for result in results] == [(REJECTED, True)] * 2


def test_the_window(play, make_batch, clock):
    async def twice(session):
        await plugin.send_content(session, make_batch("Ex+1"))
        with pytest.raises(ThrottledError) as caught:
            await plugin.send_content(session, make_batch("Ex+2"))
        return (caught.value.retry_at - clock.now).total_seconds()

    assert play("import_throttled", twice, window_seconds=300, changes={"call_interval_seconds": 0}) == 300


@pytest.mark.parametrize("flow", FLOWS)
def test_completion(flow, play, make_outcome):
    async def two(session):
        return [
            await plugin.send_outcomes(session, make_outcome("learner-1", course))
            for course in ("Ex+1", "Ex+2")
        ]

    told = play(f"completion_{flow}", two, auth_type=FLOWS[flow])

    assert [result.kind for (result,) in told] == [ACCEPTED, ACCEPTED]


def test_completion_by_the_service_user(play, make_outcome):
    (result,) = play(
        "completion_generic",
        lambda session: plugin.send_outcomes(session, make_outcome("learner-1", generic=True)),
        changes={"prevent_self_submit_grades": True},
    )

    assert (result.kind, result.http_status) == (ACCEPTED, 201)


def test_completion_of_an_inactive_learner(play, make_outcome):
    (result,) = play(
        "completion_inactive_at_token",
        lambda session: plugin.send_outcomes(session, make_outcome("learner-1")),
        students=[{"studentID": "learner-1", "isActive": False}],
        inactive_get_tokens=False,
    )

    assert (result.kind, result.reason) == (ResultKind.BLOCKED, "learner-inactive-at-lms")


def test_inactive_students(play):
    async def read(session):
        return [learner async for learner in plugin.list_inactive_learners(session)]

    students = [{"studentID": f"learner-{number}", "isActive": number == 1} for number in range(3)]

    assert play("inactive_students", read, students=students) == ["learner-0", "learner-2"]


def test_connection(play):
    assert len(play("connection", plugin.check_connection)) == 2


def test_a_wrong_secret(play):
    async def check(session):
        with pytest.raises(CredentialsError) as caught:
            await plugin.check_connection(session)
        return caught.value.http_status

    assert play("wrong_secret", check, changes={"secret": "not-the-secret"}) == 403
