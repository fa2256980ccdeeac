"""Declares content and has no hook for it."""

from coursewire import Channel, hookimpl
from coursewire.model.channel import Capabilities, Support
from coursewire.model.configuration import ChannelConfig


class Config(ChannelConfig):
    """No fields of its own."""


@hookimpl
def declare_channel() -> Channel:
    return Channel(
        code="BOASTS",
        title="Boasts",
        requires_api=">=2.0,<3",
        config=Config,
        capabilities=Capabilities(content=Support.FULL),
    )
