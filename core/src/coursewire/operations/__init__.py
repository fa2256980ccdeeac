"""The operations of people on an installation: set it up, see its state, look back, mend. ``Host`` offers all of them."""
