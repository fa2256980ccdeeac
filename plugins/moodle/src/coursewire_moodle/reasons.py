"""The reason codes of the Moodle channel: those of its own, and the codes of Moodle that it knows.

Moodle answers nearly every error with HTTP 200 and a code. Messages are in the language of the site, so that the
code alone decides what an error means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import coursewire as cw

_GROUP = cw.ReasonGroup


def _reason(
    code: str, group: cw.ReasonGroup, text: str, next_step: str, *, final: bool = False
) -> cw.ReasonInfo:
    """Return the row of a code with which an item fails.

    Args:
        code: The code.
        group: Side on which something has to change.
        text: Meaning of the code, as a clause.
        next_step: Advice, in whole sentences.
        final: Nothing but another payload, or a person, has the item sent again.
    """
    lifted_by = cw.UNTIL_CHANGED if final else cw.TRIED_AGAIN
    return cw.ReasonInfo(code, group, cw.CountedAs.FAILED, text, next_step, lifted_by=lifted_by)


# -- codes of our own ----------------------------------------------------------------------------------

CATEGORY_MISSING = _reason(
    "category-missing",
    _GROUP.CONFIGURATION,
    "Moodle shows no category with the configured id",
    "Correct category_id, or give the account's role moodle/category:viewhiddencategories.",
)
ID_HIDDEN = _reason(
    "id-hidden",
    _GROUP.PERSON,
    "Moodle does not show the ID numbers of courses",
    "Give the account's role moodle/course:view and moodle/course:update.",
)
SEVERAL_COURSES = _reason(
    "several-courses",
    _GROUP.PERSON,
    "several courses in Moodle have the same ID number",
    "Delete all but one of them in Moodle, or clear their ID numbers.",
)
UNCLEAR_WARNING = _reason(
    "unclear-warning",
    _GROUP.LMS,
    "Moodle warned of something that is not about a course that was sent",
    "Look for the cause in the web server's log of the site; later runs try again.",
)
SCALE_TOO_LARGE = _reason(
    "scale-too-large",
    _GROUP.CONFIGURATION,
    "grade_scale is more than the maximum of the assignment",
    "Leave grade_scale empty, or raise the assignment's maximum in Moodle.",
)
NO_SUCH_ASSIGNMENT = _reason(
    "no-such-assignment",
    _GROUP.PERSON,
    "the course in Moodle has not exactly one assignment for final grades",
    "Make one assignment with the configured name, graded in points; see that mod/assign:view is given.",
)
NOT_IN_POINTS = _reason(
    "not-in-points",
    _GROUP.PERSON,
    "the assignment in Moodle is not graded in points",
    "Let it be graded in points; see that mod/assign:view is given.",
)
OTHER_MODULE = _reason(
    "other-module",
    _GROUP.CONFIGURATION,
    "grade_assignment_cmid names an activity that is not an assignment",
    "Set it to the id of an assignment, or leave it empty.",
)
NO_SUCH_MODULE = _reason(
    "no-such-module",
    _GROUP.CONFIGURATION,
    "grade_assignment_cmid names no activity of the site",
    "Correct it, or leave it empty.",
)
PEOPLE_HIDDEN = _reason(
    "people-hidden",
    _GROUP.PERSON,
    "Moodle does not show what participants are known by",
    "Give the account's role moodle/course:useremail or moodle/site:viewuseridentity.",
)
GRADES_UNSAID = _reason(
    "grades-unsaid",
    _GROUP.LMS,
    "Moodle did not say that the grades are written",
    "Look for the cause in the web server's log of the site; later runs try again.",
)
GRADE_REFUSED = _reason(
    "grade-refused",
    _GROUP.PERSON,
    "Moodle did not take the grade",
    "See whether it is locked for this learner in the gradebook.",
)
SEVERAL_GRADE_ITEMS = _reason(
    "several-grade-items",
    _GROUP.PERSON,
    "the assignment has several grade items in the gradebook",
    "Delete all but one of them.",
)
GRADE_LOCKED = _reason(
    "grade-locked",
    _GROUP.PERSON,
    "the grades of this assignment are locked",
    "Unlock them in the gradebook.",
)

# -- codes of Moodle -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """The meaning of one of Moodle's codes.

    Attributes:
        kind: Class of the error that is raised. ``SendError`` itself leaves open which item of a batch is at
            fault, so that core looks for it in smaller batches.
        info: The code, its meaning and the next step.
    """

    kind: type[cw.SendError]
    info: cw.ReasonInfo


def _rule(code: str, kind: type[cw.SendError], group: cw.ReasonGroup, text: str, next_step: str) -> ErrorRule:
    return ErrorRule(kind, _reason(code, group, text, next_step, final=kind is cw.RejectedError))


def _by_code(*rules: ErrorRule) -> Mapping[str, ErrorRule]:
    return {rule.info.code: rule for rule in rules}


MISSING_RECORD = ("invalidrecord", "invalidrecordunknown")
"""Codes for a record that is not there, whatever it is: up to Moodle 4.5, and since 5.0."""
ID_NUMBER_TAKEN = "courseidnumbertaken"
SHORT_NAME_TAKEN = "shortnametaken"

WAIT = "Wait until the site is in order again; later runs try again."
SEE_LOG = "Look for the cause in the web server's log of the site; later runs try again."
ENTER_COURSES = (
    "Give the account's role moodle/course:view and moodle/course:viewhiddencourses, and let it agree to the site "
    "policy."
)
CHECK_ADDRESS = (
    "Check moodle_base_url, and in Moodle that web services are enabled and the REST protocol is managed on."
)
"""Advice after an answer that does not come from Moodle's web service."""
RECONNECT = (
    "Make a new token for the account, or correct username and password; see that it is not suspended."
)

