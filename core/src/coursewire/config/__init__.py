"""Settings of the installation; configurations, their states, secrets and history."""
