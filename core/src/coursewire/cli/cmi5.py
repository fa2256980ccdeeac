"""``coursewire <channel> cmi5``: the catalogue as course structures, for channels whose customers import them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar

import typer

from coursewire.cli.catalogue import (
    CatalogueExport,
    CatalogueFile,
    ConfigOrFile,
    FromBundle,
    OutputFolder,
)
from coursewire.cli.options import Json, Keys
from coursewire.model.configuration import ChannelConfig
from coursewire.toolkit.cmi5 import MoveOn, of_many, of_one, to_zip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from coursewire.model.content import ContentItem
    from coursewire.model.instant import Moment
    from coursewire.toolkit.cmi5 import Block

C = TypeVar("C", bound=ChannelConfig)
C_contra = TypeVar("C_contra", bound=ChannelConfig, contravariant=True)


class BlockOf(Protocol[C_contra]):
    """Makes a course's block."""

    def __call__(
        self,
        config: C_contra,
        item: ContentItem,
        moment: Moment,
        /,
        *,
        move_on: MoveOn,
        mastery_score: str | None,
    ) -> Block:
        """Build it.

        Args:
            config: Of the customer.
            item: Any item; what is no course is refused.
            moment: The present instant.
            move_on: Of every unit.
            mastery_score: Of every unit, as it was written.

        Raises:
            NotExportableError: The item cannot be one.
            ValidationError: A rule of cmi5 is broken.
        """
        ...


def cmi5_commands(
    model: type[C], course_block: BlockOf[C], catalog_id: Callable[[C, str], str]
) -> typer.Typer:
    """``cmi5``, for the hook ``channel_commands``; a channel may add commands of its own.

    Args:
        model: Configuration model of the channel.
        course_block: Makes a course's block.
        catalog_id: The IRI of a catalogue as a whole, of the configuration and the customer ("all" where the
            bundle is not read for one).
    """
    commands = typer.Typer(rich_markup_mode=None)

    @commands.command()
    def cmi5(
        config: ConfigOrFile,
        output: OutputFolder,
        bundle: FromBundle = None,
        keys: Keys = None,
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
        json: Json = False,
    ) -> None:
        """Write the catalogue as cmi5 course structures, which an LMS imports. Nothing is sent.

        Each course is a structure, its open runs are the units. Ordinary course pages do not speak cmi5 while they
        run, so that nothing but NotApplicable is ever satisfied by them.
        """

        def build(model: C, item: ContentItem, moment: Moment) -> Block:
            return course_block(model, item, moment, move_on=move_on, mastery_score=mastery_score)

        def pack(model: C, key: str, blocks: Sequence[Block]) -> CatalogueFile:
            structure = of_many(catalog_id(model, key), "Catalogue", blocks) if whole else of_one(*blocks)
            xml, counts = structure.to_xml(), {"units": len(structure.units)}
            if packed:
                return CatalogueFile(to_zip(xml), ".zip", counts)
            return CatalogueFile(xml.encode(), ".xml", counts)

        export = CatalogueExport(model, build, pack, together="cmi5" if whole else "")
        export.run(config, bundle, output, keys, json=json)

    return commands
