"""What needs sending: catalogs, content and outcomes held against the records."""
