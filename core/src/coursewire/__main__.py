"""``python -m coursewire``: the same as the ``coursewire`` command."""

from coursewire.cli import main

main()
