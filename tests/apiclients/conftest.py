"""A server that programs made for the hosted service's API are pointed at, and credentials for it."""

import json
import os
import subprocess
from secrets import token_bytes

import anyio
import pytest

from hatsize.tailnet.commands.credentials import create_api_key
from hatsize.tailnet.commands.oauth import create_oauth_client
from hatsize.tailnet.commands.policy import policy_in_force, save_policy
from hatsize.tailnet.commands.users import create_user
from hatsize.tailnet.model import CredentialKind
from hatsize.tailnet.secrets import mint
from hatsize.testing.certificates import self_signed
from tests.clients.lab import binaries
from tests.clients.lab.requirements import required

DEADLINE = 120.0
SCOPES = (
    "policy_file", "dns", "auth_keys", "oauth_keys", "devices:core", "devices:routes", "devices:posture_attributes",
    "users", "feature_settings",
)  # fmt: skip
"""What programs need that manage a tailnet; not `all`."""


class Tailnet:
    """A tailnet behind TLS, with user alice; programs are run beside it."""

    def __init__(self, server, certificate):
        self._live = server.parts.live
        self.server = server
        self.host = f"{server.host}:{server.port}"
        self.url = f"https://{self.host}"
        self.trusting = {"SSL_CERT_FILE": str(certificate), "NO_PROXY": "127.0.0.1"}

    async def save_policy(self, document):
        """Somebody else puts a policy in force."""
        await self._live.run(lambda state: save_policy(state, document, lambda *_: (), self._live.clock()))

    @property
    def policy(self):
        found = policy_in_force(self._live.state)
        return found.document if found else None

    @property
    def state(self):
        return self._live.state

    async def add_user(self, name):
        await self._live.run(lambda state: create_user(state, name, self._live.clock()))

    async def api_key(self):
        return await self._made(CredentialKind.API_KEY, create_api_key)

    async def oauth_client(self, *scopes, tags=()):
        """The id and the secret of a client."""
        secret = await self._made(CredentialKind.OAUTH_CLIENT, create_oauth_client, scopes=scopes, tags=tags)
        return secret.removeprefix("tskey-client-").partition("-")[0], secret

    async def _made(self, kind, create, **terms):
        minted = mint(kind, token_bytes(44))
        await self._live.run(lambda state: create(state, minted, self._live.clock(), **terms))
        return minted.text

    async def run(self, *argv, env=None, **options):
        """A program run to its end, which trusts the server's certificate: its exit code and what it wrote."""
        environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **self.trusting, **(env or {})}
        with anyio.fail_after(DEADLINE):
            return await anyio.run_process(
                [str(word) for word in argv], env=environment, check=False, stderr=subprocess.PIPE, **options
            )


@pytest.fixture
async def tailnet(hatsize_server, tmp_path):
    files = tmp_path / "tls"
    files.mkdir()
    certificate, key = self_signed(files, ["127.0.0.1"])
    tls = {"tls": {"cert_file": str(certificate), "key_file": str(key)}}
    async with hatsize_server(tls) as server:
        found = Tailnet(server, certificate)
        await found.add_user("alice")
        yield found


@pytest.fixture(params=["API key", "OAuth client"])
async def credential(request, tailnet):
    """The variables by which programs built on the hosted service's Go client know who they are."""
    if request.param == "API key":
        return {"TAILSCALE_API_KEY": await tailnet.api_key()}
    client_id, secret = await tailnet.oauth_client(*SCOPES, tags=("tag:ci",))
    return {"TAILSCALE_OAUTH_CLIENT_ID": client_id, "TAILSCALE_OAUTH_CLIENT_SECRET": secret}


def needed(path, how):
    """A program that must be there for a test; without it the test is skipped, and fails in CI."""
    if not path.exists():
        (pytest.fail if required() else pytest.skip)(f"there is no {path}: {how}")
    return path


def told(done):
    """The JSON that a program wrote."""
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.fixture
def go_client(tailnet, credential):
    """Carries out a method of the hosted service's own Go client; its answer, and what it was told instead."""
    program = needed(binaries.cache() / "apiv2", "python -m tests.clients.lab.install")

    async def call(resource, method, *arguments):
        argv = [program, resource, method, *map(json.dumps, arguments)]
        return await tailnet.run(*argv, env={"TAILSCALE_BASE_URL": tailnet.url, **credential})

    return call


@pytest.fixture
def ask(go_client):
    """What a method of that client returns."""

    async def answer(*argv):
        return told(await go_client(*argv))

    return answer


@pytest.fixture
def refused(go_client):
    """The status and the words by which it is refused."""

    async def refusal(*argv):
        done = await go_client(*argv)
        assert done.returncode == 1
        error = json.loads(done.stderr)
        return error["status"], error["message"]

    return refusal
