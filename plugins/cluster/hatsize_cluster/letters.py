"""Questions to clients of other replicas: too long for a notification, so they are written down and fetched."""

import asyncio
import secrets
from collections.abc import Callable

import msgspec
from psycopg import AsyncConnection

from hatsize.hooks.replicas import Replica
from hatsize_cluster.database import Row


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
    """The correspondence of one replica. `connection` gives the open one, or None."""

    def __init__(self, connection: Callable[[], AsyncConnection[Row] | None]) -> None:
        self._connection = connection
        self._waiting: dict[str, asyncio.Future[bytes | None]] = {}

    async def ask(
        self, channel: str, sender: int, to: int, node: int, *, types: str, payload: bytes, within: float
    ) -> bytes | None:
        """What a node that is connected to another replica answers; None when it does not in time."""
        token = secrets.token_urlsafe(12)
        answer: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self._waiting[token] = answer
        try:
            await self._send(channel, to, Question(sender, token, node, types, payload, within))
            async with asyncio.timeout(within + EXTRA):
                return await answer
        except TimeoutError:
            return None
        finally:
            del self._waiting[token]

    async def take(self, channel: str, number: int, replica: Replica) -> None:
        """Fetch a letter to this replica, and do what it says."""
        letter = await self._fetch(number)
        match letter:
            case Question(sender, token, node, types, payload, within):
                answer = await replica.ask(node, types, payload, within)
                await self._send(channel, sender, Answer(token, answer))
            case Answer(token, payload):
                waiting = self._waiting.get(token)
                if waiting is not None and not waiting.done():
                    waiting.set_result(payload)
            case None:
                pass

    async def _send(self, channel: str, to: int, letter: Letter) -> None:
        connection = self._connection()
        if connection is not None:
            await connection.execute(SEND, [msgspec.msgpack.encode(letter), channel, to])

    async def _fetch(self, number: int) -> Letter | None:
        connection = self._connection()
        if connection is None:
            return None
        cursor = await connection.execute("DELETE FROM cluster_letter WHERE id = %s RETURNING body", [number])
        row = await cursor.fetchone()
        return _decoder.decode(bytes(row[0])) if row else None


SEND = """
WITH old AS (DELETE FROM cluster_letter WHERE at < clock_timestamp() - interval '5 minutes'),
     sent AS (INSERT INTO cluster_letter (body) VALUES (%s) RETURNING id)
SELECT pg_notify(%s, json_build_object('to', %s::bigint, 'letter', id)::text) FROM sent
"""
