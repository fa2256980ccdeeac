"""The export: catalogs, content and outcomes compared with the records, to find what needs sending."""
