"""API v1: which rule lets one node reach another, or why none does."""

from hatsize.api.operation import Area, Call
from hatsize.api.problems import bad_request
from hatsize.api.schema import Answer, Body
from hatsize.policy.question import read_question

area = Area("Policy")


class ExplainBody(Body):
    src: str
    dst: str
    """With a port behind a colon; 443 where there is none."""
    proto: str = "tcp"
    policy: str | None = None
    """Absent for the policy in force."""


class ReasonJson(Answer):
    src: str
    dst: str
    rule: str
    line: int
    opens: str


class ExplainAnswer(Answer):
    allowed: bool
    """Whether every party that `src` stands for reaches every one that `dst` stands for."""
    reasons: list[ReasonJson]
    missing: list[str]
    """Why those do not get through that do not."""


@area.add("POST", "/policy/explain", "explainPolicy", "Tell which rules let one node reach another, or why none does")
async def explain(call: Call, body: ExplainBody) -> ExplainAnswer:
    try:
        question = read_question(body.dst, body.proto)
    except ValueError as error:
        raise bad_request(str(error)) from None
    found = await call.live.policy.explain(body.policy, body.src, question)
    return ExplainAnswer(
        allowed=found.allowed,
        reasons=[
            ReasonJson(src=each.src, dst=each.dst, rule=each.path, line=each.line, opens=each.opens)
            for each in found.reasons
        ],
        missing=list(found.missing),
    )
