"""The embedded relay: its DERP server, its place in the DERP map, and who may use it."""

from dataclasses import dataclass

from hatsize.derp.server import DerpServer
from hatsize.live.tailnet import LiveTailnet
from hatsize.server.address import Place
from hatsize.server.settings import Settings
from hatsize.tailnet.model import Change, Node
from hatsize.wire.keys import NodeKey, PrivateKey
from hatsize.wire.tailcfg import DERPMap, DERPNode, DERPRegion

PINNING_SINCE = 115
"""The first capability version that knows `sha256-raw:` certificate names (protocol fact sheet, pitfalls)."""


@dataclass(frozen=True, slots=True)
class EmbeddedRegion:
    """How clients reach the embedded relay."""

    settings: Settings
    place: Place
    stun_port: int
    pin: str
    """The certificate's `sha256-raw:…`; empty for a certificate that clients can verify."""

    def map(self, cap_version: int) -> DERPMap:
        """The DERP map for a client of a capability version."""
        derp = self.settings.derp
        pinned = bool(self.pin)
        node = DERPNode(
            Name=f"{derp.region_id}a",
            RegionID=derp.region_id,
            HostName=self.place.host,
            CertName=self.pin if pinned and cap_version >= PINNING_SINCE else "",
            InsecureForTests=pinned and cap_version < PINNING_SINCE,
            IPv4=derp.ipv4 or self.place.ipv4 or ("none" if self.place.ipv6 else ""),
            IPv6=derp.ipv6 or self.place.ipv6 or ("none" if self.place.ipv4 else ""),
            DERPPort=0 if self.place.port == 443 else self.place.port,
            STUNPort=self.stun_port,
        )
        region = DERPRegion(
            RegionID=derp.region_id, RegionCode=derp.region_code, RegionName=derp.region_name, Nodes=(node,)
        )
        return DERPMap(Regions={derp.region_id: region})


def embedded_relay(live: LiveTailnet, key: PrivateKey, *, verify_clients: bool) -> DerpServer:
    """A relay that lets the tailnet's nodes in, the newest at once, and cuts off those that are deleted."""
    state = live.state

    async def admit(node_key: NodeKey, address: str) -> bool:
        del address
        return not verify_clients or node_key in state.index.node_by_key

    relay = DerpServer(key, admit=admit)
    known = {node.id: node.node_key for node in state.all(Node)}

    def heard(change: Change) -> None:
        for table, record_id in change.deletes:
            if table == Node.table and record_id in known:
                relay.evict(known.pop(record_id))
        for record in change.puts:
            if isinstance(record, Node):
                known[record.id] = record.node_key

    live.listen(heard)
    return relay
