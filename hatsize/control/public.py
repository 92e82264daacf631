"""What clients ask before there is a tunnel: the Noise key."""

from quart import Blueprint, Response, request

from hatsize.control.peer import json_answer, text_answer
from hatsize.wire.capver import refusal
from hatsize.wire.keys import MachineKey
from hatsize.wire.tailcfg import OverTLSPublicKeyResponse


def blueprint(noise_key: MachineKey) -> Blueprint:
    """`GET /key`: the key clients will expect in the handshake (protocol fact sheet, 1)."""
    routes = Blueprint("noise_key", __name__)

    @routes.get("/key")
    async def key() -> Response:
        version = request.args.get("v", "")
        if version and not (version.isascii() and version.isdigit() and len(version) < 9):
            return text_answer("v must be a capability version, a whole number", 400)
        words = refusal(int(version)) if version else None
        if words:
            return text_answer(words, 400)
        return json_answer(OverTLSPublicKeyResponse(PublicKey=noise_key))

    return routes
