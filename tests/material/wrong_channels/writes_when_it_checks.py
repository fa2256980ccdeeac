"""Writes a course in order to check the connection."""

from coursewire_acme.plugin import *


@cw.hookimpl
async def check_connection(session):
    body = {"title": "Test", "link": "https://example.org", "starts_at": None}
    cw.read_success(await session.put("/api/courses/test", json=body), "id")
    return ["Acme answers."]


CAUGHT_BY = ("test_the_connection_can_be_checked", "check_connection left something at the LMS")
