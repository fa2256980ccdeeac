"""A small made-up bundle for trying things out: 29 content items in nine languages, two customers.

It holds what real catalogues hold: courses without image, description or runs; runs that are archived,
unpublished, upcoming or without an end; text from right to left; learners without an id at the LMS,
unlinked, inactive, without an account yet, at two customers, and two whose names differ only in a capital;
consent given, implied, refused, unanswered and unknown; a licence; a grade of zero and none at all.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def sample_bundle() -> Path:
    """Return the folder of the sample bundle."""
    return Path(str(files(__name__)))
