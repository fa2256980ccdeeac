"""Sending: batches, requests, and what the answers do to the records."""
