"""Approved routes, in the three ways Headscale has kept them.

since 0.26       nodes.approved_routes      a JSON list
0.17 to 0.25     routes                     a row each, `enabled` when approved
before           machines.enabled_routes    a JSON list
"""

from ipaddress import ip_network

from hatsize.importing.rows import Row, Tables


class Routes:
    """The approved routes of every node."""

    def __init__(self, tables: Tables) -> None:
        self._of: dict[int, list[str]] = {}
        for cells in tables.get("routes", ()):
            node_id = cells.get("node_id") or cells.get("machine_id")
            if cells.get("enabled") and cells.get("deleted_at") is None and isinstance(node_id, int):
                self._of.setdefault(node_id, []).append(str(cells.get("prefix")))

    def of(self, row: Row) -> tuple[str, ...]:
        """A node's approved routes in canonical form; one that is no prefix is told of and left out."""
        kept = row.texts("approved_routes") if row.has("approved_routes") else row.texts("enabled_routes")
        found: dict[str, None] = {}
        for text in kept or self._of.get(row.id, ()):
            try:
                found[str(ip_network(text, strict=False))] = None
            except ValueError:
                row.findings.changed(row.name, f"its route {text!r} is no prefix: comes over without")
        return tuple(found)
