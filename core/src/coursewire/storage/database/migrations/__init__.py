"""The steps by which the schema came to be, run by :func:`coursewire.storage.database.schema.migrate`."""
