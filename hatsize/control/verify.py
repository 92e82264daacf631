"""`POST /verify`: whether a relay of our own may let a client in (protocol fact sheet, 7.3)."""

import msgspec
from quart import Blueprint, Response, request

from hatsize.control.peer import text_answer
from hatsize.derp.admission import AdmitRequest, AdmitResponse
from hatsize.live.tailnet import LiveTailnet
from hatsize.wire.keys import KeyFormatError, parse_node_key

BODY_LIMIT = 4096


def blueprint(live: LiveTailnet) -> Blueprint:
    """The endpoint that `derper -verify-client-url` and `hatsize derp --verify-client-url` ask."""
    routes = Blueprint("verify", __name__)

    @routes.post("/verify")
    async def verify() -> Response:
        body = await request.get_data(cache=False)
        if len(body) > BODY_LIMIT:
            return text_answer(f"the request is longer than {BODY_LIMIT} bytes", 413)
        try:
            asked = msgspec.json.decode(body, type=AdmitRequest)
            node_key = parse_node_key(asked.NodePublic)
        except (msgspec.MsgspecError, KeyFormatError):
            return text_answer('expected {"NodePublic":"nodekey:…","Source":"…"}', 400)
        allowed = AdmitResponse(Allow=node_key in live.state.index.node_by_key)
        return Response(msgspec.json.encode(allowed), content_type="application/json")

    return routes
