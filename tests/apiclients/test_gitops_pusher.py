"""The hosted service's own gitops-pusher, as its GitHub action runs it: a policy is tested, and pushed."""

import json
from hashlib import sha256

import pytest

from hatsize.wire.hujson import format_hujson
from tests.apiclients.conftest import needed
from tests.clients.lab import binaries

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
POLICY = """// pushed
{"grants": [{"src": ["*"], "dst": ["*"], "ip": ["tcp:22"]}],
 "tests": [{"src": "alice@", "accept": ["100.64.0.9:22"]}]}
"""
FAILING = POLICY.replace("accept", "deny")
MISSPELT = POLICY.replace("grants", "grant")


@pytest.fixture(params=["API key", "OAuth client"])
async def pusher(request, tailnet, tmp_path):
    """Runs a command of the pusher on a policy; what it said, and whether it was content."""
    program = needed(binaries.GITOPS_PUSHER.path, "python -m tests.clients.lab.install")
    if request.param == "API key":
        env = {"TS_API_KEY": await tailnet.api_key()}
    else:
        client_id, secret = await tailnet.oauth_client("policy_file")
        env = {"TS_OAUTH_ID": client_id, "TS_OAUTH_SECRET": secret}

    async def run(command, policy):
        (tmp_path / "policy.hujson").write_text(policy)
        argv = [program, "-api-server", tailnet.host, "-policy-file", "policy.hujson", command]
        done = await tailnet.run(*argv, env={**env, "TS_TAILNET": "-"}, cwd=tmp_path)
        return done.returncode == 0, done.stdout.decode() + done.stderr.decode()

    return run


async def test_a_policy_is_tested_and_pushed_and_then_found_in_place(pusher, tailnet, tmp_path):
    assert (await pusher("test", POLICY))[0]
    assert tailnet.policy is None
    assert (await pusher("apply", POLICY))[0]
    assert tailnet.policy == POLICY
    content, said = await pusher("apply", format_hujson(POLICY).decode())
    assert content
    assert "no update needed" in said, "for the same policy in another layout"
    tag = sha256(format_hujson(POLICY)).hexdigest()
    assert json.loads((tmp_path / "version-cache.json").read_text()) == {"PrevETag": tag}


async def test_a_policy_whose_tests_fail_is_not_pushed(pusher, tailnet):
    for command in ("test", "apply"):
        content, said = await pusher(command, FAILING)
        assert not content
        assert "test(s) failed" in said
        assert 'address "100.64.0.9:22": want: Drop, got: Accept' in said
    assert tailnet.policy is None


async def test_a_fault_is_shown_at_its_line(pusher):
    content, said = await pusher("test", MISSPELT)
    assert not content
    assert "line=2,col=2::unknown field" in said


async def test_a_policy_that_somebody_else_changed_is_told_of(pusher, tailnet):
    await pusher("apply", POLICY)
    await tailnet.save_policy('{"grants": []}')
    content, said = await pusher("apply", POLICY)
    assert content
    assert "modified externally" in said
    assert tailnet.policy == POLICY
