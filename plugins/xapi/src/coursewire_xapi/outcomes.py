"""Completions and enrollments as statements. Verbs, activity ids and the layout of scores are those that readers
of Open edX's older statements know."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, UUID, uuid5

from coursewire.errors import NotExportableError
from coursewire.hookspecs import hookimpl
from coursewire.model.configuration import LearnerId
from coursewire.model.outcomes import Completion, EnrollmentReport, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coursewire.model.outcomes import CourseDetails, Outcome
    from coursewire.model.payload import JsonObject
    from coursewire_xapi.config import XapiConfig

_ADL = "http://adlnet.gov/expapi"
REGISTERED = f"{_ADL}/verbs/registered"
COMPLETED = f"{_ADL}/verbs/completed"
VOIDED = f"{_ADL}/verbs/voided"
UNREGISTERED = "http://id.tincanapi.com/verb/unregistered"
COURSE = f"{_ADL}/activities/course"

UNKNOWN_LANGUAGE = "und"
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", re.IGNORECASE)
_NOT_IN_IRIS = re.compile(r'[\x00-\x20"<>\\^`{|}\x7f]')


@hookimpl
def export_completion(config: XapiConfig, completion: Completion) -> JsonObject:
    """That a learner has completed a course run; or, of a completion that does not hold any more, that it is void.

    What a voiding statement is about only the client knows: it adds the ids.
    """
    if not completion.complete:
        return {"actor": _sender(config), "object": {"objectType": "StatementRef"}, "verb": _verb(VOIDED)}
    result: JsonObject = {"completion": True}
    if completion.verdict in (Verdict.PASS, Verdict.FAIL):
        result["success"] = completion.verdict is Verdict.PASS
    if completion.percent is not None:
        raw = number(completion.percent * 100)
        result["score"] = {"scaled": number(completion.percent), "raw": raw, "min": 0, "max": 100}
    return {
        **_statement(config, completion, COMPLETED, completion.completed_at),
        "id": fact_id(config, completion),
        "result": result,
    }


@hookimpl
def export_enrollment(config: XapiConfig, enrollment: EnrollmentReport) -> JsonObject:
    """That a learner has joined a course run, or has left it."""
    verb, at = (REGISTERED, enrollment.enrolled_at)
    if not enrollment.active:
        verb, at = (UNREGISTERED, enrollment.unenrolled_at)
    return {**_statement(config, enrollment, verb, at), "id": fact_id(config, enrollment)}


@hookimpl
def should_transmit(config: XapiConfig, outcome: Outcome, record: Mapping[str, Any] | None) -> bool | None:
    """No statement is sent again because its words have changed; of another fact the configuration decides."""
    known = record.get("id") if record else None
    return False if known and fact_id(config, outcome) == known else None


def fact_id(config: XapiConfig, outcome: Outcome) -> str:
    """The id of the statement that tells this very fact, however often and in whatever words.

    It is made of who, in which enrollment and run, and what makes it another fact. Two configurations for one store
    tell it once.
    """
    if isinstance(outcome, EnrollmentReport):
        kind = "enrollment" if outcome.active else "unenrollment"
        said = [instant(outcome.enrolled_at if outcome.active else outcome.unenrolled_at)]
    else:
        assert isinstance(outcome, Completion)
        kind = "completion" if outcome.complete else "no completion"
        percent = "" if outcome.percent is None else f"{outcome.percent.normalize():f}"
        said = [instant(outcome.completed_at), outcome.verdict.value, percent]
    who = {name: part for name, part in actor(config, outcome).items() if name not in ("objectType", "name")}
    identifier = "|".join(each if isinstance(each, str) else "|".join(each.values()) for each in who.values())
    parts = (kind, outcome.enrollment_id, identifier, "courserun", outcome.course_run_key, *said)
    return str(uuid5(_namespace(config), "|".join(parts)))


def voiding(config: XapiConfig, target: str, body: JsonObject | None = None) -> JsonObject:
    """The statement that voids ``target``; the same whenever it is made."""
    return {
        **(body or {"actor": _sender(config), "verb": _verb(VOIDED)}),
        "id": str(uuid5(UUID(target), VOIDED)),
        "object": {"objectType": "StatementRef", "id": target},
    }


def activity_id(config: XapiConfig, kind: str, key: str) -> str:
    """The IRI of a course (``course``) or course run (``courserun``)."""
    key = _NOT_IN_IRIS.sub(lambda found: f"%{ord(found[0]):02X}", key)
    return f"{config.site}/xapi/activities/{kind}/{key}"


def language_tag(language: str | None) -> str:
    """A BCP 47 tag in its usual capitals; ``und`` where the source names no code."""
    written = (language or "").strip().replace("_", "-")
    if not _LANGUAGE.fullmatch(written):
        return UNKNOWN_LANGUAGE
    first, *others = written.split("-")
    forms = {2: str.upper, 4: str.capitalize}
    return "-".join([first.lower(), *(forms.get(len(part), str.lower)(part) for part in others)])


def number(value: Decimal) -> int | float:
    """A decimal as the JSON number that reads the same."""
    return int(value) if value == value.to_integral_value() else float(value)


def instant(at: datetime | None) -> str:
    """An instant in UTC with milliseconds; "" for none."""
    if at is None:
        return ""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _statement(config: XapiConfig, outcome: Outcome, verb: str, at: datetime | None) -> JsonObject:
    language = language_tag(outcome.course.language)
    context: JsonObject = {
        "registration": str(uuid5(_namespace(config), f"registration|{outcome.enrollment_id}")),
        "platform": config.site_domain,
    }
    if language != UNKNOWN_LANGUAGE:
        context["language"] = language
    if outcome.content_key:
        course = {"objectType": "Activity", "id": activity_id(config, "course", outcome.content_key)}
        context["contextActivities"] = {"grouping": [course]}
    statement: JsonObject = {
        "actor": actor(config, outcome),
        "verb": _verb(verb),
        "object": {
            "objectType": "Activity",
            "id": activity_id(config, "courserun", outcome.course_run_key),
            "definition": _definition(config, outcome.content_key, outcome.course, language),
        },
        "context": context,
    }
    # Without one the store would take the time of storage, which is not when it happened but is not told as such.
    return statement | ({"timestamp": instant(at)} if at else {})


def _definition(
    config: XapiConfig, content_key: str | None, course: CourseDetails, language: str
) -> JsonObject:
    texts = {"name": course.title, "description": course.description}
    about: JsonObject = {"type": COURSE, **{name: {language: text} for name, text in texts.items() if text}}
    if course.url and re.match(r"https?://\S+$", course.url):
        about["moreInfo"] = course.url
    known = {"key": content_key, "uuid": course.uuid}
    extensions = {f"{config.site}/course/{name}": value for name, value in known.items() if value}
    return about | ({"extensions": extensions} if extensions else {})


def actor(config: XapiConfig, outcome: Outcome) -> JsonObject:
    """The learner as an Agent with exactly one identifier.

    Raises:
        NotExportableError: The e-mail address is none.
    """
    value = outcome.remote_id or ""
    by_address = (
        outcome.remote_id_origin == LearnerId.EMAIL.value and config.learner_id is not LearnerId.EMAIL
    )
    if config.actor == "pseudonym":
        assert config.pseudonym_key is not None
        key = config.pseudonym_key.get_secret_value().encode()
        name = hmac.new(key, value.encode(), hashlib.sha256).hexdigest()
        return {"objectType": "Agent", "account": {"homePage": _home_page(config), "name": name}}
    if config.actor == "account" and not by_address:
        return {
            "objectType": "Agent",
            "name": value,
            "account": {"homePage": _home_page(config), "name": value},
        }
    mailbox, at, domain = value.strip().rpartition("@")
    if not (mailbox and at and domain) or re.search(r"\s", value.strip()):
        raise NotExportableError("email", "the learner's e-mail address is none")
    if config.actor == "mbox_sha1sum":
        iri = f"mailto:{mailbox}@{domain.lower()}"
        # xAPI demands SHA-1 here; it hides an address from a glance and protects nothing.
        return {"objectType": "Agent", "mbox_sha1sum": hashlib.sha1(iri.encode()).hexdigest()}  # noqa: S324
    return {"objectType": "Agent", "mbox": f"mailto:{mailbox}@{domain}"}


def _home_page(config: XapiConfig) -> str:
    return config.account_home_page or config.site


def _sender(config: XapiConfig) -> JsonObject:
    """Who voids a statement: we."""
    return {"objectType": "Agent", "account": {"homePage": config.site, "name": "coursewire"}}


def _verb(iri: str) -> JsonObject:
    return {"id": iri, "display": {"en": iri.rpartition("/")[2]}}


def _namespace(config: XapiConfig) -> UUID:
    return uuid5(NAMESPACE_URL, f"{config.site}/xapi")
