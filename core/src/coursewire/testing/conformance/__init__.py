"""The checks that hold for every channel, one module a topic. :class:`coursewire.testing.ChannelSuite` has them all."""
