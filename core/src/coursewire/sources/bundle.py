"""Bundles: folders of JSON-lines files that describe customers, catalogs, content, learners and results.

A bundle is read as a stream. A fault of a line becomes a :class:`Problem` that names file, line and field, and costs
only that line.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson
from pydantic import TypeAdapter, ValidationError

from coursewire.errors import BundleError
from coursewire.model.content import KEYED_BY_UUID, ContentItem, ContentType
from coursewire.model.payload import canonical_json
from coursewire.sources.rows import (
    CatalogRow,
    CertificateRow,
    ContentRow,
    CustomerRow,
    EnrollmentRow,
    GradeRow,
    Key,
    LearnerRow,
    LongText,
    Row,
)

if TYPE_CHECKING:
    import os

    from pydantic_core import ErrorDetails

ROW_MODELS: dict[str, type[Row] | None] = {
    "customers": CustomerRow,
    "content": None,  # its shape is open: ContentRow
    "catalogs": CatalogRow,
    "learners": LearnerRow,
    "enrollments": EnrollmentRow,
    "grades": GradeRow,
    "certificates": CertificateRow,
}
"""The files of a bundle, without ``.jsonl``, in an order in which each names only what came before it."""

_KEY: TypeAdapter[str] = TypeAdapter(Key)
_TEXT: TypeAdapter[str] = TypeAdapter(LongText)


@dataclass(frozen=True, slots=True)
class Problem:
    """The fault of a refused line; it names a field, never its value, which may be personal.

    Attributes:
        file: Name of the file in the bundle.
        line: Number of the line, from 1.
        field: Path of the field at fault, such as ``subsections.0.attempted``; "" for the line as a whole.
        why: The fault, as the rest of a sentence.
    """

    file: str
    line: int
    field: str
    why: str

    def __str__(self) -> str:
        about = f"field {self.field!r} " if self.field else ""
        return f"{self.file}:{self.line}: {about}{self.why}"


class _RefusedError(Exception):
    """A line is refused."""

    def __init__(self, field: str, why: str) -> None:
        self.field = field
        self.why = why
        super().__init__(why)


class Bundle:
    """A folder with at least one of the seven files.

    Attributes:
        path: The folder.
        files: Names of its files without ``.jsonl``, in the order of :data:`ROW_MODELS`.
        unknown_files: Names of JSON-lines files that are no part of a bundle and are not read.

    Raises:
        BundleError: There is no such folder, or no file of a bundle in it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        try:
            found = {entry.name for entry in self.path.iterdir() if entry.suffix == ".jsonl"}
        except OSError as error:
            raise BundleError(
                "the bundle cannot be opened",
                where=str(self.path),
                why=error.strerror or str(error),
                next_step="Give a folder with JSON-lines files, such as content.jsonl.",
            ) from error
        known = {f"{name}.jsonl" for name in ROW_MODELS}
        self.files = tuple(name for name in ROW_MODELS if f"{name}.jsonl" in found)
        self.unknown_files = tuple(sorted(found - known))
        if not self.files:
            near = [match for name in self.unknown_files for match in get_close_matches(name, known, 1)]
            raise BundleError(
                "the bundle is empty",
                where=str(self.path),
                why="none of its files has the name of a bundle's file",
                next_step=f"Did you mean {near[0]}?"
                if near
                else f"It may have {', '.join(sorted(known))}; one of them is enough.",
            )

    def file(self, name: str) -> Path:
        """Return the path of a file by its name without ``.jsonl``, even if it does not exist."""
        return self.path / f"{name}.jsonl"

    def count_lines(self, name: str) -> int:
        """Return the number of lines of a file, including blank ones."""
        with self._open(name) as stream:
            count, last = 0, b"\n"
            while block := stream.read(1 << 20):
                count += block.count(b"\n")
                last = block[-1:]
        return count if last == b"\n" else count + 1

    def rows(self, name: str) -> Iterator[tuple[int, Any | Problem]]:
        """Yield the lines of one file: the line number, and a row of the class in :data:`ROW_MODELS` or a problem.

        Blank lines are left out. The keys are kept in memory, to find those that come twice.

        Raises:
            BundleError: The file cannot be read.
        """
        seen: dict[tuple[str, ...], int] = {}
        file = f"{name}.jsonl"
        model = ROW_MODELS[name]
        row: Row | ContentRow
        for number, offset, line in self._lines(name):
            try:
                partial: list[_RefusedError] = []
                row = _content(line, offset) if model is None else _strict(line, model, partial)
                first = seen.setdefault(row.key, number)
                if first != number:
                    raise _RefusedError(", ".join(row.key_fields), f"repeats line {first}")
            except _RefusedError as refusal:
                yield number, Problem(file, number, refusal.field, refusal.why)
            else:
                for fault in partial:
                    yield number, Problem(file, number, fault.field, fault.why)
                yield number, row

    def content_at(self, offsets: Iterable[int]) -> list[ContentRow]:
        """Read again the content lines at these offsets, which :meth:`rows` accepted.

        Raises:
            BundleError: The file cannot be read, or has changed.
        """
        rows = []
        with self._open("content") as stream:
            for offset in offsets:
                stream.seek(offset)
                try:
                    rows.append(_content(stream.readline(), offset))
                except _RefusedError as refusal:
                    raise BundleError(
                        "the bundle changed while it was read",
                        where=str(self.file("content")),
                        why=refusal.why,
                        next_step="Run the command again.",
                    ) from refusal
        return rows

    def _lines(self, name: str) -> Iterator[tuple[int, int, bytes]]:
        with self._open(name) as stream:
            offset = 0
            for number, line in enumerate(stream, 1):
                start, offset = offset, offset + len(line)
                marked = number == 1 and line.startswith(codecs.BOM_UTF8)
                text = line.removeprefix(codecs.BOM_UTF8) if marked else line
                if text.strip():
                    yield number, start + len(line) - len(text), text

    @contextmanager
    def _open(self, name: str) -> Iterator[BinaryIO]:
        try:
            with self.file(name).open("rb") as stream:
                yield stream
        except OSError as error:
            raise BundleError(
                "a file of the bundle cannot be read",
                where=str(self.file(name)),
                why=error.strerror or str(error),
                next_step="Check that it is a file and that you may read it.",
            ) from error


