"""API v1: the policy, as Headscale has it. What Hatsize adds is absent where it is empty."""

from collections.abc import Sequence
from http import HTTPStatus

from msgspec import UNSET, UnsetType

from hatsize.api.operation import Area, Call
from hatsize.api.problems import Problem, bad_request
from hatsize.api.schema import Answer, Body, go_time
from hatsize.api.v1.schema import PolicyAnswer
from hatsize.tailnet.commands.policy import save_policy
from hatsize.tailnet.model import PolicyVersion
from hatsize.tailnet.state import State

area = Area("Policy")


class GivenPolicy(Body):
    policy: str = ""


class PolicyInForce(PolicyAnswer):
    problem: str | UnsetType = UNSET
    """Why it is not the one its file holds."""


class SavedPolicy(PolicyAnswer):
    warnings: list[str] | UnsetType = UNSET


class CheckedPolicy(Answer):
    warnings: list[str] | UnsetType = UNSET


@area.add("GET", "/policy", "getPolicy", "Show the policy in force")
async def get_policy(call: Call) -> PolicyInForce:
    policy = call.live.policy
    document = policy.current()
    if document is None:
        # Headscale's status for it, which its clients know.
        raise Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "no policy was saved yet, so everything is allowed: save one")
    return PolicyInForce(policy=document.text, updated_at=go_time(document.updated), problem=policy.problem or UNSET)


@area.add("PUT", "/policy", "setPolicy", "Put a policy in force")
async def set_policy(call: Call, body: GivenPolicy) -> SavedPolicy:
    return await put_in_force(call, body.policy)


@area.add(
    "POST", "/policy/check", "checkPolicy", "Check a policy against the users and nodes there are, without saving it"
)
async def check_policy(call: Call, body: GivenPolicy) -> CheckedPolicy:
    return CheckedPolicy(warnings=list(call.live.policy.check(body.policy, call.live.state)) or UNSET)


async def put_in_force(call: Call, document: str) -> SavedPolicy:
    """Save a document as the newest version; raises PolicyError, and Problem where the policy comes from a file."""
    policy = call.live.policy
    if policy.read_only:
        raise bad_request(policy.read_only)
    warnings: list[str] = []

    def check(text: str, state: State) -> Sequence[str]:
        warnings[:] = policy.check(text, state)
        return warnings

    saved = await call.put(
        PolicyVersion, lambda state: save_policy(state, document, check, call.now, author=call.principal.actor)
    )
    return SavedPolicy(policy=saved.document, updated_at=go_time(saved.created), warnings=warnings or UNSET)
