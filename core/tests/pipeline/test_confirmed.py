"""Updates come with what the LMS last confirmed, where a channel asks for it and nothing was tried since."""

from __future__ import annotations

import asyncio

import pytest

from coursewire.hooks import hookimpl
from coursewire.model.channel import Support
from coursewire.model.payload import Operation, Result, ResultKind
from coursewire.pipeline.content_job import ContentJob
from coursewire.pipeline.transmit.run import Stop

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

CATALOG = "2fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e4444"
KEY = "RiverU+BOAT"
TRY_LATER = Result(ResultKind.TRY_LATER, reason="busy")


class Sends:
    """Sends one course under one title after another; notes what was sent."""

    def __init__(self, world, channel_of, lines, *, wants):
        self.world, self.lines, self.payloads = world, lines, []
        self.answer = Result(ResultKind.ACCEPTED)
        sends = self

        class Noting(channel_of):
            @hookimpl
            def export_content(self, item):
                return {"title": item.title}

            @hookimpl
            async def send_content(self, batch):
                sends.payloads += batch.payloads
                return [sends.answer] * len(batch)

        world.install(Noting(content=Support.FULL, wants_confirmed=wants))
        self.uuid = world.configure(self.lines.ACME)

    def __call__(self, title, **options):
        catalog = {"uuid": CATALOG, "customer": self.lines.ACME, "title": "All", "content_keys": [KEY]}
        self.world.load(catalogs=[catalog], content=[{"key": KEY, "content_type": "course", "title": title}])
        configuration = self.world.installation.configurations.get(self.uuid)
        asyncio.run(ContentJob(self.world.installation, configuration, **options).run(Stop()))
        return self.payloads[-1].operation, self.payloads[-1].confirmed


@pytest.fixture
def send(request, world, channel_of, lines):
    return Sends(world, channel_of, lines, wants=getattr(request, "param", True))


def test_an_update_knows_what_was_confirmed_and_a_create_does_not(send):
    assert send("One") == (Operation.CREATE, None)
    assert send("Two") == (Operation.UPDATE, {"title": "One"})
    assert send("Three") == (Operation.UPDATE, {"title": "Two"})


@pytest.mark.parametrize("send", [False], indirect=True)
def test_a_channel_that_does_not_ask_gets_nothing(send):
    send("One")

    assert send("Two") == (Operation.UPDATE, None)


def test_after_an_attempt_that_failed_it_is_not_known_what_the_lms_holds(send):
    send("One")
    send.answer = TRY_LATER
    send("Two")
    send.answer = Result(ResultKind.ACCEPTED)

    assert send("One") == (Operation.UPDATE, None)
    assert send("Three") == (Operation.UPDATE, {"title": "One"})


def test_what_is_forced_is_sent_as_if_nothing_were_known(send):
    send("One")

    assert send("One", force=True) == (Operation.UPDATE, None)
