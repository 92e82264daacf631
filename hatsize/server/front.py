"""The ASGI app in front of the app: the client's address behind proxies, and WebSockets that are upgrades."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from hatsize.server.proxies import TrustedProxies
from hatsize.server.websocket import carry
from hatsize.wire.upgrade import Upgrade, Upgrader


class Front:
    """Passes requests on, except WebSockets that offer a registered Upgrade token as their subprotocol."""

    def __init__(
        self,
        app: Callable[[Any, Any, Any], Awaitable[None]],
        upgraders: Mapping[tuple[str, str], Upgrader],
        proxies: TrustedProxies,
    ) -> None:
        self._app = app
        self._upgraders = {(path, token.lower()): upgrader for (path, token), upgrader in upgraders.items()}
        self._proxies = proxies

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] in ("http", "websocket"):
            headers = {name.decode("latin1").lower(): value.decode("latin1") for name, value in scope["headers"]}
            self._name_client(scope, headers)
            for subprotocol in scope.get("subprotocols", ()):
                upgrader = self._upgraders.get((scope["path"], subprotocol.lower()))
                if upgrader:
                    await carry(upgrader, _upgrade(scope, headers), subprotocol, receive, send)
                    return
        await self._app(scope, receive, send)

    def _name_client(self, scope: Any, headers: Mapping[str, str]) -> None:
        peer, port = scope.get("client") or ("", 0)
        scheme = self._proxies.scheme(peer, headers)
        client = self._proxies.client(peer, headers)
        if client != peer:
            scope["client"] = (client, port)
        if scheme:
            scope["scheme"] = scheme.replace("http", "ws") if scope["type"] == "websocket" else scheme


def _upgrade(scope: Any, headers: Mapping[str, str]) -> Callable[[Any], Upgrade]:
    """Makes the Upgrade once there is a transport."""
    return lambda transport: Upgrade(
        method="GET",
        path=scope["path"],
        query=scope["query_string"].decode("latin1"),
        headers=headers,
        transport=transport,
        tls=scope["scheme"] == "wss",
        remote=(scope.get("client") or ("", 0))[0],
        answered=True,
    )
