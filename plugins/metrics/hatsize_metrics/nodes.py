"""How many nodes there are of what kind, with a bounded number of series."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from hatsize.hooks.lifecycle import Server
from hatsize.hooks.metrics import Figure, Sample
from hatsize.tailnet.model import Node

OTHER = "(other)"
NONE = "(none)"


def breakdown(server: Server, limit: int) -> Iterator[Figure]:
    """Nodes by user, tag, system and client version: the `limit` largest of each, the rest as one."""
    nodes = list(server.state.all(Node))
    owners = Counter(_owner(server, node) for node in nodes)
    tags = Counter(tag for node in nodes for tag in node.tags)
    systems = Counter(node.hostinfo.OS or NONE for node in nodes)
    versions = Counter(release(node.hostinfo.IPNVersion) for node in nodes)
    yield _gauge("nodes_by_user", "Nodes that are not tagged, by owner.", bounded(owners, "user", limit))
    yield _gauge("nodes_by_tag", "Tagged nodes, by tag.", bounded(tags, "tag", limit))
    yield _gauge("nodes_by_os", "Nodes by operating system.", bounded(systems, "os", limit))
    yield _gauge("nodes_by_version", "Nodes by version of the client.", bounded(versions, "version", limit))


def each_node(server: Server) -> Iterator[Figure]:
    """Series for each node."""
    nodes = list(server.state.all(Node))
    online = [Sample(float(server.is_online(node.id)), {"node": node.given_name}) for node in nodes]
    seen = [Sample(node.last_seen.timestamp(), {"node": node.given_name}) for node in nodes if node.last_seen]
    expiry = [Sample(node.key_expiry.timestamp(), {"node": node.given_name}) for node in nodes if node.key_expiry]
    yield _gauge("node_online", "Whether the node is connected.", online)
    yield _gauge("node_last_seen_timestamp_seconds", "When the node was last heard of.", seen)
    yield _gauge("node_key_expiry_timestamp_seconds", "When the node's key expires.", expiry)


def bounded(counts: Mapping[str, int], label: str, limit: int) -> Sequence[Sample]:
    """The `limit` largest counts, and the sum of the rest."""
    ranked = Counter(counts).most_common()
    samples = [Sample(count, {label: value}) for value, count in ranked[:limit]]
    rest = sum(count for _, count in ranked[limit:])
    return [*samples, Sample(rest, {label: OTHER})] if rest else samples


def release(version: str) -> str:
    """`1.92.5` of `1.92.5-t0123abcd-g4567`."""
    return version.partition("-")[0] or NONE


def _owner(server: Server, node: Node) -> str:
    owner = server.state.owner(node)
    return owner.login_name if owner else NONE


def _gauge(name: str, text: str, samples: Sequence[Sample]) -> Figure:
    return Figure(f"hatsize_{name}", "gauge", text, samples)
