"""What every operation of API v2 does: who may ask, for which tailnet, and how errors are told."""

import json
from base64 import b64encode

import pytest

from hatsize.api.operation import ANYBODY
from hatsize.api.v2.blueprint import V2
from hatsize.tailnet.commands.credentials import create_api_key
from hatsize.tailnet.model import Change, Credential, CredentialKind, Tailnet
from hatsize.tailnet.scopes import SCOPES
from hatsize.tailnet.secrets import mint

pytestmark = pytest.mark.anyio
KEYS = "/api/v2/tailnet/-/keys"


@pytest.fixture
def api_key(live) -> str:
    minted = mint(CredentialKind.API_KEY, bytes(range(44)))
    live.state.apply(create_api_key(live.state, minted, live.clock()))
    return minted.text


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def basic(secret: str, password: str = "") -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{secret}:{password}".encode()).decode()}


async def status_of(api, headers: dict[str, str], path: str = KEYS) -> int:
    return (await api("GET", path, headers=headers, local=False)).status_code


async def test_the_unix_socket_may_do_everything(api):
    assert (await api("GET", KEYS)).status_code == 200


async def test_an_api_key_opens_it_as_bearer_or_as_the_user_name_of_basic(api, api_key):
    assert await status_of(api, bearer(api_key)) == 200
    assert await status_of(api, basic(api_key)) == 200
    assert await status_of(api, basic(api_key[:-1])) == 401
    assert await status_of(api, {"Authorization": f"Basic {api_key}"}) == 401


async def test_a_credential_that_a_plugin_knows_opens_it(live, api):
    live.presenters["beep"] = "robots:welder"
    assert await status_of(api, bearer("beep")) == 200
    assert await status_of(api, basic("beep")) == 200


async def test_v1_takes_no_basic(api, api_key):
    assert await status_of(api, basic(api_key), "/api/v1/node") == 401


async def test_a_token_opens_v2_and_v1_only_with_all_scopes(api, token):
    assert await status_of(api, bearer(token("all")), "/api/v1/node") == 200
    narrow = bearer(token(*SCOPES[1:]))
    assert await status_of(api, narrow, "/api/v1/node") == 403
    assert await status_of(api, narrow) == 200


async def test_a_token_is_worth_nothing_without_its_client(live, api, token):
    secret = token("all")
    client = max(key.id for key in live.state.all(Credential) if key.kind is CredentialKind.OAUTH_CLIENT)
    live.state.apply(
        Change(tailnet=1, kind="credential.deleted", deletes=((Credential.table, client),), at=live.clock())
    )
    assert await status_of(api, bearer(secret)) == 401


async def test_errors_are_told_in_the_hosted_services_form(api):
    response = await api("GET", KEYS, local=False)
    body = await response.get_json()
    assert response.content_type == "application/json"
    assert (set(body), body["status"], response.headers["WWW-Authenticate"]) == ({"message", "status"}, 401, "Bearer")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/api/v2/flights", 404), ("PATCH", KEYS, 405)])
async def test_what_there_is_not_is_told_in_the_same_form(api, method, path, status):
    body = await (await api(method, path)).get_json()
    assert body["status"] == status
    assert "/api/v2/" in body["message"]


async def test_the_tailnet_is_ones_own_by_its_dash_its_name_or_its_number(live, api):
    live.state.apply(
        Change(
            tailnet=1, kind="x", at=live.clock(),
            puts=(Tailnet(id=1, name="net.example", created=live.clock()),),
        )
    )  # fmt: skip
    for name in ("-", "net.example", "1"):
        assert (await api("GET", f"/api/v2/tailnet/{name}/keys")).status_code == 200
    other = await api("GET", "/api/v2/tailnet/other.example/keys")
    assert other.status_code == 404
    assert "other.example" in (await other.get_json())["message"]


async def test_it_is_described_as_v1_is(api):
    document = json.loads(await (await api("GET", "/api/v2/openapi.json", local=False)).get_data())
    names = {part["operationId"] for path in document["paths"].values() for part in path.values()}
    assert names == {operation.name for operation in V2.operations}
    assert document["components"]["securitySchemes"].keys() == {"bearer", "basic"}
    token = document["paths"]["/api/v2/oauth/token"]["post"]
    assert (token["security"], token["requestBody"]["content"]) == ([], {"*/*": {}})
    devices = document["paths"]["/api/v2/tailnet/{tailnet}/devices"]["get"]
    assert devices["description"] == "Needs the scope `devices:core:read`."
    page = await (await api("GET", "/api/v2/docs", local=False)).get_data(as_text=True)
    assert all(f"{operation.method} /api/v2{operation.path}" in page for operation in V2.operations)
    assert "<td><code>devices:core:read</code></td>" in page


def test_every_operation_says_a_scope_there_is():
    assert {operation.scope for operation in V2.operations} <= {*SCOPES, "", ANYBODY}
