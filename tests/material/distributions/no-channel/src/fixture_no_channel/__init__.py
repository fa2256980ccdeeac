"""Offers itself as a channel and declares none."""
