"""Takes the 403 by which the LMS asks to wait for a refusal for good."""

from harbor import *


@cw.hookimpl
def read_slow_down(response):
    return None
