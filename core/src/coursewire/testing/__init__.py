"""For channel authors: the simulator base and the fixtures that go with it."""
