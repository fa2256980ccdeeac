"""Forgetting a learner, from outside: a fresh process must know every table of the database."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import sys
from sqlalchemy import inspect
from coursewire.storage.tables import metadata
from coursewire.settings import Settings
from coursewire.installation import Installation

installation = Installation(Settings.load(database_url=sys.argv[1]))
installation.forget("ada")
unknown = set(inspect(installation.engine).get_table_names()) - set(metadata.tables) - {"schema_version"}
print(sorted(unknown))
"""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_table_of_the_schema_is_out_of_reach(database_url):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, database_url], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr
