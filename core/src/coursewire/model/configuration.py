"""The base of every channel's configuration model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from coursewire.model.addresses import is_public

if TYPE_CHECKING:
    from coursewire.model.channel import Rate

INSECURE_URLS = "insecure_urls"
"""Key of the validation context that allows plain http and private addresses (tests, simulators)."""


def _lms_url(value: str, info: ValidationInfo) -> str:
    parts = urlsplit(value.strip())
    if not parts.scheme or not parts.hostname:
        raise ValueError("write an absolute URL with scheme and host, such as https://lms.example.com")
    if parts.scheme not in ("https", "http"):
        raise ValueError(f"the scheme {parts.scheme!r} is not http or https")
    if parts.username or parts.password:
        raise ValueError("user name and password do not belong into the URL; use the fields made for them")
    if parts.query or parts.fragment:
        raise ValueError("leave out everything from '?' or '#' on")
    if not (info.context or {}).get(INSECURE_URLS, False):
        if parts.scheme == "http":
            raise ValueError("plain http is refused; use https (COURSEWIRE_ALLOW_INSECURE_URLS=1 for tests)")
        if _is_private(parts.hostname):
            raise ValueError(
                f"{parts.hostname} is a private or local address; an LMS has a public one "
                "(COURSEWIRE_ALLOW_INSECURE_URLS=1 for tests)"
            )
    return value.strip().rstrip("/")


def _is_private(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return not is_public(host)
    except ValueError:
        return False  # a name: its addresses are checked when it is resolved, at every connection


LmsUrl = Annotated[str, Field(max_length=255), AfterValidator(_lms_url)]
"""The base URL of an LMS: absolute, https, public. Kept without a trailing slash."""


class ChannelConfig(BaseModel):
    """One customer's settings for one channel: the fields that every channel has.

    A channel subclasses it and adds its own. A field without a default must be filled before the
    configuration can become active; secrets are ``SecretStr``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    code: ClassVar[str] = ""

    display_name: str = Field(default="", max_length=255)
    """Nickname for people."""
    idp_id: str = Field(default="", max_length=255)
    """Identity provider whose name for a learner is sent; empty for the customer's default."""
    dry_run_mode_enabled: bool = False
    """Plan and log, but send nothing."""
    transmission_chunk_size: int | None = Field(default=None, gt=0)
    """Items a request; may only lower the channel's limit. None for as many as the LMS takes."""
    catalogs_to_transmit: tuple[UUID, ...] = ()
    """The catalogs to send; empty for all of the customer's. Also taken as comma-separated text."""
    disable_learner_data_transmissions: bool = False
    """Send no completions and no assessments."""
    show_course_price: bool = False
    """Send the real price."""

    @field_validator("catalogs_to_transmit", mode="before")
    @classmethod
    def _split_text(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        return tuple(dict.fromkeys(map(str, value))) if isinstance(value, list | tuple) else value

    @property
    def lms_url(self) -> str:
        """Base URL of the LMS, without a trailing slash."""
        raise NotImplementedError(f"{type(self).__name__} does not say where its LMS is: define lms_url")

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Hosts, beside that of ``lms_url``, that requests of this configuration may go to, in lower case.

        For example the vendor's token server, where that is another host than its API.
        """
        return frozenset()

    @property
    def limit_scope(self) -> str:
        """What the vendor counts this configuration's calls by; two with the same scope share its limits.

        The host of the LMS, unless the channel narrows it, for example to host and company. Never a secret
        itself: where the vendor counts by credential, give a digest.
        """
        return urlsplit(self.lms_url).netloc.lower()

    def rates(self, limits: Mapping[str, Rate]) -> Mapping[str, Rate]:
        """The rates of this configuration: the channel's, or lower ones where the customer set them."""
        return limits

    @classmethod
    def secret_fields(cls) -> frozenset[str]:
        """Names of the fields whose values are secrets."""
        return frozenset(name for name, info in cls.model_fields.items() if _mentions_secret(info.annotation))


def _mentions_secret(annotation: Any) -> bool:
    if annotation is SecretStr:
        return True
    return any(_mentions_secret(part) for part in getattr(annotation, "__args__", ()))
