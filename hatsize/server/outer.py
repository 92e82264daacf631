"""The public app: what is served on the port itself, outside the tunnel."""

from collections.abc import Awaitable, Callable
from typing import Any

from quart import Quart

from hatsize.api import public as api_public
from hatsize.api.contract import Live
from hatsize.api.credentials import LOCAL
from hatsize.api.v1.blueprint import api_v1
from hatsize.api.v2.blueprint import api_v2
from hatsize.control import login_page, password_form, platform_pages, public, verify
from hatsize.derp import blueprint as derp_pages
from hatsize.hooks.lifecycle import Server
from hatsize.live.tailnet import LiveTailnet
from hatsize.wire.keys import MachineKey

ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]


def app(live: LiveTailnet, api: Live, noise_key: MachineKey, url: str, view: Server) -> Quart:
    """The Quart app for browsers, programs and clients that have no tunnel yet; `url` is what they reach it by."""
    outer = Quart(__name__)
    outer.config.update(RESPONSE_TIMEOUT=None, BODY_TIMEOUT=30, MAX_CONTENT_LENGTH=4 << 20)
    outer.register_blueprint(public.blueprint(noise_key))
    outer.register_blueprint(login_page.blueprint(live))
    outer.register_blueprint(password_form.blueprint(live, view))
    outer.register_blueprint(verify.blueprint(live))
    outer.register_blueprint(platform_pages.blueprint(url))
    outer.register_blueprint(derp_pages.blueprint())
    outer.register_blueprint(api_public.public(api))
    outer.register_blueprint(api_v1(api))
    outer.register_blueprint(api_v2(api))
    return outer


def trusted(asgi: ASGIApp) -> ASGIApp:
    """The same app for connections whose peers are trusted by the mode of the socket they came through."""

    async def local(scope: Any, receive: Any, send: Any) -> None:
        await asgi({**scope, "state": {**scope.get("state", {}), LOCAL: True}}, receive, send)

    return local
