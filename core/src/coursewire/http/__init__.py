"""The HTTP session that channels are handed: tokens, transport, limits, retries, redaction, addresses."""
