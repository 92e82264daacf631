"""API v1: the DERP map."""

from hatsize.api.operation import Area, Call
from hatsize.api.schema import Answer
from hatsize.wire.tailcfg import DERPMap

area = Area("DERP")


class DerpMapAnswer(Answer):
    derp_map: DERPMap
    """As clients are sent it: regions by their number."""


@area.add("GET", "/derpmap", "derpMap", "Show the relays that clients are told of")
async def derp_map(call: Call) -> DerpMapAnswer:
    return DerpMapAnswer(derp_map=call.live.derp_map())
