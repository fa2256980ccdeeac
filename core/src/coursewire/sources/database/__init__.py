"""The embedded source: customers, catalogs, content, learners and results in Coursewire's own database."""

from coursewire.sources.database.learners import learners_of, linked_elsewhere, unlink
from coursewire.sources.database.load import FileReport, LoadReport, load_bundle
from coursewire.sources.database.source import DatabaseSource

__all__ = [
    "DatabaseSource",
    "FileReport",
    "LoadReport",
    "learners_of",
    "linked_elsewhere",
    "load_bundle",
    "unlink",
]
