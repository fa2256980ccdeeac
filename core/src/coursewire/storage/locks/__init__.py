"""Locks between processes: leases of jobs, and rate buckets."""
