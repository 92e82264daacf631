"""What of a node a policy judges it by."""

from hatsize.tailnet.model import Node


def matters_to_policy(old: Node | None, new: Node) -> bool:
    """Whether the policy may mean something else for a node that was `old` and is `new`."""
    return old is None or _judged(old) != _judged(new)


def _judged(node: Node) -> tuple[object, ...]:
    info = node.hostinfo
    return (
        node.tags, node.user_id, node.ipv4, node.ipv6, node.approved_routes, node.authorized, node.attributes,
        info.RoutableIPs, info.OS, info.OSVersion, info.IPNVersion, info.AllowsUpdate, info.StateEncrypted,
        info.AppConnector, node.given_name,
    )  # fmt: skip