def _strict(line: bytes, model: type[Row], partial: list[_RefusedError]) -> Row:
    """Return the row of a line; a bad subsection costs that subsection only, and its fault goes to ``partial``."""
    _decode(line)
    try:
        return model.model_validate_json(line, strict=True)
    except ValidationError as error:
        faults: dict[int, _RefusedError] = {}
        for fault in error.errors(include_url=False, include_input=False, include_context=False):
            match fault["loc"]:
                case ("subsections", int(number), *_):
                    faults.setdefault(number, _in_words(fault))
                case _:
                    raise _refusal(error) from error
    data = orjson.loads(line)
    data["subsections"] = [one for number, one in enumerate(data["subsections"]) if number not in faults]
    partial += faults.values()
    return _strict(orjson.dumps(data), model, partial)


def _content(line: bytes, offset: int) -> ContentRow:
    _decode(line)
    try:
        data = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise _RefusedError("", f"is not JSON: {error.msg} at column {error.colno}") from error
    if not isinstance(data, dict):
        raise _RefusedError("", "is not a JSON object")
    key_field = "uuid" if data.get("content_type") in KEYED_BY_UUID else "key"
    for field in ("content_type", key_field):
        if data.get(field) in (None, ""):
            raise _RefusedError(field, "is missing")
    try:
        item = ContentItem.model_validate(data)
        canonical_json(data)
    except ValidationError as error:
        raise _refusal(error) from error
    except orjson.JSONEncodeError as error:
        raise _RefusedError("", f"cannot be kept: {error}") from error
    _check(_KEY, item.content_key, key_field)
    _check(_TEXT, item.title or "", "title")
    if item.content_type is ContentType.COURSE_RUN:
        return ContentRow(item, data, (item.content_key,), offset)
    runs = {run.key: f"course_runs.{number}.key" for number, run in enumerate(item.course_runs) if run.key}
    for key, field in runs.items():
        _check(_KEY, key, field)
    return ContentRow(item, data, tuple(runs), offset)


def _decode(line: bytes) -> None:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _RefusedError(
            "", f"is not UTF-8: byte 0x{line[error.start]:02x} at column {error.start + 1}"
        ) from error


def _check(adapter: TypeAdapter[str], value: str, field: str) -> None:
    try:
        adapter.validate_python(value)
    except ValidationError as error:
        raise _RefusedError(field, _refusal(error).why) from error


def _refusal(error: ValidationError) -> _RefusedError:
    """Return the first of pydantic's errors, in our words and without the value."""
    return _in_words(error.errors(include_url=False, include_input=False, include_context=False)[0])


def _in_words(first: ErrorDetails) -> _RefusedError:
    field = ".".join(str(part) for part in first["loc"] if part != "[key]")
    match first["type"]:
        case "missing":
            return _RefusedError(field, "is missing")
        case "extra_forbidden":
            return _RefusedError(field, "is unknown; this version of Coursewire would ignore it")
        case "timezone_aware":
            return _RefusedError(field, "has no time zone; write it with an offset or with Z")
        case "json_invalid":
            return _RefusedError("", f"is not JSON: {first['msg'].removeprefix('Invalid JSON: ')}")
        case "model_type" | "dict_type" if not field:
            return _RefusedError("", "is not a JSON object")
    why = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return _RefusedError(field, why[:1].lower() + why[1:])
