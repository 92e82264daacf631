"""Map sessions: every open map stream, told what it lags behind, all in one loop with no task of their own."""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from hatsize.control.pace import Door, Pace
from hatsize.live.tailnet import LiveTailnet
from hatsize.netmap.engine import Reader
from hatsize.netmap.pieces import frame
from hatsize.tailnet.model import Node
from hatsize.wire import mapframe

log = logging.getLogger(__name__)

KEEPALIVE = 50.0
"""Seconds without a message after which a stream gets a keepalive; the client gives up after 120."""
JITTER = 8.0
SLICE = 0.005
"""Seconds for which the loop tells sessions before it lets others run."""
_KEEPALIVES = {True: mapframe.KEEPALIVE_ZSTD, False: mapframe.KEEPALIVE}
"""By whether the client asked for zstd."""


class Sink(Protocol):
    """A response stream that the hub writes to; the tunnel makes it."""

    on_writable: Callable[[], None] | None
    on_close: Callable[[], None] | None

    def write(self, data: bytes) -> bool:
        """Send all of it; False when no more may be written until `on_writable` is called."""

    def close(self) -> None:
        """End the stream."""


@dataclass(slots=True, eq=False)
class Session:
    """One open map stream."""

    reader: Reader
    node: Node
    """As it was when the stream opened; what a farewell is made from."""
    sink: Sink
    blocked: bool = False
    told_at: float = 0.0


