"""What people do with an installation: set it up, see how it stands, look back, mend. ``Host`` offers all of it."""
