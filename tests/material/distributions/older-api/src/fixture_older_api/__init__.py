"""Made for plugin API 1."""

import httpx

from coursewire import Channel, hookimpl
from coursewire.model.channel import Capabilities, Support
from coursewire.model.configuration import ChannelConfig
from coursewire.model.payload import Result, ResultKind


class Config(ChannelConfig):
    """No fields of its own."""


@hookimpl
def declare_channel() -> Channel:
    return Channel(
        code="OLDER",
        title="Older",
        config=Config,
        capabilities=Capabilities(content=Support.FULL),
        requires_api=">=1,<2",
    )


@hookimpl
def authenticate():
    return httpx.BasicAuth("user", "password")


@hookimpl
async def check_connection():
    return ["There is nothing to connect to."]


@hookimpl
def export_content(item):
    return {"id": item.content_key, "title": item.title or ""}


@hookimpl
async def send_content(batch):
    return [Result(ResultKind.ACCEPTED) for _ in batch.payloads]
