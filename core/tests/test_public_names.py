"""What ``import coursewire`` offers, and that it stays cheap."""

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from importlib import import_module
from itertools import chain
from pathlib import Path

import pytest

import coursewire

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
STUB = Path(coursewire.__file__).with_suffix(".pyi")
HOMES = {
    str(alias.asname): f"coursewire.{node.module}"
    for node in ast.parse(STUB.read_text(encoding="utf-8")).body
    if isinstance(node, ast.ImportFrom)
    for alias in node.names
}


@pytest.mark.parametrize(("name", "home"), HOMES.items())
def test_every_public_name_is_there(name, home):
    assert getattr(coursewire, name) is getattr(import_module(home), name)


def test_the_list_of_names_is_that_of_the_stub():
    assert sorted(coursewire.__all__) == sorted(HOMES) == sorted(dir(coursewire))


GUIDE = (
    "docs/tutorial/*.md",
    "docs/how-to/*.md",
    "docs/examples/**/*.py",
    "core/src/coursewire/cli/templates/**/*",
)
"""The author's guide: what an author reads and copies."""


def used_in(paths):
    """The public names that some files take from ``coursewire``, as ``cw.NAME`` or by importing them."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in paths if path.is_file())
    imported = re.findall(r"^\s*from coursewire import (\([^)]*\)|.+)$", text, re.MULTILINE)
    return set(re.findall(r"\bcw\.(\w+)", text)) | set(re.findall(r"\w+", " ".join(imported)))


def test_every_public_name_has_a_use_in_two_plugins_or_in_the_authors_guide():
    root = PYPROJECT.parent
    by_plugin = {
        folder.name: used_in(folder.glob("src/**/*.py")) for folder in sorted(root.glob("plugins/*"))
    }
    assert len(by_plugin) >= 7
    plugins = Counter(chain.from_iterable(by_plugin.values()))
    guide = used_in(chain.from_iterable(root.glob(pattern) for pattern in GUIDE))
    assert {name for name in HOMES if plugins[name] < 2 and name not in guide} == set()


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="attribute chanel"):
        _ = coursewire.chanel


def test_importing_loads_none_of_their_modules():
    script = "import sys, coursewire; print([name for name in sys.modules if name.startswith('coursewire.')])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_wall_before_the_plugins_holds_every_room_but_the_test_kit():
    contracts = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    (wall,) = (each for each in contracts if each["name"].startswith("Plugins import coursewire"))
    rooms = {
        f"coursewire.{path.stem}"
        for path in STUB.parent.iterdir()
        if not path.name.startswith("_") and (path.suffix == ".py" or (path / "__init__.py").exists())
    }
    assert set(wall["forbidden_modules"]) == rooms - {"coursewire.testing"}
    assert set(wall["source_modules"]) == {
        path.name for path in PYPROJECT.parent.glob("plugins/*/src/coursewire_*")
    }
