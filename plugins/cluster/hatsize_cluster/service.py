"""The cluster as the core asks it, and what runs beside the server for that."""

import secrets
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version

import anyio
from anyio import to_thread

from hatsize.hooks.lifecycle import Server
from hatsize.hooks.setup import Setup
from hatsize.hooks.storage import Storage
from hatsize_cluster import draining, schema, sealing
from hatsize_cluster.database import connected_now, conninfo
from hatsize_cluster.follower import follow
from hatsize_cluster.hearing import Hearing
from hatsize_cluster.identity import kept_id
from hatsize_cluster.lease import Lease
from hatsize_cluster.letters import Letters
from hatsize_cluster.membership import BEATS, Membership
from hatsize_cluster.others import Others
from hatsize_cluster.outlook import Outlook
from hatsize_cluster.relays import Relays
from hatsize_cluster.retrying import TROUBLE, again
from hatsize_cluster.settings import Settings

SETTLED_AFTER = 60.0
"""Seconds from a start until all nodes that are there have connected again."""


class Cluster:
    """Implements `hatsize.hooks.replicas.Replication`. `run` it beside the server."""

    name = "cluster"

    def __init__(self, setup: Setup) -> None:
        self._settings: Settings = setup.settings
        self._info = conninfo(setup.database_url)
        self._folder = setup.data_dir / setup.name
        self.lease = Lease(self._settings.lease)
        self.others = Others(self.lease.clock)
        self.membership = Membership(self._info, self.lease, self.others)
        self._letters = Letters(lambda: self.membership.tether)

    def shared_secret(self, storage: Storage, name: str, ours: bytes) -> bytes:
        return sealing.shared(storage, sealing.read_key(self._settings.key_file), name, ours)

    def is_ours(self, duty: str) -> bool:
        self.membership.duties.add(duty)
        return duty in self.membership.claimed and self.lease.holds

    def is_followed(self) -> bool:
        return bool(self.others)

    def here(self, node_id: int, connected: bool) -> None:
        del node_id, connected
        self.membership.wake()

    def found(self) -> None:
        self.membership.wake(tell=True)

    async def ask(self, node_id: int, types: str, payload: bytes, within: float) -> bytes | None:
        to = self.others.of(node_id)
        if to is not None:
            with suppress(*TROUBLE):
                return await self._letters.ask(to, node_id, types=types, payload=payload, within=within)
        return None

    async def run(self, server: Server, joined: Callable[[], None]) -> None:
        """Be one of several until cancelled. `joined` is called once the others know of this one, and it of them."""
        known_as = await to_thread.run_sync(self._prepare)
        replica, member = server.replica, self.membership
        mesh_key = await to_thread.run_sync(self.shared_secret, replica.storage, "mesh", secrets.token_hex(32).encode())
        replica.accept_mesh(mesh_key.decode())
        async with anyio.create_task_group() as tasks:
            relays = Relays(replica, tasks)
            outlook = Outlook(server, self.others, relays, known_as, self._settings.address)
            identity = (known_as, self._settings.name, version("hatsize"))
            member.begin(
                replica, outlook, identity, joined, lambda: tasks.start_soon(draining.drain, replica, self.is_draining)
            )
            hearing = Hearing(
                self._info,
                self.lease.seconds / BEATS,
                self.others,
                epoch=lambda: member.epoch,
                nodes_changed=outlook.nodes_changed,
                look=lambda: member.wake(look=True),
                letter=lambda number: tasks.start_soon(self._letters.take, number, replica),
            )
            tasks.start_soon(again, "the lease", member.hold)
            tasks.start_soon(again, "notifications", hearing.listen)
            tasks.start_soon(follow, server)
            await anyio.sleep(SETTLED_AFTER)
            replica.settle()

    def is_draining(self) -> bool:
        return self.membership.draining

    def _prepare(self) -> str:
        """Make the tables; this replica's id."""
        with connected_now(self._info) as connection:
            schema.upgrade(connection)
        return kept_id(self._folder)
