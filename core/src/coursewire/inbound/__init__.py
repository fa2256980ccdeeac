"""Calls that come in: OAuth consents, and the routes that channels declare for their LMS."""
