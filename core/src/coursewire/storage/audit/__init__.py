"""The audit trail: records, states, transmissions and jobs, and the questions that are asked of them."""
