"""A channel's declaration of itself: capabilities and limits as data, not as code."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from coursewire.model.configuration import ChannelConfig
from coursewire.model.content import ContentType
from coursewire.model.kinds import Kind
from coursewire.model.reasons import ReasonInfo

PLUGIN_API = "2.0"
"""The version of the contract between core and plugins: hooks, and the names of ``import coursewire``. It is raised when
the contract changes, and is not the version of the distribution."""


class Support(StrEnum):
    """The answers to whether something can be done: five, where a boolean would lie."""

    UNKNOWN = "unknown"
    IMPOSSIBLE = "impossible at the vendor"
    NOT_IMPLEMENTED = "not implemented yet"
    PARTIAL = "from some version on"
    FULL = "full"

    @property
    def usable(self) -> bool:
        """True when core may ask the channel for it."""
        return self in (Support.FULL, Support.PARTIAL)


class Idempotency(StrEnum):
    """The way in which sending an item again is kept from doubling it at the LMS."""

    NATIVE_KEY = "native key"
    """The request carries a key of ours that the LMS deduplicates by."""
    UPSERT = "upsert"
    """Sending again overwrites the same item."""
    NATURAL_KEY = "natural key"
    """``find_remote`` tells whether the item is there."""
    NONE = "none"


class RetireStrategy(StrEnum):
    """The ways of taking an item away from learners."""

    DEACTIVATE = "deactivate"
    CONCLUDE = "conclude"
    HIDE = "hide"
    DELETE = "delete"


class Capabilities(BaseModel):
    """The things that the LMS and this channel can do, as promises: core, the conformance suite, the console and the docs all read them.

    Three kinds of LMS are common:

    * **Sending again overwrites**, content and results alike: nothing is doubled, and everything can be corrected::

        Capabilities(
            completions=Support.FULL,
            retire_strategies=(RetireStrategy.HIDE,),
            idempotency=Idempotency.UPSERT,
            outcome_idempotency=Idempotency.UPSERT,
            raise_grade=Support.FULL,
            lower_grade=Support.FULL,
            revoke=Support.FULL,
        )

    * **A gradebook** takes every grade at any time, into the cell of a learner and a column, in courses that are there::

        Capabilities(
            completions=Support.FULL,
            assessments=Support.FULL,
            in_progress=Support.FULL,
            outcomes_need_content=True,
            retire_strategies=(RetireStrategy.HIDE, RetireStrategy.DELETE),
            idempotency=Idempotency.NATURAL_KEY,
            outcome_idempotency=Idempotency.UPSERT,
            raise_grade=Support.FULL,
            lower_grade=Support.FULL,
            revoke=Support.FULL,
        )

    * **A record of learning** is written once: whatever was told stays, and nothing is corrected. That is the default.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    content_types: frozenset[ContentType] = frozenset({ContentType.COURSE})
    """The types of content that it takes; items of other types wait with the reason ``content-type-not-supported``."""
    content: Support = Support.FULL
    """Take content at all."""
    completions: Support = Support.UNKNOWN
    """Take results of whole courses."""
    assessments: Support = Support.UNKNOWN
    """Take results of single subsections."""
    enrollments: Support = Support.NOT_IMPLEMENTED
    """Take it that a learner has joined a course, and that one has left it."""
    retire_strategies: tuple[RetireStrategy, ...] = ()
    """The first is the default."""
    raise_grade: Support = Support.UNKNOWN
    """Correct an outcome that the LMS has confirmed, other than by a lower grade."""
    lower_grade: Support = Support.UNKNOWN
    """Correct an outcome that the LMS has confirmed by a lower grade."""
    revoke: Support = Support.UNKNOWN
    """Take a completion back that the LMS has confirmed."""
    in_progress: Support = Support.UNKNOWN
    """Take results of learners who have not completed the course."""
    idempotency: Idempotency = Idempotency.NONE
    """Of content: how a repeated send is kept from doubling it. Where both are true, ``upsert`` goes before ``native key``:
    an equal request changes nothing, and another one under the same key overwrites."""
    outcome_idempotency: Idempotency = Idempotency.NONE
    """Of outcomes of every kind: the way in which sending one again is kept from doubling it."""
    outcomes_need_content: bool = False
    """Outcomes can only go to a course that this configuration has sent to the LMS."""
    delivery: Literal["push", "pull"] = "push"
    """``pull``: content is not sent but offered, for the LMS to fetch from an inbound route of the channel."""
    mapped_keys: bool = False
    """The LMS knows items by keys that are made for it (hook ``remote_key``) or were imported. A key once given
    stays, and outcomes go only to courses that were given one."""
    remote_keys: str = r"(?s).+"
    """Regular expression for the keys that the LMS takes, for the whole of a key."""
    mixed_operations: bool = False
    """Creates, updates and retirements may travel in one batch."""
    wants_confirmed: bool = False
    """Payloads of content that is updated come with what the LMS last confirmed, for a channel that writes an item
    in parts and sends only those that changed."""
    list_remote: Support = Support.NOT_IMPLEMENTED
    """List what is at the LMS (hook ``list_remote``)."""
    list_inactive_learners: Support = Support.NOT_IMPLEMENTED
    """List the learners whose account at the LMS is inactive (hook ``list_inactive_learners``), for
    ``coursewire learners inactive``."""
    paging: Literal["none", "link header", "page number", "cursor", "offset"] = "none"
    """The way in which the LMS divides lists into pages. Anything but ``none`` calls for the checks about pages."""
    slow_down: tuple[str, ...] = ("429",)
    """The ways in which the LMS says "slow down", for people: "429", "403 with text", "200 with message"."""

    def takes(self, kind: Kind) -> bool:
        """Tell whether core may send this kind.

        Args:
            kind: Content, or a kind of outcome.
        """
        support: Support = getattr(self, kind.value)
        return support.usable

    def idempotency_of(self, kind: Kind) -> Idempotency:
        """Return what makes sending one thing of a kind again harmless."""
        return self.outcome_idempotency if kind.is_outcome else self.idempotency


