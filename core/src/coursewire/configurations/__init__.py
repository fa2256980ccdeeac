"""Customers' settings for a channel: store, validation, secrets, fields, files."""
