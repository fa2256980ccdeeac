"""Calling Moodle's functions, with a token, and reading what it answers: errors come with HTTP 200, in JSON or XML."""

from __future__ import annotations

import html
import re

import httpx

import coursewire as cw
from coursewire_moodle.config import MoodleConfig, settings

SERVER = "/webservice/rest/server.php"
WORDS = cw.packaged_data(__package__, "words.json")
"""What Moodle's codes mean, and what a person can do, by them and by ours."""
STEPS = WORDS["steps"]

_XML = cw.XmlNames(record="SINGLE", member="KEY", name="name", many="MULTIPLE", value="VALUE")


def form_of(session: cw.Session, function: str, data: cw.JsonObject) -> dict[str, str]:
    """A call as a form. Names come back as they were sent, not escaped as HTML."""
    form = {"moodlewsrestformat": settings(session).reply_format, "moodlewssettingraw": "1"}
    return {**form, "wsfunction": function, **cw.bracketed(data)}


def options(**values: object) -> list[cw.JsonObject]:
    """The list ``options`` that some functions take."""
    return [{"name": name, "value": value} for name, value in values.items()]


async def ask(
    session: cw.Session, function: str, data: cw.JsonObject, *, repeatable: bool = True
) -> cw.Printed:
    """Call a function of the web service, by POST: the token is in the body, never in a URL.

    Args:
        session: The session.
        function: Its name.
        data: Its parameters.
        repeatable: Calling twice does no more than calling once.

    Raises:
        SendError: Moodle refused, or what answered is not Moodle.
    """
    form = form_of(session, function, data)
    response = await session.post(SERVER, data=form, safe_to_repeat=repeatable)
    return answer_of(function, response, repeatable=repeatable)


def answer_of(function: str, response: httpx.Response, *, repeatable: bool = True) -> cw.Printed:
    """Read an answer.

    Raises:
        SendError: It is a refusal, or none that Moodle gives.
    """
    answer = read(response) if response.is_success else None
    if answer is None:
        raise cw.error_from(response, function, next_step=STEPS["wrong-place"], safe_to_repeat=repeatable)
    if isinstance(answer.data, dict) and "exception" in answer.data:
        raise refusal(function, answer.data.get("errorcode"), answer.data.get("message"))
    return answer


def refusal(function: str, errorcode: str | None, message: str | None) -> cw.SendError:
    """The error for one of Moodle's codes. Messages are in the site's language: the code decides."""
    code, said = errorcode or "", message or ""
    if code.startswith("dml"):  # where Moodle shows debugging, the SQL follows with all its values
        said = re.split(r"[(\n]", said)[0]
    why = html.unescape(re.sub(r"<[^>]*>", " ", said)).strip()
    return cw.coded_error(WORDS["refusals"], code, f"Moodle refused {function} ({code or 'no code'})", why)


def read(response: httpx.Response) -> cw.Printed | None:
    """The answer as plain data, whatever it is written in; None when it is neither JSON nor Moodle's XML."""
    content = response.content.strip()
    if not content.startswith(b"<?xml"):
        # Where PHP prints warnings, or Moodle that an activity is missing, the answer is the last line.
        return cw.read_noisy(content)
    root = _XML.read(content) or {}
    if "EXCEPTION" in root:
        return cw.Printed({"exception": "", **(root["EXCEPTION"] or {})})
    return cw.Printed(root["RESPONSE"]) if "RESPONSE" in root else None


def error_code(response: httpx.Response) -> str:
    """Moodle's code of an error; "" where the answer is none."""
    answer = read(response) if b"errorcode" in response.content[:1000].lower() else None
    return str(cw.dig(answer and answer.data, "errorcode") or "")


def fault(reason: str, why: str = "", **named: object) -> cw.SendError:
    """An error of our own, by its reason."""
    return cw.worded_error(WORDS["faults"], reason, why, **named)


@cw.hookimpl
def authenticate(config: MoodleConfig, tokens: cw.Tokens) -> httpx.Auth:
    """A token in the form of each call: the configured one, or the account's of the service.

    Moodle does not tell how long a token lasts. Asking again gives the same one until it is over, and the first call
    after its end is refused as if a right were missing.
    """
    form = {name: getattr(config, name).get_secret_value() for name in ("username", "password")}
    form["service"] = config.service_short_name
    url, given = f"{config.lms_url}/login/token.php", config.token.get_secret_value()
    return cw.CodedAuth(tokens, url, form, given=given, code_of=error_code, **WORDS["token"])
