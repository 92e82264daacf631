"""Posture attributes that plugins contribute, kept in the nodes, where postures are judged by them."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

import anyio
from msgspec.structs import replace

from hatsize.hooks.storage import StorageError
from hatsize.live.tailnet import LiveTailnet
from hatsize.tailnet.model import Change, Node
from hatsize.tailnet.state import State

log = logging.getLogger(__name__)

HOOK = "hatsize_node_attributes"
ASK_EVERY = 300.0
"""Seconds between questions about every node."""
CLAIM_EVERY = 5.0
"""Seconds until a replica that is not to ask looks again whether it is."""
AT_A_TIME = 20
"""How many nodes are asked about at once, and stored in one change."""
ACTOR = "plugins"
DUTY = "asking for posture attributes"

Given = Mapping[str, Mapping[str, Any]]
"""A node's attributes by the plugin that gives them."""


class PolicyAttributes:
    """Asks plugins about a node when it registers or changes, and about all of them now and then."""

    def __init__(self, live: LiveTailnet) -> None:
        self._live = live
        self._plugins = live.services.plugins
        self._due: set[int] = set()
        self._woken = anyio.Event()
        self._told: set[tuple[str, str]] = set()

    async def run(self) -> None:
        """Keep the attributes up to date until cancelled; nothing to do where no plugin gives any."""
        if not self._plugins.implementations(HOOK):
            return
        self._live.listen(self._heard)
        while True:
            await self.refresh(self._live.state.table(Node))
            with anyio.move_on_after(ASK_EVERY if self._is_ours() else CLAIM_EVERY):
                await self._refresh_changed()

    async def refresh(self, node_ids: Iterable[int]) -> None:
        """Ask about nodes, and store what is new of what is answered; where there are replicas, one of them does."""
        if not self._is_ours():
            return
        waiting = list(node_ids)
        for start in range(0, len(waiting), AT_A_TIME):
            given: dict[int, Given] = {}
            async with anyio.create_task_group() as tasks:
                for node_id in waiting[start : start + AT_A_TIME]:
                    tasks.start_soon(self._ask_about, node_id, given)
            await self._store(given)

    def _is_ours(self) -> bool:
        return self._live.services.replication.is_ours(DUTY)

    async def _refresh_changed(self) -> None:
        while True:
            await self._woken.wait()
            self._woken = anyio.Event()
            due, self._due = self._due, set()
            await self.refresh(due)

    async def _ask_about(self, node_id: int, given: dict[int, Given]) -> None:
        node = self._live.state.find(Node, node_id)
        if node is not None:
            given[node_id] = await self._plugins.node_attributes(self._live.state, node)

    async def _store(self, given: Mapping[int, Given]) -> None:
        """Put what was given into the nodes, in one change, if it is anything new."""

        def command(state: State) -> Change | None:
            found = [(node, self._merged(node.attributes, given[node.id])) for node in _nodes(state, given)]
            puts = tuple(replace(node, attributes=new) for node, new in found if new != node.attributes)
            if not puts:
                return None
            now = self._live.clock()
            return Change(tailnet=state.tailnet_id, kind="node.updated", puts=puts, actor=ACTOR, at=now)

        try:
            await self._live.run(command)
        except StorageError as error:
            log.warning(
                "posture attributes of %d nodes were not stored, plugins are asked again: %s", len(given), error
            )

    def _merged(self, former: Mapping[str, Any], given: Given) -> dict[str, Any]:
        """The attributes with what each plugin that answered gives in place of what it gave before."""
        kept = {name: value for name, value in former.items() if name.partition(":")[0] not in given}
        for plugin, answer in given.items():
            for name, value in answer.items():
                if name.startswith(f"{plugin}:") and isinstance(value, str | bool | int | float):
                    kept[name] = value
                else:
                    self._tell(plugin, name)
        return kept

    def _tell(self, plugin: str, name: str) -> None:
        """Say once of an attribute that it is not taken."""
        if (plugin, name) not in self._told:
            self._told.add((plugin, name))
            mend = f"name it {plugin}:…, and give a text, a number, true or false"
            log.error("plugin %s: its attribute %r is not taken: %s", plugin, name, mend)

    def _heard(self, change: Change) -> None:
        if change.kind == "node.reported" or change.actor == ACTOR:
            return
        nodes = {record.id for record in change.puts if isinstance(record, Node)}
        if nodes:
            self._due |= nodes
            self._woken.set()


def _nodes(state: State, node_ids: Iterable[int]) -> list[Node]:
    return [node for node_id in node_ids if (node := state.find(Node, node_id)) is not None]
