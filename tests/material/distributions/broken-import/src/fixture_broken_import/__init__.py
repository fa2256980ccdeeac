"""Imports a name that does not exist."""

from json import NoSuchName  # noqa: F401
