"""What the tests of sources share: bundles made of plain objects, and a real database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine

from coursewire.storage.tables import metadata

ACME = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
CATALOG = "33333333-3333-4333-8333-333333333333"
RUN = "course-v1:Org+C1+R1"

WriteBundle = Callable[..., Path]


@pytest.fixture
def lines() -> dict[str, dict[str, Any]]:
    """One sound line for each file; each refers only to the others."""
    return {
        "customers": {"uuid": ACME, "name": "Acme"},
        "content": {"key": "Org+C1", "content_type": "course", "title": "One", "course_runs": [{"key": RUN}]},
        "catalogs": {"uuid": CATALOG, "customer": ACME, "title": "All", "content_keys": ["Org+C1"]},
        "learners": {"username": "ada", "customer": ACME, "active": True, "linked": True},
        "enrollments": {
            "username": "ada",
            "customer": ACME,
            "course_id": RUN,
            "mode": "verified",
            "is_active": True,
        },
        "grades": {"username": "ada", "course_id": RUN, "percent": 0.5},
        "certificates": {"username": "ada", "course_id": RUN, "status": "downloadable"},
    }


@pytest.fixture
def write_bundle(tmp_path: Path) -> WriteBundle:
    """Write a bundle: for each file a list of objects (or raw bytes for a line). Files stay from call to call."""

    def write(**files: list[Any]) -> Path:
        folder = tmp_path / "bundle"
        folder.mkdir(exist_ok=True)
        for name, rows in files.items():
            raw = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
            (folder / f"{name}.jsonl").write_bytes(b"".join(line + b"\n" for line in raw))
        return folder

    return write


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An empty database on disk; it does not wait for locks."""
    engine = create_engine(f"sqlite:///{tmp_path / 'source.db'}", connect_args={"timeout": 0})
    metadata.create_all(engine)
    yield engine
    engine.dispose()
