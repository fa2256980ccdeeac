"""The session that core hands to a channel's hooks, opened on a simulator, for tests of single hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coursewire.http.opening import open_draft_session
from coursewire.model.configuration import INSECURE_URLS
from coursewire.plugins.loading import load_channel_object

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from coursewire.model.session import Session
    from coursewire.testing.simulator import Simulator


def open_session(
    channel: object, simulator: Simulator, **fields: Any
) -> AbstractAsyncContextManager[Session]:
    """Open the session of a channel on its simulator, with real HTTP, tokens, retries and rates.

    Args:
        channel: The module, or the object, with the hooks of the channel.
        simulator: The running simulator; its ``sample_config()`` gives the configuration.
        **fields: Configuration fields that differ from the simulator's.

    Raises:
        ChannelLoadError: The channel cannot be used, for example because a hook has a wrong signature.
        ValidationError: The fields are no configuration of the channel.

    Example:
        ::

            async def check():
                with HarbourSimulator().running() as harbour:
                    async with open_session(plugin, harbour) as session:
                        return await plugin.check_connection(session)
    """
    loaded = load_channel_object(channel)
    caller = loaded.hook_caller
    config = loaded.channel.config.model_validate(
        {**simulator.sample_config(), **fields}, context={INSECURE_URLS: True}
    )
    return open_draft_session(
        channel=loaded.channel,
        config=config,
        authenticate=lambda tokens: caller.authenticate(config, tokens),
        read_slow_down=lambda response: caller.read_slow_down(config, response),
        insecure_urls=True,
    )