class Rate(BaseModel):
    """A ceiling such as "one call in 300 seconds"."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    calls: int = Field(gt=0)
    """So many calls in any window of so many seconds."""
    seconds: float = Field(gt=0)
    """Length of the window."""
    negotiable: bool = False
    """The vendor raises it for a customer who asks: a configuration may name a higher one, too."""
    setting: str = ""
    """The configuration's field that gives ``calls``, where a customer's differ; empty where none does."""


class Limits(BaseModel):
    """The vendor's limits. A configuration may only lower them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch_items: int = Field(default=1, gt=0)
    """Content items a request."""
    outcome_batch_items: int = Field(default=1, gt=0)
    """Outcomes a request."""
    outcomes_by: tuple[str, ...] = ()
    """Members of an outcome's payload, such as ``("course", "learner")``: a batch holds only outcomes with the same
    first one, in the order of the others. For an LMS that takes the grades of one course together."""
    batch_bytes: int | None = None
    """Bytes of canonical JSON a request, as core counts them. A channel with another form on the wire leaves
    this out and keeps to its limit in ``make_batches``."""
    concurrency: int = Field(default=8, gt=0)
    """Requests under way at once for one configuration."""
    rates: Mapping[str, Rate] = {}
    """Named buckets: ``"default"`` counts every call, other names the calls that ask for them."""
    remaining_header: str | None = None
    """Header in which the LMS says how many calls are left. At 0 nobody asks again before ``reset_header``'s
    instant (ISO 8601), and no longer than the rate's window."""
    reset_header: str | None = None
    """Header in which it says when there will be more."""
    counted_by: Literal["application key", "token", "address", "tenant"] = "tenant"
    """The thing by which the vendor counts calls, for people. Core counts by the configuration's ``limit_scope``, which is the host of
    the LMS unless the channel's configuration overrides it."""
    connect_timeout_s: float = 5.0
    """Longest wait for a connection."""
    read_timeout_s: float = 30.0
    """Longest silence while an answer is due."""
    total_timeout_s: float = 120.0
    """Longest time for one request and its answer."""

    def most_items(self, kind: Kind) -> int:
        """Return the most things of a kind that one request may carry."""
        return self.outcome_batch_items if kind.is_outcome else self.batch_items


class Channel(BaseModel):
    """One kind of LMS, as its plugin declares it."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    code: str = Field(pattern=r"^[A-Z][A-Z0-9_]{1,29}$")
    """The code by which commands, records and configurations name it, such as ``HARBOUR``."""
    title: str
    """The name that people read."""
    config: type[ChannelConfig]
    """Model of one customer's configuration."""
    requires_api: str = ""
    """The plugin API versions that the plugin works with, as a PEP 440 specifier such as ``">=2.0,<3"``. A channel that
    names none counts as written for plugin API 1.0, and is not loaded."""
    capabilities: Capabilities = Capabilities()
    """The things that it can do."""
    limits: Limits = Limits()
    """The vendor's limits."""
    simulator: str | None = None
    """``"package.module:Class"`` of the simulator, for ``coursewire simulate`` and the test kit."""
    docs_url: str | None = None
    """The vendor's own documentation."""
    reasons: tuple[ReasonInfo, ...] = ()
    """The reason codes of the channel's own that its results and errors may carry, beside core's (see
    :class:`~coursewire.model.reasons.Reason`). They are counted, explained and documented as core's are."""

    @field_validator("reasons")
    @classmethod
    def _each_once(cls, value: tuple[ReasonInfo, ...]) -> tuple[ReasonInfo, ...]:
        codes = [info.code for info in value]
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise ValueError(f"these codes are declared twice: {', '.join(twice)}")
        return value

    @field_validator("simulator")
    @classmethod
    def _names_a_class(cls, value: str | None) -> str | None:
        if value is not None and value.count(":") != 1:
            raise ValueError('write it as "package.module:Class"')
        return value
