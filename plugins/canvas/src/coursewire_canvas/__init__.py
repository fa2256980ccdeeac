"""Coursewire channel for Canvas."""
