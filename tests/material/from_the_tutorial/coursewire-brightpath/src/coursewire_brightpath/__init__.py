"""The Coursewire channel for Brightpath."""
