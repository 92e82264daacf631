"""Makes a server one of several replicas on one PostgreSQL."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio
import click
from quart import Blueprint

from hatsize.hooks import hookimpl
from hatsize.hooks.lifecycle import Server
from hatsize.hooks.replicas import Replication
from hatsize.hooks.setup import Setup
from hatsize_cluster.commands import cluster
from hatsize_cluster.database import conninfo
from hatsize_cluster.pages import ready_page
from hatsize_cluster.service import Cluster
from hatsize_cluster.settings import Settings


class ClusterPlugin:
    """Makes several processes on one PostgreSQL one server."""

    hatsize_api = "1.0"

    @hookimpl
    def hatsize_settings(self) -> type[Settings]:
        return Settings

    @hookimpl
    def hatsize_register_replication(self, setup: Setup) -> Replication:
        self._database = conninfo(setup.database_url)
        self._cluster = Cluster(setup)
        return self._cluster

    @hookimpl
    def hatsize_blueprints(self) -> Sequence[Blueprint]:
        return [ready_page(self._cluster)]

    @hookimpl
    def hatsize_commands(self) -> Sequence[click.Command]:
        return [cluster(self._database)]

    @hookimpl
    def hatsize_running(self, server: Server) -> AbstractAsyncContextManager[None]:
        return self._running(server)

    @asynccontextmanager
    async def _running(self, server: Server) -> AsyncIterator[None]:
        joined = anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._cluster.run, server, joined.set)
            await joined.wait()
            yield
            await self._cluster.membership.leave()
            tasks.cancel_scope.cancel()


plugin = ClusterPlugin()
