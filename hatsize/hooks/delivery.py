"""Delivery of events: from the place where they happen, which must not wait, to each plugin at its own pace."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from hatsize.hooks.calls import Calls, Implementation
from hatsize.hooks.ledger import Ledger
from hatsize.tailnet.model import Change
from hatsize.tailnet.state import State

LIMIT = 10_000
"""How many events may wait for one plugin."""
FAREWELL = 2.0
"""Seconds in which plugins may hear what still waits for them when the server stops."""

Event = tuple[Implementation, dict[str, Any]]


class Delivery:
    """Carries the events of one tailnet to the plugins that listen."""

    def __init__(
        self, state: State, listeners: Sequence[Implementation], calls: Calls, ledger: Ledger, limit: int = LIMIT
    ) -> None:
        self._state = state
        self._calls = calls
        self._ledger = ledger
        self._listeners = listeners
        self._boxes: dict[str, MemoryObjectSendStream[Event]] = {}
        self._readers: dict[str, MemoryObjectReceiveStream[Event]] = {}
        for plugin in dict.fromkeys(each.plugin for each in listeners):
            self._boxes[plugin], self._readers[plugin] = anyio.create_memory_object_stream[Event](limit)

    def changed(self, change: Change) -> None:
        """A change has become true."""
        self._post("hatsize_changed", {"change": change})

    def presence(self, node_id: int, online: bool) -> None:
        """A node came online or went offline."""
        self._post("hatsize_node_online", {"node_id": node_id, "online": online})

    @property
    def waiting(self) -> dict[str, int]:
        """How many events wait, by plugin."""
        return {plugin: box.statistics().current_buffer_used for plugin, box in self._boxes.items()}

    async def run(self) -> None:
        """Deliver until cancelled; what waits then is still delivered, for a little while."""
        rounds = [_Round(reader) for reader in self._readers.values()]
        async with anyio.create_task_group() as tasks:
            for each in rounds:
                tasks.start_soon(self._serve, each)
            try:
                await anyio.sleep_forever()
            finally:
                for box in self._boxes.values():
                    box.close()
                with anyio.move_on_after(FAREWELL, shield=True):
                    for each in rounds:
                        await each.done.wait()
                for each in rounds:
                    each.scope.cancel()

    def close(self) -> None:
        """Deliver nothing any more, whether it ever ran or not."""
        for plugin, box in self._boxes.items():
            box.close()
            self._readers[plugin].close()

    async def _serve(self, turn: "_Round") -> None:
        """Deliver one plugin's events, one after the other, until there will be none any more."""
        with turn.scope, turn.reader:
            async for listener, arguments in turn.reader:
                await self._calls.one(listener, {"state": self._state, **arguments})
        turn.done.set()

    def _post(self, hook: str, arguments: dict[str, Any]) -> None:
        for listener in self._listeners:
            if listener.hook == hook:
                try:
                    self._boxes[listener.plugin].send_nowait((listener, arguments))
                except anyio.WouldBlock:
                    self._ledger.missed(listener.plugin)
                except anyio.ClosedResourceError:
                    return


@dataclass(frozen=True, slots=True)
class _Round:
    """The delivery to one plugin, which only the farewell's end cuts off."""

    reader: MemoryObjectReceiveStream[Event]
    scope: anyio.CancelScope = field(default_factory=lambda: anyio.CancelScope(shield=True))
    done: anyio.Event = field(default_factory=anyio.Event)
