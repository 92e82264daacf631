"""What anybody may ask of the server: whether it is well, and which version it is."""

import msgspec
from quart import Blueprint, Response

from hatsize.api.contract import Live
from hatsize.api.version import version_info


def public(live: Live) -> Blueprint:
    """The blueprint of `/health` and `/version`."""
    blueprint = Blueprint("public", __name__)

    @blueprint.get("/health")
    async def health() -> Response:
        well = await live.storage_answers()
        body = msgspec.json.encode({"status": "pass" if well else "fail"}) + b"\n"
        return Response(body, 200 if well else 500, content_type="application/health+json; charset=utf-8")

    @blueprint.get("/version")
    async def version() -> Response:
        return Response(msgspec.json.encode(version_info()) + b"\n", content_type="application/json")

    return blueprint
