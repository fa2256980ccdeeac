"""``make docs``: write the pages of docs/reference that are made from the code.

With ``--check`` nothing is written; the exit status is 1 when a page is out of date.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from docs.generate import (
    channels,
    commands,
    conformance,
    enrollment_api,
    errors,
    hooks,
    plugin_api,
    reasons,
    records,
    rest_api,
    settings,
    states,
    wrong_channels,
)

REFERENCE = Path(__file__).resolve().parent / "reference"

MAKERS = (
    commands,
    settings,
    channels,
    reasons,
    errors,
    records,
    states,
    hooks,
    conformance,
    enrollment_api,
    wrong_channels,
    plugin_api,
    rest_api,
)


def all_pages() -> dict[Path, str]:
    """Every generated page, as it should be."""
    return {REFERENCE / name: text for maker in MAKERS for name, text in maker.pages().items()}


def outdated(pages: dict[Path, str]) -> list[Path]:
    """The pages that are missing or differ from what they should be."""
    return [
        path for path, text in pages.items() if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def main() -> int:
    """Write or check; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 when a page is out of date")
    check = parser.parse_args().check
    pages = all_pages()
    changed = outdated(pages)
    for path in changed:
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(pages[path], encoding="utf-8")
        name = path.relative_to(REFERENCE.parent.parent)
        sys.stdout.write(f"{name} {'is out of date: run make docs' if check else 'written'}\n")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
