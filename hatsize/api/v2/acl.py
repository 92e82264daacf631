"""API v2: the policy file."""

from base64 import b64encode
from collections.abc import Callable
from http import HTTPStatus

from hatsize.api.operation import Area, Call, Reply
from hatsize.api.policy_saving import put_in_force
from hatsize.api.problems import Problem
from hatsize.api.schema import Answer, Query
from hatsize.api.v2.acl_forms import DEFAULT, as_asked, in_force, read_policy, shown, tag_of
from hatsize.policy.errors import PolicyError
from hatsize.tailnet.commands.policy import policy_in_force
from hatsize.tailnet.state import State

area = Area("Policy file")
UNTOUCHED = "ts-default"
"""In `If-Match`: only where nobody has written a policy yet."""
OTHER = "precondition failed, invalid old hash"
"""What the hosted service says, by which its clients know it."""


class GetAcl(Query):
    details: str = ""
    """`true` or `1` for the warnings and errors too."""


class DetailsAnswer(Answer):
    acl: str
    """As it was written, in base64."""
    warnings: list[str] | None
    errors: list[str] | None
    """Why it could not be saved as it is, or is not the one that its file holds."""


@area.add("GET", "/tailnet/{tailnet}/acl", "getPolicyFile", "Show the policy file", scope="policy_file:read")
async def get_acl(call: Call, query: GetAcl) -> Reply:
    text = in_force(call.live.policy)
    if query.details in {"true", "1"}:
        return Reply.of(await _details(call, text))
    return as_asked(text, call.headers.get("Accept", ""))


@area.add(
    "POST", "/tailnet/{tailnet}/acl", "setPolicyFile", "Put a policy file in force; none for the default",
    scope="policy_file",
)  # fmt: skip
async def set_acl(call: Call, body: bytes) -> Reply:
    saved = await put_in_force(call, shown(read_policy(body)), _still(call.headers.get("If-Match", "")))
    return as_asked(saved.version.document, call.headers.get("Accept", ""))


def _still(if_match: str) -> Callable[[State], None]:
    """Raises the 412 problem where the policy in force is not the one that `If-Match` names."""
    # a proxy that compresses weakens the tag it passes on
    wanted = if_match.strip().removeprefix("W/").strip('"')

    def condition(state: State) -> None:
        found = policy_in_force(state)
        text = shown(found.document if found else None)
        fits = text == DEFAULT if wanted == UNTOUCHED else wanted in {"", "*", tag_of(text)}
        if not fits:
            raise Problem(HTTPStatus.PRECONDITION_FAILED, OTHER)

    return condition


async def _details(call: Call, text: str) -> DetailsAnswer:
    policy = call.live.policy
    errors, warnings = [policy.problem] if policy.problem else [], []
    try:
        warnings = list(await policy.review(text))
    except PolicyError as error:
        errors.append(error.message)
    return DetailsAnswer(acl=b64encode(text.encode()).decode(), warnings=warnings or None, errors=errors or None)
