"""The command ``coursewire xapi cmi5``: the catalogue as cmi5 course structures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coursewire_xapi.catalogue import CatalogueExport, CatalogueFile
from coursewire_xapi.cmi5_courses import course_block
from coursewire_xapi.cmi5_format import Block, MoveOn, of_many, of_one, to_zip
from coursewire_xapi.outcomes import activity_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    import coursewire as cw
    from coursewire_xapi.config import XapiConfig

commands = typer.Typer(rich_markup_mode=None)


@commands.command()
def cmi5(
    *,
    config: Annotated[
        str, typer.Option("--config", metavar="ID", help="The configuration; with --bundle, a file of one.")
    ],
    output: Annotated[
        Path, typer.Option("--output", metavar="DIR", help="Folder that the files go into; made if missing.")
    ],
    bundle: Annotated[
        Path | None, typer.Option("--bundle", metavar="DIR", help="Take the courses from this bundle.")
    ] = None,
    keys: Annotated[
        list[str] | None, typer.Option("--key", metavar="KEY", help="Only this item; may be repeated.")
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="One structure for all courses, not one for each.")
    ] = False,
    packed: Annotated[bool, typer.Option("--zip", help="Write packages, not bare XML.")] = False,
    move_on: Annotated[
        MoveOn, typer.Option("--move-on", metavar="RULE", help=f"One of {', '.join(MoveOn)}.")
    ] = MoveOn.NOT_APPLICABLE,
    mastery_score: Annotated[
        str | None,
        typer.Option("--mastery-score", metavar="SHARE", help="0 to 1; units are passed from it on."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
) -> None:
    """Write the catalogue as cmi5 course structures, which an LMS imports. Nothing is sent.

    Each course is a structure, its open runs are the units. Ordinary course pages do not speak cmi5 while they
    run, so that nothing but NotApplicable is ever satisfied by them.
    """

    def build(model: XapiConfig, item: cw.ContentItem, moment: cw.Moment) -> Block:
        return course_block(model, item, moment, move_on=move_on, mastery_score=mastery_score)

    def pack(model: XapiConfig, key: str, blocks: Sequence[Block]) -> CatalogueFile:
        catalog = activity_id(model, "catalog", key)
        structure = of_many(catalog, "Catalogue", blocks) if whole else of_one(*blocks)
        xml, counts = structure.to_xml(), {"units": len(structure.units)}
        if packed:
            return CatalogueFile(to_zip(xml), ".zip", counts)
        return CatalogueFile(xml.encode(), ".xml", counts)

    CatalogueExport(build, pack, output, together="cmi5" if whole else "").run(
        config, bundle, keys, json=json
    )
