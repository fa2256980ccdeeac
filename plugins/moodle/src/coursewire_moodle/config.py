"""Settings of one customer's Moodle."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, cast

from pydantic import Field, SecretStr

import coursewire as cw


class MoodleConfig(cw.ChannelConfig):
    """The configuration of one customer's Moodle: its address, our account there, and the places of courses and grades."""

    code: ClassVar[str] = "MOODLE"

    moodle_base_url: cw.LmsUrl
    """Address of the Moodle site as its administrators see it, with its sub-directory if it has one."""
    username: SecretStr = SecretStr("")
    """Web service account, for a site that gives tokens out; with ``password``, in place of ``token``."""
    password: SecretStr = SecretStr("")
    """Password of the web service account."""
    token: Annotated[SecretStr, cw.instead_of("username", "password")] = Field(
        default=SecretStr(""), validate_default=True
    )
    """Web service token that an administrator made; in place of ``username`` and ``password``."""
    service_short_name: Annotated[str, cw.needed_without("token")] = Field(
        default="", max_length=255, validate_default=True
    )
    """Short name of the external service; needed with ``username`` and ``password``."""
    category_id: int = Field(default=1, gt=0)
    """Id of the category that receives the courses: the number in the address of its page."""
    retire_strategy: Literal[cw.RetireStrategy.HIDE, cw.RetireStrategy.DELETE] = cw.RetireStrategy.HIDE
    """``hide`` takes a retired course out of sight and can be undone; ``delete`` destroys it, with its
    participants and grades."""
    reply_format: Literal["json", "xml"] = "json"
    """Format in which Moodle is asked to answer. Either is read, whichever comes."""

    learner_id: cw.LearnerId = cw.LearnerId.EMAIL
    """Id by which Moodle knows learners: ``email``; anything else is looked for among user names and ID numbers."""
    grade_assignment_name: str = Field(default="(edX integration) Final Grade", min_length=1, max_length=255)
    """Name of the assignment that takes the final grade, the same in every course, in any section."""
    grade_assignment_cmid: int | None = Field(default=None, gt=0)
    """Course-module id of that assignment: the number in the address of its page. It holds for the one course
    that the module is in; in other courses the name is looked for."""
    grade_scale: int | None = Field(default=None, gt=0)
    """Points of a full grade. Empty for the maximum of each assignment, which is what fits."""

    @property
    def lms_url(self) -> str:
        """Return the base URL of the site, without a trailing slash."""
        return self.moodle_base_url


def config_of(session: cw.Session) -> MoodleConfig:
    """Return the configuration of a session, by its own type."""
    return cast("MoodleConfig", session.config)
