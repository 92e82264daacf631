"""API v2's policy file, judged by the built-in engine."""

import json
from base64 import b64decode
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatsize.api.v2.acl_forms import DEFAULT, tag_of
from hatsize.api.v2.acl_validate import _candidate
from hatsize.builtin.policy import EVERYBODY, HuJSONEngine
from hatsize.policy.actors import UnknownActorError
from hatsize.policy.applied import rules_from, rules_to
from hatsize.tailnet.errors import InvalidError
from hatsize.tailnet.model import Change, PolicyVersion, Tailnet
from hatsize.wire.hujson import format_hujson, parse, plain
from tests.api.conftest import MemoryPolicy

pytestmark = pytest.mark.anyio
ACL = "/api/v2/tailnet/-/acl"
HUJSON = {"Accept": "application/hujson"}
JSON = {"Accept": "application/json"}
POLICY = """\
// Who may what.
{
	"grants": [
		{"src": ["alice@"], "dst": ["100.64.0.9"], "ip": ["tcp:22"]}, // a trailing comma
	],
	"tests": [{"src": "alice@", "accept": ["100.64.0.9:22"]}],
}
"""
REFUSED = '{"grants": [{"src": ["alice@"], "dst": ["*"], "ip": ["x"]}]}'
FAILING = {"tests": [{"src": "alice@", "deny": ["100.64.0.9:22"]}]}
FAILED = {
    "message": "test(s) failed",
    "data": [{"user": "alice@", "errors": ['address "100.64.0.9:22": want: Drop, got: Accept']}],
}


class EnginePolicy(MemoryPolicy):
    """A policy that the built-in engine reads."""

    engine = HuJSONEngine()

    def check(self, document, state):
        return self.engine.check(document, state)

    async def rules_from(self, document, src):
        try:
            return rules_from(self._compiled(document), src)
        except UnknownActorError as error:
            raise InvalidError(str(error)) from None

    async def rules_to(self, document, question):
        return rules_to(self._compiled(document), question)

    def _compiled(self, document):
        found = self.current()
        return self.engine.compile(document or (found.text if found else EVERYBODY), self._state)


@pytest.fixture
def live(live):
    tailnet = Tailnet(id=1, name="example.com", created=live.clock())
    live.state.apply(Change(tailnet=1, kind="tailnet.created", puts=(tailnet,), at=live.clock()))
    live.add_users("alice", "bob")
    live.policy = EnginePolicy(live.state)
    return live


async def answer(api, method, path, body=None, headers=None):
    response = await api(method, ACL + path, body, headers=headers)
    return response.status_code, json.loads(await response.get_data())


async def text(api, headers=None, path=""):
    response = await api("GET", ACL + path, headers=headers)
    return response.content_type, response.headers.get("ETag"), await response.get_data(as_text=True)


async def put(api, policy, **headers):
    return await api("POST", ACL, policy, headers={name.replace("_", "-"): value for name, value in headers.items()})


async def test_a_policy_is_given_back_as_it_was_written(api):
    assert (await put(api, POLICY)).status_code == 200
    content_type, _, body = await text(api, HUJSON)
    assert (content_type, body) == ("application/hujson", POLICY)
    assert await text(api) == await text(api, HUJSON)


async def test_who_accepts_json_is_given_json(api):
    response = await put(api, POLICY, **JSON)
    assert response.content_type == "application/json"
    assert json.loads(await response.get_data()) == plain(parse(POLICY))
    content_type, tag, body = await text(api, JSON)
    assert (content_type, tag, json.loads(body)) == ("application/json", response.headers["ETag"], plain(parse(POLICY)))


async def test_the_tag_is_the_hash_of_the_policy_in_its_one_layout(api):
    response = await put(api, POLICY.replace("\t", "    "))
    assert response.headers["ETag"] == f'"{sha256(format_hujson(POLICY)).hexdigest()}"'


async def test_a_console_in_a_browser_may_read_the_tag(api):
    response = await api("GET", ACL, headers={"Origin": "https://console.example.com"})
    assert response.headers["Access-Control-Expose-Headers"] == "ETag"


