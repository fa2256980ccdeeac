"""Calling Moodle's functions and reading what it answers: errors come with HTTP 200, in JSON or XML."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from xml.parsers.expat import ExpatError

import httpx
import orjson
import xmltodict

import coursewire as cw
from coursewire import errors

SERVER = "/webservice/rest/server.php"
WORDS = cw.packaged_data(__package__, "words.json")
"""What a person can do, by Moodle's codes and ours. Codes without a hint are about the data that was sent."""
STEPS: dict[str, str] = WORDS["steps"]

INVALID_TOKEN = "invalidtoken"
ACCESS = "accessexception"
CREDENTIALS = (INVALID_TOKEN, "invalidlogin", "servicerequireslogin", "wsaccessuser")
"""Beginnings of codes that say that the token, or its account, is not accepted."""
LATER = ("sitemaintenance", "upgraderunning", "dbconnectionfailed")
ODD = ("", "dmlwriteexception", "dmlreadexception", "codingerror", "requireloginerror")
"""Codes of what may be the fault of one course in a call; the others are tried again without it."""
_KINDS = {errors.UnreachableError: LATER, errors.SendError: ODD, errors.BlockedError: WORDS["hints"]}

_NAMED_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)[A-Za-z][A-Za-z0-9]*;")


class Answer(NamedTuple):
    """What Moodle returned, as plain data; and what PHP or Moodle printed before it."""

    data: Any
    noise: str = ""


async def ask(
    session: cw.Session, function: str, form: Mapping[str, Any] | None = None, *, repeatable: bool = True
) -> Answer:
    """Call a function of the web service, by POST: the token is in the body, never in a URL.

    Args:
        session: The session.
        function: Its name.
        form: Its parameters, as PHP names them.
        repeatable: Calling twice does no more than calling once.

    Raises:
        SendError: Moodle refused, or what answered is not Moodle.
    """
    response = await session.post(
        SERVER, data={**basics(function), **(form or {})}, safe_to_repeat=repeatable
    )
    return answer_of(function, response, repeatable=repeatable)


def basics(function: str) -> dict[str, str]:
    """What every call says. Names come back as they were sent, not escaped as HTML."""
    return {"moodlewsrestformat": "json", "moodlewssettingraw": "1", "wsfunction": function}


def listed(name: str, rows: Sequence[object]) -> dict[str, str]:
    """A list as PHP reads it from a form: ``courses[0][id]=5`` for objects, ``courseids[0]=5`` for values."""

    objects = [row if isinstance(row, Mapping) else {"": row} for row in rows]
    return {
        f"{name}[{number}]" + (f"[{field}]" if field else ""): str(value)
        for number, row in enumerate(objects)
        for field, value in row.items()
    }


def options(**values: object) -> dict[str, str]:
    """The list ``options`` that some functions take."""
    return listed("options", [{"name": name, "value": value} for name, value in values.items()])


def answer_of(function: str, response: httpx.Response, *, repeatable: bool = True) -> Answer:
    """Read an answer.

    Raises:
        SendError: It is a refusal, or none that Moodle gives.
    """
    if not response.is_success:
        raise cw.error_of(response, function, next_step=STEPS["wrong-place"])
    answer = read(response)
    if answer is None:
        kind = errors.UnreachableError if repeatable else errors.OutcomeUnknownError
        what = f"the answer to {function} is not one that Moodle gives"
        raise kind(what, http_status=response.status_code, excerpt=response.text[:2000])
    if isinstance(answer.data, dict) and "exception" in answer.data:
        raise refusal(function, answer.data.get("errorcode"), answer.data.get("message"))
    return answer


def refusal(function: str, errorcode: str | None, message: str | None) -> errors.SendError:
    """The error for one of Moodle's codes. Messages are in the site's language: the code decides."""
    code, said = errorcode or "", message or ""
    if code.startswith("dml"):  # where Moodle shows debugging, the SQL follows with all its values
        said = re.split(r"[(\n]", said)[0]
    why = html.unescape(re.sub(r"<[^>]*>", " ", said)).strip()
    named = (kind for kind, codes in _KINDS.items() if code in codes)
    kind = errors.CredentialsError if code.startswith(CREDENTIALS) else next(named, errors.RejectedError)
    what, step = f"Moodle refused {function} ({code or 'no code'})", WORDS["hints"].get(code, "")
    return kind(what, why=why, next_step=step, http_status=200, reason=code or "lms-error")


def error_code(response: httpx.Response) -> str:
    """Moodle's code of an error; "" where the answer is none."""
    answer = read(response) if b"xception" in response.content[:300].lower() else None
    return str(answer.data.get("errorcode") or "") if answer and isinstance(answer.data, dict) else ""


def read(response: httpx.Response) -> Answer | None:
    """The answer as plain data, whatever it is written in; None when it is neither JSON nor Moodle's XML."""
    content = response.content.strip()
    if content.startswith(b"<?xml"):
        return _read_xml(content.decode("utf-8", "replace"))
    # Where PHP prints warnings, or Moodle that an activity is missing, the answer is the last line.
    noise, _, last = content.rpartition(b"\n")
    for before, text in ((b"", content), (noise, last)):
        try:
            return Answer(orjson.loads(text), before.decode("utf-8", "replace").strip())
        except ValueError:
            continue
    return None


def _read_xml(text: str) -> Answer | None:
    # PHP's htmlentities writes é as &eacute;, which XML does not know.
    text = _NAMED_ENTITY.sub(lambda found: html.escape(html.unescape(found[0])), text)
    try:
        root = xmltodict.parse(text, force_list=("SINGLE", "KEY", "VALUE"))
    except ExpatError:
        return None
    if error := root.get("EXCEPTION"):
        code, message = error.get("ERRORCODE"), error.get("MESSAGE")
        return Answer({"exception": error.get("@class"), "errorcode": code, "message": message})
    return Answer(_plain(root["RESPONSE"] or {})) if "RESPONSE" in root else None


def _plain(node: Mapping[str, Any]) -> Any:
    """Undo Moodle's XML: objects, lists and values. Every value is text, as XML knows nothing else."""
    if "MULTIPLE" in node:
        rows = node["MULTIPLE"] or {}
        kinds = ((kind, row) for kind in ("SINGLE", "VALUE") for row in rows.get(kind, ()))
        return [_plain({kind: [row]}) for kind, row in kinds]
    if "SINGLE" in node:
        return {key["@name"]: _plain(key) for key in (node["SINGLE"][0] or {}).get("KEY", ())}
    value = node["VALUE"][0] if "VALUE" in node else {}
    return None if isinstance(value, Mapping) else value or ""
