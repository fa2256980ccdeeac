"""The host service: REST API, inbound routes, console. Installed with ``coursewire[service]``."""
