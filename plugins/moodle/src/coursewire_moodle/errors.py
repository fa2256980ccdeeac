"""Errors of Moodle: the table of its codes, and the errors that this channel raises by itself.

Moodle answers nearly every error with HTTP 200 and a code. Messages are in the language of the site, so that the
code alone decides.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass

import coursewire as cw


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """The meaning of one of Moodle's codes.

    Attributes:
        kind: Class of the error that is raised. ``SendError`` itself leaves open which item of a batch is at
            fault, so that core looks for it in smaller batches.
        next_step: Advice for the person who reads the error; "" where there is nothing to do but to wait.
    """

    kind: type[cw.SendError]
    next_step: str = ""


MISSING_RECORD = ("invalidrecord", "invalidrecordunknown")
"""Codes for a record that is not there, whatever it is: up to Moodle 4.5, and since 5.0."""
ID_NUMBER_TAKEN = "courseidnumbertaken"
SHORT_NAME_TAKEN = "shortnametaken"

CHECK_ADDRESS = (
    "Check moodle_base_url, and in Moodle that web services are enabled and the REST protocol is managed on."
)
"""Advice after an answer that does not come from Moodle's web service."""
WAIT = "Wait until the site is in order again; the next run tries once more."
ENTER_COURSES = (
    "Give the account's role moodle/course:view and moodle/course:viewhiddencourses, and let it agree to the site "
    "policy."
)
SEE_LOG = "Look for the cause in the web server's log of the site; the next run tries once more."
LOOK_UP = "Look the code up in Moodle's documentation, and correct the item at the source."
REPORT = "Report this to the authors of the channel, with the message."
MEND_DATES = "Correct start and end of the item at the source."

OUT_OF_ORDER: Mapping[str, ErrorRule] = {
    "sitemaintenance": ErrorRule(cw.UnreachableError, WAIT),
    "upgraderunning": ErrorRule(cw.UnreachableError, WAIT),
    "dbconnectionfailed": ErrorRule(cw.UnreachableError, WAIT),
}
"""Codes of a site that answers no call at present."""

CALL_RULES: Mapping[str, ErrorRule] = {
    **OUT_OF_ORDER,
    "": ErrorRule(cw.SendError, SEE_LOG),
    "codingerror": ErrorRule(cw.SendError, SEE_LOG),
    "dmlreadexception": ErrorRule(cw.SendError, SEE_LOG),
    "dmlwriteexception": ErrorRule(cw.SendError, SEE_LOG),
    "requireloginerror": ErrorRule(cw.SendError, ENTER_COURSES),
    "accessexception": ErrorRule(
        cw.BlockedError,
        "Put the function into the external service, give the account webservice/rest:use, and see that it is not "
        "suspended.",
    ),
    "cannotdeletecategorycourse": ErrorRule(cw.BlockedError, "Delete the course in Moodle."),
    "cannotdeletecourse": ErrorRule(cw.BlockedError, "Give the account's role moodle/course:delete."),
    ID_NUMBER_TAKEN: ErrorRule(
        cw.BlockedError,
        "Clear the ID number of the other course in Moodle, or give moodle/course:viewhiddencourses if it is ours. "
        "Many sites take ID numbers for equal that differ in accents, capitals or blanks at the end alone.",
    ),
    "errorcatcontextnotvalid": ErrorRule(
        cw.BlockedError, "Check category_id, and that the account has agreed to the site policy."
    ),
    "errorcoursecontextnotvalid": ErrorRule(cw.BlockedError, ENTER_COURSES),
    **dict.fromkeys(
        MISSING_RECORD,
        ErrorRule(
            cw.BlockedError,
            "Check that the course, its category and the assignment of the configuration are still in Moodle.",
        ),
    ),
    "invalidcoursemodule": ErrorRule(cw.BlockedError, "See that the assignment is still in the course."),
    "nopermissions": ErrorRule(cw.BlockedError, "Give the account's role the right that Moodle names."),
    "nopermissiontoviewgrades": ErrorRule(cw.BlockedError, "Give the account's role moodle/grade:edit."),
    SHORT_NAME_TAKEN: ErrorRule(
        cw.BlockedError,
        "Rename the other course in Moodle, or take the item out of the catalog. A course that we cannot see needs "
        "moodle/course:viewhiddencourses.",
    ),
    "enddatebeforestartdate": ErrorRule(cw.RejectedError, MEND_DATES),
    "nostartdatenoenddate": ErrorRule(cw.RejectedError, MEND_DATES),
    "errorinvalidparam": ErrorRule(
        cw.RejectedError, "Correct at the source what Moodle names; a blank title is refused, too."
    ),
    "formatnotsupported": ErrorRule(cw.RejectedError, REPORT),
    "invalidcourse": ErrorRule(
        cw.BlockedError, "Take our ID number from the site's front page, which is no course."
    ),
    "invalidparameter": ErrorRule(
        cw.RejectedError,
        "Turn on debugging in Moodle (Development > Debugging) to see which field it is, and correct it at the source.",
    ),
}
"""Meaning of a code with which Moodle refuses a function, or warns of one course. Any other code is a rejection."""

CREDENTIAL_PREFIXES = ("invalidtoken", "invalidlogin", "servicerequireslogin", "wsaccessuser")
"""Beginnings of the codes with which Moodle refuses the account or its token."""
RECONNECT = (
    "Make a new token for the account, or correct username and password; see that it is not suspended."
)

