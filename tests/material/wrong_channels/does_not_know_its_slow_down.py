"""Takes the 403 by which the LMS asks to wait for a refusal for good."""

from harbor import *


@cw.hookimpl
def read_slow_down(response):
    return None


CAUGHT_BY = ("test_a_403_as_throttle_defers", "items failed because the LMS was busy")
