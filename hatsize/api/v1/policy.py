"""API v1: the policy, as Headscale has it. What Hatsize adds is absent where it is empty."""

from http import HTTPStatus

from msgspec import UNSET, UnsetType

from hatsize.api.operation import Area, Call
from hatsize.api.policy_saving import SavedPolicy, put_in_force
from hatsize.api.problems import Problem
from hatsize.api.schema import Answer, Body, go_time
from hatsize.api.v1.schema import PolicyAnswer

area = Area("Policy")


class GivenPolicy(Body):
    policy: str = ""


class PolicyInForce(PolicyAnswer):
    problem: str | UnsetType = UNSET
    """Why it is not the one its file holds."""


class SavedPolicyAnswer(PolicyAnswer):
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
async def set_policy(call: Call, body: GivenPolicy) -> SavedPolicyAnswer:
    return saved_json(await put_in_force(call, body.policy))


@area.add(
    "POST", "/policy/check", "checkPolicy", "Check a policy against the users and nodes there are, without saving it"
)
async def check_policy(call: Call, body: GivenPolicy) -> CheckedPolicy:
    return CheckedPolicy(warnings=list(await call.live.policy.review(body.policy)) or UNSET)


def saved_json(saved: SavedPolicy) -> SavedPolicyAnswer:
    version = saved.version
    return SavedPolicyAnswer(
        policy=version.document, updated_at=go_time(version.created), warnings=list(saved.warnings) or UNSET
    )
