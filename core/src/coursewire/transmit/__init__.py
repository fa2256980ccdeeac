"""Sending: batches, concurrency, results, records."""
