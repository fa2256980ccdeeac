"""A simulated Canvas, and a session on it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from coursewire.http.opening import open_draft_session
from coursewire.model.configuration import INSECURE_URLS
from coursewire.plugins.loading import load_channel_object
from coursewire_canvas import plugin
from coursewire_canvas.simulator import CanvasSimulator

if TYPE_CHECKING:
    from coursewire.model.session import Session


@pytest.fixture
def canvas() -> Iterator[CanvasSimulator]:
    simulator = CanvasSimulator()
    with simulator.running():
        yield simulator


@pytest.fixture
def connected(canvas: CanvasSimulator) -> Callable[..., Any]:
    """Run an async function of a session; further arguments change the configuration."""
    channel = load_channel_object(plugin)

    def run(call: Callable[[Session], Awaitable[Any]], *, transport: Any = None, **fields: Any) -> Any:
        config = plugin.CHANNEL.config.model_validate(
            {**canvas.sample_config(), **fields}, context={INSECURE_URLS: True}
        )

        async def no_sleep(_seconds: float) -> None:
            await asyncio.sleep(0)

        async def in_session() -> Any:
            async with open_draft_session(
                channel=channel.channel,
                config=config,
                authenticate=lambda tokens: channel.hook_caller.authenticate(config, tokens),
                read_slow_down=lambda response: channel.hook_caller.read_slow_down(config, response),
                insecure_urls=True,
                sleep=no_sleep,
                transport=transport,
            ) as session:
                return await call(session)

        return asyncio.run(in_session())

    return run
