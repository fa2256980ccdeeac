"""The toolkit's tests send through the same session, clock and LMS as those of the session itself."""

from ..http.conftest import kit, lms, time  # noqa: F401, TID252 - fixtures
