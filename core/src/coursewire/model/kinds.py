"""The kinds of things that are transmitted, each described once, by data.

A kind's value is also the name of its capability, the word of the command line, and the beginning of its lease. What
else differs from kind to kind stands in :data:`KINDS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """A kind of things that are transmitted; with a configuration, a kind names a job."""

    CONTENT = "content"
    COMPLETIONS = "completions"
    ASSESSMENTS = "assessments"
    ENROLLMENTS = "enrollments"

    @property
    def info(self) -> KindInfo:
        """The description of the kind."""
        return KINDS[self]

    @property
    def noun(self) -> str:
        """The word for one thing of the kind, such as ``completion``."""
        return KINDS[self].noun

    @property
    def is_outcome(self) -> bool:
        """True when it is about learners; only content is not."""
        return self is not Kind.CONTENT


@dataclass(frozen=True, slots=True)
class KindInfo:
    """A kind, described.

    Attributes:
        noun: The word for one thing of the kind. For an outcome it is also the argument of the exporter hook, which
            is named ``export_`` and this word.
        send_hook: The hook that sends a batch.
        by_subsection: An enrollment has one thing of this kind for each subsection of the course, not one alone.
        after_the_end: It goes out for enrollments that have ended, too.
    """

    noun: str
    send_hook: str = "send_outcomes"
    by_subsection: bool = False
    after_the_end: bool = False

    @property
    def export_hook(self) -> str:
        """The hook that turns one thing of the kind into its payload."""
        return f"export_{self.noun}"


KINDS: Mapping[Kind, KindInfo] = {
    Kind.CONTENT: KindInfo("item", send_hook="send_content"),
    Kind.COMPLETIONS: KindInfo("completion"),
    Kind.ASSESSMENTS: KindInfo("assessment", by_subsection=True),
    Kind.ENROLLMENTS: KindInfo("enrollment", after_the_end=True),
}
"""Every kind, described, in the order in which they are listed."""

OUTCOMES = tuple(kind for kind in KINDS if kind.is_outcome)
"""The kinds that are about learners."""
