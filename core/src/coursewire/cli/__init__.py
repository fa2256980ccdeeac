"""The ``coursewire`` command."""
