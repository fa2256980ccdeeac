"""Reason codes in words for readers of the console and the REST API, those of channels' own included."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from coursewire.model.reasons import REASONS, Explanation, Surface, explain

if TYPE_CHECKING:
    from uuid import UUID

    from coursewire.model.reasons import ReasonInfo
    from coursewire.service.authorization import Access


class Explanations:
    """Explains the reason codes of configurations within reach.

    The configurations are read once, and only when a code is not core's.

    Args:
        access: The access of the caller.
    """

    def __init__(self, access: Access) -> None:
        self._reach = access

    def of(self, configuration: UUID, code: str) -> Explanation:
        """Return a reason code in words, as the channel of a configuration or core declares it.

        Args:
            configuration: The configuration whose record or result has the code.
            code: The reason code; "" has no words.
        """
        own: tuple[ReasonInfo, ...] = ()
        if code and code not in REASONS:
            channel = self._channels.get(configuration, "")
            own = self._reach.installation.channels.reasons_of(channel)
        return explain(code, own, on=Surface.CONSOLE)

    @cached_property
    def _channels(self) -> dict[UUID, str]:
        return {each.uuid: each.channel for each in self._reach.configurations()}
