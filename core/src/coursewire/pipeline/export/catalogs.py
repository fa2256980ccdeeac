"""The union of a configuration's catalogs: the keys that are wanted, and the catalogs that hold each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from coursewire.errors import ConfigurationError, SourceError
from coursewire.model.configuration import ChannelConfig
from coursewire.model.content import Catalog
from coursewire.sources.base import Answer, CatalogDiff, Source


class CatalogUnion:
    """Every content key that some catalog of a configuration holds, with its version and its catalogs.

    An item goes when its last catalog lets go of it. While any catalog could not answer, nothing goes.

    Attributes:
        versions: Content key to the source's version of the item, "" when the source does not know.
        failures: Catalog uuid to the reason why it could not answer.
    """

    def __init__(self, catalogs: Sequence[Catalog]) -> None:
        self._catalogs = tuple(catalog.uuid for catalog in catalogs)
        self._provenance: dict[str, int] = {}  # key -> bit set over catalogs: small ints cost no memory
        self.versions: dict[str, str] = {}
        self.failures: dict[str, str] = {}

    def add(self, diff: CatalogDiff, known: Mapping[str, str]) -> None:
        """Take in one catalog's answer.

        Args:
            diff: The answer.
            known: The keys that the catalog was asked about, with the version of each.
        """
        if diff.answer is Answer.FAILED:
            self.failures[diff.catalog.uuid] = diff.reason
            return
        bit = 1 << self._catalogs.index(diff.catalog.uuid)
        present = known if diff.answer is Answer.UNCHANGED else diff.present
        for key, version in present.items():
            self._provenance[key] = self._provenance.get(key, 0) | bit
            # Two catalogs may date one item differently; the later version stands for both.
            if version > self.versions.get(key, "") or key not in self.versions:
                self.versions[key] = version

    def __len__(self) -> int:
        return len(self.versions)

    def __contains__(self, key: object) -> bool:
        return key in self.versions

    @property
    def reliable(self) -> bool:
        """True when every catalog answered, so that a key which is not here is really gone."""
        return not self.failures

    def catalogs_of(self, key: str) -> tuple[str, ...]:
        """Return the catalogs that hold ``key``, oldest first."""
        bits = self._provenance.get(key, 0)
        return tuple(uuid for place, uuid in enumerate(self._catalogs) if bits >> place & 1)


async def chosen_catalogs(source: Source, config: ChannelConfig, customer: str) -> list[Catalog]:
    """Return the catalogs that a configuration sends, oldest first.

    Raises:
        ConfigurationError: It names a catalog that the customer does not have.
        SourceError: The source could not answer.
    """
    catalogs = await source.catalogs(customer)
    if not config.catalogs_to_transmit:
        return catalogs
    wanted = set(config.catalogs_to_transmit)
    chosen = [catalog for catalog in catalogs if UUID(catalog.uuid) in wanted]
    missing = wanted - {UUID(catalog.uuid) for catalog in chosen}
    if missing:
        raise ConfigurationError(
            "catalogs_to_transmit names catalogs that the customer does not have",
            where=", ".join(sorted(map(str, missing))),
            why="they were removed, or belong to another customer",
            next_step="Correct the field with `coursewire config edit`; an empty one means all catalogs.",
        )
    return chosen


async def wanted_keys(source: Source, config: ChannelConfig, customer: str) -> list[str]:
    """Return every key that the catalogs of a configuration hold, whatever our records say; for looking, not for sending.

    Raises:
        ConfigurationError: As of :func:`chosen_catalogs`.
        SourceError: The source, or a catalog of it, could not answer.
    """
    union = CatalogUnion(catalogs := await chosen_catalogs(source, config, customer))
    for catalog in catalogs:
        union.add(await source.diff(catalog, {}), {})
    if not union.reliable:
        why = "; ".join(f"{catalog}: {reason}" for catalog, reason in union.failures.items())
        raise SourceError("a catalog could not be read", why=why, next_step="Run the command again.")
    return list(union.versions)
