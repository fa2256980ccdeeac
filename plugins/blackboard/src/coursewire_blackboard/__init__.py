"""Coursewire channel for Blackboard Learn."""