OUT_OF_ORDER = _by_code(
    _rule("sitemaintenance", cw.UnreachableError, _GROUP.LMS, "the site is closed for maintenance", WAIT),
    _rule("upgraderunning", cw.UnreachableError, _GROUP.LMS, "the site is being upgraded", WAIT),
    _rule("dbconnectionfailed", cw.UnreachableError, _GROUP.LMS, "Moodle does not reach its database", WAIT),
)
"""Codes of a site that answers no call at present."""

CALL_RULES: Mapping[str, ErrorRule] = {
    **OUT_OF_ORDER,
    **_by_code(
        _rule("codingerror", cw.SendError, _GROUP.LMS, "Moodle met a fault of its own", SEE_LOG),
        _rule("dmlreadexception", cw.SendError, _GROUP.LMS, "Moodle could not read its database", SEE_LOG),
        _rule("dmlwriteexception", cw.SendError, _GROUP.LMS, "Moodle could not write its database", SEE_LOG),
        _rule(
            "requireloginerror",
            cw.SendError,
            _GROUP.PERSON,
            "the account may not enter the course",
            ENTER_COURSES,
        ),
        _rule(
            "accessexception",
            cw.BlockedError,
            _GROUP.CONFIGURATION,
            "the function is not one of the external service's, or the account may not use it",
            "Put the function into the external service, give the account webservice/rest:use, and see that it is not "
            "suspended.",
        ),
        _rule(
            "errorcatcontextnotvalid",
            cw.BlockedError,
            _GROUP.CONFIGURATION,
            "the category is not there, or the account may not enter it",
            "Check category_id, and that the account has agreed to the site policy.",
        ),
        _rule(
            "errorcoursecontextnotvalid",
            cw.BlockedError,
            _GROUP.PERSON,
            "the account may not enter the course",
            ENTER_COURSES,
        ),
        *(
            _rule(
                code,
                cw.BlockedError,
                _GROUP.PERSON,
                "Moodle has no such record any more",
                "Check that the course, its category and the assignment of the configuration are still in Moodle.",
            )
            for code in MISSING_RECORD
        ),
        _rule(
            "invalidcoursemodule",
            cw.BlockedError,
            _GROUP.PERSON,
            "the assignment is not in the course any more",
            "See that it is there, or make another one.",
        ),
        _rule(
            "nopermissions",
            cw.BlockedError,
            _GROUP.PERSON,
            "the account lacks a right, which Moodle names",
            "Give the account's role the right that Moodle names.",
        ),
        _rule(
            "nopermissiontoviewgrades",
            cw.BlockedError,
            _GROUP.PERSON,
            "the account may not write grades",
            "Give the account's role moodle/grade:edit.",
        ),
        _rule(
            "cannotdeletecourse",
            cw.BlockedError,
            _GROUP.PERSON,
            "the account may not delete the course",
            "Give the account's role moodle/course:delete.",
        ),
        _rule(
            "cannotdeletecategorycourse",
            cw.BlockedError,
            _GROUP.PERSON,
            "the course is the site's front page",
            "Take our ID number from the site's front page, which is no course.",
        ),
        _rule(
            "invalidcourse",
            cw.BlockedError,
            _GROUP.PERSON,
            "the course is the site's front page",
            "Take our ID number from the site's front page, which is no course.",
        ),
        _rule(
            SHORT_NAME_TAKEN,
            cw.BlockedError,
            _GROUP.PERSON,
            "another course in Moodle has this short name",
            "Rename the other course in Moodle, or take the item out of the catalog. A course that the account cannot "
            "see needs moodle/course:viewhiddencourses.",
        ),
        _rule(
            ID_NUMBER_TAKEN,
            cw.BlockedError,
            _GROUP.PERSON,
            "another course has this ID number, or one that the site's database takes for the same",
            "Clear the ID number of the other course in Moodle, or give moodle/course:viewhiddencourses if it is ours. "
            "Of two keys that differ in accents, capitals or blanks at the end alone, change one.",
        ),
        _rule(
            "enddatebeforestartdate",
            cw.RejectedError,
            _GROUP.ITEM,
            "the course ends before it starts",
            "Correct start and end of the item at the source.",
        ),
        _rule(
            "nostartdatenoenddate",
            cw.RejectedError,
            _GROUP.ITEM,
            "the course has an end and no start",
            "Correct start and end of the item at the source.",
        ),
        _rule(
            "errorinvalidparam",
            cw.RejectedError,
            _GROUP.ITEM,
            "Moodle does not take a field of the course, such as a blank title",
            "Correct at the source what Moodle names.",
        ),
        _rule(
            "invalidparameter",
            cw.RejectedError,
            _GROUP.ITEM,
            "Moodle does not take a field of the call",
            "Turn on debugging in Moodle (Development > Debugging) to see which field it is, and correct it at the "
            "source.",
        ),
    ),
}
"""Meaning of a code with which Moodle refuses a function, or warns of one course."""

