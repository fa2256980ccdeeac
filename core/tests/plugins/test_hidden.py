"""What a channel's error quotes is redacted where the channel is called."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from coursewire import hookimpl
from coursewire.errors import BlockedError
from coursewire.http.redact import Redactor
from coursewire.model.channel import Capabilities, Channel, Support
from coursewire.model.configuration import ChannelConfig
from coursewire.plugins.loading import load_channel_object

SECRET = "canary-5d1f-planted"


class Config(ChannelConfig):
    code = "QUOTES"


class Quoting:
    """A channel whose connection is refused in the words of the LMS."""

    def __init__(self, refuses: bool) -> None:
        self.refuses = refuses

    @hookimpl
    def declare_channel(self) -> Channel:
        return Channel(
            code="QUOTES",
            title="Quotes",
            requires_api=">=2.0,<3",
            config=Config,
            capabilities=Capabilities(content=Support.IMPOSSIBLE),
        )

    @hookimpl
    def authenticate(self) -> Any: ...

    @hookimpl
    async def check_connection(self, session: Any) -> list[str]:
        if self.refuses:
            raise BlockedError(
                f"it says {SECRET}", where=SECRET, why=SECRET, next_step=SECRET, excerpt=f"<{SECRET}>"
            )
        return [f"The account {SECRET} is there."]


def check(channel: Quoting, session: Any) -> Any:
    hook_caller = load_channel_object(channel).hook_caller
    return asyncio.run(hook_caller.check_connection(session))


def test_an_error_is_redacted_in_every_part():
    session = SimpleNamespace(redactor=Redactor([SECRET]))
    with pytest.raises(BlockedError) as caught:
        check(Quoting(refuses=True), session)
    error = caught.value
    assert SECRET not in f"{error} {error!r} {vars(error)} {error.args}"
    assert error.what == "it says ***"
    assert error.excerpt == "<***>"


def test_what_works_is_redacted_too():
    session = SimpleNamespace(redactor=Redactor([SECRET]))
    assert check(Quoting(refuses=False), session) == ["The account *** is there."]


def test_a_session_that_is_not_cores_own_has_nothing_to_hide():
    assert SECRET in check(Quoting(refuses=False), SimpleNamespace())[0]
