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


CUSTOMER = "5b9cbd3c-1cc6-4f4e-9c0e-6f6b5b0c0001"
LEARNERS_A_COURSE = 400


def results(count: int, target: Path) -> Path:
    """Write a bundle in which ``count`` made-up learners have each passed one course.

    Returns:
        ``target``.
    """
    target.mkdir(parents=True, exist_ok=True)
    courses = [f"RiverU+C{number:03}" for number in range(-(-count // LEARNERS_A_COURSE))]
    provider = {"provider_id": "saml-acme", "default": True}
    customer = {
        "uuid": CUSTOMER,
        "name": "Acme",
        "slug": "acme",
        "enable_data_sharing_consent": True,
        "identity_providers": [provider],
    }
    catalog = {
        "uuid": "5b9cbd3c-1cc6-4f4e-9c0e-6f6b5b0c0002",
        "customer": CUSTOMER,
        "title": "All",
        "content_keys": courses,
    }
    files: dict[str, list[dict[str, object]]] = {"customers": [customer], "catalogs": [catalog]}
    files["content"] = [
        {
            "content_type": "course",
            "key": key,
            "uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, key)),
            "title": f"Course {key}",
            "enrollment_url": f"https://portal.example.com/{key}",
            "course_runs": [{"key": f"course-v1:{key}+1T2026", "uuid": str(uuid.uuid4())}],
        }
        for key in courses
    ]
    names = ("learners", "enrollments", "grades")
    files |= {name: [] for name in names}
    for number in range(count):
        username = f"learner{number:05}"
        run = f"course-v1:{courses[number // LEARNERS_A_COURSE]}+1T2026"
        files["learners"].append(
            {
                "username": username,
                "email": f"{username}@example.com",
                "customer": CUSTOMER,
                "active": True,
                "linked": True,
                "remote_ids": {"saml-acme": f"E{number:05}"},
            }
        )
        files["enrollments"].append(
            {
                "username": username,
                "customer": CUSTOMER,
                "course_id": run,
                "mode": "verified",
                "is_active": True,
                "consent_granted": True,
            }
        )
        files["grades"].append(
            {
                "username": username,
                "course_id": run,
                "percent": 0.6 + number % 40 / 100,
                "passed": True,
                "passed_timestamp": "2026-02-01T00:00:00Z",
            }
        )
    for name, rows in files.items():
        with (target / f"{name}.jsonl").open("wb") as out:
            out.writelines(orjson.dumps(row) + b"\n" for row in rows)
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
