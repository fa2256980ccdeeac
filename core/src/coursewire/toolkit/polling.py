"""Waiting for what an LMS works on after it has answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import httpx

    from coursewire.model.session import Session


async def poll(
    session: Session, path: str, pauses_s: Sequence[float], is_over: Callable[[httpx.Response], bool]
) -> bool:
    """Look again and again at a task of the LMS.

    Args:
        session: Asks.
        path: Of the task.
        pauses_s: Seconds before each look.
        is_over: Reads from an answer whether the task has ended. Its errors end the looking.

    Returns:
        False when it had not ended at the last look; the next run looks at what came of it.
    """
    for pause_s in pauses_s:
        await session.sleep(pause_s)
        if is_over(await session.get(path)):
            return True
    return False
