"""enrollment-api.md: every function of the Enrollment API, and every error that it raises."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from coursewire.enrollment import api, errors
from coursewire.enrollment.backend import FUNCTIONS, OPTIONAL, EnrollmentData
from coursewire.enrollment.enrollments import EnrollmentApi
from coursewire.enrollment.shapes import Attribute, Course, Enrollment, Mode, Role
from coursewire.errors import CoursewireError
from docs.generate.markdown import code, one_line, page, prose, sections, table
from docs.generate.plugin_api import signature

INTRO = """\
The Enrollment API tells who is enrolled where and how, and enrolls. Two faces do the same: the functions of
`coursewire.enrollment.api`, which work on the installation that the environment describes, and the methods of
`coursewire.enrollment.EnrollmentApi`, which a host makes with a backend or a cache of its own.
[The guide](../how-to/enrollment-backend.md) shows both, and how to write a backend.

Whatever is returned, and whatever an error carries, can be written as JSON as it is: instants are ISO 8601 text in UTC."""

BACKEND = f"""\
A backend is a module or an object with these functions. The first {len(FUNCTIONS)} are needed; a keyword argument that a function
of a host's own lacks is not passed. Without `unenroll_user_from_all_courses` the enrollments are ended one by one; without
`get_user_roles` that one question is refused."""


def pages() -> dict[str, str]:
    """Return the page."""
    methods = {
        name: each
        for name, each in vars(EnrollmentApi).items()
        if not name.startswith("_") and name not in ("backend", "close")
    }
    raised = [each for each in vars(errors).values() if _is_error(each)]
    return {
        "enrollment-api.md": page(
            "The Enrollment API",
            INTRO,
            "## EnrollmentApi",
            *_docstring(EnrollmentApi.__doc__, "argument"),
            "## Functions",
            "Each is a method of `EnrollmentApi` and a function of `coursewire.enrollment.api`.",
            *(part for name, each in methods.items() for part in _function(name, each)),
            "## Dictionaries",
            *(part for each in (Enrollment, Course, Mode, Attribute, Role) for part in _shape(each)),
            "## Errors",
            prose("All are in ``coursewire.enrollment.errors``. No message names a learner."),
            table(
                ("class", "code", "family", "meaning"),
                [
                    (
                        code(each.__name__),
                        code(each.code),
                        code(each.__bases__[0].__name__),
                        one_line(each.__doc__),
                    )
                    for each in raised
                ],
            ),
            "## The functions of a backend",
            BACKEND,
            table(
                ("function", "meaning"),
                [
                    (code(name), one_line(getattr(EnrollmentData, name).__doc__))
                    for name in (*FUNCTIONS, *sorted(OPTIONAL))
                ],
            ),
        )
    }


def _is_error(each: Any) -> bool:
    return inspect.isclass(each) and issubclass(each, CoursewireError) and each is not CoursewireError


def _function(name: str, each: Any) -> Iterator[str]:
    function = each.__func__ if isinstance(each, staticmethod) else each
    yield f"### {name}"
    yield f"```python\n{name}{signature(getattr(api, name))}\n```"
    yield from _docstring(function.__doc__, "argument")


def _docstring(docstring: str | None, first: str) -> Iterator[str]:
    text, parts = sections(docstring)
    yield text.partition("\n\nExample")[0]
    for heading, column in (("Args", first), ("Attributes", "attribute"), ("Raises", "raises")):
        rows = [(code(entry), " ".join(said.split())) for entry, said in parts.get(heading, ())]
        yield table((column, "meaning"), rows)
    for entry, said in parts.get("Returns", ()):
        yield f"Returns: {entry + ': ' if entry else ''}{' '.join(said.split())}"


def _shape(each: Any) -> Iterator[str]:
    yield f"### {each.__name__}"
    yield prose(each.__doc__)
    yield table(
        ("key", "type"), [(code(name), code(_written(kind))) for name, kind in each.__annotations__.items()]
    )


def _written(kind: Any) -> str:
    text = kind if isinstance(kind, str) else getattr(kind, "__forward_arg__", str(kind))
    return str(text).replace("Instant", "str")
