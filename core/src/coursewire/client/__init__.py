"""HTTP for channels: one session with time-outs, auth, retry, rate limits, paging, redaction."""
