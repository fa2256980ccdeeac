"""Waiting for a task that an LMS works on after it has answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import httpx

    from coursewire.model.session import Session


async def poll(
    session: Session, path: str, pauses_s: Sequence[float], is_over: Callable[[httpx.Response], bool]
) -> bool:
    """Ask about a task of the LMS again and again until it has ended, or the pauses are used up.

    Args:
        session: The session of the run, which waits and asks.
        path: Path of the task, relative to the base URL of the LMS.
        pauses_s: Seconds to wait before each request, such as ``(1, 2, 5)`` for three requests.
        is_over: Function of an answer that tells whether the task has ended. An error that it raises ends the asking.

    Returns:
        True when the task has ended; False when it had not ended at the last request. Then the next run looks at the item
        itself.

    Example:
        ::

            def is_over(answer):
                return cw.read_success(answer, "status")["status"] == "complete"

            done = await cw.poll(session, f"/tasks/{task}", (1, 2, 5), is_over)
    """
    for pause_s in pauses_s:
        await session.sleep(pause_s)
        if is_over(await session.get(path)):
            return True
    return False
