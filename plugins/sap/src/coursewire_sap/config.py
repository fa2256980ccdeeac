"""The settings of one customer's SAP SuccessFactors Learning tenant."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, cast
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

import coursewire as cw
from coursewire_sap.keys import KeyFaultError, load_signing_key
from coursewire_sap.locales import find_locale

if TYPE_CHECKING:
    from collections.abc import Mapping


IMPORT = "import"
"""Name of the rate that counts import calls."""
SEARCH = "search"
"""Name of the rate that counts searches."""
COMPLETIONS = "completions"
"""Name of the rate that counts completions, where the configuration sets one."""


class AuthType(StrEnum):
    """The ways to ask for a token."""

    LEARNING_TOKEN_SERVER = "sap_signed_assertion"
    """Client id and secret at the Learning token server, which SAP retires."""
    SELF_SIGNED = "self_signed_assertion"
    """A SAML assertion signed with our own key, at the platform's token endpoint."""


OF_TOKEN_SERVER = cw.needed_with("auth_type", AuthType.LEARNING_TOKEN_SERVER)
"""Marks what only the Learning token server needs."""
OF_SELF_SIGNED = cw.needed_with("auth_type", AuthType.SELF_SIGNED)
"""Marks what only a self-signed assertion needs."""


class NameIdForm(StrEnum):
    """The kind of name by which the assertion names a user."""

    USER_ID = "user_id"
    USER_NAME = "user_name"
    LEARNING_ONLY = "learning_only"
    """A user of Learning without a platform account."""


def _in_saps_names(languages: tuple[str, ...]) -> tuple[str, ...]:
    """Return SAP's names of locales, each once. A name that SAP is not known to have stays: the tenant may know it."""
    names = [find_locale(language) or language.strip() for language in languages if language.strip()]
    return tuple(dict.fromkeys(names))


