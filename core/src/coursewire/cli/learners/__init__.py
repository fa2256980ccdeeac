"""``coursewire learners``: ids of learners at an LMS, and forgetting a learner."""

from coursewire.cli.lazy import command_group
from coursewire.cli.learners import forget, inactive, links

learners = command_group()
learners.command()(links.unmatched)
learners.command()(inactive.inactive)
learners.command()(links.link)
learners.command()(links.unlink)
learners.command()(forget.forget)
