"""Courses as cmi5 course structures: the one form in which the world of xAPI takes a catalogue.

The models are the structure's schema (https://github.com/AICC/CMI-5_Spec_Current, sections 13 and 14): fields in the order
of the elements, and every rule, those too that the published XSD lets pass: ids that are there twice or hold blanks,
texts without language or letters, mastery scores with more than four decimals.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal

import xmltodict
from pydantic import BaseModel, ConfigDict, Field, model_validator

from coursewire.errors import NotExportableError
from coursewire.export.course_runs import choose_run, is_open
from coursewire.model.content import ContentType
from coursewire_xapi.outcomes import activity_id, language_tag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coursewire.model.content import ContentItem, CourseRun
    from coursewire.model.instant import Moment
    from coursewire_xapi.config import XapiConfig

NAMESPACE = "https://w3id.org/xapi/profiles/cmi5/v1/CourseStructure.xsd"
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Iri = Annotated[str, Field(pattern=r'^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"{}|\\^`]+$')]
Address = Annotated[str, Field(pattern=r"^https?://[^\s/]+\S*$")]
MoveOn = Literal["NotApplicable", "Passed", "Completed", "CompletedAndPassed", "CompletedOrPassed"]
MasteryScore = Annotated[Decimal, Field(ge=0, le=1, decimal_places=4)]


class _Element(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, serialize_by_alias=True)


class LangString(_Element):
    """A text in one language."""

    lang: str = Field(alias="@lang", pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")
    text: str = Field(alias="#text", pattern=r"\S")


class Texts(_Element):
    """A text in one or more languages."""

    langstring: tuple[LangString, ...] = Field(min_length=1)


class Described(_Element):
    """What course, block and unit have; the course has nothing else."""

    id: Iri = Field(alias="@id")
    title: Texts
    description: Texts


class Unit(Described):
    """An assignable unit: what an LMS launches. Pages that do not speak cmi5 satisfy nothing but ``NotApplicable``."""

    url: Address
    move_on: MoveOn = Field(default="NotApplicable", alias="@moveOn")
    mastery_score: MasteryScore | None = Field(default=None, alias="@masteryScore")
    launch_method: Literal["AnyWindow", "OwnWindow"] = Field(default="OwnWindow", alias="@launchMethod")


class Block(Described):
    """Units that belong together."""

    au: tuple[Unit, ...] = Field(min_length=1)


class Structure(_Element):
    """A course structure: units, or blocks of them."""

    xmlns: Literal["https://w3id.org/xapi/profiles/cmi5/v1/CourseStructure.xsd"] = Field(
        default="https://w3id.org/xapi/profiles/cmi5/v1/CourseStructure.xsd", alias="@xmlns"
    )
    course: Described
    block: tuple[Block, ...] = ()
    au: tuple[Unit, ...] = ()

    @model_validator(mode="after")
    def _is_whole(self) -> Structure:
        inner = [*self.block, *self.au, *(unit for block in self.block for unit in block.au)]
        if not inner:
            raise ValueError("there is nothing to launch: neither a unit nor a block")
        ids = Counter(each.id for each in (self.course, *inner))
        if twice := [name for name, count in ids.items() if count > 1]:
            raise ValueError(f"ids that are there twice: {', '.join(twice)}")
        return self

    def to_xml(self) -> str:
        """The text of the structure."""
        content = self.model_dump(mode="json", exclude_none=True)
        xml: str = xmltodict.unparse({"courseStructure": content}, pretty=True, indent="  ")
        return xml


def to_zip(xml: str) -> bytes:
    """The package that an LMS imports: ``cmi5.xml`` at its root, and nothing else. Equal for equal text."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        member = zipfile.ZipInfo("cmi5.xml", (1980, 1, 1, 0, 0, 0))
        archive.writestr(member, xml.encode(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def course_block(config: XapiConfig, item: ContentItem, moment: Moment, **unit: Any) -> Block:
    """A course with its open runs as units, or with the run that speaks for it where none is open.

    Args:
        config: Has the site that ids begin with.
        item: A course.
        moment: The present instant.
        unit: ``move_on`` and ``mastery_score`` of the units.

    Raises:
        NotExportableError: It is no course, or lacks a title or a run.
        ValidationError: A rule of cmi5 is broken, for example by an address that is none.
    """
    if item.content_type is not ContentType.COURSE:
        raise NotExportableError("content_type", f"a {item.content_type.value} has no runs of its own")
    speaks = choose_run(item, moment)
    if speaks is None:
        raise NotExportableError("course_runs", "the course has no run that could be launched")
    runs = [run for run in item.course_runs if is_open(run, moment)] or [speaks]
    units = tuple(
        Unit(
            **_described(activity_id(config, "courserun", run.key), item, run, run.title),
            url=_url(config, item, run),
            **unit,
        )
        for run in runs
    )
    return Block(
        **_described(activity_id(config, "course", item.content_key), item, speaks, item.title), au=units
    )


def of_one(block: Block) -> Structure:
    """The structure of one course."""
    course = Described(id=block.id, title=block.title, description=block.description)
    return Structure(course=course, au=block.au)


def of_many(config: XapiConfig, blocks: Sequence[Block], *, key: str, name: str) -> Structure:
    """One structure for many courses: each is a block."""
    course = Described(id=activity_id(config, "catalog", key), title=_texts(name), description=_texts(name))
    return Structure(course=course, block=tuple(blocks))


def _described(iri: str, item: ContentItem, run: CourseRun, title: str | None) -> dict[str, Any]:
    title = _clean(title) or _clean(item.title)
    if not title:
        raise NotExportableError("title", "the course has no title")
    language = language_tag(run.content_language or item.content_language)
    description = _clean(item.short_description) or title
    return {"id": iri, "title": _texts(title, language), "description": _texts(description, language)}


def _texts(text: str, language: str = "und") -> Texts:
    return Texts(langstring=(LangString(lang=language, text=text),))


def _url(config: XapiConfig, item: ContentItem, run: CourseRun) -> str:
    own = (run.model_extra or {}).get("enrollment_url")
    return own or item.enrollment_url or f"{config.site}/courses/{run.key}/course"


def _clean(text: str | None) -> str:
    """Text without what XML cannot carry."""
    return _NOT_IN_XML.sub("", text or "").strip()
