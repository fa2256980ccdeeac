"""Finding and loading installed plugins, and calling their hooks."""
