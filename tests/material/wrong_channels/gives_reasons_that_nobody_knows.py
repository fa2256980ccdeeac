"""Gives a refusal a reason code that neither core nor the channel declares."""

from dataclasses import replace

from coursewire_acme import plugin
from coursewire_acme.plugin import *


@cw.hookimpl
async def send_content(session, batch):
    results = await plugin.send_content(session, batch)
    return [result if result.confirms else replace(result, reason="acme-says-no") for result in results]


CAUGHT_BY = (
    "test_reasons_are_declared",
    "neither core nor the channel declares the reason 'acme-says-no' of send_content",
)
