"""How the relays of a DERP map are: how far each is by STUN and by the relay's own protocol, or what is wrong."""

import asyncio
import hashlib
import secrets
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

import anyio

from hatsize.derp.map import PIN_PREFIX
from hatsize.wire.stun import build_request
from hatsize.wire.tailcfg import DERPMap, DERPNode, DERPRegion

TIMEOUT = 3.0


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """One node as it was found; times in seconds."""

    region: DERPRegion
    node: DERPNode
    stun: float | None
    """The round trip by STUN, None where there was no answer or the node offers none."""
    relay: float | None
    """What connecting and being greeted took, None where it failed or the node is for STUN only."""
    problem: str = ""


async def look_at(derp_map: DERPMap) -> list[NodeStatus]:
    """Ask all nodes at once; in the map's order."""
    nodes = list(_nodes(derp_map))
    found: list[NodeStatus | None] = [None] * len(nodes)

    async def ask(place: int) -> None:
        found[place] = await _status(*nodes[place])

    async with anyio.create_task_group() as group:
        for place in range(len(nodes)):
            group.start_soon(ask, place)
    return [each for each in found if each is not None]


def _nodes(derp_map: DERPMap) -> Iterator[tuple[DERPRegion, DERPNode]]:
    for region in (derp_map.Regions or {}).values():
        if region is not None:
            for node in region.Nodes:
                yield region, node


async def _status(region: DERPRegion, node: DERPNode) -> NodeStatus:
    problems: list[str] = []
    stun = relay = None
    if node.STUNPort >= 0:
        try:
            stun = await _stun(_address(node), node.STUNPort or 3478)
        except (OSError, UnicodeError) as error:
            problems.append(f"STUN: {_in_words(error)}")
    if not node.STUNOnly:
        try:
            relay = await _greeting(node)
        except (OSError, EOFError, UnicodeError, asyncio.LimitOverrunError) as error:
            problems.append(f"DERP: {_in_words(error)}")
    return NodeStatus(region, node, stun, relay, "; ".join(problems))


def _in_words(error: Exception) -> str:
    if isinstance(error, UnicodeError):
        return "its HostName is no name that DNS could have; correct it in the map"
    if isinstance(error, asyncio.LimitOverrunError):
        return "it answers at length instead of switching to DERP"
    return str(error) or "no answer"


async def _stun(host: str, port: int) -> float:
    transaction = secrets.token_bytes(12)
    async with await anyio.create_connected_udp_socket(host, port) as udp:
        started = perf_counter()
        with anyio.fail_after(TIMEOUT):
            await udp.send(build_request(transaction))
            while (await udp.receive())[8:20] != transaction:
                pass
        return perf_counter() - started


async def _greeting(node: DERPNode) -> float:
    """Connect over TLS as a client does and wait for the relay's answer."""
    pinned = node.CertName.startswith(PIN_PREFIX)
    name = node.HostName if pinned else node.CertName or node.HostName
    context = ssl.create_default_context()
    if pinned or node.InsecureForTests:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    started = perf_counter()
    with anyio.fail_after(TIMEOUT):
        reader, writer = await asyncio.open_connection(
            _address(node), node.DERPPort or 443, ssl=context, server_hostname=name
        )
        try:
            _check_pin(node, writer)
            writer.write(
                f"GET /derp HTTP/1.1\r\nHost: {node.HostName}\r\nUpgrade: DERP\r\nConnection: Upgrade\r\n\r\n".encode()
            )
            answer = (await reader.readuntil(b"\r\n")).decode("latin1").strip()
        finally:
            writer.transport.abort()
    if not answer.startswith("HTTP/1.1 101"):
        raise OSError(f"it answers {answer!r} instead of switching to DERP")
    return perf_counter() - started


def _check_pin(node: DERPNode, writer: asyncio.StreamWriter) -> None:
    if node.CertName.startswith(PIN_PREFIX):
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        if hashlib.sha256(shown).hexdigest() != node.CertName.removeprefix(PIN_PREFIX):
            raise OSError("its certificate is not the one the map pins")


def _address(node: DERPNode) -> str:
    return next((each for each in (node.IPv4, node.IPv6) if each not in {"", "none"}), node.HostName)
