"""What anybody may ask of the server: whether it is well, and which version it is."""

import platform

import msgspec
from quart import Blueprint, Response

import hatsize
from hatsize.api.contract import Live


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


def version_info() -> dict[str, object]:
    """The version, in the fields that Headscale's `/version` has; `python` stands where it has `go`."""
    return {
        "version": hatsize.__version__,
        "commit": "unknown",
        "buildTime": "unknown",
        "python": {
            "version": platform.python_version(),
            "os": platform.system().lower(),
            "arch": platform.machine(),
        },
        "dirty": False,
    }