class SapConfig(cw.ChannelConfig):
    """Settings of one customer's SAP SuccessFactors Learning tenant. Secrets are taken byte for byte."""

    code: ClassVar[str] = "SAP"

    auth_type: AuthType = AuthType.LEARNING_TOKEN_SERVER
    """The way in which a token is asked for: with client id and secret, or with an assertion signed with our own key."""
    key: Annotated[cw.Secret, cw.Filled]
    """OAuth client id: of the Learning token server (often the company id), or the API key of the client
    registered in SuccessFactors."""
    sapsf_base_url: Annotated[cw.LmsUrl, cw.Filled]
    """The tenant's Learning host."""
    sapsf_company_id: Annotated[cw.Text, cw.Filled, cw.Destination()]
    """Company id."""
    sapsf_user_id: Annotated[cw.Text, cw.Filled]
    """The service user: the administrator of the Open Content Network."""
    secret: Annotated[cw.OptionalSecret, OF_TOKEN_SERVER] = Field(
        default=SecretStr(""), validate_default=True
    )
    """OAuth client secret; needed with ``sap_signed_assertion``."""
    private_key: Annotated[SecretStr, Field(max_length=16_384), OF_SELF_SIGNED] = Field(
        default=SecretStr(""), validate_default=True
    )
    """RSA key in PEM form, 2048 bits or more; needed with ``self_signed_assertion``."""
    private_key_passphrase: cw.OptionalSecret = SecretStr("")
    """Passphrase of an encrypted key."""
    user_type: Literal["user", "admin"] = "user"
    """Kind of the service user; only ``sap_signed_assertion`` sends it."""

    sapsf_token_base_url: cw.OptionalUrl = None
    """API server of the data centre, where assertions go; empty for the Learning host."""
    oauth_token_api_path: cw.ApiPath = "/oauth/token"
    """Path of the platform's token endpoint."""
    saml_assertion_audience: Annotated[cw.Text, OF_SELF_SIGNED] = Field(
        default="www.successfactors.com", validate_default=True
    )
    """Audience of the assertion."""
    saml_assertion_issuer: cw.Text = ""
    """Issuer of the assertion; empty for the API key."""
    saml_assertion_recipient: cw.Text = ""
    """Recipient of the assertion; empty for the token URL."""
    saml_name_id_form: NameIdForm = NameIdForm.USER_ID
    """The meaning of ``sapsf_user_id``: a user id, a user name, or somebody known to Learning only."""
    saml_learner_name_id_form: NameIdForm = NameIdForm.USER_ID
    """The same of the ids of learners, for completions that are reported as the learner."""

    additional_locales: Annotated[cw.CommaSeparated, AfterValidator(_in_saps_names)] = ()
    """SAP's names of the locales that titles and descriptions are repeated in, beside their own. Also taken
    as comma-separated text, and as language codes."""
    transmit_course_hours: bool = False
    """Send hours with each course; some tenants refuse the two fields."""
    transmit_total_hours: bool = False
    """Send hours with completions."""
    prevent_self_submit_grades: bool = False
    """Report completions as the service user instead of as the learner."""
    resend_outcomes: cw.Resend = cw.Resend.NEVER
    """SAP takes one completion of a course and no correction of it; ``changed`` or ``improved`` add another."""

    provider_id: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)] = (
        "EDX"
    )
    """The provider id registered in SAP's Open Content Network."""
    call_interval_seconds: float = Field(default=300.0, ge=0)
    """One import call in this time. SAP's limit is five minutes, which is kept even if this is shorter; 0
    for a tenant, or simulator, without the limit."""
    completions_per_minute: int = Field(default=0, ge=0)
    """Completions in a minute, evenly spread; 0 for as many as SAP takes."""
    oauth_api_path: cw.ApiPath = "learning/oauth-api/rest/v1/token"
    """Path of the Learning token server."""
    course_api_path: cw.ApiPath = "learning/odatav4/public/admin/ocn/v1/OcnCourses"
    """Path of the course import."""
    completion_status_api_path: cw.ApiPath = (
        "learning/odatav4/public/admin/ocn/v1/current-user/item/learning-event"
    )
    """Path of completions reported as the learner."""
    search_student_api_path: cw.ApiPath = "learning/odatav4/searchStudent/v1/Students"
    """Path of the search for users."""

    @model_validator(mode="wrap")
    @classmethod
    def _signing_key_is_usable(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Check key and passphrase together; a fault joins the other errors, at the field it belongs to."""
        fault = _key_fault(data) if isinstance(data, dict) else None
        if fault is None:
            return handler(data)
        lines = [_line("value_error", fault.field, text=str(fault))]
        try:
            handler(data)
        except ValidationError as error:
            lines = [_line(e["type"], *e["loc"], text=e["msg"]) for e in error.errors()] + lines
        raise ValidationError.from_exception_data(cls.__name__, lines, hide_input=True)

    @property
    def lms_url(self) -> str:
        """Return the address of the Learning host."""
        return self.sapsf_base_url

    @property
    def token_url(self) -> str:
        """Return the address that this configuration's tokens come from."""
        if self.auth_type is AuthType.SELF_SIGNED:
            base, path = self.sapsf_token_base_url or self.sapsf_base_url, self.oauth_token_api_path
        else:
            base, path = self.sapsf_base_url, self.oauth_api_path
        return f"{base}/{path.lstrip('/')}"

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Return the host that tokens come from, which may be another than Learning's."""
        return frozenset({urlsplit(self.token_url).netloc.lower()})

    @property
    def import_bucket(self) -> str | None:
        """Return the name of the rate that counts import calls; None where the tenant has no window."""
        return IMPORT if self.call_interval_seconds else None

    @property
    def completion_bucket(self) -> str | None:
        """Return the name of the rate that counts completions; None where there is none."""
        return COMPLETIONS if self.completions_per_minute else None

    def rates(self, limits: Mapping[str, cw.Rate]) -> Mapping[str, cw.Rate]:
        """Return the channel's rates, with those that this tenant has of its own."""
        rates = dict(limits)
        if self.call_interval_seconds:
            rates[IMPORT] = cw.Rate(calls=1, seconds=self.call_interval_seconds)
        if self.completions_per_minute:
            rates[COMPLETIONS] = cw.Rate(calls=1, seconds=60 / self.completions_per_minute)
        return rates


def config_of(session: cw.Session) -> SapConfig:
    """Return the configuration that a session was opened for."""
    return cast("SapConfig", session.config)


def _plain(value: Any) -> Any:
    """Return a secret's value, and any other value as it is; "" for none."""
    return value.get_secret_value() if isinstance(value, SecretStr) else value or ""


def _key_fault(data: dict[str, Any]) -> KeyFaultError | None:
    """Return what is wrong with key and passphrase; None where they fit, or nothing can be said."""
    text, passphrase = (_plain(data.get(name)) for name in ("private_key", "private_key_passphrase"))
    if not isinstance(text, str) or not isinstance(passphrase, str) or not text.strip():
        return None
    try:
        load_signing_key(text, passphrase)
    except KeyFaultError as fault:
        return fault
    return None


def _line(kind: str, *loc: int | str, text: str) -> InitErrorDetails:
    return InitErrorDetails(type=PydanticCustomError(kind, "{text}", {"text": text}), loc=loc, input=None)
