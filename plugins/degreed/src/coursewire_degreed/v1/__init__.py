"""The channel ``DEGREED``: Degreed by its API v1, in batches. It is built as :mod:`coursewire_degreed.v2` is."""
