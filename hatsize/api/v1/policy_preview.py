"""API v1: what a policy means, before it is saved."""

from typing import Any

from hatsize.api.v1.operation import Area, Call
from hatsize.api.v1.policy import GivenPolicy
from hatsize.api.v1.schema import Answer

area = Area("Policy")


class PreviewAnswer(Answer):
    nodes: dict[str, Any]
    """By node name: `packet_filter_rules`, `ssh_rules`, `peers`, `cap_map`."""


@area.add("GET", "/policy/preview", "previewPolicyInForce", "Show what each node is sent under the policy in force")
async def preview_in_force(call: Call) -> PreviewAnswer:
    return PreviewAnswer(nodes=dict(await call.live.policy.preview(None)))


@area.add("POST", "/policy/preview", "previewPolicy", "Show what each node would be sent under a policy")
async def preview_policy(call: Call, body: GivenPolicy) -> PreviewAnswer:
    return PreviewAnswer(nodes=dict(await call.live.policy.preview(body.policy)))
