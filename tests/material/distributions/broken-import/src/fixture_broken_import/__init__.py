"""Imports a name that does not exist."""

from coursewire.model.payload import NoSuchName  # noqa: F401
