"""``python -m coursewire``: the same as the ``coursewire`` command."""

import sys

from coursewire.cli import main

sys.exit(main())
