"""Questions to a connected client, sent on its map stream and answered in the tunnel (protocol fact sheet, 3.1)."""

import asyncio
import secrets
from typing import cast

from quart import Blueprint, Response, request

from hatsize.control.peer import Peer, peer_of, text_answer
from hatsize.control.sessions import Hub
from hatsize.live.tailnet import LiveTailnet
from hatsize.tailnet.model import Node
from hatsize.wire import tailcfg
from hatsize.wire.keys import MachineKey
from hatsize.wire.tailcfg import MapResponse, PingRequest

ANSWERS = "/machine/ping-response/"
HOST = "https://unused"
"""Clients answer in the tunnel whatever host the URL names."""


class NoAnswerError(Exception):
    """The client did not answer; the message says why."""


class Pings:
    """The questions of one tailnet that wait for an answer, each known by a token that only its node is told."""

    def __init__(self, live: LiveTailnet, hub: Hub) -> None:
        self._live = live
        self._hub = hub
        self._waiting: dict[str, tuple[MachineKey, asyncio.Future[bytes]]] = {}

    async def ask(self, node_id: int, *, within: float, types: str = "", payload: bytes = b"") -> bytes:
        """A node's answer; a plain ping, which has no `types`, is answered with nothing. Raises NoAnswerError.

        `payload` is a raw HTTP request for `c2n`, and for pings of other types the address to ping.
        """
        node = self._live.state.find(Node, node_id)
        if node is None:
            raise NoAnswerError(f"there is no node {node_id}")
        if self._live.attendance.presence.is_elsewhere(node_id) and not self._live.attendance.presence.is_here(node_id):
            return await self._ask_elsewhere(node, types, payload, within)
        token = secrets.token_urlsafe(18)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[token] = node.machine_key, answer
        question = _question(f"{HOST}{ANSWERS}{token}", types, payload)
        message = tailcfg.encode(MapResponse(KeepAlive=True, PingRequest=question))
        try:
            if not self._hub.send(node_id, message):
                raise NoAnswerError(f"{node.given_name} is not connected")
            async with asyncio.timeout(within):
                return await answer
        except TimeoutError:
            raise NoAnswerError(f"{node.given_name} did not answer within {within:g} seconds") from None
        finally:
            del self._waiting[token]

    async def _ask_elsewhere(self, node: Node, types: str, payload: bytes, within: float) -> bytes:
        answer = await self._live.services.replication.ask(node.id, types, payload, within)
        if answer is None:
            raise NoAnswerError(f"{node.given_name} did not answer within {within:g} seconds, by another replica")
        return answer

    async def is_alive(self, node_id: int, within: float) -> bool:
        """Whether the node answers a ping."""
        try:
            await self.ask(node_id, within=within)
        except NoAnswerError:
            return False
        return True

    def take(self, peer: Peer, token: str, body: bytes) -> bool:
        """A machine answers; whether it was asked."""
        machine_key, answer = self._waiting.get(token, (None, None))
        if answer is None or machine_key != peer.machine_key:
            return False
        if not answer.done():
            answer.set_result(body)
        return True


def _question(url: str, types: str, payload: bytes) -> PingRequest:
    if types in ("", "c2n"):
        return PingRequest(URL=url, URLIsNoise=True, Types=types, Payload=payload)
    return PingRequest(URL=url, URLIsNoise=True, Types=types, IP=payload.decode())


def blueprint(pings: Pings) -> Blueprint:
    """Where clients answer: `HEAD` for a plain ping, `POST` for all others."""
    routes = Blueprint("pings", __name__)

    @routes.route(f"{ANSWERS}<token>", methods=["HEAD", "GET", "POST"])
    async def answer(token: str) -> Response:
        body = cast("bytes", await request.get_data(cache=False))
        if not pings.take(peer_of(request), token, body):
            return text_answer("nobody waits for this answer", 404)
        return Response(b"")

    return routes
