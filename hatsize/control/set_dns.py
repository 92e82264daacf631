"""`/machine/set-dns`: a node asks for the record by which an ACME authority believes that a name is its own."""

import re
from collections import Counter

import anyio
from quart import Blueprint, Response, request

from hatsize.control.peer import asking_node, body_of, json_answer, text_answer
from hatsize.hooks.dns import ChallengePublisher, PublishError, publishes
from hatsize.live.tailnet import LiveTailnet
from hatsize.tailnet.model import Node
from hatsize.wire.tailcfg import SetDNSRequest

LABEL = "_acme-challenge"
DEADLINE = 60.0
"""Seconds a publisher has."""
AT_ONCE = 8
"""Requests of one node that may be under way."""
DIGEST = re.compile(r"[A-Za-z0-9_-]{1,255}")
"""base64url (RFC 8555, 8.4), in one string of a TXT record."""


def blueprint(live: LiveTailnet) -> Blueprint:
    """The endpoint."""
    routes = Blueprint("set_dns", __name__)
    under_way: Counter[int] = Counter()

    @routes.post("/machine/set-dns")
    async def set_dns() -> Response:
        wanted = await body_of(request, SetDNSRequest)
        node = asking_node(live.state, request, wanted.NodeKey)
        if under_way[node.id] >= AT_ONCE:
            return text_answer(f"{AT_ONCE} requests of this node are under way: wait for them", 429)
        under_way[node.id] += 1
        try:
            return await _answer(live, node, wanted)
        finally:
            under_way[node.id] -= 1

    return routes


def no_publisher(name: str) -> str:
    """What to say where nobody publishes challenges for a node's name."""
    return f"this server publishes no DNS records for {name}: its operator can enable a plugin that does, as dns"


async def _answer(live: LiveTailnet, node: Node, wanted: SetDNSRequest) -> Response:
    own = live.netmap.scene.fqdn(node).rstrip(".")
    name = f"{LABEL}.{own}"
    if wanted.Type != "TXT" or wanted.Name.rstrip(".").lower() != name:
        return text_answer(f"a node may only set TXT records of {name}", 403)
    if not DIGEST.fullmatch(wanted.Value):
        return text_answer(f"this is no value of an ACME challenge for {name}", 400)
    for publisher in live.services.plugins.services("challenge_publisher"):
        if publishes(publisher, own):
            return await _publish(live, publisher, node, name, wanted.Value)
    return text_answer(no_publisher(own), 501)


async def _publish(live: LiveTailnet, publisher: ChallengePublisher, node: Node, name: str, value: str) -> Response:
    """Have a publisher do it, whatever becomes of that."""
    ledger = live.services.plugins.ledger
    try:
        with anyio.fail_after(DEADLINE):
            await publisher.publish(node, name, "TXT", value)
    except PublishError as error:
        ledger.unavailable(publisher.name, "publish", str(error))
        return text_answer(str(error), 502)
    except TimeoutError:
        ledger.cut_off(publisher.name, "publish", DEADLINE)
        return text_answer(f"{name} could not be published within {DEADLINE:g} seconds, try again later", 504)
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything
        ledger.failed(publisher.name, "publish", error)
        return text_answer(f"{name} could not be published; the server's log says why", 502)
    return json_answer({})
