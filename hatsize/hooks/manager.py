"""The typed plugin manager: loads what the settings enable and says how the results of hooks combine."""

from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

import pluggy

from hatsize.hooks import PROJECT, auth, dns, events, ipam, lifecycle, policy, storage

AREAS: tuple[ModuleType, ...] = (auth, ipam, dns, policy, storage, lifecycle, events)


class PluginError(Exception):
    """A plugin that cannot be used; the message names it and the mend."""


class Plugins:
    """The plugins of one server. It belongs to the server, never to a module."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        for area in AREAS:
            self._manager.add_hookspecs(area)

    def add(self, plugin: object, name: str) -> None:
        """Register a plugin; PluginError when it implements a hook that does not exist."""
        try:
            self._manager.register(plugin, name)
            self._manager.check_pending()
        except (pluggy.PluginValidationError, ValueError) as error:
            raise PluginError(f"plugin {name!r} cannot be used: {error}") from error

    @property
    def names(self) -> Sequence[str]:
        return [name for name, _ in self._manager.list_name_plugin()]

    def services(self, kind: str) -> list[Any]:
        """The services of a kind (`ip_allocator`, `storage`, …), built-in ones first, in the order of registration."""
        hook = getattr(self._manager.hook, f"hatsize_register_{kind}")
        return [service for service in reversed(hook()) if service is not None]

    def service(self, kind: str, name: str) -> Any:
        """The service of a kind with a name; PluginError that lists the names there are."""
        found = {service.name: service for service in self.services(kind)}
        if name not in found:
            there = ", ".join(sorted(found)) or "none"
            raise PluginError(f"no {kind.replace('_', ' ')} is named {name!r}; there is: {there}")
        return found[name]

    def collect(self, hook: str, **arguments: Any) -> list[Any]:
        """Call a synchronous contribution hook; all results that are not None, in the order of registration."""
        return [result for result in reversed(getattr(self._manager.hook, hook)(**arguments)) if result is not None]


def with_builtins(builtins: Iterable[tuple[str, object]]) -> Plugins:
    """A manager with the built-in plugins, registered through the same hooks as any other."""
    plugins = Plugins()
    for name, plugin in builtins:
        plugins.add(plugin, name)
    return plugins
