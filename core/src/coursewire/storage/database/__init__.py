"""The database itself: engine, differences of the dialects, schema."""
