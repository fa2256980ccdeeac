"""Finding and loading channels (stevedore), and the relay that calls them (pluggy)."""
