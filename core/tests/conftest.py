"""Fixtures for all of core's tests."""

from coursewire.testing.database import bare_database_url, database_url, engine, migrated_database

__all__ = ["bare_database_url", "database_url", "engine", "migrated_database"]
