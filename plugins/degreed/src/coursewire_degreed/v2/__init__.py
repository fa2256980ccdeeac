"""The channel ``DEGREED2``: Degreed by its API v2, a JSON:API."""
