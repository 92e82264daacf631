"""Nodes and their routes as tables."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from hatsize.cli.output import minute, show_table, yes

NODE_HEADER = (
    "ID", "Hostname", "Name", "MachineKey", "NodeKey", "User", "Tags", "IP addresses", "Ephemeral", "Last seen",
    "Expiration", "Connected", "Expired",
)  # fmt: skip
ROUTE_HEADER = ("ID", "Hostname", "Approved", "Available", "Serving (Primary)", "Warnings")


def show_nodes(nodes: list[dict[str, Any]]) -> None:
    """Print nodes."""
    now = datetime.now(UTC)
    show_table(nodes, NODE_HEADER, [_node_row(node, now) for node in nodes])


def show_routes(nodes: list[dict[str, Any]]) -> None:
    """Print the routes of those nodes that have any."""
    kinds = ("approvedRoutes", "availableRoutes", "subnetRoutes")
    routers = [node for node in nodes if any(node[kind] for kind in kinds)]
    show_table(routers, ROUTE_HEADER, [_route_row(node, kinds) for node in routers])


def _node_row(node: dict[str, Any], now: datetime) -> list[str]:
    expiry = node["expiry"]
    return [
        node["id"],
        node["name"],
        node["givenName"],
        _short(node["machineKey"]),
        _short(node["nodeKey"]),
        (node["user"] or {}).get("name", ""),
        "\n".join(node["tags"]),
        "\n".join(node["ipAddresses"]),
        yes(bool(node["preAuthKey"] and node["preAuthKey"]["ephemeral"])),
        minute(node["lastSeen"], ""),
        minute(expiry, "N/A"),
        _connected(node),
        yes(bool(expiry) and datetime.fromisoformat(expiry) <= now),
    ]


def _route_row(node: dict[str, Any], kinds: Sequence[str]) -> list[str]:
    return [node["id"], node["givenName"], *("\n".join(node.get(kind, ())) for kind in (*kinds, "warnings"))]


def _connected(node: dict[str, Any]) -> str:
    if not node.get("authorized", True):
        return "waits for approval"
    return "online" if node["online"] else "offline"


def _short(key: str) -> str:
    """The start of a key, enough to tell two apart."""
    return key.partition(":")[2][:8]
