"""Storage: the database, its tables and migrations, the audit trail, leases and limits."""
