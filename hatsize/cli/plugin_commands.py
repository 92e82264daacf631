"""The commands that enabled plugins add to the top level. Slow to import: only for a command that is not our own."""

import click

from hatsize.cli.configured import configured
from hatsize.cli.failures import WrongSettings
from hatsize.hooks.discovery import installed
from hatsize.hooks.errors import PluginError
from hatsize.server.plugins import load_plugins
from hatsize.server.settings import SettingsError


def plugin_command(name: str) -> click.Command | None:
    """The command of that name; raises UsageError where a plugin of that name only has to be enabled, and
    WrongSettings."""
    found = plugin_commands().get(name)
    if found is None and name in installed() and name not in configured().plugins.enabled:
        told = f"plugin {name!r} is installed, and not enabled in these settings"
        raise click.UsageError(f"No such command {name!r}: {told}; name it in plugins.enabled, or give --config FILE")
    return found


def plugin_commands() -> dict[str, click.Command]:
    """The commands by name, the first plugin's where two have one; raises WrongSettings."""
    settings = configured()
    if not settings.plugins.enabled:
        return {}
    try:
        supplied = load_plugins(settings).commands()
    except (PluginError, SettingsError) as error:
        raise WrongSettings(str(error)) from None
    return {command.name: command for _, command in reversed(supplied) if command.name}
