"""Differences between the releases of Moodle that the simulator answers as."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Release:
    """One release of Moodle, as it was seen to answer.

    Attributes:
        number: Major and minor number.
        full: The number that the site gives when nothing else is wanted.
        build: Date of the build, eight digits.
        version: Version of the functions of the web service.
        exception_namespace: Text before the class names of exceptions; ``dml`` exceptions have none in any release.
        missing_record: Code for a record that is not there.
        names_tables: The message about a missing record names the table.
        longest_fullname: Characters of a course's full name.
        dates_courses: A course that comes without a start begins on the day it is made, and one without an end ends
            a year later; otherwise it has no dates.
        end_needs_start: An end that comes without a start is refused, whatever the start would become.
        tells_account_state: A call of a suspended account is refused with a code of its own, instead of
            ``accessexception``.
        has_course_image: Courses are shown with ``courseimage``.
    """

    number: tuple[int, int]
    full: str
    build: str
    version: str
    exception_namespace: str
    missing_record: str
    names_tables: bool
    longest_fullname: int
    dates_courses: bool
    end_needs_start: bool
    tells_account_state: bool
    has_course_image: bool


MOODLE_3_11 = Release(
    number=(3, 11),
    full="3.11.3",
    build="20210913",
    version="2021051703.01",
    exception_namespace="",
    missing_record="invalidrecord",
    names_tables=True,
    longest_fullname=254,
    dates_courses=True,
    end_needs_start=True,
    tells_account_state=False,
    has_course_image=False,
)
MOODLE_4_5 = Release(
    number=(4, 5),
    full="4.5.6",
    build="20250811",
    version="2024100706",
    exception_namespace="core\\exception\\",
    missing_record="invalidrecord",
    names_tables=True,
    longest_fullname=254,
    dates_courses=True,
    end_needs_start=False,
    tells_account_state=True,
    has_course_image=True,
)
MOODLE_5_0 = Release(
    number=(5, 0),
    full="5.0",
    build="20250304",
    version="2025030400",
    exception_namespace="core\\exception\\",
    missing_record="invalidrecordunknown",
    names_tables=False,
    longest_fullname=1333,
    dates_courses=False,
    end_needs_start=True,
    tells_account_state=True,
    has_course_image=True,
)

RELEASES = (MOODLE_3_11, MOODLE_4_5, MOODLE_5_0)
"""The releases that were seen, oldest first."""


def release_of(number: str) -> Release:
    """Return the release that a site with this number answers as: the newest that was seen and is not newer.

    ``release_of("4.5.6")`` and ``release_of("4.5")`` are :data:`MOODLE_4_5`, ``release_of("5.1")`` is
    :data:`MOODLE_5_0`.

    Raises:
        ValueError: The text is not a number such as ``5.0``, or older than all that were seen.
    """
    found = re.match(r"(\d+)\.(\d+)", number)
    if found is None:
        raise ValueError(f"{number!r} is not the number of a release, such as 5.0")
    wanted = (int(found[1]), int(found[2]))
    older = [release for release in RELEASES if release.number <= wanted]
    if not older:
        raise ValueError(f"releases before {RELEASES[0].full} are not simulated")
    return older[-1]
