"""Where customers, catalogs, learners and results come from."""
