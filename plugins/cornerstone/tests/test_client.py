"""Checking a connection, and what the channel declares."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from coursewire.errors import BlockedError, CredentialsError
from coursewire.plugins.checks import check_channel
from coursewire_cornerstone import plugin
from coursewire_cornerstone.simulator import TRANSCRIPTS, CornerstoneSimulator

from .conftest import World, replace_handler


def test_the_channel_is_what_it_declares() -> None:
    check_channel(plugin.declare_channel(), plugin)

    can = plugin.CHANNEL.capabilities
    assert (can.delivery, can.mapped_keys) == ("pull", True)
    assert not can.assessments.usable
    assert not can.revoke.usable


def test_an_application_that_may_what_it_must(
    connected: Callable[..., Any], portal: CornerstoneSimulator
) -> None:
    assert len(connected(plugin.check_connection)) == 2
    assert [seen.method for seen in portal.seen] == ["POST", "GET"], "nothing was changed"


def test_wrong_credentials(connected: Callable[..., Any]) -> None:
    with pytest.raises(CredentialsError):
        connected(plugin.check_connection, client_secret="wrong-secret-51")


def test_an_application_without_the_right(
    connected: Callable[..., Any], portal: CornerstoneSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forbidden(_request: web.Request) -> web.Response:
        return web.json_response({"error": {"message": "no Rest services permissions"}}, status=403)

    replace_handler(portal, monkeypatch, "GET", f"{TRANSCRIPTS}/overview", lambda _own: forbidden)
    with pytest.raises(BlockedError) as refusal:
        connected(plugin.check_connection)

    assert "Edge > API Management" in str(refusal.value)
    assert "no Rest services permissions" in str(refusal.value)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_callback_can_be_tried_only_after_a_launch(
    world: World, portal: CornerstoneSimulator, connected: Callable[..., Any]
) -> None:
    fields = {**portal.sample_config("callback"), "client_id": "", "client_secret": ""}
    with pytest.raises(BlockedError) as refusal:
        connected(plugin.check_connection, **fields)
    assert "completion_api" in refusal.value.next_step

    world.course("A+B")
    world.learner("ada")
    world.load()
    configuration = world.by_callback()
    world.launch("ada", "A+B")
    world.now.later(minutes=90)
    channel = world.installation.channels.get("CSOD")
    config = world.installation.configurations.load(configuration.uuid, channel.channel)

    async def check() -> list[str]:
        async with world.installation.session(channel, config, configuration.uuid) as session:
            return await plugin.check_connection(session=session)

    assert asyncio.run(check()) == [
        "The newest session token came 1.5 hours ago; the portal takes one for about two hours."
    ]
