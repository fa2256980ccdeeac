"""What ``import coursewire`` offers, and that it stays cheap."""

import ast
import subprocess
import sys
import tomllib
from importlib import import_module
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
