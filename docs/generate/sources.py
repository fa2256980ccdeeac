"""What only the source text says: comments beside columns, docstrings below members."""

from __future__ import annotations

import ast
import inspect
import io
import re
import textwrap
import tokenize
from importlib import import_module
from pathlib import Path
from types import ModuleType

from docs.generate.markdown import prose


def comments(module: ModuleType) -> dict[int, str]:
    """Line number to the text of the comment on it."""
    tokens = tokenize.generate_tokens(io.StringIO(inspect.getsource(module)).readline)
    return {
        token.start[0]: token.string.lstrip("# ").strip()
        for token in tokens
        if token.type == tokenize.COMMENT
    }


def column_comments(module: ModuleType) -> dict[tuple[str, str], str]:
    """(table or function, column) to the comment beside the column, where there is one."""
    beside = comments(module)
    found = {}
    for statement in ast.parse(inspect.getsource(module)).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            owner = statement.targets[0].id
        elif isinstance(statement, ast.FunctionDef):
            owner = statement.name
        else:
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Column":
                lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
                text = " ".join(beside[line] for line in lines if line in beside)
                name = node.args[0]
                if text and isinstance(name, ast.Constant):
                    found[owner, str(name.value)] = text
    return found


def members(owner: type) -> dict[str, str]:
    """Attributes of a class to the docstring below each, "" where there is none."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    assert isinstance(body, ast.ClassDef)
    return _assigned(body.body)


def assignments(module: ModuleType) -> dict[str, str]:
    """Names that a module assigns to the docstring below each, "" where there is none."""
    return _assigned(ast.parse(inspect.getsource(module)).body)


def origins(package: ModuleType) -> dict[str, ModuleType]:
    """Each name that the stub of a lazily loaded package hands out, to the module that defines it."""
    stub = Path(str(package.__file__)).with_suffix(".pyi")
    return {
        alias.asname or alias.name: import_module(f".{statement.module}", package.__name__)
        for statement in ast.parse(stub.read_text(encoding="utf-8")).body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }


def stub_groups(package: ModuleType) -> dict[str, list[str]]:
    """Headings of the stub of a lazily loaded package, as in ``# -- Authenticate --``, to the names below each."""
    stub = Path(str(package.__file__)).with_suffix(".pyi")
    found: dict[str, list[str]] = {}
    names: list[str] = []
    for line in stub.read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"# -- (.+) --", line):
            names = found.setdefault(heading[1], [])
        elif name := re.fullmatch(r"from \S+ import \w+ as (\w+)", line):
            names.append(name[1])
    return found


def _assigned(body: list[ast.stmt]) -> dict[str, str]:
    found: dict[str, str] = {}
    last = ""
    for statement in body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            last = statement.targets[0].id
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            last = statement.target.id
        elif last and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            found[last] = prose(str(statement.value.value))
            continue
        else:
            continue
        found.setdefault(last, "")
    return found
