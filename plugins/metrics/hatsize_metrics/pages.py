"""Where metrics are read over HTTP."""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hmac import compare_digest
from ipaddress import ip_address

import anyio
from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Blueprint, Quart, Response, request

from hatsize.hooks.errors import PluginError
from hatsize_metrics.exposition import Exposition

REALM = {"WWW-Authenticate": 'Bearer realm="metrics"'}


def metrics_page(exposition: Exposition, token: str) -> Blueprint:
    """`GET /metrics`, to whoever presents the token, or with an empty one to everybody."""
    page = Blueprint("metrics", __name__)

    @page.get("/metrics")
    async def metrics() -> Response:
        presented = request.headers.get("Authorization", "")
        if token and not compare_digest(presented.encode(), f"Bearer {token}".encode()):
            return Response("a bearer token is needed: see plugins.metrics.token\n", 401, REALM, "text/plain")
        body, content_type = exposition.scrape(request.headers.get("Accept", ""))
        return Response(body, 200, {"Cache-Control": "no-store"}, content_type=content_type)

    return page


@asynccontextmanager
async def listening(exposition: Exposition, host: str, port: int) -> AsyncIterator[int]:
    """Serve the page on a port of its own inside; gives the port. Raises PluginError that names the address."""
    app = Quart(__name__)
    app.register_blueprint(metrics_page(exposition, ""))
    with _bound(host, port) as bound:
        config = Config()
        config.bind = [f"fd://{os.dup(bound.fileno())}"]
        config.accesslog = config.errorlog = None
        config.graceful_timeout = 1.0
        ended = anyio.Event()

        async def run() -> None:
            await serve(app, config, shutdown_trigger=ended.wait)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            try:
                yield bound.getsockname()[1]
            finally:
                ended.set()


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise PluginError(f"plugins.metrics.listen = {host} port {port}: {reason}; choose another one") from None
