"""API v2: a policy file checked, or the one in force tested, with nothing changed."""

from typing import Any

from msgspec import field

from hatsize.api.operation import Area, Call
from hatsize.api.problems import bad_request
from hatsize.api.schema import Answer
from hatsize.api.v2.acl_forms import in_force, read_policy
from hatsize.policy.errors import PolicyError
from hatsize.wire.hujson import Array, HuJSONError, Literal, Object, pack, parse
from hatsize.wire.hujson_tree import string

area = Area("Policy file")
TESTS = frozenset({"tests", "sshtests"})


class Verdict(Answer, omit_defaults=True):
    """Empty where nothing is wrong."""

    message: str = ""
    data: list[dict[str, Any]] = field(default_factory=list)
    """Which tests failed: `user` and `errors` of each."""


@area.add(
    "POST", "/tailnet/{tailnet}/acl/validate", "validateAndTestPolicyFile",
    "Check a policy file, or run tests on the one in force", scope="policy_file:read",
)  # fmt: skip
async def validate_acl(call: Call, body: bytes) -> Verdict:
    given = read_policy(body)
    if not given.strip():
        raise bad_request("a body is required: a policy file to be checked, or a list of tests to be run")
    try:
        await call.live.policy.review(_candidate(given, in_force(call.live.policy)))
    except PolicyError as error:
        return Verdict(message=error.message, data=error.data)
    return Verdict()


def _candidate(given: str, present: str) -> str:
    """The policy to be checked: the one that is given or, for a list of tests, the one in force with these."""
    try:
        tests, tree = parse(given), parse(present)
    except HuJSONError:  # for the engine to say what is wrong
        return given
    return _with_tests(tree, tests) if isinstance(tests, Array) and isinstance(tree, Object) else given


def _with_tests(policy: Object, tests: Array) -> str:
    """A policy with other tests in place of its own."""
    policy.members = [member for member in policy.members if string(member[0]).lower() not in TESTS]
    tests.before = tests.after = b""
    policy.members.append((Literal(0, text=b'"tests"'), tests))
    return pack(policy).decode()
