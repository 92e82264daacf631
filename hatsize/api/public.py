"""What anybody may ask of the server: whether it is well, and which version it is."""

import msgspec
from quart import Blueprint, Response

from hatsize.api.contract import Live
from hatsize.api.version import public_version

UNWELL = "nothing can be stored now, and what was stored before is served: `hatsize health` and the log say why"
"""For anybody; why, which may name files and hosts, is for administrators."""


def public(live: Live) -> Blueprint:
    """The blueprint of `/health` and `/version`."""
    blueprint = Blueprint("public", __name__)

    @blueprint.get("/health")
    async def health() -> Response:
        problem = await live.storage_problem()
        told = {"status": "fail", "output": UNWELL} if problem else {"status": "pass"}
        body = msgspec.json.encode(told) + b"\n"
        return Response(body, 500 if problem else 200, content_type="application/health+json; charset=utf-8")

    @blueprint.get("/version")
    async def version() -> Response:
        return Response(msgspec.json.encode(public_version()) + b"\n", content_type="application/json")

    return blueprint
