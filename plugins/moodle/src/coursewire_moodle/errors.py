"""Errors of Moodle and of this channel; the meaning of each code stands in :mod:`coursewire_moodle.reasons`."""

from __future__ import annotations

import html
import re

import coursewire as cw
from coursewire_moodle.reasons import (
    CALL_RULES,
    CATEGORY_MISSING,
    CREDENTIAL_PREFIXES,
    GRADES_UNSAID,
    ID_HIDDEN,
    ID_NUMBER_TAKEN,
    NO_SUCH_ASSIGNMENT,
    NO_SUCH_MODULE,
    NOT_IN_POINTS,
    OTHER_MODULE,
    OUT_OF_ORDER,
    PEOPLE_HIDDEN,
    RECONNECT,
    SCALE_TOO_LARGE,
    SEE_LOG,
    SEVERAL_COURSES,
    TOKEN_STEPS,
    UNCLEAR_WARNING,
    UNKNOWN_CODE,
)


def error_of_call(function: str, code: str | None, message: str | None) -> cw.SendError:
    """Return the error for a code with which Moodle refuses a function or warns of one course.

    Args:
        function: Name of the function that was called.
        code: Moodle's code; None or "" where the answer has none, as after an error of PHP.
        message: Moodle's message, in the language of the site; it may have HTML in it.
    """
    code, message = code or "", message or ""
    if code.startswith("dml"):  # where Moodle shows debugging, the SQL follows with all its values
        message = re.split(r"[(\n]", message)[0]
    kind, next_step = _meaning(code)
    return kind(
        f"Moodle refused {function} ({code or 'no code'})",
        why=html.unescape(re.sub(r"<[^>]*>", " ", message)).strip(),
        next_step=next_step,
        http_status=200,
        reason=code or "lms-error",
    )


def _meaning(code: str) -> tuple[type[cw.SendError], str]:
    """Return the class of the error for a code, and the next step."""
    rule = CALL_RULES.get(code)
    if rule is not None:
        return rule.kind, rule.info.command_step
    if not code:  # PHP failed, perhaps at one of several items
        return cw.SendError, SEE_LOG
    if code.startswith(CREDENTIAL_PREFIXES):
        return cw.CredentialsError, RECONNECT
    return cw.RejectedError, UNKNOWN_CODE.command_step


def error_of_token(code: str) -> cw.SendError:
    """Return the error for an answer that is no token.

    Args:
        code: Moodle's code; "" where the answer has none.
    """
    rule = OUT_OF_ORDER.get(code)
    kind = cw.CredentialsError if rule is None else rule.kind
    return kind(
        "the LMS gave no token",
        why=code or "the answer is not one that the LMS gives",
        next_step=TOKEN_STEPS.get(code, RECONNECT) if rule is None else rule.info.command_step,
        http_status=200,
        reason=code or "lms-error",
    )


# -- errors that no code of Moodle says ----------------------------------------------------------------


def id_number_alike(key: str, other: str, course: object) -> cw.BlockedError:
    """Return the error for a course that Moodle's database cannot tell from another one by its ID number.

    Args:
        key: Our key, which would be the ID number.
        other: ID number of the course that is there.
        course: Moodle's id of that course.
    """
    return cw.BlockedError(
        f"to Moodle's database the key {key!r} is the same as {other!r}, the ID number of course {course}",
        why="it makes no difference between accents, capitals, and blanks at the end",
        next_step="Change one of the two keys, or take one of the two items out of the catalogs.",
        reason=ID_NUMBER_TAKEN,
    )


def category_missing(number: int) -> cw.BlockedError:
    """Return the error for a category that the account does not see."""
    return cw.BlockedError(
        f"Moodle shows no category {number}",
        next_step=CATEGORY_MISSING.command_step,
        reason=CATEGORY_MISSING.code,
    )


def id_numbers_hidden() -> cw.SendError:
    """Return the error for courses that come without their ID numbers."""
    return cw.SendError(
        "Moodle does not show the ID numbers of courses",
        next_step=ID_HIDDEN.command_step,
        reason=ID_HIDDEN.code,
    )


def several_courses(ids: str) -> cw.SendError:
    """Return the error for an ID number that several courses have; ``ids`` lists them."""
    return cw.SendError(
        f"the courses {ids} have the same ID number",
        next_step=SEVERAL_COURSES.command_step,
        reason=SEVERAL_COURSES.code,
    )


def unclear_warning(function: str, why: str) -> cw.SendError:
    """Return the error for a warning that is about none of the courses sent."""
    return cw.SendError(
        f"{function} warned of something else",
        why=why,
        next_step=UNCLEAR_WARNING.command_step,
        reason=UNCLEAR_WARNING.code,
    )


def scale_too_large(scale: object, most: object) -> cw.BlockedError:
    """Return the error for a ``grade_scale`` above the maximum of the assignment."""
    return cw.BlockedError(
        f"grade_scale is {scale}, and the assignment is out of {most}",
        next_step=SCALE_TOO_LARGE.command_step,
        reason=SCALE_TOO_LARGE.code,
    )


def _make_one_assignment(name: str) -> str:
    return f"Make one assignment named {name!r}, graded in points; see that mod/assign:view is given."


def no_such_assignment(course: str, count: int, name: str, why: str) -> cw.BlockedError:
    """Return the error for a course that has no assignment for final grades, or several.

    Args:
        course: Moodle's id of the course.
        count: Number of assignments that fit.
        name: Name that the configuration gives.
        why: List of the assignments that are there.
    """
    return cw.BlockedError(
        f"course {course} of Moodle has {count} assignments for final grades",
        why=why,
        next_step=_make_one_assignment(name),
        reason=NO_SUCH_ASSIGNMENT.code,
    )


def not_in_points(course: str, name: str, why: str) -> cw.BlockedError:
    """Return the error for an assignment that is graded by a scale or not at all; see :func:`no_such_assignment`."""
    return cw.BlockedError(
        f"the assignment of course {course} of Moodle is not graded in points",
        why=why,
        next_step=_make_one_assignment(name),
        reason=NOT_IN_POINTS.code,
    )


def other_module(module: int, kind: str) -> cw.BlockedError:
    """Return the error for a ``grade_assignment_cmid`` that is the id of another kind of activity."""
    return cw.BlockedError(
        f"the module {module} is not an assignment but a {kind}",
        next_step="Set grade_assignment_cmid to the id of an assignment, or leave it empty.",
        reason=OTHER_MODULE.code,
    )


def module_missing(module: int) -> cw.BlockedError:
    """Return the error for a ``grade_assignment_cmid`` that no activity of the site has."""
    return cw.BlockedError(
        f"Moodle has no activity with the course-module id {module}",
        next_step="Correct grade_assignment_cmid, or leave it empty.",
        reason=NO_SUCH_MODULE.code,
    )


def people_hidden(member: str) -> cw.BlockedError:
    """Return the error for participants that come without the member by which learners are known."""
    return cw.BlockedError(
        f"Moodle does not show participants' {member}",
        next_step=PEOPLE_HIDDEN.command_step,
        reason=PEOPLE_HIDDEN.code,
    )


def grades_not_acknowledged(why: str) -> cw.UnreachableError:
    """Return the error for an answer that does not say whether grades are written."""
    return cw.UnreachableError(
        "Moodle did not say that the grades are written",
        why=why,
        next_step=GRADES_UNSAID.command_step,
        reason=GRADES_UNSAID.code,
    )
