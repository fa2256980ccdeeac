"""records.md: the tables of the database, from their metadata."""

from __future__ import annotations

import sqlalchemy as sa

from coursewire.storage import tables
from coursewire.storage.tables import PERSONAL, metadata
from coursewire.storage.tables.columns import UtcDateTime
from docs.generate.markdown import cell, code, page, table
from docs.generate.sources import column_comments

INTRO = """\
Coursewire keeps everything in one database. These are its tables, for those who look into them with SQL or make reports. Write with the
command only. Times are aware UTC and end in `_at`; keys are compared byte for byte on every database. A column with
**yes** under *personal* holds a learner's data. Column names and meanings are kept from release to release, and
changes are listed in the changelog. `alembic_version` belongs to the schema migrations."""

ONE_ROW_FOR = {
    "configuration": "A customer's settings for a channel, without the secrets.",
    "configuration_secret": "A secret of a configuration, encrypted.",
    "configuration_history": "A change of a configuration: who, when, what. Secrets are left out.",
    "token": "An access token, encrypted.",
    "oauth_state": "An administrator's grant of access that was begun; good once, for some minutes, in one session.",
    "content_record": "What we believe an LMS holds of one content item. A retired item keeps its row.",
    "outcome_record": "What an LMS was told of one outcome.",
    "transmission": "One attempt for one item. Only added to; pruned after a set time.",
    "job": "One run and its summary.",
    "lease": "The right to run one kind of job for one configuration.",
    "limit": "A bucket of calls that outlives the process.",
    "identity_link": "Which id a learner has at an LMS, and where it came from.",
    "key_map": "A content key and the key that an LMS knows the item by.",
    "feed": "What a configuration offers to an LMS that fetches by itself: how far it has been fetched.",
    "feed_item": "One content item that is offered to such an LMS, as it is shown.",
    "launch": "A learner whom an LMS sent over to take a course, and the way to report back, encrypted.",
    "source_customer": "A customer, as the bundle says.",
    "source_catalog": "A catalog of a customer.",
    "source_catalog_item": "A content item in a catalog.",
    "source_content": "A content item, whole.",
    "source_course_run": "A course run of a content item.",
    "source_learner": "A learner of a customer.",
    "source_learner_identity": "The id that an identity provider of the customer has for a learner.",
    "source_enrollment": "An enrollment of a learner in a course run.",
    "source_grade": "A learner's grade in a course run.",
    "source_subsection_grade": "A learner's grade in one subsection of a course run.",
    "source_certificate": "A certificate of a learner for a course run.",
    "enrollment_private": "An enrollment that no customer sponsors.",
    "enrollment_attribute": "A named value that belongs to an enrollment.",
    "enrollment_role": "A role of a user in a course or an organisation.",
    "enrollment_course": "What the Enrollment API needs to know of a course run beside its content.",
    "enrollment_mode": "A mode that a course run offers.",
    "enrollment_license": "A licence of a subsidy that an enrollment uses.",
    "account": "A person who may sign in to the console.",
    "api_token": "A token of the REST API, as a digest.",
    "access_grant": "A role of an account or a token, for one customer or for all.",
    "console_session": "Somebody who is signed in to the console.",
}
"""Table to what one row of it is; a table without text stands there with its columns alone."""


COLUMNS = {
    "action": "add, edit, activate, ...",
    "active": "runs take it",
    "account": "its UUID",
    "actor": "who did it",
    "acquired_at": "when its holder got it",
    "fence": "number that grows each time that the lease is taken",
    "at": "when it happened",
    "attempted_at": "of the last attempt",
    "batch": "what travelled in one request has the same",
    "batch_size": "items in that request",
    "body": "what the LMS is shown, as JSON",
    "bucket": "what the vendor counts by, and the channel's name for the calls",
    "callback": "where results of this learner and course are reported to",
    "catalog": "its UUID",
    "channel": "its code",
    "checked_at": "when the source was last asked",
    "ciphertext": "the encrypted value",
    "configuration": "its UUID; it may have been removed",
    "confirmed_at": "when the LMS last acknowledged it",
    "confirmed_fingerprint": "of the payload that the LMS last acknowledged",
    "confirmed_payload": "what the LMS last acknowledged, as JSON",
    "content_key": "key of a course or run, uuid of a program or pathway",
    "content_type": "course, courserun, program, learnerpathway",
    "course_key": "the key that the LMS knows the course by",
    "customer": "its UUID",
    "duration_ms": "of the request, in milliseconds",
    "enrollment": "its id at the source",
    "error": "why it ended before its end",
    "excerpt": "beginning of the answer, redacted and bounded",
    "expires_at": "from then on it does not count",
    "fingerprint": "of the payload that was sent",
    "finished_at": "empty while it runs",
    "hits": "calls in the present window",
    "http_status": "empty when no answer came",
    "job": "its UUID",
    "kind": "content, completions, assessments or enrollments",
    "last_served_at": "when this version was last fetched",
    "live": "offered; else withdrawn",
    "message": "more about the reason, redacted and bounded",
    "name": "what it is called",
    "failing_reason": "what the LMS said of the credentials",
    "failing_since_at": "the LMS refuses the credentials, which later runs try again",
    "needs_reconnect_reason": "what the LMS said",
    "needs_reconnect_since_at": "set when the LMS refused a grant of access, which only a person can renew",
    "next_try_at": "no run tries the refused credentials before this instant",
    "not_before_at": "no attempt before this instant",
    "polled_at": "when the LMS last fetched",
    "received_at": "when the LMS sent the learner",
    "operation": "create, update or retire",
    "options": "how it was asked for, as JSON",
    "origin": "where the id comes from",
    "provider": "identity provider of the customer",
    "reason": "[reason code](reasons.md)",
    "remote_id": "the id at the LMS",
    "remote_key": "the key that the LMS knows it by",
    "removed_at": "set when it was removed",
    "result": "what the LMS said of this item",
    "started_at": "when it got its lease",
    "state": "see [states](states.md)",
    "summary": "its counts, as `transmit --json` prints them",
    "title": "for people",
    "username": "the learner",
    "uuid": "its id",
    "version": "counts up with every change",
    "wanted_fingerprint": "of the payload that should be there",
    "created_at": "of this row",
    "created_by": "who made it",
    "csrf": "what a form of this session must carry",
    "digest": "SHA-256 of the value, which is kept nowhere",
    "disabled_at": "set when the person was shut out",
    "holder": "UUID of an account or a token",
    "locked_until_at": "set after several wrong passwords",
    "revoked_at": "set when it was ended",
    "role": "lms, viewer, operator or administrator",
    "updated_at": "of this row",
}
"""What a column is, where no comment stands beside it."""