UNKNOWN_CODE = _reason(
    "*",
    _GROUP.LMS,
    "Moodle refused the call with this error code of its own, which its language packs explain",
    "See the words of Moodle that stand with it, and correct the item at the source.",
    final=True,
)
"""Meaning of any other code: the item is rejected."""

CREDENTIAL_PREFIXES = ("invalidtoken", "invalidlogin", "servicerequireslogin", "wsaccessuser")
"""Beginnings of the codes with which Moodle refuses the account or its token."""

TOKEN_STEPS: Mapping[str, str] = {
    "": CHECK_ADDRESS,
    "cannotcreatetoken": "Make a token for the account under Manage tokens, or give it moodle/webservice:createtoken.",
    "enablewsdescription": "Enable web services under General > Advanced features.",
    "invalidlogin": "Check username and password; and that the account is not suspended or locked.",
    "missingrequiredcapability": "Give the account's role the right that the service demands.",
    "servicenotavailable": "Check service_short_name; and that the service is enabled.",
    "usernotallowed": "Put the account on the list of authorised users of the service.",
    "usernotconfirmed": "Confirm the account in Moodle.",
}
"""Advice by the code with which Moodle refuses to give a token; "" for an answer without a code."""

REASONS = (
    CATEGORY_MISSING,
    ID_HIDDEN,
    SEVERAL_COURSES,
    UNCLEAR_WARNING,
    SCALE_TOO_LARGE,
    NO_SUCH_ASSIGNMENT,
    NOT_IN_POINTS,
    OTHER_MODULE,
    NO_SUCH_MODULE,
    PEOPLE_HIDDEN,
    GRADES_UNSAID,
    GRADE_REFUSED,
    SEVERAL_GRADE_ITEMS,
    GRADE_LOCKED,
    *(rule.info for rule in CALL_RULES.values()),
    UNKNOWN_CODE,
)
"""Every reason code of the channel's own, beside core's."""
