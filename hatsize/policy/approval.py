"""What needs nobody's approval, and where addresses come from."""

import ipaddress
from collections.abc import Sequence

from hatsize.policy.addresses import is_exit
from hatsize.policy.directory import Directory, Names, folded
from hatsize.policy.document import Document
from hatsize.policy.selectors import Selector
from hatsize.tailnet.model import Node, User


class Approvals:
    def __init__(self, document: Document, directory: Directory) -> None:
        self.document, self.directory = document, directory

    def route(self, node: Node, route: str) -> bool:
        """Whether the node may serve an advertised route at once: it is inside one that it is trusted with.

        Exit routes are approved by `exitNode` alone, as captured.
        """
        names = self._names(node)
        approvers = self.document.auto_approvers
        if is_exit(route):
            return _named(approvers.exit_node, names)
        wanted = ipaddress.ip_network(route, strict=False)
        return any(_covers(prefix, wanted) and _named(who, names) for prefix, who in approvers.routes.items())

    def service(self, node: Node, service: str, tags: Sequence[str] = ()) -> bool:
        """Whether the node may host a service at once; approvers are by the service's name or its tags."""
        names = self._names(node)
        table = self.document.auto_approvers.services
        return any(_named(table.get(key, ()), names) for key in (service, *tags))

    def pools(self, user: User | None, tags: Sequence[str]) -> tuple[str, ...]:
        """The pools that such a node's IPv4 address comes from; none for the tailnet's own."""
        names = self.directory.of(user.id if user else None, frozenset(tags))
        found = (entry.ip_pool for entry in self.document.node_attrs if _named(entry.target, names))
        return tuple(dict.fromkeys(pool for pools in found for pool in pools))

    def may_tag(self, user: User | None, tags: Sequence[str], tag: str) -> bool:
        """Whether a user, or a node with some tags, may give a tag: its owners, and the owners of owning tags."""
        names = self.directory.of(user.id if user else None, frozenset(tags))
        seen: set[str] = set()
        waiting = [tag]
        while waiting:
            one = waiting.pop()
            if one in seen:
                continue
            seen.add(one)
            owners = self.document.tag_owners.get(one, ())
            if _named(owners, names):
                return True
            waiting += [owner.name for owner in owners if owner.name.startswith("tag:")]
        return False

    def _names(self, node: Node) -> Names:
        return self.directory.of(node.user_id, frozenset(node.tags))


def _named(selectors: Sequence[Selector], names: Names) -> bool:
    return any(folded(selector) in names for selector in selectors)


def _covers(prefix: str, wanted: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    net = ipaddress.ip_network(prefix)
    return net.version == wanted.version and wanted.subnet_of(net)  # type: ignore[arg-type]
