"""Course structures of cmi5: a file format for catalogues that LMSs of many vendors import.

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
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal

import xmltodict
from pydantic import BaseModel, ConfigDict, Field, model_validator

import coursewire as cw
from coursewire_xapi.languages import UNDETERMINED, language_tag

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMESPACE = "https://w3id.org/xapi/profiles/cmi5/v1/CourseStructure.xsd"

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Iri = Annotated[str, Field(pattern=r'^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"{}|\\^`]+$')]
Address = Annotated[str, Field(pattern=r"^https?://[^\s/]+\S*$")]
MasteryScore = Annotated[Decimal, Field(ge=0, le=1, decimal_places=4)]


class MoveOn(StrEnum):
    """The rule by which an LMS counts a unit as done."""

    NOT_APPLICABLE = "NotApplicable"
    PASSED = "Passed"
    COMPLETED = "Completed"
    COMPLETED_AND_PASSED = "CompletedAndPassed"
    COMPLETED_OR_PASSED = "CompletedOrPassed"


class _Element(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, serialize_by_alias=True)


class LangString(_Element):
    """A text in one language."""

    lang: str = Field(alias="@lang", pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")
    text: str = Field(alias="#text", pattern=r"\S")


class Texts(_Element):
    """A text in one or more languages."""

    langstring: tuple[LangString, ...] = Field(min_length=1)

    @classmethod
    def of(cls, text: str, language: str) -> Texts:
        """Return a text in one language."""
        return cls(langstring=(LangString(lang=language, text=text),))


class Described(_Element):
    """The elements that course, block and unit share; the course has no others."""

    id: Iri = Field(alias="@id")
    title: Texts
    description: Texts


class Unit(Described):
    """An assignable unit, which an LMS launches; pages that do not speak cmi5 satisfy nothing but ``NotApplicable``."""

    url: Address
    move_on: MoveOn = Field(default=MoveOn.NOT_APPLICABLE, alias="@moveOn")
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
        inner = [*self.block, *self.units]
        if not inner:
            raise ValueError("there is nothing to launch: neither a unit nor a block")
        ids = Counter(each.id for each in (self.course, *inner))
        if twice := [name for name, count in ids.items() if count > 1]:
            raise ValueError(f"ids that are there twice: {', '.join(twice)}")
        return self

    @property
    def units(self) -> list[Unit]:
        """Every unit of the structure, including those in blocks."""
        return [*self.au, *(unit for block in self.block for unit in block.au)]

    def to_xml(self) -> str:
        """Return the structure as XML text."""
        content = self.model_dump(mode="json", exclude_none=True)
        xml: str = xmltodict.unparse({"courseStructure": content}, pretty=True, indent="  ")
        return xml


def described(item: cw.ContentItem, run: cw.CourseRun | None, title: str | None) -> dict[str, Texts]:
    """Return title and description of a course, or of a run of it.

    Args:
        item: The course.
        run: Course run whose language the texts are in; None for the language of the course.
        title: Title of the run; the course's own title stands in for a blank one.

    Raises:
        NotExportableError: There is no title.
    """
    title = _clean(title) or _clean(cw.require_text(item, "title"))
    language = language_tag((run and run.content_language) or item.content_language)
    description = _clean(cw.plain_text(item.short_description)) or title
    return {"title": Texts.of(title, language), "description": Texts.of(description, language)}


def of_one(block: Block) -> Structure:
    """Return the structure of one course."""
    course = Described(id=block.id, title=block.title, description=block.description)
    return Structure(course=course, au=block.au)


def of_many(iri: str, name: str, blocks: Sequence[Block]) -> Structure:
    """Return one structure for many courses, each as a block.

    Args:
        iri: IRI of the catalogue.
        name: Name of the catalogue, in no language.
        blocks: The courses.
    """
    text = Texts.of(name, UNDETERMINED)
    return Structure(course=Described(id=iri, title=text, description=text), block=tuple(blocks))


def to_zip(xml: str) -> bytes:
    """Return the package that an LMS imports: ``cmi5.xml`` at its root and nothing else, equal for equal text."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        member = zipfile.ZipInfo("cmi5.xml", (1980, 1, 1, 0, 0, 0))
        archive.writestr(member, xml.encode(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _clean(text: str | None) -> str:
    """Return a text without characters that XML cannot carry."""
    return _NOT_IN_XML.sub("", text or "").strip()
