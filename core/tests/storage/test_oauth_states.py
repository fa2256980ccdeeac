from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, func, select

from coursewire.storage.oauth_states import Begun, OAuthStates, StateFault
from coursewire.storage.tables.records import configuration, oauth_state

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def begun(new_configuration):
    return Begun(new_configuration(), "https://host.example.com/back", b"sealed")


@pytest.fixture
def states(engine, begun):
    made = OAuthStates(engine)
    made.begin("state", begun, session="mine", now=NOW, expires_at=NOW + timedelta(minutes=10))
    return made


def test_of_many_who_take_a_state_at_once_one_gets_it(states, begun):
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: states.take("state", session="mine", now=NOW), range(8)))

    assert taken.count(begun) == 1
    assert taken.count(StateFault.USED) == 7


@pytest.mark.parametrize(
    ("state", "session", "after", "fault"),
    [
        ("other", "mine", 0, StateFault.UNKNOWN),
        ("state", "other", 0, StateFault.OTHER_SESSION),
        ("state", "mine", 10, StateFault.EXPIRED),
        ("state", "other", 10, StateFault.OTHER_SESSION),
    ],
)
def test_what_is_refused_says_why_and_uses_nothing_up(states, begun, state, session, after, fault):
    assert states.take(state, session=session, now=NOW + timedelta(minutes=after)) is fault
    assert states.take("state", session="mine", now=NOW) == begun


def test_a_configuration_that_is_deleted_takes_its_states_along(states, engine):
    with engine.begin() as connection:
        connection.execute(delete(configuration))
        assert connection.scalar(select(func.count()).select_from(oauth_state)) == 0
