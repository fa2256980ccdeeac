"""Needs a module that no distribution here offers."""

import fixture_module_that_nobody_offers  # noqa: F401
