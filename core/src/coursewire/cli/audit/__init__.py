"""``coursewire audit``: what was sent, when, what the LMS answered, and what to do about it."""

from coursewire.cli.audit import export, history, prune, retry
from coursewire.cli.lazy import command_group

audit = command_group()
audit.command("list")(history.list_)
audit.command()(history.show)
audit.command()(retry.retry)
audit.command()(export.export)
audit.command()(prune.prune)
