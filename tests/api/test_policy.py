"""The policy in API v1, beyond Headscale's part of it."""

import msgspec
import pytest

from hatsize.policy.errors import PolicyError
from hatsize.policy.explain import Explanation, Reason
from hatsize.policy.question import Question

pytestmark = pytest.mark.anyio
OPEN, CLOSED = '{"grants": [{"src": ["*"], "dst": ["*"], "ip": ["*"]}]}', '{"grants": []}'


@pytest.fixture
def ask(api):
    """Send a request; the status and the body of its answer."""

    async def ask(method, path, body=None):
        response = await api(method, f"/api/v1/policy{path}", body)
        return response.status_code, msgspec.json.decode(await response.data)

    return ask


async def test_every_policy_that_was_saved_is_in_the_history(ask):
    assert await ask("GET", "/history") == (200, {"versions": []})
    await ask("PUT", "", {"policy": OPEN})
    await ask("PUT", "", {"policy": CLOSED})
    _, body = await ask("GET", "/history")
    assert [(each["version"], each["inForce"]) for each in body["versions"]] == [("2", True), ("1", False)]
    assert body["versions"][0]["author"]
    assert body["versions"][0]["createdAt"] > body["versions"][1]["createdAt"]
    assert (await ask("GET", "/history/1"))[1]["policy"] == OPEN


async def test_an_earlier_policy_becomes_the_newest_version(ask):
    await ask("PUT", "", {"policy": OPEN})
    await ask("PUT", "", {"policy": CLOSED})
    status, body = await ask("POST", "/history/1/revert", {})
    assert (status, body["policy"]) == (200, OPEN)
    assert (await ask("GET", ""))[1]["policy"] == OPEN
    assert len((await ask("GET", "/history"))[1]["versions"]) == 3


@pytest.mark.parametrize(("version", "status"), [("7", 404), ("seven", 400)])
async def test_a_version_that_is_none_is_told(ask, version, status):
    assert (await ask("GET", f"/history/{version}"))[0] == status
    assert (await ask("POST", f"/history/{version}/revert", {}))[0] == status


async def test_nothing_is_put_in_force_where_the_policy_is_read_from_a_file(live, ask):
    await ask("PUT", "", {"policy": OPEN})
    live.policy.read_only = "change the file"
    assert await ask("POST", "/history/1/revert", {}) == (
        400,
        {"title": "Bad Request", "status": 400, "detail": "change the file"},
    )


async def test_a_policy_whose_tests_fail_is_refused_with_what_failed(live, ask, monkeypatch):
    await ask("PUT", "", {"policy": OPEN})
    failures = [{"user": "alice@", "errors": ['address "web:22": want: Drop, got: Accept']}]

    def check(document, state):
        raise PolicyError("test(s) failed", data=failures)

    monkeypatch.setattr(live.policy, "check", check)
    for method, path in (("PUT", ""), ("POST", "/check")):
        status, body = await ask(method, path, {"policy": CLOSED})
        assert (status, body["detail"], body["data"]) == (400, "test(s) failed", failures)
    assert (await ask("GET", ""))[1]["policy"] == OPEN


async def test_warnings_are_in_the_answer_only_where_there_are_some(live, ask, monkeypatch):
    assert "warnings" not in (await ask("PUT", "", {"policy": OPEN}))[1]
    monkeypatch.setattr(live.policy, "check", lambda *_: ["line 1: this rule never matches"])
    for method, path in (("PUT", ""), ("POST", "/check")):
        assert (await ask(method, path, {"policy": OPEN}))[1]["warnings"] == ["line 1: this rule never matches"]


async def test_a_file_that_is_not_in_force_shows_in_the_policy_and_in_the_health(live, api, ask):
    await ask("PUT", "", {"policy": OPEN})
    assert "problem" not in (await ask("GET", ""))[1]
    live.policy.problem = "policy.hujson is not in force"
    assert (await ask("GET", ""))[1]["problem"] == "policy.hujson is not in force"
    health = msgspec.json.decode(await (await api("GET", "/api/v1/health")).data)
    assert health["warnings"] == ["policy: policy.hujson is not in force"]


async def test_what_nodes_are_sent_now_is_shown_too(live, ask, monkeypatch):
    asked = []

    async def preview(document, names):
        asked.append((document, names))
        return {"web": {}}

    monkeypatch.setattr(live.policy, "preview", preview)
    assert await ask("POST", "/preview", {}) == (200, {"nodes": {"web": {}}})
    assert await ask("POST", "/preview", {"policy": OPEN, "nodes": ["web"]}) == (200, {"nodes": {"web": {}}})
    assert asked == [(None, ()), (OPEN, ("web",))]


async def test_the_rules_between_two_nodes_are_explained(live, ask, monkeypatch):
    asked = []

    async def explain(document, src, question):
        asked.append((document, src, question))
        return Explanation(False, (Reason("laptop", "web", "grants[0]", 3, "tag:web:443"),), ("phone to web: no rule",))

    monkeypatch.setattr(live.policy, "explain", explain, raising=False)
    status, body = await ask("POST", "/explain", {"src": "alice@", "dst": "web:443"})
    assert status == 200
    assert body == {
        "allowed": False,
        "reasons": [{"src": "laptop", "dst": "web", "rule": "grants[0]", "line": 3, "opens": "tag:web:443"}],
        "missing": ["phone to web: no rule"],
    }
    await ask("POST", "/explain", {"src": "alice@", "dst": "web", "proto": "icmp", "policy": OPEN})
    assert asked == [(None, "alice@", Question("web", 443, 6)), (OPEN, "alice@", Question("web", 0, 1))]
    assert (await ask("POST", "/explain", {"src": "alice@", "dst": "web:0"}))[0] == 400