class Hub:
    """The sessions of one tailnet. `open` begins one; the rest happens by itself."""

    def __init__(self, live: LiveTailnet) -> None:
        self._live = live
        self._sessions: dict[int, Session] = {}
        self._queue: deque[Session] = deque()
        self._scheduled = False
        self._again = False
        self._beginning: asyncio.Handle | None = None
        """Of the next telling of everybody, while that has to wait."""
        self._pace = Pace()
        self._spent = 0.0
        self._woken = 0.0
        self._version = live.netmap.version
        """The state's version that is being told, or was last."""
        self._changed = 0
        """How many nodes had changed since it was told before."""
        self._leaving: dict[int, asyncio.TimerHandle] = {}
        self._wheel: list[list[Session]] = [[] for _ in range(int(KEEPALIVE + JITTER) + 2)]
        self._hand = 0
        self.door = Door()
        self.door.when_empty = self._nobody_expected
        live.watch(self.wake)

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[Session]:
        return iter(self._sessions.values())

    def open(self, reader: Reader, node: Node, sink: Sink) -> None:
        """Begin a session: the whole netmap now, differences from then on. A former session of the node ends."""
        former = self._sessions.get(node.id)
        session = self._sessions[node.id] = Session(reader, node, sink)
        if former is not None:
            self._let_go(former)
        sink.on_close = lambda: self._closed(session)
        sink.on_writable = lambda: self._writable(session)
        leaving = self._leaving.pop(node.id, None)
        if leaving is not None:
            leaving.cancel()
        self._tell(session)
        self._put_on_wheel(session, KEEPALIVE + random.uniform(0, JITTER))  # noqa: S311 - spreads load, no secret
        self._live.came_online(node.id)

    def send(self, node_id: int, message: bytes) -> bool:
        """Send one node a message of its own, JSON; False when it has no stream, or one that is full."""
        session = self._sessions.get(node_id)
        if session is None or session.blocked:
            return False
        self._send(session, frame([message], zstd=session.reader.zstd), "request")
        return True

    def wake(self) -> None:
        """Something may have changed: tell everybody as soon as the pace allows, on an idle server at once."""
        if self._scheduled:
            self._again = True
            return
        self._scheduled = True
        self._woken = monotonic()
        self._await_beginning()

    def tick(self) -> None:
        """A second has passed: send the keepalives that are due, and end streams that took nothing for so long."""
        self._hand = (self._hand + 1) % len(self._wheel)
        due, self._wheel[self._hand] = self._wheel[self._hand], []
        now = monotonic()
        for session in due:
            if self._sessions.get(session.node.id) is not session:
                continue
            left = session.told_at + KEEPALIVE - now
            if left <= 1 and session.blocked:
                self._end(session)
                continue
            if left <= 1:
                self._send(session, _KEEPALIVES[session.reader.zstd], "keepalive")
                left = KEEPALIVE + random.uniform(0, JITTER)  # noqa: S311 - spreads load, no secret
            self._put_on_wheel(session, left)

    def close(self) -> None:
        """End all streams; the clients come back by themselves."""
        for handle in self._leaving.values():
            handle.cancel()
        self._leaving.clear()
        if self._beginning is not None:
            self._beginning.cancel()
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            self._let_go(session)

    def _await_beginning(self) -> None:
        pause = self._pace.pause(self._woken, monotonic(), expecting=bool(self.door))
        loop = asyncio.get_running_loop()
        self._beginning = loop.call_later(pause, self._begin) if pause > 0 else loop.call_soon(self._begin)

    def _nobody_expected(self) -> None:
        if self._beginning is not None:
            self._beginning.cancel()
            self._await_beginning()

    def _begin(self) -> None:
        self._beginning = None
        self.door.forget()
        self._again = False
        self._spent = 0.0
        netmap = self._live.netmap
        self._changed, self._version = netmap.changed_since(self._version), netmap.version
        self._queue.extend(self._sessions.values())
        self._slice()

    def _slice(self) -> None:
        queue, started = self._queue, monotonic()
        end = started + SLICE
        while queue and monotonic() < end:
            self._tell(queue.popleft())
        now = monotonic()
        self._spent += now - started
        if queue:
            asyncio.get_running_loop().call_soon(self._slice)
            return
        self._scheduled = False
        self._live.measures.fan_outs.observe(now - self._woken)
        self._pace.told(now, self._spent, self._changed)
        self._live.netmap.forgotten_before(
            min((session.reader.version for session in self._sessions.values()), default=self._live.netmap.version)
        )
        if self._again:
            self.wake()

    def _tell(self, session: Session) -> None:
        if session.blocked:
            return
        kind = "full" if session.reader.version < 0 else "difference"
        try:
            message = self._live.netmap.next(session.reader)
        except Exception:  # a plugin's part in one node's netmap must not keep the others from theirs
            log.exception("cannot make the netmap of node %d; its stream ends", session.node.id)
            self._end(session)
            return
        if message is not None:
            self._send(session, message, kind)
        elif self._live.state.find(Node, session.node.id) is None and self._is_open(session):
            self._send(session, self._live.netmap.farewell(session.node, session.reader), "farewell")
            del self._sessions[session.node.id]
            self._let_go(session)

    def _send(self, session: Session, message: bytes, kind: str) -> None:
        session.told_at = monotonic()
        self._live.measures.message(kind, len(message))
        if not session.sink.write(message):
            session.blocked = True

    def _writable(self, session: Session) -> None:
        session.blocked = False
        if self._is_open(session):
            self._tell(session)

    def _end(self, session: Session) -> None:
        """End a stream from this side; its client comes back by itself."""
        self._closed(session)
        self._let_go(session)

    def _closed(self, session: Session) -> None:
        if not self._is_open(session):
            return
        node_id = session.node.id
        del self._sessions[node_id]
        loop = asyncio.get_running_loop()
        after = self._live.terms.offline_after.total_seconds()
        self._leaving[node_id] = loop.call_later(after, self._gone, node_id)

    def _gone(self, node_id: int) -> None:
        self._leaving.pop(node_id, None)
        if node_id not in self._sessions:
            self._live.went_offline(node_id)

    def _is_open(self, session: Session) -> bool:
        return self._sessions.get(session.node.id) is session

    @staticmethod
    def _let_go(session: Session) -> None:
        session.sink.on_close = session.sink.on_writable = None
        session.sink.close()

    def _put_on_wheel(self, session: Session, seconds: float) -> None:
        slot = (self._hand + min(max(int(seconds), 1), len(self._wheel) - 1)) % len(self._wheel)
        self._wheel[slot].append(session)
