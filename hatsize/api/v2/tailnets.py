"""Which tailnet a path of API v2 speaks of."""

from collections.abc import Mapping
from http import HTTPStatus

from hatsize.api.operation import Call
from hatsize.api.problems import Problem
from hatsize.tailnet.model import Tailnet

OWN = "-"
"""The tailnet the credential belongs to."""


def check_tailnet(call: Call, path: Mapping[str, str]) -> Mapping[str, str]:
    """The parts of a path without `tailnet`; raises the 404 problem where that is another one than the credential's."""
    given = path.get("tailnet", OWN)
    state = call.live.state
    tailnet = state.find(Tailnet, state.tailnet_id)
    if given not in {OWN, str(state.tailnet_id), tailnet.name if tailnet else OWN}:
        raise Problem(HTTPStatus.NOT_FOUND, f"there is no tailnet {given[:80]!r} here: write - for your own")
    return {name: value for name, value in path.items() if name != "tailnet"}
