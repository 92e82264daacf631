"""Making the zones and publishers that the settings describe."""

from collections.abc import Callable, Sequence
from pathlib import Path
from time import time

import dns.name
from dns.name import Name

from hatsize.hooks.errors import PluginError
from hatsize.hooks.lifecycle import Server
from hatsize.tailnet.model import Node
from hatsize_dns.challenges import Challenges, ServedChallenges
from hatsize_dns.layers import Layer
from hatsize_dns.names import absolute, is_reverse, plain
from hatsize_dns.pools import Pool
from hatsize_dns.providers import Provider
from hatsize_dns.publishing import Backend, OwnZones, Publisher
from hatsize_dns.record_layer import OwnRecords
from hatsize_dns.settings import Settings
from hatsize_dns.settings_zones import ZoneSettings
from hatsize_dns.tailnet_layers import AddressNames, NodeNames, Visibility
from hatsize_dns.updates import Updates
from hatsize_dns.zone import Zone
from hatsize_dns.zone_files import ZoneFile, ZoneFileError

OWN = "zones"
"""The name of the publisher that is our own server."""


class ZoneBuilder:
    """Makes the zones of one server, and keeps what has to be followed while they are served."""

    def __init__(self, settings: Settings, server: Server, challenges: Challenges, changed: Callable[[], None]) -> None:
        """`changed` is called when something in a zone is another than before."""
        self._settings = settings
        self._server = server
        self._changed = changed
        self._served = ServedChallenges(challenges, OWN)
        self.records = OwnRecords(server)
        self.pools = [Pool(pool, changed) for pool in settings.pools]
        self.files: dict[tuple[Path, Name], ZoneFile] = {}

    def zones(self, serial: Callable[[], int]) -> list[Zone]:
        """All zones; PluginError names what cannot be used."""
        return [self._zone(origin, zone, serial) for zone in self._settings.zones for origin in zone.origins]

    def _zone(self, origin: Name, zone: ZoneSettings, serial: Callable[[], int]) -> Zone:
        return Zone(
            origin=origin,
            clients=zone.for_,
            layers=self._layers(origin, zone),
            nameservers=[absolute(each).to_text() for each in zone.nameservers] or self._settings.nameservers,
            hostmaster=_mailbox(self._settings.hostmaster, origin),
            serial=serial,
            ttl=zone.ttl,
        )

    def _layers(self, origin: Name, zone: ZoneSettings) -> Sequence[Layer]:
        visibility = Visibility(self._server, zone.nodes)
        layers: list[Layer] = [self._file(zone.file, origin)] if zone.file else []
        if is_reverse(origin):
            return [*layers, AddressNames(visibility, zone.ttl, self._whole_name)]
        layers.append(NodeNames(origin, visibility, zone.ttl, wildcards=zone.wildcards))
        if zone.records:
            layers.append(self.records)
        return [*layers, *(pool for pool in self.pools if pool.name.is_subdomain(origin)), self._served]

    def _file(self, path: Path, origin: Name) -> ZoneFile:
        if (path, origin) not in self.files:
            try:
                self.files[path, origin] = ZoneFile(path, origin, self._changed)
            except ZoneFileError as error:
                raise PluginError(f"plugins.dns.zones: {error}") from None
        return self.files[path, origin]

    def _whole_name(self, node: Node) -> str:
        """What the addresses of a node lead to: its name in the first zone that has nodes."""
        for zone in self._settings.zones:
            if zone.nodes != "none" and not is_reverse(zone.origins[0]):
                return f"{node.given_name}.{zone.origins[0]}"
        return f"{node.given_name}."


def publishers(settings: Settings, challenges: Challenges) -> list[Publisher]:
    """Who publishes challenges: our own zones first, then the other name servers in the settings' order."""

    def until() -> float:
        return time() + settings.lifetime

    public = [zone for zone in settings.zones if "everybody" in zone.for_ and not is_reverse(zone.origins[0])]
    own = list(dict.fromkeys(plain(zone.origins[0]) for zone in public))
    backends: list[tuple[str, list[str], Backend]] = [(OWN, own, OwnZones())] if own else []
    backends += [(f"update {each.zone}", [each.zone], Updates(each)) for each in settings.updates]
    backends += [(f"{each.provider} {each.zone}", [each.zone], Provider(each)) for each in settings.providers]
    return [Publisher(name, domains, backend, challenges, until) for name, domains, backend in backends]


def _mailbox(address: str, origin: Name) -> str:
    """An e-mail address as SOA records have it (RFC 1035, 8)."""
    local, at, domain = address.rpartition("@")
    if not at:
        return dns.name.Name((b"hostmaster", *origin.labels)).to_text()
    return dns.name.Name((local.encode(), *absolute(domain).labels)).to_text()
