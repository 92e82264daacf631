"""API v1: the policy."""

from http import HTTPStatus

from hatsize.api.problems import Problem, bad_request
from hatsize.api.v1.operation import Area, Call
from hatsize.api.v1.schema import Body, Nothing, PolicyAnswer, go_time
from hatsize.tailnet.commands.policy import save_policy
from hatsize.tailnet.model import PolicyVersion

area = Area("Policy")


class GivenPolicy(Body):
    policy: str = ""


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
