"""The Coursewire channel for Learning Record Stores (xAPI)."""
