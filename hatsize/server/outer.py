"""The public app: what is served on the port itself, outside the tunnel."""

from quart import Blueprint, Quart, Response

from hatsize import __version__
from hatsize.control import login_page, public
from hatsize.live.tailnet import LiveTailnet
from hatsize.wire.keys import MachineKey


def app(live: LiveTailnet, noise_key: MachineKey) -> Quart:
    """The Quart app for browsers, programs and clients that have no tunnel yet."""
    outer = Quart(__name__)
    outer.config.update(RESPONSE_TIMEOUT=None, BODY_TIMEOUT=30, MAX_CONTENT_LENGTH=4 << 20)
    outer.register_blueprint(public.blueprint(noise_key))
    outer.register_blueprint(login_page.blueprint(live))
    outer.register_blueprint(_front_door())
    return outer


def _front_door() -> Blueprint:
    routes = Blueprint("front_door", __name__)

    @routes.get("/")
    async def index() -> Response:
        return Response(f"Hatsize {__version__}\n", content_type="text/plain; charset=utf-8")

    @routes.get("/robots.txt")
    async def robots() -> Response:
        return Response("User-agent: *\nDisallow: /\n", content_type="text/plain; charset=utf-8")

    return routes
