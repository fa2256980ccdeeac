"""Settings of one customer's Cornerstone portal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

import coursewire as cw

OfCallback = Annotated[cw.OptionalSecret, cw.needed_with("completion_api", "callback")]
OfTranscript = Annotated[cw.OptionalSecret, cw.needed_with("completion_api", "transcript")]


def _in_an_object(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value.keys() - {"Languages"}:
        raise ValueError('write a list of tags, or {"Languages": [...]}')
    return value.get("Languages", ())


class CornerstoneConfig(cw.ChannelConfig):
    """Settings of one portal: its address, the API for results, and the mapping of content."""

    code: ClassVar[str] = "CSOD"

    display_name: str = Field(default="", max_length=20)
    """Nickname for people."""
    cornerstone_base_url: cw.LmsUrl
    """Address of the portal, such as https://acme.csod.com."""
    completion_api: Literal["callback", "transcript"] = "callback"
    """Report results by ``callback``, which needs a learner who came from the portal within about two hours; or by
    ``transcript``, Cornerstone's own APIs, which needs an OAuth application of the portal."""
    learner_id: cw.LearnerId = cw.LearnerId.LAUNCH
    """The id by which the portal knows learners: ``launch`` (the GUID that came with a launch), or the user id that an
    identity provider has (``sso``), ``email`` or ``employee_id``, with ``learner_field`` set to ``externalId``."""

    key: OfCallback = Field(default=SecretStr(""), validate_default=True)
    """User name for progress posts; needed with ``callback``."""
    secret: OfCallback = Field(default=SecretStr(""), validate_default=True)
    """Password for progress posts; needed with ``callback``."""
    completion_status_api_path: cw.AbsolutePath = "/progress"
    """Path of progress posts below the callback that learners bring."""

    client_id: OfTranscript = Field(default=SecretStr(""), validate_default=True)
    """OAuth client id of the portal's application; needed with ``transcript``."""
    client_secret: OfTranscript = Field(default=SecretStr(""), validate_default=True)
    """OAuth client secret; needed with ``transcript``."""
    completion_scope: str = Field(
        default="transcript:update learningassignment:read learningassignment:update",
        min_length=1,
        max_length=255,
    )
    """Scopes that are asked for, with blanks between them."""
    oauth_api_path: cw.AbsolutePath = "/services/api/oauth2/token"
    """Path of the token endpoint."""
    transcript_complete_api_path: cw.AbsolutePath = "/services/api/v1/transcripts/complete"
    """Path that completions go to."""
    transcript_progress_api_path: cw.AbsolutePath = "/services/api/v1/transcripts/progress"
    """Path that results in progress go to."""
    learning_assignments_api_path: cw.AbsolutePath = "/services/api/v1/LearningAssignments"
    """Path of the Learning Assignments API."""
    in_progress_api: Literal["transcript", "learning_assignments"] = "transcript"
    """API that takes results in progress, with ``completion_api`` ``transcript``."""
    learner_field: Literal["userGuid", "externalId"] = "userGuid"
    """Field of the Transcript API that names the learner: the GUID, or the user id in the portal."""

    languages: Annotated[cw.CommaSeparated, BeforeValidator(_in_an_object)] = ()
    """Tags that the portal takes, such as en-US; what it does not take goes out as en-US. Also taken as
    comma-separated text, and as ``{"Languages": [...]}``."""
    subject_mapping: Mapping[str, tuple[str, ...]] = {}
    """Cornerstone's subjects, each with the list of our subjects that it stands for."""
    disable_subject_metadata_transmission: bool = False
    """Send no subjects, for a portal with a taxonomy of its own."""
    launch_url: Annotated[cw.OptionalUrl, cw.Destination(False)] = None
    """Address of this service's page for arriving learners: https://<host>/channels/csod/launch/<customer UUID>. Courses
    then begin there, and go on to their own address; empty where the platform hands arrivals on by itself."""

    @field_validator("client_secret")
    @classmethod
    def _with_its_id(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if "client_id" in info.data and bool(info.data["client_id"]) is not bool(value):
            raise ValueError("client_id and client_secret belong together; give both, or neither")
        return value


def config_of(session: cw.Session) -> CornerstoneConfig:
    """Return the configuration of a session, by its own type."""
    return cast("CornerstoneConfig", session.config)
