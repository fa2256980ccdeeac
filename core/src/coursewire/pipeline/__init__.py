"""One run of one configuration: what needs sending, sending it, and recording what came of it."""
