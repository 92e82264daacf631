"""API v1: the policy."""

from dataclasses import replace
from http import HTTPStatus
from typing import Any

from anyio import to_thread

from hatsize.api.contract import Live
from hatsize.api.problems import Problem, bad_request
from hatsize.api.v1.operation import Area, Call
from hatsize.api.v1.schema import Answer, Body, Nothing, PolicyAnswer, go_time
from hatsize.policy.preview import preview
from hatsize.policy.topology import Topology, from_state
from hatsize.tailnet.commands.policy import save_policy
from hatsize.tailnet.model import PolicyVersion

area = Area("Policy")


class GivenPolicy(Body):
    policy: str = ""


class PreviewAnswer(Answer):
    nodes: dict[str, Any]
    """By node name: `packet_filter_rules`, `ssh_rules`, `peers`, `cap_map`."""


@area.add("GET", "/policy", "getPolicy", "Show the policy in force")
async def get_policy(call: Call) -> PolicyAnswer:
    document = call.live.policy.current()
    if document is None:
        # Headscale's status for it, which its clients know.
        raise Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "no policy was saved yet, so everything is allowed: save one")
    return PolicyAnswer(policy=document.text, updated_at=go_time(document.updated))


@area.add("PUT", "/policy", "setPolicy", "Put a policy in force")
async def set_policy(call: Call, body: GivenPolicy) -> PolicyAnswer:
    policy = call.live.policy
    if policy.read_only:
        raise bad_request(policy.read_only)
    saved = await call.put(
        PolicyVersion, lambda state: save_policy(state, body.policy, policy.check, call.now, author=call.actor)
    )
    return PolicyAnswer(policy=saved.document, updated_at=go_time(saved.created))


@area.add(
    "POST", "/policy/check", "checkPolicy", "Check a policy against the users and nodes there are, without saving it"
)
async def check_policy(call: Call, body: GivenPolicy) -> Nothing:
    call.live.policy.check(body.policy, call.live.state)
    return Nothing()


@area.add("POST", "/policy/preview", "previewPolicy", "Show what each node would be sent under a policy")
async def preview_policy(call: Call, body: GivenPolicy) -> PreviewAnswer:
    return PreviewAnswer(nodes=await to_thread.run_sync(preview, body.policy, _topology(call.live)))


def _topology(live: Live) -> Topology:
    """The tailnet as it is, in mappings that do not change when it goes on."""
    tailnet = from_state(live.state)
    online = frozenset(node_id for node_id in tailnet.nodes if live.is_online(node_id))
    return replace(tailnet, users=dict(tailnet.users), nodes=dict(tailnet.nodes), online=online)
