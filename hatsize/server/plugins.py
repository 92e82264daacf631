"""The plugins of a server: the built-in ones, and those the settings enable."""

import logging
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from quart import Quart

from hatsize.builtin import auth, ipam
from hatsize.builtin import policy as builtin_policy
from hatsize.builtin.certificates import CertificateDomainsPlugin
from hatsize.builtin.contributed import ContributedRecordsPlugin
from hatsize.builtin.magicdns import DnsDefaults, MagicDNSPlugin
from hatsize.builtin.storage import plugin as builtin_storage
from hatsize.hooks.discovery import find, settings_model
from hatsize.hooks.dns import ChallengePublisher
from hatsize.hooks.lifecycle import Server
from hatsize.hooks.manager import PluginError, Plugins, with_builtins
from hatsize.hooks.replicas import Replication
from hatsize.hooks.storage import Storage, StorageOptions
from hatsize.live.alone import Alone
from hatsize.live.services import Services
from hatsize.server.records_file import wire_records
from hatsize.server.settings import Settings, load_section
from hatsize.server.stored_items import stored_items

log = logging.getLogger(__name__)


def load_plugins(settings: Settings) -> Plugins:
    """All plugins, enabled ones in the settings' order, each with its settings.

    PluginError names one that cannot be used, SettingsError what is wrong in a plugin's section.
    """

    def publishers() -> Sequence[ChallengePublisher]:
        return plugins.services("challenge_publisher")

    plugins = with_builtins(
        [
            *auth.plugins(),
            *ipam.plugins(),
            ("magicdns", MagicDNSPlugin(dns_defaults(settings))),
            ("contributed-records", ContributedRecordsPlugin()),
            ("certificates", CertificateDomainsPlugin(settings.dns.base_domain, publishers)),
            ("policy", builtin_policy.Plugin()),
            ("sql-storage", builtin_storage),
        ],
        settings.data_dir,
        settings.database.url.get_secret_value(),
        lambda name: stored_items(_storage(plugins, settings), name),
    )
    for name in settings.plugins.enabled:
        _enable(plugins, name, settings)
    plugins.ask_for_all()
    for name in settings.plugins.model_extra or {}:
        if name not in plugins.names:
            log.warning("settings of plugin %s are not read: it is not in plugins.enabled", name)
    return plugins


def choose_services(plugins: Plugins, settings: Settings) -> Services:
    """The services the settings choose; PluginError lists what there is where a name is unknown."""
    return Services(
        plugins=plugins,
        storage=_storage(plugins, settings),
        allocator=plugins.service("ip_allocator", settings.prefixes.allocation),
        policy=plugins.service("policy_engine", settings.policy.engine),
        deciders=_with_last(plugins.services("registration_decider"), "approval"),
        dns=plugins.services("dns_provider"),
        replication=_replication(plugins),
    )


def mount(plugins: Plugins, server: Server, app: Quart) -> None:
    """Add the plugins' web pages and HTTP interfaces to an app; PluginError names one that cannot be added."""
    for plugin, blueprint in plugins.blueprints(server):
        try:
            app.register_blueprint(blueprint)
        except (AssertionError, ValueError, TypeError) as error:
            raise PluginError(f"plugin {plugin!r}: its pages cannot be added: {error}") from error


def networks(settings: Settings) -> tuple[Sequence[IPv4Network], Sequence[IPv6Network]]:
    """The configured prefixes of each family, none where it is off."""
    v4, v6 = settings.prefixes.v4, settings.prefixes.v6
    return ([IPv4Network(v4)] if v4 else []), ([IPv6Network(v6)] if v6 else [])


def _enable(plugins: Plugins, name: str, settings: Settings) -> None:
    if name in plugins.names:
        raise PluginError(f"plugin {name!r} is there already: take it out of plugins.enabled")
    with plugins.vigil.within(name, "its import"):
        plugin = find(name).load()
    model = settings_model(plugin, name)
    plugins.add(plugin, name, load_section(settings, name, model) if model else None)


def _storage(plugins: Plugins, settings: Settings) -> Storage:
    url = settings.database.url.get_secret_value()
    scheme = url.partition("://")[0] or "sqlite"
    factories = plugins.services("storage")
    for factory in factories:
        if scheme in factory.schemes:
            made: Storage = factory.create(StorageOptions(url=url, data_dir=str(settings.data_dir)))
            return made
    known = ", ".join(sorted(scheme for factory in factories for scheme in factory.schemes))
    raise PluginError(f"database.url: no storage for {scheme}://; there is: {known}")


def _replication(plugins: Plugins) -> Replication:
    """What makes this process one of several; PluginError where two plugins would."""
    found: list[Replication] = plugins.services("replication")
    if len(found) > 1:
        names = " and ".join(repr(each.name) for each in found)
        raise PluginError(f"both {names} make replicas of this server: enable one of them")
    return found[0] if found else Alone()


def _with_last(services: Sequence[Any], name: str) -> list[Any]:
    """The services with the one of a name behind all others: it answers when none of them does."""
    return sorted(services, key=lambda service: service.name == name)


def dns_defaults(settings: Settings) -> DnsDefaults:
    """The configured DNS."""
    dns = settings.dns
    v4, v6 = networks(settings)
    return DnsDefaults(
        base_domain=dns.base_domain,
        magic_dns=dns.magic_dns,
        override_local=dns.override_local_dns,
        nameservers=dns.nameservers.global_,
        split=dns.nameservers.split,
        search_domains=dns.search_domains,
        records=wire_records(dns.extra_records),
        prefixes=[*v4, *v6],
    )
