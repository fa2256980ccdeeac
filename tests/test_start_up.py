"""Starting must stay cheap: what is not needed is not imported."""

import subprocess
import sys

import pytest

from coursewire.cli.commands import COMMANDS

HEAVY = [
    "sqlalchemy", "alembic", "pydantic", "pydantic_settings", "httpx", "httpx_aiohttp", "aiohttp", "cryptography",
    "stevedore", "pluggy", "orjson", "rich", "asyncio",
    "importlib.metadata", "coursewire.plugins", "coursewire.configurations", "coursewire.storage", "coursewire.pipeline",
    "coursewire_sap", "coursewire_canvas",
]  # fmt: skip


def imported(statement):
    code = f"import sys\n{statement}\nsys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


HELP = "from coursewire.cli import main\nassert main(['--help']) == 0"


COMPLETION = (
    "import typer\n"
    "from coursewire.cli.app import app\n"
    "group = typer.main.get_command(app)\n"
    "assert group.shell_complete(typer.Context(group), '')"
)


@pytest.mark.parametrize(
    ("statement", "extra"), [("import coursewire", {"typer"}), (HELP, set()), (COMPLETION, set())]
)
def test_nothing_heavy_is_imported(statement, extra):
    assert imported(statement) & ({*HEAVY} | extra) == set()


def test_the_list_of_heavy_modules_is_not_stale():
    """A misspelt name would never be found; each is one that the whole command does import."""
    everything = imported("from coursewire.cli import main\nmain(['demo'])")
    assert {name for name in HEAVY if name not in everything} == set()


def test_a_command_imports_no_other_command():
    loaded = imported("from coursewire.cli import main\nmain(['jobs', '--help'])")
    assert "coursewire.cli.jobs" in loaded
    assert {row.module for row in COMMANDS} & loaded == {"coursewire.cli.jobs"}
