"""Completions and enrollments as statements. Verbs, activity ids and the layout of scores are those that readers
of Open edX's older statements know."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, UUID, uuid5

import coursewire as cw
from coursewire_xapi.json_values import number, without_none
from coursewire_xapi.languages import UNDETERMINED, language_tag

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from coursewire_xapi.config import XapiConfig

_ADL = "http://adlnet.gov/expapi"
REGISTERED, COMPLETED, VOIDED = (f"{_ADL}/verbs/{verb}" for verb in ("registered", "completed", "voided"))
UNREGISTERED = "http://id.tincanapi.com/verb/unregistered"
COURSE = f"{_ADL}/activities/course"

_NOT_IN_IRIS = re.compile(r'[\x00-\x20"<>\\^`{|}\x7f]')


@cw.hookimpl
def export_completion(config: XapiConfig, completion: cw.Completion) -> cw.JsonObject:
    """Return the statement that a learner has completed a course run; for a revoked completion a voiding statement.

    The client adds the ids to a voiding statement, since only the client knows the statement that it voids.
    """
    if not completion.complete:
        return _by_us(config)
    result: cw.JsonObject = {"completion": True}
    if completion.verdict in (cw.Verdict.PASS, cw.Verdict.FAIL):
        result["success"] = completion.verdict is cw.Verdict.PASS
    if completion.percent is not None:
        raw = number(completion.percent * 100)
        result["score"] = {"scaled": number(completion.percent), "raw": raw, "min": 0, "max": 100}
    return _statement(config, completion, COMPLETED, completion.completed_at) | {"result": result}


@cw.hookimpl
def export_enrollment(config: XapiConfig, enrollment: cw.EnrollmentReport) -> cw.JsonObject:
    """Return the statement that a learner has joined a course run, or has left it."""
    verb = REGISTERED if enrollment.active else UNREGISTERED
    return _statement(config, enrollment, verb, enrollment.at)


@cw.hookimpl
def should_transmit(config: XapiConfig, outcome: cw.Outcome, record: Mapping[str, Any] | None) -> bool | None:
    """Send no statement again for a change of its words; for another fact the configuration decides."""
    known = record.get("id") if record else None
    return False if known and fact_id(config, outcome) == known else None


def fact_id(config: XapiConfig, outcome: cw.Outcome) -> str:
    """Return the id of the statement of a fact, which is the same for every try and every wording.

    It is derived from learner, enrollment and course run, and from the values that make another fact. Two
    configurations for one store give the same id.
    """
    if isinstance(outcome, cw.EnrollmentReport):
        kind = "enrollment" if outcome.active else "unenrollment"
        said = [instant(outcome.at)]
    else:
        assert isinstance(outcome, cw.Completion)
        kind = "completion" if outcome.complete else "no completion"
        percent = "" if outcome.percent is None else f"{outcome.percent.normalize():f}"
        said = [instant(outcome.completed_at), outcome.verdict.value, percent]
    who = identifier(actor(config, outcome)).values()
    name = "|".join(each if isinstance(each, str) else "|".join(each.values()) for each in who)
    parts = (kind, outcome.enrollment_id, name, "courserun", outcome.course_run_key, *said)
    return _uuid(config, "|".join(parts))


def voiding(config: XapiConfig, target: str, body: cw.JsonObject | None = None) -> cw.JsonObject:
    """Return the statement that voids ``target``; it is always the same."""
    about = {"objectType": "StatementRef", "id": target}
    return {**(body or _by_us(config)), "id": str(uuid5(UUID(target), VOIDED)), "object": about}


def activity_id(config: XapiConfig, kind: str, key: str) -> str:
    """Return the IRI of a course (``course``), course run (``courserun``) or catalog (``catalog``)."""
    key = _NOT_IN_IRIS.sub(lambda found: f"%{ord(found[0]):02X}", key)
    return f"{config.site}/xapi/activities/{kind}/{key}"


def instant(at: datetime | None) -> str:
    """Return an instant in UTC with milliseconds; "" for None."""
    return cw.iso_utc(at, timespec="milliseconds") or ""


def _statement(config: XapiConfig, outcome: cw.Outcome, verb: str, at: datetime | None) -> cw.JsonObject:
    course, language = outcome.course, language_tag(outcome.course.language)
    known = {f"{config.site}/course/key": outcome.content_key, f"{config.site}/course/uuid": course.uuid}
    description = cw.plain_text(course.description)
    definition = without_none(
        type=COURSE,
        name={language: course.title} if course.title else None,
        description={language: description} if description else None,
        moreInfo=course.url if re.match(r"https?://\S+$", course.url or "") else None,
        extensions={name: value for name, value in known.items() if value} or None,
    )
    whole = _activity(config, "course", outcome.content_key) if outcome.content_key else None
    context = without_none(
        registration=_uuid(config, f"registration|{outcome.enrollment_id}"),
        platform=config.site_domain,
        language=None if language == UNDETERMINED else language,
        contextActivities={"grouping": [whole]} if whole else None,
    )
    return without_none(
        id=fact_id(config, outcome),
        actor=actor(config, outcome),
        verb=_verb(verb),
        object=_activity(config, "courserun", outcome.course_run_key) | {"definition": definition},
        context=context,
        # Without one the store takes the time of storage, which is not when it happened but is not told as such.
        timestamp=instant(at) or None,
    )


def actor(config: XapiConfig, outcome: cw.Outcome) -> cw.JsonObject:
    """Return the learner as an Agent with exactly one identifier.

    Raises:
        NotExportableError: The learner's e-mail address is not one.
    """
    value, home = outcome.remote_id or "", config.account_home_page or config.site
    is_address = (
        outcome.remote_id_origin == cw.LearnerId.EMAIL and config.learner_id is not cw.LearnerId.EMAIL
    )
    if config.pseudonym_key is not None and config.actor == "pseudonym":
        key = config.pseudonym_key.get_secret_value().encode()
        return _account(home, hmac.new(key, value.encode(), hashlib.sha256).hexdigest())
    if config.actor == "account" and not is_address:
        return _account(home, value) | {"name": value}
    mailbox, at, domain = value.strip().rpartition("@")
    if not (mailbox and at and domain) or re.search(r"\s", value.strip()):
        raise cw.NotExportableError("email", "the learner's e-mail address is not one")
    if config.actor == "mbox_sha1sum":
        iri = f"mailto:{mailbox}@{domain.lower()}"
        # xAPI demands SHA-1 here; it hides an address from a glance and protects nothing.
        return {"objectType": "Agent", "mbox_sha1sum": hashlib.sha1(iri.encode()).hexdigest()}  # noqa: S324
    return {"objectType": "Agent", "mbox": f"mailto:{mailbox}@{domain}"}


def identifier(agent: cw.JsonObject) -> cw.JsonObject:
    """Return the identifier of an Agent."""
    return {name: part for name, part in agent.items() if name not in ("objectType", "name")}


def _account(home: str, name: str) -> cw.JsonObject:
    return {"objectType": "Agent", "account": {"homePage": home, "name": name}}


def _by_us(config: XapiConfig) -> cw.JsonObject:
    """Return the common part of voiding statements, whose actor is Coursewire."""
    about = {"objectType": "StatementRef"}
    return {"actor": _account(config.site, "coursewire"), "verb": _verb(VOIDED), "object": about}


def _activity(config: XapiConfig, kind: str, key: str) -> cw.JsonObject:
    return {"objectType": "Activity", "id": activity_id(config, kind, key)}


def _verb(iri: str) -> cw.JsonObject:
    return {"id": iri, "display": {"en": iri.rpartition("/")[2]}}


def _uuid(config: XapiConfig, text: str) -> str:
    return str(uuid5(uuid5(NAMESPACE_URL, f"{config.site}/xapi"), text))
