"""A netmap as a client assembles it from map responses (protocol fact sheet, 5.3 to 5.5)."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

Message = Mapping[str, Any]


class AssembledNetmap:
    """What a client knows after the messages it was given, as plain JSON values.

    It shares no code with the server's engine, so that the two can be held against each other.
    """

    def __init__(self) -> None:
        self.own: dict[str, Any] = {}
        """The node's own entry."""
        self.peers: dict[int, dict[str, Any]] = {}
        self.profiles: dict[int, dict[str, Any]] = {}
        self.filters: dict[str, Any] = {}
        """The packet filter's named fragments."""
        self.rest: dict[str, Any] = {}
        """Other members by name, as they were last told."""
        self.messages = 0
        self.keepalives = 0

    def apply_json(self, body: bytes) -> Message:
        """Take one message in; what it said."""
        message: Message = msgspec.json.decode(body)
        self.apply(message)
        return message

    def apply(self, message: Message) -> None:
        """Take one message in. A first one without `Node` is what clients drop the stream for: ValueError."""
        if message.get("KeepAlive"):
            self.keepalives += 1
            return
        if not self.messages and not message.get("Node"):
            raise ValueError("the first message of a stream holds no Node")
        self.messages += 1
        for name, value in message.items():
            if name == "Node":
                self.own = value
            elif name == "PacketFilters":
                self._take_filters(value)
            elif name == "UserProfiles":
                self.profiles |= {profile["ID"]: profile for profile in value}
            elif name not in _PEER_MEMBERS:
                self.rest[name] = value
        if message.get("Peers"):
            self.peers = {peer["ID"]: peer for peer in message["Peers"]}
            return
        for name, take in _PEER_MEMBERS.items():
            if message.get(name):
                take(self.peers, message[name])

    def _take_filters(self, fragments: Mapping[str, Any]) -> None:
        if "*" in fragments:
            self.filters.clear()
        for name, rules in fragments.items():
            if rules is None:
                self.filters.pop(name, None)
            else:
                self.filters[name] = rules

    @property
    def peer_names(self) -> list[str]:
        """The peers' first labels, sorted."""
        return sorted(peer["Name"].partition(".")[0] for peer in self.peers.values())

    def peer(self, name: str) -> dict[str, Any]:
        """The peer with a first label; empty when it is not seen."""
        return next((peer for peer in self.peers.values() if peer["Name"].partition(".")[0] == name), {})


Peers = dict[int, dict[str, Any]]


def _nothing(peers: Peers, value: Any) -> None:
    del peers, value


def _removed(peers: Peers, gone: list[int]) -> None:
    for node_id in gone:
        peers.pop(node_id, None)


def _changed(peers: Peers, nodes: list[dict[str, Any]]) -> None:
    peers.update({node["ID"]: node for node in nodes})


def _online(peers: Peers, online: Mapping[str, bool]) -> None:
    for node_id, now in online.items():
        if int(node_id) in peers:
            peers[int(node_id)] = {**peers[int(node_id)], "Online": now}


def _patched(peers: Peers, changes: list[dict[str, Any]]) -> None:
    for change in changes:
        node_id = change["NodeID"]
        if node_id not in peers:
            continue
        patch = {name: value for name, value in change.items() if name not in {"NodeID", "DERPRegion"}}
        if change.get("DERPRegion"):
            patch |= {"HomeDERP": change["DERPRegion"], "DERP": f"127.3.3.40:{change['DERPRegion']}"}
        peers[node_id] = {**peers[node_id], **patch}


_PEER_MEMBERS: dict[str, Callable[[Peers, Any], None]] = {
    "Peers": _nothing,
    "PeersRemoved": _removed,
    "PeersChanged": _changed,
    "PeerSeenChange": _nothing,
    "OnlineChange": _online,
    "PeersChangedPatch": _patched,
}
"""What each member means for the peers, in the order of application; any of them is void beside `Peers`."""
