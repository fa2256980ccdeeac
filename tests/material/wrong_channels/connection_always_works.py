"""Says that the connection works, whatever the LMS says."""

from coursewire_acme.plugin import *


@cw.hookimpl
async def check_connection(session):
    await session.get("/api/account")
    return ["Acme answers."]


CAUGHT_BY = ("test_a_broken_connection_is_told", "for a connection that works")