TOKEN_RULES: Mapping[str, ErrorRule] = {
    **OUT_OF_ORDER,
    "cannotcreatetoken": ErrorRule(
        cw.CredentialsError,
        "Make a token for the account under Manage tokens, or give it moodle/webservice:createtoken.",
    ),
    "invalidlogin": ErrorRule(
        cw.CredentialsError,
        "Check username and password; and that the account is not suspended or locked.",
    ),
    "servicenotavailable": ErrorRule(
        cw.CredentialsError, "Check service_short_name; and that the service is enabled."
    ),
    "usernotallowed": ErrorRule(
        cw.CredentialsError, "Put the account on the list of authorised users of the service."
    ),
    "usernotconfirmed": ErrorRule(cw.CredentialsError, "Confirm the account in Moodle."),
    "missingrequiredcapability": ErrorRule(
        cw.CredentialsError, "Give the account's role the right that the service demands."
    ),
    "enablewsdescription": ErrorRule(
        cw.CredentialsError, "Enable web services under General > Advanced features."
    ),
}
"""Meaning of a code with which Moodle refuses to give a token. Any other code is about the credentials, too."""


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
    rule = CALL_RULES.get(code)
    if rule is None:
        refuses_account = code.startswith(CREDENTIAL_PREFIXES)
        rule = (
            ErrorRule(cw.CredentialsError, RECONNECT)
            if refuses_account
            else ErrorRule(cw.RejectedError, LOOK_UP)
        )
    return rule.kind(
        f"Moodle refused {function} ({code or 'no code'})",
        why=html.unescape(re.sub(r"<[^>]*>", " ", message)).strip(),
        next_step=rule.next_step,
        http_status=200,
        reason=code or "lms-error",
    )


def error_of_token(code: str) -> cw.SendError:
    """Return the error for an answer that is no token.

    Args:
        code: Moodle's code; "" where the answer has none.
    """
    rule = TOKEN_RULES.get(code, ErrorRule(cw.CredentialsError, CHECK_ADDRESS if not code else RECONNECT))
    return rule.kind(
        "the LMS gave no token",
        why=code or "the answer is not one that the LMS gives",
        next_step=rule.next_step,
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


def module_missing(module: int) -> cw.BlockedError:
    """Return the error for a ``grade_assignment_cmid`` that no activity of the site has."""
    return cw.BlockedError(
        f"Moodle has no activity with the course-module id {module}",
        next_step="Correct grade_assignment_cmid, or leave it empty.",
        reason="no-such-module",
    )


def category_missing(number: int) -> cw.BlockedError:
    """Return the error for a category that the account does not see."""
    return cw.BlockedError(
        f"Moodle shows no category {number}",
        next_step="Correct category_id, or give the account's role moodle/category:viewhiddencategories.",
        reason="category-missing",
    )


def id_numbers_hidden() -> cw.SendError:
    """Return the error for courses that come without their ID numbers."""
    return cw.SendError(
        "Moodle does not show the ID numbers of courses",
        next_step="Give the account's role moodle/course:view and moodle/course:update.",
        reason="id-hidden",
    )


def several_courses(ids: str) -> cw.SendError:
    """Return the error for an ID number that several courses have; ``ids`` lists them."""
    return cw.SendError(
        f"the courses {ids} have the same ID number",
        next_step="Delete all but one of them in Moodle, or clear their ID numbers.",
        reason="several-courses",
    )


def unclear_warning(function: str, why: str) -> cw.SendError:
    """Return the error for a warning that is about none of the courses sent."""
    return cw.SendError(
        f"{function} warned of something else", why=why, next_step=SEE_LOG, reason="unclear-warning"
    )


def scale_too_large(scale: object, most: object) -> cw.BlockedError:
    """Return the error for a ``grade_scale`` above the maximum of the assignment."""
    return cw.BlockedError(
        f"grade_scale is {scale}, and the assignment is out of {most}",
        next_step="Leave grade_scale empty, or raise the assignment's maximum in Moodle.",
        reason="scale-too-large",
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
        reason="no-such-assignment",
    )


def not_in_points(course: str, name: str, why: str) -> cw.BlockedError:
    """Return the error for an assignment that is graded by a scale or not at all; see :func:`no_such_assignment`."""
    return cw.BlockedError(
        f"the assignment of course {course} of Moodle is not graded in points",
        why=why,
        next_step=_make_one_assignment(name),
        reason="not-in-points",
    )


def other_module(module: int, kind: str) -> cw.BlockedError:
    """Return the error for a ``grade_assignment_cmid`` that is the id of another kind of activity."""
    return cw.BlockedError(
        f"the module {module} is not an assignment but a {kind}",
        next_step="Set grade_assignment_cmid to the id of an assignment, or leave it empty.",
        reason="other-module",
    )


def people_hidden(member: str) -> cw.BlockedError:
    """Return the error for participants that come without the member by which learners are known."""
    return cw.BlockedError(
        f"Moodle does not show participants' {member}",
        next_step="Give the account's role moodle/course:useremail or moodle/site:viewuseridentity.",
        reason="people-hidden",
    )


def grades_not_acknowledged(why: str) -> cw.UnreachableError:
    """Return the error for an answer that does not say whether grades are written."""
    return cw.UnreachableError(
        "Moodle did not say that the grades are written", why=why, next_step=SEE_LOG, reason="grades-unsaid"
    )
