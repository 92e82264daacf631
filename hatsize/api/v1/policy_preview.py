"""API v1: what a policy means, before it is saved."""

from typing import Any

from hatsize.api.operation import Area, Call
from hatsize.api.schema import Answer, Body

area = Area("Policy")


class PreviewBody(Body):
    policy: str | None = None
    """Absent for the policy in force."""
    nodes: tuple[str, ...] = ()
    """The names of some nodes; empty for all."""


class PreviewAnswer(Answer):
    nodes: dict[str, Any]
    """By node name: `packet_filter_rules`, `ssh_rules`, `peers`, `cap_map`."""


@area.add("POST", "/policy/preview", "previewPolicy", "Show what each node would be sent under a policy")
async def preview_policy(call: Call, body: PreviewBody) -> PreviewAnswer:
    return PreviewAnswer(nodes=dict(await call.live.policy.preview(body.policy, body.nodes)))