async def test_the_policy_is_replaced_where_it_is_the_one_that_was_meant(api):
    tag = (await put(api, POLICY)).headers["ETag"]
    response = await put(api, '{"grants": []}', If_Match='"' + "0" * 64 + '"')
    assert (response.status_code, (await response.get_json())["message"]) == (
        412, "precondition failed, invalid old hash",
    )  # fmt: skip
    assert (await text(api))[2] == POLICY
    assert (await put(api, '{"grants": []}', If_Match=tag)).status_code == 200


@pytest.mark.parametrize("form", ["W/{}", "{}", "*"])
async def test_a_tag_may_have_been_weakened_by_a_proxy(api, form):
    tag = (await put(api, POLICY)).headers["ETag"]
    assert (await put(api, "{}", If_Match=form.format(tag))).status_code == 200


@pytest.mark.parametrize("if_match", ["ts-default", '"ts-default"'])
async def test_the_first_policy_may_be_made_sure_to_be_the_first(api, if_match):
    assert (await put(api, POLICY, If_Match=if_match)).status_code == 200
    assert (await put(api, POLICY, If_Match=if_match)).status_code == 412


async def test_the_default_is_known_by_its_tag_too(api):
    _, tag, body = await text(api, HUJSON)
    assert body == DEFAULT
    assert (await put(api, POLICY, If_Match=tag)).status_code == 200


async def test_an_empty_body_takes_the_policy_back(live, api):
    await put(api, POLICY)
    response = await put(api, "")
    assert (response.status_code, await response.get_data(as_text=True)) == (200, DEFAULT)
    assert plain(parse(DEFAULT)) == {}, "which allows everything"
    assert (await put(api, POLICY, If_Match="ts-default")).status_code == 200
    assert len(live.state.table(PolicyVersion)) == 3


async def test_a_policy_whose_tests_fail_is_not_taken(live, api):
    assert await answer(api, "POST", "", FAILING) == (400, {**FAILED, "status": 400})
    assert not live.state.table(PolicyVersion)


async def test_what_is_wrong_is_told_with_its_place(api):
    status, refusal = await answer(api, "POST", "", '{\n  "grants": [,]\n}')
    assert (status, refusal["message"].split(":")[0]) == (400, "line 2, column 14")


async def test_a_policy_from_a_file_is_not_replaced(live, api):
    live.policy.read_only = "the policy is read from /etc/policy.hujson"
    status, refusal = await answer(api, "POST", "", "{}")
    assert (status, refusal["message"]) == (400, "the policy is read from /etc/policy.hujson")


async def test_bytes_that_are_no_text_are_refused(api):
    status, refusal = await answer(api, "POST", "", b'{"\xff": 1}')
    assert (status, "byte 2" in refusal["message"]) == (400, True)


@pytest.mark.parametrize("details", ["true", "1"])
async def test_details_have_the_warnings(api, details):
    idle = '{"groups": {"group:none": []}, "grants": [{"src": ["group:none"], "dst": ["*"], "ip": ["*"]}]}'
    await put(api, idle)
    _, found = await answer(api, "GET", f"?details={details}")
    assert (b64decode(found["acl"]).decode(), found["errors"]) == (idle, None)
    assert [("group:none" in warning) for warning in found["warnings"]] == [True]


async def test_details_tell_why_the_policy_is_not_the_one_it_should_be(live, api):
    await put(api, POLICY)
    live.policy.problem = "policy.hujson is not in force"
    live.policy.check = lambda document, state: EnginePolicy.check(live.policy, REFUSED, state)
    _, found = await answer(api, "GET", "?details=1")
    assert found["errors"][0] == "policy.hujson is not in force"
    assert "line 1" in found["errors"][1]


async def test_other_details_are_none(api):
    await put(api, POLICY)
    assert (await text(api, path="?details=no"))[2] == POLICY


