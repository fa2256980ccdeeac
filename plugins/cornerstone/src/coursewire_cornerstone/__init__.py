"""The Coursewire channel for Cornerstone OnDemand."""
