"""What a plugin is and supplies, told of one that is installed."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from hatsize.hooks.discovery import Installed, settings_model
from hatsize.hooks.errors import PluginError
from hatsize.hooks.kinds import KINDS
from hatsize.hooks.manager import Plugins
from hatsize.server.settings_sources import keys_of


@dataclass(frozen=True, slots=True)
class PluginReport:
    """A plugin in the fields that `hatsize plugins` prints."""

    name: str
    version: str
    distribution: str
    summary: str
    enabled: bool
    hooks: Sequence[str] = ()
    settings: Sequence[str] = ()
    """The keys of its section."""
    about: str = ""
    """The plugin's own docstring, or its module's."""
    problem: str = ""
    """Why it cannot be used; empty when it can."""


def announced(plugin: Installed, *, enabled: bool) -> PluginReport:
    """What its distribution says of a plugin; nothing of it is imported."""
    return PluginReport(plugin.name, plugin.version, plugin.distribution, plugin.summary, enabled)


def inspected(plugin: Installed, *, enabled: bool) -> PluginReport:
    """The same, and what the plugin itself says; it is imported."""
    bare = announced(plugin, enabled=enabled)
    try:
        loaded = plugin.load()
        model = settings_model(loaded, plugin.name)
        plugins = Plugins()
        plugins.admit(loaded, plugin.name)
    except PluginError as error:
        return PluginReport(*_head(bare), problem=str(error))
    hooks = plugins.hooks_of(plugin.name)
    return PluginReport(*_head(bare), hooks=hooks, settings=list(keys_of(model)) if model else [], about=_about(loaded))


def services_of(plugin: object, name: str, model: type[BaseModel] | None) -> dict[str, list[str]]:
    """The names of the services a plugin supplies with the settings it has when none are given; PluginError."""
    plugins = Plugins()
    plugins.add(plugin, name, model() if model else None)
    found = {kind: [service.name for service in plugins.services(kind)] for kind in KINDS}
    return {kind: names for kind, names in found.items() if names}


def supplies(hooks: Sequence[str]) -> list[str]:
    """Hooks in words: kinds of service first."""
    return sorted((hook.removeprefix("hatsize_") for hook in hooks), key=lambda hook: (hook[:8] != "register", hook))


def _head(report: PluginReport) -> tuple[str, str, str, str, bool]:
    return report.name, report.version, report.distribution, report.summary, report.enabled


def _about(plugin: object) -> str:
    own = inspect.getdoc(plugin) if inspect.ismodule(plugin) else type(plugin).__doc__
    module = inspect.getmodule(type(plugin))
    return inspect.cleandoc(own or (module.__doc__ if module else "") or "").partition("\n")[0]
