"""Waiting for a task that an LMS works on after it has answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import httpx

    from coursewire.model.session import Session


async def poll(
    session: Session, path: str, pauses_s: Sequence[float], is_over: Callable[[httpx.Response], bool]
) -> httpx.Response | None:
    """Ask for the state of a task of the LMS until the task has ended.

    Args:
        session: The session of the run.
        path: Path of the task at the LMS; it is read with GET.
        pauses_s: Seconds to wait before each request, one number for each.
        is_over: Function of an answer that tells whether the task has ended. An error that it raises ends the polling.

    Returns:
        The answer that tells that the task has ended; None where it had not ended at the last request, so that the next
        run must find out what became of it.

    Example:
        ::

            def is_over(answer):
                return cw.read_object(answer).get("state") == "done"


            answer = await cw.poll(session, f"/tasks/{task_id}", (1, 2, 4, 8), is_over)
    """
    for pause_s in pauses_s:
        await session.sleep(pause_s)
        response = await session.get(path)
        if is_over(response):
            return response
    return None
