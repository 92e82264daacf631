"""The typed plugin manager: holds the plugins of one server and says how the results of their hooks combine."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from hatsize.hooks import PROJECT
from hatsize.hooks.admission import check_implementation, unknown_hooks
from hatsize.hooks.areas import AREAS, all_hooks
from hatsize.hooks.auth import Decision, Deny, LoginIdentity, Registration
from hatsize.hooks.calls import Calls, Implementation
from hatsize.hooks.delivery import Delivery
from hatsize.hooks.errors import PluginError
from hatsize.hooks.kinds import KINDS
from hatsize.hooks.ledger import Ledger
from hatsize.hooks.lifecycle import Server
from hatsize.hooks.metrics import Figure
from hatsize.hooks.running import Running
from hatsize.hooks.services import check_names, check_service, failed, flattened, spoken
from hatsize.hooks.setup import Setup
from hatsize.hooks.vigil import Vigil
from hatsize.tailnet.model import Node, User
from hatsize.tailnet.state import State
from hatsize.wire.tailcfg import DNSRecord

if TYPE_CHECKING:
    import click
    from quart import Blueprint

__all__ = ["PluginError", "Plugins", "with_builtins"]

Stored = Callable[[str], Mapping[str, bytes]]
"""What the storage has of what the plugin of a name keeps."""


class Plugins:
    """The plugins of one server, in their order: the built-in ones, then those of the settings. It belongs to the
    server, never to a module."""

    def __init__(self, data_dir: Path = Path(), database_url: str = "", stored: Stored = lambda _name: {}) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        for area in AREAS:
            self._manager.add_hookspecs(area)
        self._setups: dict[str, Setup] = {}
        self._services: dict[str, list[Any]] = {}
        self._data_dir = data_dir
        self._database_url = database_url
        self._stored = stored
        self.ledger = Ledger()
        self.vigil = Vigil()
        self.calls = Calls(self.ledger, self.vigil)

    def add(self, plugin: object, name: str, settings: Any = None) -> None:
        """Take a plugin in, with its validated settings, and tell it of them; PluginError when it cannot be used."""
        self.admit(plugin, name, settings)
        for each in self.implementations("hatsize_configured"):
            if each.plugin == name:
                self._ask(each, {"setup": self._setups[name]})

    def admit(self, plugin: object, name: str, settings: Any = None) -> None:
        """Take a plugin in that is told nothing yet; PluginError when it implements a hook that does not exist."""
        unknown = unknown_hooks(plugin, all_hooks())
        if unknown:
            raise PluginError(f"plugin {name!r} cannot be used: {'; '.join(unknown)}")
        try:
            self._manager.register(plugin, name)
        except (pluggy.PluginValidationError, ValueError) as error:
            raise PluginError(f"plugin {name!r} cannot be used: {' '.join(str(error).split())}") from error
        for caller in self._manager.get_hookcallers(plugin) or ():
            for implementation in caller.get_hookimpls():
                if implementation.plugin is plugin:
                    check_implementation(implementation, caller.spec, name)
        self._setups[name] = Setup(name, settings, self._data_dir, self._database_url, partial(self._stored, name))
        self._services.clear()

    @property
    def names(self) -> Sequence[str]:
        return list(self._setups)

    def settings_of(self, name: str) -> Any:
        """The plugin's validated settings; None for one that has none, or is not there."""
        setup = self._setups.get(name)
        return setup.settings if setup else None

    def hooks_of(self, name: str) -> list[str]:
        """The hooks a plugin implements."""
        plugin = self._manager.get_plugin(name)
        return sorted(caller.name for caller in self._manager.get_hookcallers(plugin) or ())

    def implementations(self, hook: str) -> list[Implementation]:
        """Who implements a hook, in the plugins' order."""
        order = {name: place for place, name in enumerate(self._setups)}
        found = [
            Implementation(each.plugin_name, hook, each.function, each.argnames)
            for each in getattr(self._manager.hook, hook).get_hookimpls()
        ]
        return sorted(found, key=lambda each: order.get(each.plugin, len(order)))

    # Services.

    def services(self, kind: str) -> list[Any]:
        """The services of a kind (`ip_allocator`, `storage`, …), built-in ones first, asked for once."""
        if kind not in self._services:
            supplied = self.supplied(kind)
            check_names(supplied, kind)
            self._services[kind] = [service for _, service in supplied]
        return self._services[kind]

    def ask_for_all(self) -> None:
        """Ask for the services of every kind now; PluginError names a plugin that cannot supply what it should."""
        for kind in KINDS:
            self.services(kind)

    def supplied(self, kind: str) -> list[tuple[str, Any]]:
        """The services of a kind, each with the plugin it is from; PluginError names a plugin that cannot say."""
        hook = f"hatsize_register_{kind}"
        found = []
        for each in self.implementations(hook):
            for service in flattened(self._ask(each, {"setup": self._setups[each.plugin]})):
                check_service(service, kind, each.plugin)
                found.append((each.plugin, service))
        return found

    def service(self, kind: str, name: str) -> Any:
        """The service of a kind with a name; PluginError that lists the names there are."""
        found = {service.name: service for service in self.services(kind)}
        if name not in found:
            there = ", ".join(sorted(found)) or "none"
            raise PluginError(f"no {spoken(kind)} is named {name!r}; there is: {there}")
        return found[name]

    # Contributions while the server is put together: a plugin that fails stops the start.

    def blueprints(self, server: Server) -> "list[tuple[str, Blueprint]]":
        """Web pages and HTTP interfaces, each with the plugin it is from."""
        return self._collected("hatsize_blueprints", server=server)

    def commands(self) -> "list[tuple[str, click.Command]]":
        """Commands of the command line, each with the plugin it is from."""
        return self._collected("hatsize_commands")

    def running(self, server: Server) -> Running:
        """The context the server runs in."""
        return Running(self._collected("hatsize_running", server=server), self.ledger, self.vigil)

    def delivery(self, state: State) -> Delivery:
        """What carries events to the plugins that listen."""
        listeners = [*self.implementations("hatsize_changed"), *self.implementations("hatsize_node_online")]
        return Delivery(state, listeners, self.calls, self.ledger)

    # Contributions while it runs: a plugin that fails is logged and counted.

    def figures(self, server: Server) -> list[Figure]:
        """What everybody counts, without what a plugin that fails has counted."""
        found: list[Figure] = []
        for each in self.implementations("hatsize_metrics"):
            try:
                with self.vigil.within(each.plugin, each.hook):
                    found += each({"server": server}) or ()
            except Exception as error:  # noqa: BLE001 - a plugin may raise anything, and hurts nobody
                self.ledger.failed(each.plugin, each.hook, error)
        return found

    async def registration(self, state: State, registration: Registration, user: User | None) -> Decision | None:
        """*First*: what a plugin has against a registration that would be allowed; a plugin that fails denies it."""
        asked = self.implementations("hatsize_registration")
        arguments = {"state": state, "registration": registration, "user": user}
        decision: Decision | None = await self.calls.first(asked, arguments, otherwise=_UNANSWERED)
        return decision

    async def login(self, state: State, identity: LoginIdentity) -> LoginIdentity | Deny:
        """*Chain*: who has logged in, as the plugins amend it; a plugin that fails denies it."""
        asked = self.implementations("hatsize_login")
        arguments = {"state": state, "identity": identity}
        amended: LoginIdentity | Deny = await self.calls.chain(asked, arguments, "identity", otherwise=_UNANSWERED)
        return amended

    async def dns_records(self, state: State) -> Mapping[str, Sequence[DNSRecord]]:
        """*All*: records by plugin; one that fails is not in it."""
        return await self.calls.all(self.implementations("hatsize_dns_records"), {"state": state})

    async def node_attributes(self, state: State, node: Node) -> Mapping[str, Mapping[str, Any]]:
        """*All*: a node's posture attributes by plugin, none of one that says None; one that fails is not in it."""
        asked = self.implementations("hatsize_node_attributes")
        return await self.calls.all(asked, {"state": state, "node": node}, nothing={})

    def _collected(self, hook: str, **arguments: Any) -> list[tuple[str, Any]]:
        """What plugins contribute, each thing with the plugin it is from; PluginError names one that fails."""
        return [
            (each.plugin, thing)
            for each in self.implementations(hook)
            for thing in flattened(self._ask(each, arguments))
        ]

    def _ask(self, implementation: Implementation, arguments: dict[str, Any]) -> Any:
        try:
            with self.vigil.within(implementation.plugin, implementation.hook):
                return implementation(arguments)
        except Exception as error:
            raise failed(implementation.plugin, implementation.hook, error) from error


_UNANSWERED = Deny("the server could not ask all who have a say in this, try again later")


def with_builtins(
    builtins: Iterable[tuple[str, object]],
    data_dir: Path = Path(),
    database_url: str = "",
    stored: Stored = lambda _name: {},
) -> Plugins:
    """A manager with the built-in plugins, registered through the same hooks as any other."""
    plugins = Plugins(data_dir, database_url, stored)
    for name, plugin in builtins:
        plugins.add(plugin, name)
    return plugins
