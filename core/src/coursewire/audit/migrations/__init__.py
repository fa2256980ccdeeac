"""The steps by which the schema came to be, run by :func:`coursewire.audit.schema.migrate`."""