async def test_a_policy_that_is_not_hujson_has_a_tag_and_no_json(live, api):
    live.policy.check = lambda document, state: []
    response = await put(api, "allow all")
    assert response.headers["ETag"] == f'"{sha256(b"allow all").hexdigest()}"'
    status, refusal = await answer(api, "GET", "", headers=JSON)
    assert (status, "application/hujson" in refusal["message"]) == (400, True)


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (POLICY, {}),
        ('{"grants": []}', {}),
        (FAILING, FAILED),
        ([{"src": "alice@", "accept": ["100.64.0.9:22"], "deny": ["100.64.0.9:23"]}], {}),
        (FAILING["tests"], FAILED),
    ],
)
async def test_a_policy_is_validated_and_the_one_in_force_tested(live, api, body, verdict):
    await put(api, '// mine\n{"grants": [{"src": ["*"], "dst": ["*"], "ip": ["tcp:22"]}], "Tests": [] /* none */}')
    assert await answer(api, "POST", "/validate", body) == (200, verdict)
    assert len(live.state.table(PolicyVersion)) == 1, "and nothing is saved"


async def test_tests_are_run_where_there_is_no_policy(api):
    assert await answer(api, "POST", "/validate", FAILING["tests"]) == (200, FAILED)


async def test_an_invalid_policy_is_a_verdict_too(api):
    status, verdict = await answer(api, "POST", "/validate", "{")
    assert (status, verdict["message"].split(":")[0]) == (200, "line 1, column 2")


async def test_nothing_is_not_validated(api):
    assert (await answer(api, "POST", "/validate"))[0] == 400


@given(st.text(), st.text())
def test_any_text_becomes_a_candidate(body, present):
    assert isinstance(_candidate(body, present), str)
    assert tag_of(body)


@pytest.mark.parametrize(
    ("scope", "method", "path", "status"),
    [
        ("policy_file:read", "GET", "", 200),
        ("policy_file:read", "POST", "/validate", 200),
        ("policy_file:read", "POST", "/preview?type=user&previewFor=alice@", 200),
        ("policy_file:read", "POST", "", 403),
        ("policy_file", "POST", "", 200),
        ("dns", "GET", "", 403),
    ],
)
async def test_each_request_needs_its_scope(api, token, scope, method, path, status):
    headers = {"Authorization": f"Bearer {token(scope)}"}
    assert (await api(method, ACL + path, "{}", headers=headers, local=False)).status_code == status


RULES = '{"acls": [\n{"action": "accept", "src": ["alice@"], "dst": ["100.64.0.9:22,80"]}\n]}'


@pytest.mark.parametrize(
    ("kind", "for_", "matches"),
    [
        ("user", "alice@", [{"users": ["alice@"], "ports": ["100.64.0.9:22,80"], "lineNumber": 2}]),
        ("user", "bob@", []),
        ("ipport", "100.64.0.9:80", [{"users": ["alice@"], "ports": ["100.64.0.9:22,80"], "lineNumber": 2}]),
        ("ipport", "100.64.0.9:81", []),
    ],
)
async def test_the_rules_that_speak_of_somebody_are_listed(live, api, kind, for_, matches):
    query = f"?type={kind}&previewFor={for_}"
    expected = {"matches": matches, "type": kind, "previewFor": for_}
    assert await answer(api, "POST", "/preview" + query, RULES) == (200, expected)
    await put(api, RULES)
    assert await answer(api, "POST", "/preview" + query) == (200, expected), "of the policy in force without a body"


@pytest.mark.parametrize("query", ["", "?type=user", "?type=x&previewFor=y", "?type=ipport&previewFor=1.2.3.4:0"])
async def test_a_preview_of_nothing_is_refused(api, query):
    assert (await answer(api, "POST", "/preview" + query, RULES))[0] in {400, 422}


async def test_a_preview_for_nobody_says_so(api):
    status, refusal = await answer(api, "POST", "/preview?type=user&previewFor=zoe@", RULES)
    assert (status, "zoe@" in refusal["message"]) == (400, True)
