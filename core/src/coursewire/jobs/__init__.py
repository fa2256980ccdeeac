"""Running: leases, jobs, runners."""
