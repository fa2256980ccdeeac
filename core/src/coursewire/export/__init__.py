"""Deciding what needs sending: catalog diff, course-run choice, payloads and their fingerprints."""
