"""The audit trail: records, states, transmissions and jobs, and the queries over them."""
