"""``coursewire new-channel``: a new channel, which works as it is written."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from shlex import quote
from string import Template
from tempfile import mkdtemp
from typing import Annotated

import typer
from packaging.version import Version

import coursewire
from coursewire.cli.commands import COMMANDS
from coursewire.cli.options import Json
from coursewire.cli.output import put, put_check, put_json
from coursewire.errors import ConfigurationError, SettingsError
from coursewire.plugins.loading import load_channels
from coursewire.plugins.registry import CHANNELS

FILES = {
    "pyproject.toml": "pyproject.toml.txt",
    "README.md": "README.md.txt",
    "CHANGELOG.md": "CHANGELOG.md.txt",
    "src/${package}/__init__.py": "init.py.txt",
    "src/${package}/plugin.py": "plugin.py.txt",
    "src/${package}/simulator.py": "simulator.py.txt",
    "tests/test_conformance.py": "conformance.py.txt",
    "tests/golden/content/course.json": "course.json.txt",
    "tests/golden/completions/completion.json": "completion.json.txt",
}
"""The path of each file in the new folder, and the name of its template; both are :class:`string.Template` texts."""

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,29}")
_NOT_IN_TEXTS = re.compile(r'[\x00-\x1f\x7f"\\{}]')
"""Characters that would end a string, or begin something else, in a language in which the files are written."""
LONGEST_NAME, LONGEST_TEXT = 30, 60


@dataclass(frozen=True, slots=True)
class Answers:
    """The names of a new channel.

    Attributes:
        name: The name of its entry point and folder, such as ``acme-lms``.
        title: The name of the LMS for people.
        code: The code of the channel, such as ``ACME_LMS``.
        author: The author in the metadata of the distribution.
    """

    name: str
    title: str
    code: str
    author: str

    @property
    def distribution(self) -> str:
        """The name of the distribution, and of the folder."""
        return f"coursewire-{self.name}"

    def words(self) -> dict[str, str]:
        """Return the values of the names in the templates."""
        core = Version(str(coursewire.__version__))
        return {
            "name": self.name,
            "title": self.title,
            "code": self.code,
            "author": self.author,
            "distribution": self.distribution,
            "package": self.distribution.replace("-", "_"),
            "cls": "".join(part.capitalize() for part in self.name.split("-")),
            "field": self.name.replace("-", "_"),
            "core": f"{core.major}.{core.minor}",
            "core_end": f"{core.major + 1}",
        }


def new_channel(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Name of the LMS in small letters, such as acme.", show_default=False
        ),
    ],
    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help="What people call the LMS; else the name.")
    ] = None,
    code: Annotated[
        str | None,
        typer.Option("--code", metavar="CODE", help="Code of the channel; else the name in capitals."),
    ] = None,
    author: Annotated[
        str | None, typer.Option("--author", metavar="TEXT", help="Who publishes it; else its authors.")
    ] = None,
    into: Annotated[
        Path, typer.Option("--into", metavar="DIR", help="Where the new folder is made.", show_default=False)
    ] = Path(),
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing, take the defaults.")] = False,
    json: Json = False,
) -> None:
    """Write a channel that works as generated, with its tests.

    It sends courses and completions to an imagined LMS, of which it has a simulator; put the real one's addresses and
    fields in its place. What no option answers is asked on a terminal; elsewhere the defaults are taken. Nothing is overwritten.
    """
    name = check_name(name)
    answers = _ask(
        Answers(name, title or _title_of(name), code or _code_of(name), author or _author_of(name)),
        asked=not (yes or json) and _at_terminal(),
        given={"title": title, "code": code, "author": author},
    )
    _check_texts(answers)
    _check_code(answers)
    folder = into / answers.distribution
    files = write(folder, answers)
    steps = (
        f"pip install -e {quote(f'{folder}[test]')}",
        f"pytest {quote(str(folder))}",
        f"coursewire conformance {answers.code}",
    )
    if json:
        put_json({"folder": str(folder), "code": answers.code, "files": files, "next": steps})
        return
    put_check(True, f"{folder} written, {len(files)} files: a channel {answers.code} for {answers.title}")
    for file in files:
        put(file, indent=2)
    put()
    put("Next:", style="bold")
    for step in steps:
        put(step, indent=2)


def check_name(text: str) -> str:
    """Return the name of a new channel in the form that it has in names of distributions.

    Raises:
        ConfigurationError: The text cannot be such a name, or a command has it already.
    """
    name = text.strip().casefold().replace("_", "-").replace(" ", "-").removeprefix("coursewire-")
    if not _NAME.fullmatch(name) or not 2 <= len(name) <= LONGEST_NAME:
        raise _refused(
            f"{text!r} cannot be the name of a channel",
            f"a name has 2 to {LONGEST_NAME} letters a to z and digits, begins with a letter, and may have "
            "single hyphens between words",
            "Write for example acme or acme-lms; --title takes any name.",
        )

    if name in {row.name for row in COMMANDS}:
        raise _refused(
            f"{name!r} cannot be the name of a channel",
            f"coursewire {name} is a command already, and a channel's own commands go by its name",
            f"Take another name, such as {name}-lms.",
        )
    return name


def _title_of(name: str) -> str:
    return " ".join(part.capitalize() for part in name.split("-"))


def _code_of(name: str) -> str:
    return name.upper().replace("-", "_")


def _author_of(name: str) -> str:
    return f"The coursewire-{name} authors"


def _at_terminal() -> bool:

    return sys.stdin.isatty() and sys.stdout.isatty()


def _ask(defaults: Answers, *, asked: bool, given: Mapping[str, str | None]) -> Answers:
    """Return the names, with answers in place of defaults where somebody is asked.

    Args:
        defaults: The names that are taken without an answer.
        asked: True where there is somebody to ask.
        given: The values of the options; what is not None is not asked for.
    """
    questions = {
        "title": "What do people call the LMS?",
        "code": "Code of the channel",
        "author": "Who publishes it?",
    }
    found = defaults
    for field, question in questions.items() if asked else ():
        if given[field] is None:
            found = replace(found, **{field: typer.prompt(question, default=getattr(defaults, field))})
    return replace(
        found, title=found.title.strip(), code=found.code.strip().upper(), author=found.author.strip()
    )


def _check_texts(answers: Answers) -> None:
    """Refuse texts that would break the files.

    Raises:
        ConfigurationError: A text is empty, too long, or has a character that is not allowed.
    """
    for option, text in (("--title", answers.title), ("--author", answers.author)):
        if not text or len(text) > LONGEST_TEXT or _NOT_IN_TEXTS.search(text):
            raise _refused(
                f"{option} cannot be {text!r}",
                f'it has 1 to {LONGEST_TEXT} characters in one line, without quotation marks ("), backslashes and '
                "braces",
                "Write it without them; the files can be changed afterwards.",
            )


def _check_code(answers: Answers) -> None:
    """Refuse a code that is not valid, or that an installed channel has.

    Raises:
        ConfigurationError: The code is refused.
    """
    if not _CODE.fullmatch(answers.code):
        raise _refused(
            f"{answers.code!r} cannot be the code of a channel",
            "a code has 2 to 30 capitals, digits and underscores, and begins with a capital",
            f"Write for example --code {_code_of(answers.name)[:30]}.",
        )
    for row in load_channels().report:
        if row.group == CHANNELS and (row.answers_to(answers.code) or row.answers_to(answers.name)):
            raise _refused(
                f"there is a channel {row.code or row.name} already",
                f"{row.where} is installed, and no two channels may have one name or code",
                "Take another name or another --code, or uninstall that one first.",
            )


def write(folder: Path, answers: Answers) -> list[str]:
    """Write the files of a new channel.

    Args:
        folder: The new folder, which does not exist yet. It appears when all is written, or not at all.
        answers: The names of the channel, which were checked.

    Returns:
        The paths of the files, relative to the folder.

    Raises:
        ConfigurationError: There is something at that place already.
        SettingsError: The folder cannot be written.
    """
    if folder.exists() or folder.is_symlink():
        raise _refused(
            f"{folder} exists already",
            "nothing is overwritten",
            "Take another name, or another place with --into DIR; or remove it, if nobody needs it.",
        )
    unfinished = None
    try:
        unfinished = Path(mkdtemp(prefix=".coursewire-", dir=folder.parent))
        written = []
        for path, text in render(answers):
            file = unfinished / "new" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
            written.append(path)
        (unfinished / "new").rename(folder)
    except OSError as error:
        raise SettingsError(
            f"{folder} cannot be written",
            why=error.strerror or type(error).__name__,
            next_step="Choose a folder that exists and that you may write to, with --into DIR.",
        ) from error
    finally:
        if unfinished is not None:
            shutil.rmtree(unfinished, ignore_errors=True)
    return written


def render(answers: Answers) -> Iterator[tuple[str, str]]:
    """Yield the files of a new channel: the path relative to its folder, and the text."""
    templates = files("coursewire.cli") / "templates" / "new_channel"
    words = answers.words()
    for path, template in FILES.items():
        text = (templates / template).read_text(encoding="utf-8")
        yield Template(path).substitute(words), Template(text).substitute(words)


def _refused(what: str, why: str, next_step: str) -> ConfigurationError:

    return ConfigurationError(what, why=why, next_step=next_step)
