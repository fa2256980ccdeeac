"""The channel ``DEGREED``: Degreed by its API v1, in batches."""
