"""`hatsize derp status`: the relays of a map as they are found from here."""

from pathlib import Path
from typing import Any

import anyio
import click
import msgspec

from hatsize.cli.arguments import read_text
from hatsize.cli.failures import Failure
from hatsize.cli.output import show_table
from hatsize.cli.server import ask
from hatsize.derp.map import DERPMapError
from hatsize.derp.map_sources import parse
from hatsize.derp.status import NodeStatus, look_at
from hatsize.wire.tailcfg import DERPMap, decode

HEADER = ["Region", "Name", "Node", "Host", "STUN", "DERP", "Health"]


def show_status(source: Path | None) -> None:
    """Print the status of each node, and exit with 1 where a region has none that is well."""
    found = anyio.run(look_at, _map(source))
    show_table([_plain(each) for each in found], HEADER, [_row(each) for each in found])
    well = {each.region.RegionID for each in found if not each.problem}
    if any(each.region.RegionID not in well for each in found):
        click.get_current_context().exit(1)


def _map(source: Path | None) -> DERPMap:
    """The map in a file, or the running server's."""
    if source is None:
        return decode(DERPMap, msgspec.json.encode(ask("GET", "/derpmap")["derpMap"]))
    try:
        return parse(read_text(source).encode(), str(source))
    except DERPMapError as error:
        raise Failure(str(error)) from None


def _row(found: NodeStatus) -> list[str]:
    region, node = found.region, found.node
    return [
        f"{region.RegionID} {region.RegionCode}",
        region.RegionName,
        node.Name,
        node.HostName,
        _shown(found.stun),
        _shown(found.relay),
        found.problem or "ok",
    ]


def _plain(found: NodeStatus) -> dict[str, Any]:
    """A node's status for programs; times in milliseconds."""
    return {
        "regionId": found.region.RegionID,
        "regionCode": found.region.RegionCode,
        "regionName": found.region.RegionName,
        "node": found.node.Name,
        "hostName": found.node.HostName,
        "stunMs": _milliseconds(found.stun),
        "derpMs": _milliseconds(found.relay),
        "healthy": not found.problem,
        "problem": found.problem,
    }


def _shown(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:.1f} ms"


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)
