"""``coursewire config``: customers' settings for channels."""

from coursewire.cli.config import connect, import_keys, keys, settings
from coursewire.cli.lazy import command_group

config = command_group()
config.command()(settings.add)
config.command("list")(settings.list_)
config.command()(settings.show)
config.command()(settings.edit)
config.command()(connect.connect)
config.command()(settings.check)
config.command()(settings.activate)
config.command()(settings.deactivate)
config.command()(settings.remove)
config.command()(settings.history)
config.command()(settings.template)
config.command()(keys.new_key)
config.command()(keys.rotate_key)
config.command("import-keys")(import_keys.import_keys)
