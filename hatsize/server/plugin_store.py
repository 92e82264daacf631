"""What one plugin keeps in the tailnet's state."""

from collections.abc import Callable, Mapping
from datetime import datetime

from hatsize.live.tailnet import LiveTailnet
from hatsize.tailnet.commands.plugin_items import delete_item, item_of, items_of, put_item
from hatsize.tailnet.model import Change
from hatsize.tailnet.state import State


class LiveStore:
    """Implements `hatsize.hooks.lifecycle.PluginStore`."""

    def __init__(self, live: LiveTailnet, plugin: str) -> None:
        self._live = live
        self._plugin = plugin

    def get(self, key: str) -> bytes | None:
        item = item_of(self._live.state, self._plugin, key, self._live.clock())
        return item.value if item else None

    def items(self, prefix: str = "") -> Mapping[str, bytes]:
        return {item.key: item.value for item in items_of(self._live.state, self._plugin, prefix, self._live.clock())}

    async def put(self, key: str, value: bytes, expires: datetime | None = None) -> None:
        await self._run(lambda state, now: put_item(state, self._plugin, key, value, now, expires=expires))

    async def delete(self, key: str) -> None:
        await self._run(lambda state, now: delete_item(state, self._plugin, key, now))

    async def swap(self, key: str, former: bytes | None, value: bytes | None, expires: datetime | None = None) -> bool:
        is_so = False

        def command(state: State, now: datetime) -> Change | None:
            nonlocal is_so
            item = item_of(state, self._plugin, key, now)
            is_so = (item.value if item else None) == former
            if not is_so:
                return None
            if value is None:
                return delete_item(state, self._plugin, key, now)
            return put_item(state, self._plugin, key, value, now, expires=expires)

        await self._run(command)
        return is_so

    async def _run(self, command: Callable[[State, datetime], Change | None]) -> None:
        live = self._live
        if await live.run(lambda state: command(state, live.clock())) is None:
            # It is so already as far as is known here, and another replica may have changed it a moment ago.
            await live.refresh()
            await live.run(lambda state: command(state, live.clock()))
