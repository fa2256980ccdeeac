"""Coursewire channels for Degreed: ``DEGREED`` (API v1) and ``DEGREED2`` (API v2)."""
