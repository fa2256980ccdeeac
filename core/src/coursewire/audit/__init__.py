"""What we did and what we believe: tables, engine, schema migrations, leases, records, transmissions."""
