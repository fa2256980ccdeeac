"""Courses as cmi5 course structures: the one form in which the world of xAPI takes a catalogue. ``coursewire xapi cmi5``
writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from coursewire.cli.catalogue import CatalogueExport, CatalogueFile, ConfigOrFile, FromBundle, OutputFolder
from coursewire.cli.options import Json, Keys
from coursewire.export.cmi5 import Block, Described, MoveOn, Structure, Texts, Unit, to_zip, xml_text
from coursewire.export.course_runs import choose_run, runs_to_launch
from coursewire.export.languages import language_tag
from coursewire.export.texts import required
from coursewire_xapi.config import XapiConfig
from coursewire_xapi.outcomes import activity_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coursewire.model.content import ContentItem, CourseRun
    from coursewire.model.instant import Moment

commands = typer.Typer(rich_markup_mode=None)


@commands.callback()
def _group() -> None:
    """Catalogues for Learning Record Stores' companions."""


@commands.command()
def cmi5(  # noqa: PLR0917 - typer's way
    config: ConfigOrFile,
    output: OutputFolder,
    bundle: FromBundle = None,
    keys: Keys = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="One structure for all courses, not one for each.")
    ] = False,
    packed: Annotated[bool, typer.Option("--zip", help="Write packages, not bare XML.")] = False,
    move_on: Annotated[MoveOn, typer.Option(help="What a unit waits for.")] = MoveOn.NOT_APPLICABLE,
    mastery_score: Annotated[
        str | None, typer.Option(metavar="SHARE", help="0 to 1; units are passed from it on.")
    ] = None,
    json: Json = False,
) -> None:
    """Write the catalogue as cmi5 course structures, which an LMS imports. Nothing is sent.

    Each course is a structure, its open runs are the units. Ordinary course pages do not speak cmi5 while they
    run, so that nothing but NotApplicable is ever satisfied by them.
    """

    def build(model: XapiConfig, item: ContentItem, moment: Moment) -> Block:
        return course_block(model, item, moment, move_on=move_on, mastery_score=mastery_score)

    def pack(model: XapiConfig, key: str, blocks: Sequence[Block]) -> CatalogueFile:
        structure = of_many(model, blocks, key=key, name="Catalogue") if whole else of_one(*blocks)
        xml, counts = structure.to_xml(), {"units": len(structure.units)}
        return (
            CatalogueFile(to_zip(xml), ".zip", counts)
            if packed
            else CatalogueFile(xml.encode(), ".xml", counts)
        )

    export = CatalogueExport(XapiConfig, build, pack, together="cmi5" if whole else "")
    export.run(config, bundle, output, keys, json=json)


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
    units = [
        Unit(
            **_described(config, "courserun", run.key, item, run, run.title),
            url=_url(config, item, run),
            **unit,
        )
        for run in runs_to_launch(item, moment)
    ]
    speaks = choose_run(item, moment)
    return Block(**_described(config, "course", item.content_key, item, speaks, item.title), au=tuple(units))


def of_one(block: Block) -> Structure:
    """The structure of one course."""
    course = Described(id=block.id, title=block.title, description=block.description)
    return Structure(course=course, au=block.au)


def of_many(config: XapiConfig, blocks: Sequence[Block], *, key: str, name: str) -> Structure:
    """One structure for many courses: each is a block."""
    text = Texts.of(name, "und")
    course = Described(id=activity_id(config, "catalog", key), title=text, description=text)
    return Structure(course=course, block=tuple(blocks))


def _described(
    config: XapiConfig, kind: str, key: str, item: ContentItem, run: CourseRun | None, title: str | None
) -> dict[str, Any]:
    title = xml_text(title) or xml_text(required(item, "title"))
    texts = {"title": title, "description": xml_text(item.short_description) or title}
    language = language_tag((run and run.content_language) or item.content_language)
    told = {name: Texts.of(text, language) for name, text in texts.items()}
    return {"id": activity_id(config, kind, key), **told}


def _url(config: XapiConfig, item: ContentItem, run: CourseRun) -> str:
    own = (run.model_extra or {}).get("enrollment_url")
    return own or item.enrollment_url or f"{config.site}/courses/{run.key}/course"
