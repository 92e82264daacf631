"""Publishes what the server and its plugins count."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio
import click
from quart import Blueprint

from hatsize.hooks import hookimpl
from hatsize.hooks.lifecycle import Server
from hatsize.hooks.metrics import Figure
from hatsize.hooks.setup import Setup
from hatsize_metrics.commands import metrics
from hatsize_metrics.exposition import Exposition
from hatsize_metrics.lag import LoopLag
from hatsize_metrics.nodes import breakdown, each_node
from hatsize_metrics.pages import listening, metrics_page
from hatsize_metrics.settings import Settings, host_port


class MetricsPlugin:
    """Metrics for Prometheus, on a listener of their own or with a token."""

    hatsize_api = "1.0"
    _settings: Settings

    def __init__(self) -> None:
        self._lag = LoopLag()

    @hookimpl
    def hatsize_settings(self) -> type[Settings]:
        return Settings

    @hookimpl
    def hatsize_configured(self, setup: Setup) -> None:
        self._settings = setup.settings

    @hookimpl
    def hatsize_metrics(self, server: Server) -> Sequence[Figure]:
        nodes = each_node(server) if self._settings.per_node else ()
        return [self._lag.figure(), *breakdown(server, self._settings.limit), *nodes]

    @hookimpl
    def hatsize_blueprints(self, server: Server) -> Sequence[Blueprint]:
        token = self._settings.token.get_secret_value()
        return [metrics_page(Exposition(server.figures), token)] if token else []

    @hookimpl
    def hatsize_commands(self) -> Sequence[click.Command]:
        return [metrics]

    @hookimpl
    def hatsize_running(self, server: Server) -> AbstractAsyncContextManager[None]:
        return self._running(server)

    @asynccontextmanager
    async def _running(self, server: Server) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._lag.measure)
            if self._settings.listen:
                async with listening(Exposition(server.figures), *host_port(self._settings.listen)):
                    yield
            else:
                yield
            tasks.cancel_scope.cancel()


plugin = MetricsPlugin()
