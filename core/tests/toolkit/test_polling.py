"""Waiting for a task of the LMS."""

import asyncio

import pytest

from coursewire.testing.simulator import json_response
from coursewire.toolkit.polling import poll


@pytest.mark.parametrize(
    ("looks", "over", "slept"), [(0, True, [1]), (2, True, [1, 2, 4]), (9, False, [1, 2, 4])]
)
def test_a_task_is_looked_at_after_each_pause_until_it_is_over(kit, lms, time, looks, over, slept):
    left = iter(["Running"] * looks + ["Complete"] * 4)
    lms.answer = lambda _request: json_response({"status": next(left)})

    async def main():
        async with kit.draft(lms.url, time) as session:
            return await poll(
                session, "tasks/1", (1, 2, 4), lambda answer: answer.json()["status"] == "Complete"
            )

    answer = asyncio.run(main())
    assert (answer is not None) is over
    assert answer is None or answer.json() == {"status": "Complete"}
    assert time.sleeps == slept
