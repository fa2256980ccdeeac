"""Every table is in the one metadata, whoever imports whatever first."""

import pkgutil
import subprocess
import sys
from importlib import import_module

import pytest
from sqlalchemy import MetaData, Table

from coursewire.storage import tables

MODULES = [each.name for each in pkgutil.iter_modules(tables.__path__)]
DEFINED = {
    thing.name: name
    for name in MODULES
    for thing in vars(import_module(f"{tables.__name__}.{name}")).values()
    if isinstance(thing, Table)
}


def test_each_module_of_the_folder_has_its_tables_in_the_metadata():
    assert set(DEFINED) == set(tables.metadata.tables)
    assert {"records", "source", "enrollment", "access"} <= set(DEFINED.values())


@pytest.mark.parametrize(
    "first", ["coursewire.storage.privacy", "coursewire.storage.tables.records", "coursewire.storage.tables"]
)
def test_whoever_asks_first_sees_every_table(first):
    """In a process of its own, for here they are imported by now."""
    script = (
        f"import {first}; from coursewire.storage.tables import metadata; print(*sorted(metadata.tables))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == sorted(DEFINED)


def test_there_is_no_second_metadata():
    made = [
        f"{name}.{key}"
        for name in MODULES
        for key, thing in vars(import_module(f"{tables.__name__}.{name}")).items()
        if isinstance(thing, MetaData) and thing is not tables.metadata
    ]
    assert made == []
