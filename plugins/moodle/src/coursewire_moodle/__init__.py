"""Coursewire channel for Moodle."""
