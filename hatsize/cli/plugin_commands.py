"""The commands that enabled plugins add to the top level. Slow to import: only for a command that is not our own."""

import click

from hatsize.cli.configured import configured
from hatsize.cli.failures import WrongSettings
from hatsize.hooks.errors import PluginError
from hatsize.server.plugins import load_plugins
from hatsize.server.settings import SettingsError


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