BUNDLE = "It comes from a [bundle](bundles.md); a column without a note carries the field of that name, `version` is a digest of the line."


def pages() -> dict[str, str]:
    """The page."""
    beside = (
        column_comments(tables.records)
        | column_comments(tables.source)
        | column_comments(tables.enrollment)
        | column_comments(tables.access)
    )
    found = sorted(metadata.tables.values(), key=lambda each: (_order(each.name), each.name))
    index = [
        (
            f"[{code(each.name)}](#{each.name})",
            ONE_ROW_FOR.get(each.name, ""),
            "yes" if _personal(each) else "",
        )
        for each in found
    ]
    parts = [INTRO, table(("table", "one row for", "personal"), index)]
    parts += [_table(each, beside) for each in found]
    return {"records.md": page("Records", *parts)}


def _order(name: str) -> int:
    names = list(ONE_ROW_FOR)
    return names.index(name) if name in names else len(names)


def _personal(each: sa.Table) -> bool:
    return any(map(_is_personal, each.columns))


def _is_personal(column: sa.Column[object]) -> bool:
    return bool(column.info.get(next(iter(PERSONAL))))


def _table(each: sa.Table, beside: dict[tuple[str, str], str]) -> str:
    rows = [
        (
            code(column.name),
            _type(column.type),
            "yes" if column.nullable else "",
            "**yes**" if _is_personal(column) else "",
            "; ".join(filter(None, (_key(column), _note(column, beside)))),
        )
        for column in each.columns
    ]
    unique = [
        ", ".join(code(column.name) for column in constraint.columns)
        for constraint in sorted(each.constraints, key=lambda one: str(one.name))
        if isinstance(constraint, sa.UniqueConstraint)
    ]
    return "\n\n".join(
        part
        for part in (
            f"## {each.name}",
            ONE_ROW_FOR.get(each.name, ""),
            BUNDLE if each.name.startswith("source_") else "",
            table(("column", "type", "may be empty", "personal", "what it is"), rows),
            "Unique: " + "; ".join(unique) + "." if unique else "",
        )
        if part
    )


def _type(kind: sa.types.TypeEngine[object]) -> str:
    if isinstance(kind, UtcDateTime):
        return "instant"
    if isinstance(kind, sa.types.TypeDecorator):
        return cell(type(kind).__name__)
    names: tuple[tuple[type, str], ...] = (
        (sa.Text, "text"),
        (sa.String, f"text, {getattr(kind, 'length', None)}"),
        (sa.Uuid, "UUID"),
        (sa.Boolean, "boolean"),
        (sa.Integer, "integer"),
        (sa.LargeBinary, "bytes"),
    )
    return next((name for each, name in names if isinstance(kind, each)), str(kind))


def _key(column: sa.Column[object]) -> str:
    parts = ["key" if column.primary_key else ""]
    parts += [f"a `{link.column.table.name}`" for link in sorted(column.foreign_keys, key=str)]
    return ", ".join(filter(None, parts))


def _note(column: sa.Column[object], beside: dict[tuple[str, str], str]) -> str:
    """The comment beside the column; else, for tables of core's own, what such a column is everywhere."""
    owner = column.table.name
    own = beside.get((owner, column.name))
    if own or owner.startswith("source_"):
        return own or ""
    if owner in ("content_record", "outcome_record") and ("_state_columns", column.name) in beside:
        return beside["_state_columns", column.name]
    return "" if column.foreign_keys else COLUMNS.get(column.name, "")
