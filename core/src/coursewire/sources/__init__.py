"""Sources of customers, catalogs, learners and results."""
