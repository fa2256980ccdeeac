"""Calls of the functions of Moodle's web service."""

from __future__ import annotations

import httpx

import coursewire as cw
from coursewire_moodle.config import config_of
from coursewire_moodle.errors import error_of_call
from coursewire_moodle.forms import bracketed
from coursewire_moodle.reasons import CHECK_ADDRESS, WAIT
from coursewire_moodle.replies import Reply, read_reply

SERVER = "/webservice/rest/server.php"


def form_of(session: cw.Session, function: str, parameters: cw.JsonObject) -> dict[str, str]:
    """Return the form that calls a function. Names come back as they were sent, not escaped as HTML."""
    return {
        "moodlewsrestformat": config_of(session).reply_format,
        "moodlewssettingraw": "1",
        "wsfunction": function,
        **bracketed(parameters),
    }


def options(**values: object) -> list[cw.JsonObject]:
    """Return the list ``options`` that some functions take: ``options(limitfrom=0)``."""
    return [{"name": name, "value": value} for name, value in values.items()]


async def call(
    session: cw.Session, function: str, parameters: cw.JsonObject, *, repeatable: bool = True
) -> Reply:
    """Call a function by POST, so that the token is in the body and never in a URL.

    Args:
        session: The session of the run.
        function: Name of the function.
        parameters: Its parameters as nested data.
        repeatable: Calling twice does no more than calling once.

    Raises:
        SendError: Moodle refused the call, or what answered is not Moodle.
    """
    form = form_of(session, function, parameters)
    response = await session.post(SERVER, data=form, safe_to_repeat=repeatable)
    return reply_of(function, response, repeatable=repeatable)


def reply_of(function: str, response: httpx.Response, *, repeatable: bool = True) -> Reply:
    """Return the reply of a function.

    Raises:
        SendError: The response is a refusal, or not one that Moodle gives.
    """
    reply = read_reply(response.content) if response.is_success else None
    if reply is None:
        # With 503 Moodle says that it is closed for maintenance; other errors of a server pass, too.
        next_step = WAIT if response.status_code >= 500 else CHECK_ADDRESS
        raise cw.error_from(response, function, next_step=next_step, safe_to_repeat=repeatable)
    if isinstance(reply.data, dict) and "exception" in reply.data:
        raise error_of_call(function, reply.data.get("errorcode"), reply.data.get("message"))
    return reply
