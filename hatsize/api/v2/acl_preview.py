"""API v2: which rules of a policy speak of a user, or of an address and port."""

from typing import Literal

from hatsize.api.operation import Area, Call
from hatsize.api.problems import bad_request
from hatsize.api.schema import Answer, Query
from hatsize.api.v2.acl_forms import read_policy
from hatsize.policy.question import read_question

area = Area("Policy file")


class PreviewAcl(Query):
    type: Literal["user", "ipport"]
    preview_for: str
    """A user's login name, or an address with a port, as `10.0.0.1:80`."""


class MatchJson(Answer):
    users: list[str]
    ports: list[str]
    line_number: int
    """0 for the rule that lets everything through where a policy has none."""


class PreviewAnswer(Answer):
    matches: list[MatchJson]
    type: str
    preview_for: str


@area.add(
    "POST", "/tailnet/{tailnet}/acl/preview", "previewRuleMatches",
    "List the rules of a policy file that speak of a user, or of an address and port", scope="policy_file:read",
)  # fmt: skip
async def preview_acl(call: Call, query: PreviewAcl, body: bytes) -> PreviewAnswer:
    policy, document = call.live.policy, read_policy(body) if body.strip() else None
    if query.type == "user":
        found = await policy.rules_from(document, query.preview_for)
    else:
        try:
            question = read_question(query.preview_for)
        except ValueError as error:
            raise bad_request(str(error)) from None
        found = await policy.rules_to(document, question)
    matches = [MatchJson(users=list(rule.sources), ports=list(rule.opens), line_number=rule.line) for rule in found]
    return PreviewAnswer(matches=matches, type=query.type, preview_for=query.preview_for)
