"""All tables, in one metadata."""
