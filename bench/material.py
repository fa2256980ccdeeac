"""Larger bundles for measuring: the content of a bundle, repeated under other keys."""

from __future__ import annotations

import shutil
import sys
import uuid
from pathlib import Path

import orjson


def multiply(bundle: Path, count: int, target: Path) -> Path:
    """Write a bundle with ``count`` content items to the folder ``target``, which is made.

    The first round is the bundle itself; each further round gives the items, their runs and every text
    that names them other keys. Catalogs hold the copies of what they held. Learners and results are
    copied as they are.

    Returns:
        ``target``.
    """
    target.mkdir(parents=True, exist_ok=True)
    for file in bundle.glob("*.jsonl"):
        if file.name not in ("content.jsonl", "catalogs.jsonl"):
            shutil.copyfile(file, target / file.name)
    originals = [line for line in (bundle / "content.jsonl").read_bytes().splitlines() if line.strip()]
    copies: dict[str, list[str]] = {}
    with (target / "content.jsonl").open("wb") as out:
        for number in range(count):
            round_, place = divmod(number, len(originals))
            item = orjson.loads(originals[place])
            key = item.get("key") or item["uuid"]
            copies.setdefault(key, []).append(_copied(key, round_))
            out.write((_copy(originals[place], item, round_) if round_ else originals[place]) + b"\n")
    with (target / "catalogs.jsonl").open("wb") as out:
        for line in (bundle / "catalogs.jsonl").read_bytes().splitlines():
            catalog = orjson.loads(line)
            catalog["content_keys"] = [
                copy for key in catalog["content_keys"] for copy in copies.get(key, ())
            ]
            out.write(orjson.dumps(catalog) + b"\n")
    return target


def _copied(name: str, round_: int) -> str:
    if not round_:
        return name
    try:
        return str(uuid.uuid5(uuid.UUID(name), str(round_)))
    except ValueError:
        return f"{name}.{round_}"


def _copy(line: bytes, item: dict[str, object], round_: int) -> bytes:
    runs = item.get("course_runs")
    named = [item, *(runs if isinstance(runs, list) else ())]
    names = {str(one[field]) for one in named for field in ("uuid", "key") if one.get(field)}
    # A run's key holds the course's key, so the course's key stands for both where it occurs.
    shortest = {name for name in names if not any(other in name for other in names - {name})}
    for name in shortest:
        line = line.replace(name.encode(), _copied(name, round_).encode())
    return line


def main() -> None:
    """``python bench/material.py BUNDLE COUNT TARGET``."""
    bundle, count, target = sys.argv[1:]
    multiply(Path(bundle), int(count), Path(target))


if __name__ == "__main__":
    main()
