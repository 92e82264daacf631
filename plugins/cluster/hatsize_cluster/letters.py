"""Questions to clients of other replicas: too long for a notification, so they are written down and fetched."""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress

import msgspec

from hatsize.hooks.replicas import Replica
from hatsize_cluster.retrying import TROUBLE
from hatsize_cluster.tether import Tether


class Question(msgspec.Struct, tag=True, frozen=True):
    """Ask a node that is connected to you."""

    sender: int
    """The epoch that waits for the answer."""
    token: str
    node: int
    types: str
    payload: bytes
    within: float


class Answer(msgspec.Struct, tag=True, frozen=True):
    """What it answered, None for nothing."""

    token: str
    payload: bytes | None


Letter = Question | Answer
_decoder: msgspec.msgpack.Decoder[Letter] = msgspec.msgpack.Decoder(Letter)
EXTRA = 1.0
"""Seconds for the way there and back."""


class Letters:
    """The correspondence of one replica. `tether` gives its membership's, or None while there is no connection."""

    def __init__(self, tether: Callable[[], Tether | None]) -> None:
        self._tether = tether
        self._waiting: dict[str, asyncio.Future[bytes | None]] = {}

    async def ask(self, to: int, node: int, *, types: str, payload: bytes, within: float) -> bytes | None:
        """What a node that is connected to another replica answers; None when it does not in time."""
        tether = self._tether()
        if tether is None:
            return None
        token = secrets.token_urlsafe(12)
        answer: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self._waiting[token] = answer
        try:
            await _send(tether, to, Question(tether.epoch, token, node, types, payload, within))
            async with asyncio.timeout(within + EXTRA):
                return await answer
        except TimeoutError:
            return None
        finally:
            del self._waiting[token]

    async def take(self, number: int, replica: Replica) -> None:
        """Fetch a letter to this replica, and do what it says."""
        tether = self._tether()
        if tether is not None:
            with suppress(*TROUBLE):
                await self._read(tether, await _fetch(tether, number), replica)

    async def _read(self, tether: Tether, letter: Letter | None, replica: Replica) -> None:
        match letter:
            case Question(sender, token, node, types, payload, within):
                answer = await replica.ask(node, types, payload, within)
                await _send(tether, sender, Answer(token, answer))
            case Answer(token, payload):
                waiting = self._waiting.get(token)
                if waiting is not None and not waiting.done():
                    waiting.set_result(payload)
            case None:
                pass


async def _send(tether: Tether, to: int, letter: Letter) -> None:
    await tether.connection.execute(SEND, [msgspec.msgpack.encode(letter), tether.channel, to])


async def _fetch(tether: Tether, number: int) -> Letter | None:
    query = "DELETE FROM cluster_letter WHERE id = %s RETURNING body"
    row = await (await tether.connection.execute(query, [number])).fetchone()
    return _decoder.decode(bytes(row[0])) if row else None


SEND = """
WITH old AS (DELETE FROM cluster_letter WHERE at < clock_timestamp() - interval '5 minutes'),
     sent AS (INSERT INTO cluster_letter (body) VALUES (%s) RETURNING id)
SELECT pg_notify(%s, json_build_object('to', %s::bigint, 'letter', id)::text) FROM sent
"""
