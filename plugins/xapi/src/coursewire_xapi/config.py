"""Settings of one customer's Learning Record Store."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

import coursewire as cw

BY_EMAIL = ("mbox", "mbox_sha1sum")
"""The forms of an actor that are made from an e-mail address."""


def _base(value: str) -> str:
    base, _, last = value.rpartition("/")
    if last.lower() in ("statements", "about"):
        raise ValueError(f"leave out the last part: {base}")
    return value


def _basic_user(value: str) -> str:
    if ":" in value:
        raise ValueError("a user of Basic authentication has no colon")
    return value


BasicUser = Annotated[
    str, Field(min_length=1, max_length=255, coerce_numbers_to_str=True), AfterValidator(_basic_user)
]
"""The user name of Basic authentication (RFC 7617), also one that looks like a number."""


def _host(value: str) -> str:
    value = value.strip().lower()
    if not _HOST.fullmatch(value):
        raise ValueError("write the host alone, with its port if it has one, such as learn.example.org")
    return value


_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")

HostName = Annotated[str, Field(max_length=255), AfterValidator(_host)]
"""A host without scheme and path, in lower case, with its port if it has one."""


class XapiConfig(cw.ChannelConfig):
    """Settings of one Learning Record Store: its address, credentials, and the names of learners and courses."""

    code: ClassVar[str] = "XAPI"

    endpoint: Annotated[cw.LmsUrl, AfterValidator(_base)]
    """Base address of the Learning Record Store: the part before ``/statements``."""
    key: BasicUser
    """User of its Basic authentication ("client id")."""
    secret: cw.Secret
    """Password that goes with the key ("client secret")."""
    version: Literal["1.0.0", "1.0.1", "1.0.2", "1.0.3", "2.0.0"] = "1.0.3"
    """Version of xAPI that requests announce. ``config check`` compares it with what the store offers."""
    site_domain: HostName
    """Host of the site that the courses are on. Activity and extension ids begin with it, so it must never change."""
    actor: Literal["account", "mbox", "mbox_sha1sum", "pseudonym"] = "account"
    """Form of the learner's name in statements: ``account`` (the id that ``learner_id`` says), ``mbox`` (e-mail address),
    ``mbox_sha1sum`` (its digest) or ``pseudonym`` (a keyed digest of that id)."""
    account_home_page: str = Field(default="", max_length=255, pattern=r"^(https?://\S+)?$")
    """Address of the system that the learners' ids belong to; empty for that of the site."""
    email_without_account: bool = True
    """With ``account``: name a learner who has no such id by e-mail address. Without it, such learners wait."""
    pseudonym_key: SecretStr | None = Field(default=None, min_length=16)
    """With ``pseudonym``: the key of the digests, 16 characters or more. Another key makes other people of them."""

    @model_validator(mode="before")
    @classmethod
    def _addresses_by_default(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("actor") in BY_EMAIL:
            return {"learner_id": cw.LearnerId.EMAIL, **data}
        return data

    @model_validator(mode="after")
    def _actor_can_be_made(self) -> XapiConfig:
        if self.actor in BY_EMAIL and self.learner_id is not cw.LearnerId.EMAIL:
            raise ValueError(f"actor {self.actor} is made from the e-mail address: learner_id must be email")
        if self.actor == "pseudonym" and self.pseudonym_key is None:
            raise PydanticCustomError("missing", "pseudonym_key, which actor pseudonym needs")
        return self

    @property
    def learner_id_otherwise(self) -> cw.LearnerId | None:
        """The e-mail address if the configuration allows it; None otherwise."""
        return cw.LearnerId.EMAIL if self.actor == "account" and self.email_without_account else None

    @property
    def site(self) -> str:
        """Address of the site, without a trailing slash."""
        return f"https://{self.site_domain}"


def config_of(session: cw.Session) -> XapiConfig:
    """Return the configuration of a session, by its own type."""
    return cast("XapiConfig", session.config)
