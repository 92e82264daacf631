"""The DERP map this server hands out: its own relay, the configured files and URLs, and the policy's."""

from collections.abc import Callable, Sequence

import anyio
from msgspec.structs import replace

from hatsize.derp import http_client
from hatsize.derp.map import embedded_region, for_version, merge
from hatsize.derp.map_sources import MapSources
from hatsize.live.tailnet import LiveTailnet
from hatsize.server.address import Place
from hatsize.server.relay_beside import relay_addresses
from hatsize.server.settings import Settings
from hatsize.server.settings_sections import Derp
from hatsize.tailnet.model import Change
from hatsize.wire.tailcfg import DERPMap, DERPNode, DERPRegion


class RelayMap:
    """Gives each capability version its form of the map; `load` first."""

    def __init__(self, settings: Settings, place: Place, pin: str) -> None:
        """`pin` is `sha256-raw:…` of the listener's certificate, empty for one that clients can verify."""
        derp = settings.derp
        self.pin = pin
        told = derp.enabled and derp.in_map
        own = DERPMap(Regions={derp.region_id: _region_of(settings, place, pin)} if told else {})
        self._derp = derp
        self._settings = settings
        self._place = place
        self._own = own
        self._sources = self._sources_of(derp)
        self._round = anyio.CancelScope()
        """The waiting for the next reading, ended when the settings change."""
        self._of_policy: DERPMap | None = None
        self._forms: dict[int, DERPMap] = {}

    def __call__(self, cap_version: int) -> DERPMap:
        form = self._forms.get(cap_version)
        if form is None:
            maps = [self._sources.current, *([self._of_policy] if self._of_policy else [])]
            form = self._forms[cap_version] = for_version(merge(maps), cap_version)
        return form

    def show(self, nodes: Sequence[DERPNode]) -> bool:
        """Let these be the nodes of the own relay's region; whether that is news."""
        region = self._derp.region_id
        named = _region_of(self._settings, self._place, self.pin)
        own = DERPMap(Regions={region: replace(named, Nodes=nodes)} if nodes and self._derp.in_map else {})
        if own == self._own:
            return False
        self._own = own
        self._sources.take_own(own)
        self._forms.clear()
        return True

    async def load(self) -> None:
        """Read the configured files and URLs; raises DERPMapError."""
        await self._sources.load()
        self._forms.clear()

    async def prepare(self, derp: Derp) -> MapSources:
        """Other settings' files and URLs, read but not yet in use; raises DERPMapError."""
        sources = self._sources_of(derp)
        await sources.load()
        return sources

    def use(self, derp: Derp, sources: MapSources) -> None:
        """Go over to what was prepared."""
        self._derp, self._sources = derp, sources
        self._forms.clear()
        self._round.cancel()

    async def refresh(self, changed: Callable[[], None]) -> None:
        """Read them again from time to time, if the settings want that, until cancelled."""
        while True:
            with anyio.CancelScope() as self._round:
                await self._refresh(changed)

    async def _refresh(self, changed: Callable[[], None]) -> None:

        async def told(_map: DERPMap) -> None:
            self._forms.clear()
            changed()

        derp = self._derp
        if not derp.auto_update or not (derp.urls or derp.paths):
            await anyio.sleep_forever()
        await self._sources.refresh(derp.update_frequency.total_seconds(), told)

    def _sources_of(self, derp: Derp) -> MapSources:
        return MapSources(urls=derp.urls, paths=derp.paths, own=self._own, fetch=http_client.get)

    def follow(self, live: LiveTailnet) -> None:
        """Take the map of the policy in force in, now and whenever another policy is saved."""

        def heard(change: Change) -> None:
            if change.kind == "policy.saved" and self._take(live.policy.derp_map):
                live.settings_changed()

        self._take(live.policy.derp_map)
        live.listen(heard)

    def _take(self, derp_map: DERPMap | None) -> bool:
        """Take the policy's own map in; whether that is news."""
        news = derp_map != self._of_policy
        self._of_policy = derp_map
        if news:
            self._forms.clear()
        return news


def _region_of(settings: Settings, place: Place, pin: str) -> DERPRegion:
    derp = settings.derp
    # At an https address clients verify the server, and whoever shows the certificate shows it for the relay too: a
    # reverse proxy's is not the listener's own. A relay beside the server has a port that leads past the proxy.
    verified = place.url.startswith("https://") and not derp.process
    return embedded_region(
        place.host,
        derp_port=relay_addresses(settings)[0].port if derp.process else place.port,
        stun_port=settings.stun.port,
        pin="" if verified else pin,
        region_id=derp.region_id,
        code=derp.region_code,
        name=derp.region_name,
        ipv4=derp.ipv4 or place.ipv4 or ("none" if place.ipv6 else ""),
        ipv6=derp.ipv6 or place.ipv6 or ("none" if place.ipv4 else ""),
    )
